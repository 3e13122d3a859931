"""What every payment provider does, and says of what it did."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from google.type.money_pb2 import Money

from oms.payment.v1.payment_commands_pb2 import (
    PROVIDER_OPERATION_ADJUST,
    PROVIDER_OPERATION_AUTHORIZE,
    PROVIDER_OPERATION_CAPTURE,
    PROVIDER_OPERATION_REFUND,
    PROVIDER_OPERATION_RELEASE,
    PROVIDER_OPERATION_VOID,
    ProviderOperation,
    ProviderRequest,
    ProviderResult,
)
from ordermesh.adapters.provider_ledger import ProviderLedger
from ordermesh.adapters.sandbox_payments import SandboxPayments
from ordermesh.adapters.stripe_calls import StripeOptions
from ordermesh.adapters.stripe_payments import StripePayments
from ordermesh.core.money import NANOS_PER_UNIT
from ordermesh.payment.provider import PaymentProvider, ProviderHold, ProviderUnreachable
from ordermesh.testing.stripe_fake.server import Fault, StripeFake

ORDER = "0190a3c5-7e1b-7c3a-9d52-1f6b8a0c4e77"
ADJUST, AUTHORIZE, CAPTURE = PROVIDER_OPERATION_ADJUST, PROVIDER_OPERATION_AUTHORIZE, PROVIDER_OPERATION_CAPTURE
VOID, REFUND, RELEASE = PROVIDER_OPERATION_VOID, PROVIDER_OPERATION_REFUND, PROVIDER_OPERATION_RELEASE
UNIT = NANOS_PER_UNIT


@dataclass
class World:
    """A provider, its tokens, and a process started later that speaks to the same."""

    provider: PaymentProvider
    again: PaymentProvider
    works: str
    declines: str
    loses_answers: str
    lose_answer: Callable[[str], None]

    def asked(self, operation: ProviderOperation, units: int = 12, **more: Any) -> ProviderRequest:
        """A request as the payment service makes it."""
        fields: dict[str, Any] = {
            "order_id": ORDER,
            "payment_token": self.works,
            "ask_time_us": time.time_ns() // 1_000,
            **more,
        }
        return ProviderRequest(operation=operation, amount=Money(currency_code="GBP", units=units), **fields)

    async def authorized(self) -> str:
        """The reference of twelve pounds that are held."""
        result = await self.provider.execute(self.asked(AUTHORIZE), "key of the authorisation")
        assert result.approved
        return str(result.reference)

    async def captured(self) -> str:
        """The same, taken."""
        reference = await self.authorized()
        request = self.asked(CAPTURE, operation_id="1", reference=reference)
        assert (await self.provider.execute(request, "key of the capture")).approved
        return reference

    async def captured_in_part(self, units: int) -> str:
        """The same, taken but for the rest, which stays held where the account allows several captures."""
        reference = await self.authorized()
        left = Money(currency_code="GBP", units=12 - units)
        request = self.asked(CAPTURE, units, operation_id="1", reference=reference, left=left)
        assert (await self.provider.execute(request, "key of the capture")).approved
        return reference

    async def hold(self) -> ProviderHold:
        """The one hold of the order."""
        (hold,) = await self.provider.find(ORDER)
        return hold


@pytest_asyncio.fixture(params=["sandbox", "stripe", "stripe with several captures"])
async def world(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[World]:
    """A provider that has nothing yet."""
    async with AsyncExitStack() as closing:
        if request.param == "sandbox":
            one, two = (SandboxPayments(ProviderLedger(tmp_path / "ledger.jsonl")) for _ in range(2))
            found = World(one, two, "tok_ok", "tok_decline", "tok_flaky", lambda _operation: None)
        else:
            fake = await closing.enter_async_context(StripeFake(has_multicapture="several" in request.param))
            options = StripeOptions(api_key=fake.api_key, deployment_id="test", api_base=fake.url, timeout_s=5.0)
            found = World(
                StripePayments(options),
                StripePayments(options),
                "pm_card_visa",
                "pm_card_visa_chargeDeclined",
                "pm_card_visa",
                lambda operation: fake.fail(operation, Fault.LOST_AFTER, 2),
            )
        for provider in (found.provider, found.again):
            closing.push_async_callback(provider.close)
        yield found


async def until_definite(ask: Callable[[], Awaitable[ProviderResult]]) -> tuple[ProviderResult, int]:
    """The answer, and how often there was none."""
    for lost in range(10):
        try:
            return await ask(), lost
        except ProviderUnreachable:
            continue
    raise AssertionError("there never was an answer")


async def test_an_authorisation_holds_money_and_names_the_hold(world: World) -> None:
    before_us = time.time_ns() // 1_000
    reference = await world.authorized()

    hold = await world.hold()
    assert reference
    assert (hold.order_id, hold.reference, hold.currency_code) == (ORDER, reference, "GBP")
    assert (hold.authorized, hold.captured, hold.voided, hold.refunded) == (12 * UNIT, 0, 0, 0)
    assert hold.held == 12 * UNIT
    assert hold.create_us >= before_us - 1_000_000, "a provider may tell seconds"


async def test_the_same_question_is_answered_the_same_by_whoever_asks(world: World) -> None:
    request = world.asked(AUTHORIZE)

    first = await world.provider.execute(request, "key")

    assert await world.provider.execute(request, "key") == first
    assert await world.again.execute(request, "key") == first
    assert (await world.hold()).authorized == 12 * UNIT


async def test_a_decline_is_definite_and_holds_nothing(world: World) -> None:
    request = world.asked(AUTHORIZE, payment_token=world.declines)

    result = await world.provider.execute(request, "key")

    assert not result.approved
    assert result.code
    assert await world.provider.execute(request, "key") == result
    assert not await world.provider.find(ORDER)


async def test_held_money_is_taken_and_given_back_in_parts(world: World) -> None:
    reference = await world.captured()
    for name, units in (("r1", 5), ("r2", 7)):
        request = world.asked(REFUND, units, operation_id=name, reference=reference)
        assert (await world.provider.execute(request, f"key of {name}")).approved
        assert (await world.provider.execute(request, f"key of {name}")).approved

    hold = await world.hold()
    assert (hold.captured, hold.held, hold.refunded) == (12 * UNIT, 0, 12 * UNIT)
    assert hold.refunds == {"r1": 5 * UNIT, "r2": 7 * UNIT}


@pytest.mark.parametrize("operation", [VOID, RELEASE])
async def test_held_money_is_let_go(world: World, operation: ProviderOperation) -> None:
    reference = await world.authorized()
    name = reference if operation == RELEASE else ""
    request = world.asked(operation, reference=reference, operation_id=name)

    assert (await world.provider.execute(request, "key of the void")).approved
    assert (await world.provider.execute(request, "key of the void")).approved

    hold = await world.hold()
    assert (hold.authorized, hold.voided, hold.held) == (12 * UNIT, 12 * UNIT, 0)


async def test_a_hold_that_two_found_is_let_go_once(world: World) -> None:
    reference = await world.authorized()
    request = world.asked(RELEASE, reference=reference, operation_id=reference)

    for key, provider in (("one", world.provider), ("another", world.again)):
        assert (await provider.execute(request, key)).approved

    hold = await world.hold()
    assert (hold.voided, hold.held) == (12 * UNIT, 0)


async def test_money_that_was_taken_is_not_let_go_when_it_is_looked_up(world: World) -> None:
    reference = await world.captured()

    result = await world.provider.execute(world.asked(VOID, reference=reference, look_up=True), "another key")

    assert (result.approved, result.code) == (False, "already_captured")
    assert (await world.hold()).captured == 12 * UNIT


async def test_a_look_does_nothing_and_finds_what_was_done(world: World) -> None:
    asked = world.asked(AUTHORIZE, look_only=True)
    assert (await world.provider.execute(asked, "a look")).not_found
    assert not await world.provider.find(ORDER)

    reference = await world.captured()
    refund = world.asked(REFUND, 5, operation_id="r1", reference=reference, look_only=True)
    assert (await world.provider.execute(refund, "a third look")).not_found

    assert (await world.again.execute(asked, "another look")).reference == reference
    captured = world.asked(CAPTURE, operation_id="1", reference=reference, look_only=True)
    assert (await world.again.execute(captured, "a fourth look")).approved
    assert (await world.hold()).refunded == 0


async def test_what_was_done_under_a_key_that_is_lost_is_not_done_again(world: World) -> None:
    reference = await world.captured()

    again = await world.again.execute(world.asked(AUTHORIZE, look_up=True), "another key")
    capture = world.asked(CAPTURE, operation_id="1", reference=reference, look_up=True)

    assert (again.approved, again.reference) == (True, reference)
    assert (await world.again.execute(capture, "another key of the capture")).approved
    hold = await world.hold()
    assert (hold.authorized, hold.captured) == (12 * UNIT, 12 * UNIT)


async def test_an_operation_whose_answer_is_lost_takes_effect_once(world: World) -> None:
    world.lose_answer("create")
    request = world.asked(AUTHORIZE, payment_token=world.loses_answers)

    result, lost = await until_definite(lambda: world.provider.execute(request, "key"))

    assert (result.approved, lost) == (True, 2)
    world.lose_answer("capture")
    fields: dict[str, Any] = {"operation_id": "1", "reference": result.reference, "payment_token": world.loses_answers}
    captured, lost = await until_definite(lambda: world.provider.execute(world.asked(CAPTURE, **fields), "key 2"))
    assert (captured.approved, lost) == (True, 2)
    hold = await world.hold()
    assert (hold.authorized, hold.captured) == (12 * UNIT, 12 * UNIT)


async def test_holds_are_listed_by_time(world: World) -> None:
    await world.captured()
    now_us = time.time_ns() // 1_000
    day_us = 86_400_000_000

    listed = [hold async for hold in world.provider.list_holds(now_us - day_us, now_us + 2_000_000)]
    before = [hold async for hold in world.provider.list_holds(now_us - 2 * day_us, now_us - day_us)]

    assert [(hold.order_id, hold.captured) for hold in listed] == [(ORDER, 12 * UNIT)]
    assert not before


async def test_nothing_else_than_a_provider_s_request_is_handled(world: World) -> None:
    with pytest.raises(TypeError, match=r"google\.type\.Money"):
        await world.provider.handle(Money(), "key")


async def test_a_hold_is_made_more_once_by_whoever_asks(world: World) -> None:
    reference = await world.authorized()
    request = world.asked(ADJUST, 5, operation_id="7", reference=reference)
    world.lose_answer("increment")

    result, _ = await until_definite(lambda: world.provider.execute(request, "key of the increase"))

    assert result.approved
    assert (await world.again.execute(request, "key of the increase")).approved
    assert ((await world.hold()).authorized, (await world.hold()).held) == (17 * UNIT, 17 * UNIT)


async def test_what_is_not_needed_of_a_hold_is_let_go_at_the_end(world: World) -> None:
    reference = await world.captured_in_part(8)
    request = world.asked(ADJUST, -4, operation_id="end", reference=reference)

    for _ in range(2):
        assert (await world.provider.execute(request, "key of the end")).approved

    hold = await world.hold()
    assert (hold.authorized, hold.captured, hold.voided, hold.held) == (12 * UNIT, 8 * UNIT, 4 * UNIT, 0)


async def test_what_became_of_an_adjustment_can_be_asked_without_making_it(world: World) -> None:
    reference = await world.authorized()
    look = world.asked(ADJUST, 5, operation_id="7", reference=reference, look_only=True)

    assert (await world.provider.execute(look, "key")).not_found
    assert (await world.hold()).authorized == 12 * UNIT


async def test_another_attempt_after_a_decline_is_another_hold(world: World) -> None:
    declined = await world.provider.execute(world.asked(AUTHORIZE, payment_token=world.declines), "first")
    again = await world.provider.execute(world.asked(AUTHORIZE, operation_id="1"), "second")

    assert not declined.approved
    assert again.approved
    assert (await world.hold()).authorized == 12 * UNIT
