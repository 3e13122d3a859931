"""Payments compared with their provider: every kind of difference is found, what can be mended is, the rest is told."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import grpc
import pytest
import pytest_asyncio
from google.type.money_pb2 import Money

from oms.admin.v1 import admin_pb2, admin_service_pb2
from oms.order.v1 import order_pb2, order_service_pb2
from oms.payment.v1 import payment_commands_pb2 as commands
from oms.payment.v1 import payment_pb2, payment_service_pb2
from oms.payment.v1.payment_state_pb2 import StoredPayment
from ordermesh.adapters.provider_ledger import ProviderLedger, read_ledger
from ordermesh.adapters.sandbox_payments import SandboxPayments
from ordermesh.adapters.stripe_calls import StripeOptions
from ordermesh.adapters.stripe_payments import StripePayments
from ordermesh.admin import pauses, reconcile
from ordermesh.admin import payment_differences as differing
from ordermesh.core.money import nanos_of
from ordermesh.payment.provider import PaymentProvider, ProviderHold, ProviderUnreachable
from ordermesh.testing.stripe_fake.server import Fault, StripeFake
from tests.e2e.api.client import LINEARIZABLE, Client, new_id, order_of, until
from tests.unit.edge.shop import Shop
from tests.unit.edge.test_audit import audit, stored, tamper

Kind = admin_pb2.PaymentDifference
AUTHORIZE, CAPTURE = commands.PROVIDER_OPERATION_AUTHORIZE, commands.PROVIDER_OPERATION_CAPTURE
UNKNOWN = "0190a3c5-7e1b-7c3a-9d52-1f6b8a0c4e77"


class World:
    """A shop whose payments are at a provider that keeps its own books, and hands that reach into these."""

    def __init__(
        self, shop: Shop, client: Client, provider: PaymentProvider, token: str, fake: StripeFake | None
    ) -> None:
        self.shop = shop
        self.client = client
        self.provider = provider
        self.token = token
        self.fake = fake

    async def sold(self) -> order_pb2.Order:
        """A completed order, stored."""
        await self.client.receive("TEA")
        created = (await self.client.create(order_of(token=self.token))).order
        done = await self.client.ended(created.order_id)
        assert done.order_state == order_pb2.ORDER_STATE_COMPLETED
        await stored(self.shop, "orders", done.order_id, done.version)
        return done

    async def hold(self, order_id: str) -> ProviderHold:
        """The one hold of an order."""
        (found,) = await self.provider.find(order_id)
        return found

    async def payment(self, order_id: str) -> payment_pb2.Payment:
        """The payment of an order, as it is decided now."""
        request = payment_service_pb2.GetPaymentRequest(order_id=order_id, read_consistency=LINEARIZABLE)
        found: payment_pb2.Payment = (await self.client.payments.GetPayment(request)).payment
        return found

    async def asked(self, operation: Any, order_id: str, units: int = 12, **more: Any) -> commands.ProviderResult:
        """Has the provider do something that no payment knows of."""
        request = commands.ProviderRequest(
            operation=operation,
            order_id=order_id,
            amount=Money(currency_code="GBP", units=units),
            payment_token=self.token,
            ask_time_us=time.time_ns() // 1_000,
            **more,
        )
        return await self.provider.execute(request, f"stray {operation} {order_id} {more}")

    async def compare(self, *, mend: bool = False) -> list[admin_pb2.PaymentFinding]:
        """What differs; and counts that fit."""
        request = admin_service_pb2.ReconcilePaymentsRequest(mend=mend)
        request.to_time.FromMicroseconds(time.time_ns() // 1_000 + 5_000_000)
        answers = [each async for each in self.client.admin.ReconcilePayments(request)]
        findings = [each.finding for each in answers[:-1]]
        counts = answers[-1].reconciliation
        assert counts.differences == len(findings)
        assert counts.mended == sum(each.mended for each in findings)
        return findings

    async def until_given_again(self, order_id: str) -> None:
        """Waits until the provider has answered about a refund that it lacked; while it is asked nothing differs."""

        async def is_given() -> bool:
            (refund,) = (await self.payment(order_id)).refunds
            return refund.attempt == 1 and not refund.reissuing

        await until(is_given, "the refund is given again")

    async def until_right(self) -> None:
        """Waits until nothing differs."""

        async def is_right() -> bool:
            return not await self.compare()

        await until(is_right, "nothing differs any more")


@pytest_asyncio.fixture(params=["sandbox", "stripe"])
async def world(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[World]:
    """An open shop."""
    monkeypatch.setattr(pauses, "PAUSES_S", (0.01,) * 3)
    async with AsyncExitStack() as closing:
        provider: PaymentProvider
        fake: StripeFake | None = None
        if request.param == "sandbox":
            provider, token = SandboxPayments(ProviderLedger(tmp_path / "ledger.jsonl")), "tok_ok"
        else:
            fake = await closing.enter_async_context(StripeFake())
            token = "pm_card_visa"
            provider = StripePayments(StripeOptions(api_key=fake.api_key, deployment_id="test", api_base=fake.url))
        closing.push_async_callback(provider.close)
        shop = Shop(payments=provider)
        client = await closing.enter_async_context(shop.open())
        yield World(shop, client, provider, token, fake)


def kinds(findings: Sequence[admin_pb2.PaymentFinding]) -> list[tuple[str, bool]]:
    """What differs, and whether it can be mended."""
    return [(Kind.Name(each.difference).removeprefix("PAYMENT_DIFFERENCE_"), each.mendable) for each in findings]


async def test_where_both_agree_nothing_is_found(world: World) -> None:
    await world.sold()

    assert await world.compare() == []


async def test_a_hold_for_an_order_that_is_not_known_is_let_go_of(world: World) -> None:
    await world.asked(AUTHORIZE, UNKNOWN)

    found = await world.compare()
    assert kinds(found) == [("UNKNOWN_ORDER", True)]
    assert not found[0].mended
    assert (await world.hold(UNKNOWN)).held, "without mend nothing changes"

    assert [each.mended for each in await world.compare(mend=True)] == [True]
    await world.until_right()
    assert not (await world.hold(UNKNOWN)).held


@pytest.mark.parametrize("world", ["sandbox"], indirect=True)
async def test_what_was_let_go_of_is_nothing_to_the_audit(world: World, tmp_path: Path) -> None:
    world.shop.truth = lambda: read_ledger(tmp_path / "ledger.jsonl")
    await world.asked(AUTHORIZE, UNKNOWN)
    assert "I4" in await audit(world.client, "I4")

    await world.compare(mend=True)
    await world.until_right()

    assert await audit(world.client, "I4") == {}


async def test_money_taken_for_an_order_that_is_not_known_is_told(world: World) -> None:
    reference = (await world.asked(AUTHORIZE, UNKNOWN)).reference
    await world.asked(CAPTURE, UNKNOWN, operation_id="1", reference=reference)

    found = await world.compare(mend=True)

    assert kinds(found) == [("UNKNOWN_ORDER", False)]
    assert "took 12.00 GBP" in found[0].detail


async def test_a_second_hold_of_an_order_is_let_go_of_and_the_first_is_not(world: World) -> None:
    order = await world.sold()
    await world.asked(AUTHORIZE, order.order_id, operation_id="again")

    assert kinds(await world.compare(mend=True)) == [("HELD_TWICE", True)]

    await world.until_right()
    held = sorted(hold.captured for hold in await world.provider.find(order.order_id))
    assert held == [0, nanos_of(order.total)]


async def test_a_hold_of_an_order_whose_payment_was_declined_is_let_go_of(world: World) -> None:
    await world.client.receive("TEA")
    declined = "tok_decline" if world.token == "tok_ok" else "pm_card_visa_chargeDeclined"
    order = (await world.client.create(order_of(token=declined))).order
    ended = await world.client.ended(order.order_id)
    assert ended.order_state == order_pb2.ORDER_STATE_CANCELLED
    await stored(world.shop, "orders", order.order_id, ended.version)
    await world.asked(AUTHORIZE, order.order_id, operation_id="stray")

    assert kinds(await world.compare(mend=True)) == [("HELD_AFTER_END", True)]

    await world.until_right()


async def test_a_refund_that_the_provider_lacks_is_given(world: World) -> None:
    """The payment believes in a refund: as if the provider had been set back to before it."""
    order = await world.sold()

    def refunded(state: bytes) -> bytes:
        found = StoredPayment.FromString(state)
        amount = Money(currency_code=order.total.currency_code, units=1)
        found.payment.refunds.add(operation_id="r1", amount=amount, status=payment_pb2.OPERATION_STATUS_DONE)
        found.payment.refunded.CopyFrom(amount)
        return bytes(found.SerializeToString(deterministic=True))

    await world.shop.stop_owner()
    tamper(world.shop, "payments", order.order_id, state=refunded)
    world.shop.restart_owner()

    found = await world.compare(mend=True)
    assert kinds(found) == [("REFUND_MISSING", True)]
    assert "refund r1 of 1.00 GBP" in found[0].detail

    await world.until_given_again(order.order_id)
    await world.until_right()
    assert (await world.hold(order.order_id)).refunds == {"r1": 1_000_000_000}


@pytest.mark.parametrize("world", ["stripe"], indirect=True)
async def test_what_is_only_looked_up_is_not_called_mended(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Stripe is silent about an authorisation; what became of it is asked, and found only once Stripe has it."""
    monkeypatch.setattr(differing, "STALE_US", 0)
    fake = world.fake
    assert fake is not None
    await world.client.receive("TEA")
    fake.fail("create", Fault.LOST_BEFORE, 10_000)
    order = (await world.client.create(order_of(token=world.token))).order

    async def is_asked() -> bool:
        return fake.calls["create"] > 0

    await until(is_asked, "Stripe is asked")
    await stored(world.shop, "payments", order.order_id, 1)

    for _ in range(2):
        (found,) = await world.compare(mend=True)
        assert kinds([found]) == [("UNDER_WAY", True)]
        assert (found.mended, found.looked_up, found.not_mended_reason) == (False, True, "")
    assert [each.looked_up for each in await world.compare()] == [False], "without mend nothing is asked"


@pytest.mark.parametrize("world", ["stripe"], indirect=True)
async def test_a_refund_that_failed_after_it_was_approved_is_given_again(world: World) -> None:
    fake = world.fake
    assert fake is not None
    order = await world.sold()
    amount = Money(currency_code="GBP", units=1)
    await world.client.orders.RefundOrder(
        order_service_pb2.RefundOrderRequest(order_id=order.order_id, request_id="r1", amount=amount)
    )

    async def is_refunded() -> bool:
        found = await world.client.get(order.order_id)
        return bool(found.order.refunded == amount)

    await until(is_refunded, "the refund is given")
    await stored(world.shop, "payments", order.order_id, (await world.payment(order.order_id)).version)
    (failed,) = fake.account.refunds
    fake.account.fail_refund(failed)

    assert kinds(await world.compare(mend=True)) == [("REFUND_MISSING", True)]

    await world.until_given_again(order.order_id)
    await world.until_right()
    assert [each["status"] for each in fake.account.refunds.values()] == ["failed", "succeeded"]
    (given,) = ((await world.hold(order.order_id)).refunds or {}).values()
    assert given == nanos_of(amount)


@pytest.mark.parametrize("world", ["sandbox"], indirect=True)
async def test_a_payment_that_holds_money_and_was_listed_right_is_not_looked_up(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Half of its order is sent and paid, the other half waits for goods."""
    await world.client.receive("TEA", 1)
    order = order_of(token=world.token)
    order.fulfillment_policy, order.allow_split_shipments = order_pb2.FULFILLMENT_POLICY_BACKORDER, True
    order_id = (await world.client.create(order)).order.order_id

    async def is_half_paid() -> bool:
        return nanos_of((await world.payment(order_id)).captured) > 0

    await until(is_half_paid, "the first shipment is paid")
    await stored(world.shop, "payments", order_id, (await world.payment(order_id)).version)

    async def find(*_: Any) -> Sequence[ProviderHold]:
        raise AssertionError("it was asked about one order")

    monkeypatch.setattr(world.provider, "find", find)
    assert (await world.payment(order_id)).status == payment_pb2.PAYMENT_STATUS_AUTHORIZED
    assert await world.compare() == []


async def test_what_differs_is_told_once_slice_by_slice(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reconcile, "SLICE", 2)
    unknown = [new_id() for _ in range(5)]
    for order_id in unknown:
        for name in ("", "again"):
            await world.asked(AUTHORIZE, order_id, operation_id=name)

    found = await world.compare(mend=True)

    assert sorted(each.order_id for each in found) == sorted(2 * unknown)
    assert kinds(found) == 10 * [("UNKNOWN_ORDER", True)]
    await world.until_right()


@pytest.mark.parametrize("limit", ["HOLDS_MAX", "COMPARED_MAX"])
async def test_more_than_can_be_compared_is_refused(world: World, monkeypatch: pytest.MonkeyPatch, limit: str) -> None:
    monkeypatch.setattr(reconcile, limit, 1)
    for _ in range(2):
        await world.asked(AUTHORIZE, new_id())

    with pytest.raises(grpc.aio.AioRpcError) as raised:
        await world.compare()

    assert raised.value.code() is grpc.StatusCode.INVALID_ARGUMENT
    assert "more than 1 " in str(raised.value.details())


async def test_a_provider_that_does_not_answer_about_an_order_is_told(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reconcile, "TRY_PAUSE_S", 0.001)
    for _ in range(3):
        await world.asked(AUTHORIZE, new_id())

    async def find(*_: Any) -> Sequence[ProviderHold]:
        raise ProviderUnreachable("switched off")

    monkeypatch.setattr(world.provider, "find", find)
    with pytest.raises(grpc.aio.AioRpcError) as raised:
        await world.compare()

    assert raised.value.code() is grpc.StatusCode.UNAVAILABLE
    assert "switched off" in str(raised.value.details())


async def test_a_time_range_that_is_none_is_refused_by_name(world: World) -> None:
    for words, request in (
        ("to_time", {"from_time": {"seconds": 100}, "to_time": {"seconds": 50}}),
        ("from_time", {"from_time": {"seconds": 100}, "to_time": {"seconds": 100 + 32 * 86_400}}),
    ):
        with pytest.raises(grpc.aio.AioRpcError) as raised:
            async for _ in world.client.admin.ReconcilePayments(
                admin_service_pb2.ReconcilePaymentsRequest(**request)  # type: ignore[arg-type]  # dicts are taken
            ):
                pass
        assert raised.value.code() is grpc.StatusCode.INVALID_ARGUMENT
        assert words in str(raised.value.details())
