"""What aggregates are told after a log lost its tail, and that being told so does no harm to what is in order."""

from __future__ import annotations

from pathlib import Path

import pytest
from google.protobuf.message import Message
from google.type.money_pb2 import Money

from oms.inventory.v1 import inventory_commands_pb2 as inventory
from oms.inventory.v1 import inventory_events_pb2, inventory_pb2
from oms.inventory.v1.inventory_state_pb2 import StoredReservation
from oms.order.v1 import order_commands_pb2 as order
from oms.order.v1 import order_state_pb2
from oms.payment.v1 import payment_commands_pb2 as payment
from oms.payment.v1 import payment_events_pb2, payment_pb2
from oms.payment.v1.payment_state_pb2 import StoredPayment
from ordermesh.adapters.provider_ledger import ProviderLedger
from ordermesh.adapters.sandbox_payments import SandboxPayments
from ordermesh.admin.waking import Asked, wakes
from ordermesh.core.decider import Context, Key
from ordermesh.inventory import app as inventory_app
from ordermesh.inventory.model import reservation_key, stock_key
from ordermesh.order.model import order_key
from ordermesh.payment import decider as payments
from ordermesh.payment import reconciling
from ordermesh.payment.model import payment_key
from ordermesh.testing.given import given

ORDER = "0190a3c5-7e1b-7c3a-9d52-1f6b8a0c4e77"
AMOUNT = Money(currency_code="GBP", units=12)
DOUBTFUL = Context(1, "t", ORDER, "", False, lambda _service, _tenant, _key: 0, True)


def told(key: Key, state: Message, *, is_lost: bool = False, asked: Asked = ()) -> list[Message]:
    """What an aggregate is told."""
    return [message for _, message in wakes(key, state, is_lost=is_lost, asked=asked, dispatches=True)]


def test_an_order_that_waits_asks_again_at_once() -> None:
    state = order_state_pb2.StoredOrder(step=order_state_pb2.ORDER_STEP_AUTHORIZE)
    assert told(order_key("t", ORDER), state) == [order.StepTimer(at_once=True)]


def test_an_order_that_has_ended_settles_its_stock_only_where_its_end_is_lost() -> None:
    state = order_state_pb2.StoredOrder(step=order_state_pb2.ORDER_STEP_NONE)
    state.order.lines.add(sku="TEA", quantity=1)
    assert told(order_key("t", ORDER), state) == []
    assert told(order_key("t", ORDER), state, is_lost=True) == [order.ReservationAged(skus=["TEA"])]


def test_a_payment_asks_for_what_is_under_way_and_not_on_the_agenda() -> None:
    state = StoredPayment()
    state.payment.refunds.add(operation_id="1", status=payment_pb2.OPERATION_STATUS_PENDING)
    state.payment.refunds.add(operation_id="2", status=payment_pb2.OPERATION_STATUS_PENDING)
    state.payment.refunds.add(operation_id="3", status=payment_pb2.OPERATION_STATUS_DONE)
    state.payment.refunds.add(operation_id="4", status=payment_pb2.OPERATION_STATUS_DONE, reissuing=True)
    refund = payment.PROVIDER_OPERATION_REFUND
    found = told(payment_key("t", ORDER), state, asked=[(refund, "1")])
    assert found == [payment.Reconcile(operation=refund, operation_id=name) for name in ("2", "4")]


def test_an_open_reservation_asks_its_order_and_no_other_does() -> None:
    state = StoredReservation()
    key = reservation_key("t", "TEA", ORDER)
    state.reservation.state = inventory_pb2.RESERVATION_STATE_COMMITTED
    assert told(key, state, is_lost=True) == []
    state.reservation.state = inventory_pb2.RESERVATION_STATE_OPEN
    assert told(key, state) == [inventory.ReservationTimer(order_id=ORDER, skus=["TEA"])]


def test_a_stock_is_recounted_to_what_its_reservations_say_and_only_if_it_differs() -> None:
    received = inventory_events_pb2.StockReceived(sku="TEA", quantity=10)
    reserved = inventory_events_pb2.StockReserved(quantity=4)
    outcome = given(inventory_app.SERVICE).happened(stock_key("t", "TEA"), received, reserved)
    after = outcome.when("TEA", inventory.Recount(reserved=1, committed=2), tenant="t")
    stock = after.state(stock_key("t", "TEA")).stock
    assert (stock.on_hand, stock.reserved, stock.committed, stock.available) == (8, 1, 2, 7)
    assert after.when("TEA", inventory.Recount(reserved=1, committed=2), tenant="t").events == []


@pytest.mark.parametrize("is_under_way", [True, False])
def test_reconciling_asks_the_provider_to_look_only_for_what_is_under_way(is_under_way: bool) -> None:
    state = StoredPayment()
    state.payment.amount.CopyFrom(AMOUNT)
    authorizing, authorized = payment_pb2.PAYMENT_STATUS_AUTHORIZING, payment_pb2.PAYMENT_STATUS_AUTHORIZED
    state.payment.status = authorizing if is_under_way else authorized
    asked = payment.Reconcile(operation=payment.PROVIDER_OPERATION_AUTHORIZE)
    decided = reconciling.reconcile({payment_key("t", ORDER): state}, asked, DOUBTFUL)
    assert [effect.request.look_up for effect in decided.effects] == ([True] if is_under_way else [])  # type: ignore[attr-defined]  # a ProviderRequest


def test_a_doubtful_order_that_is_undone_takes_in_what_the_provider_holds_before_it_is_voided() -> None:
    decided = payments.void({}, payment.Void(amount=AMOUNT, payment_token="tok_ok"), DOUBTFUL)
    assert [type(event) for _, event in decided.events] == [
        payment_events_pb2.AuthorizationStarted,
        payment_events_pb2.VoidRequested,
    ]
    (effect,) = decided.effects
    assert effect.request.look_up  # type: ignore[attr-defined]  # a ProviderRequest
    assert payments.void({}, payment.Void(amount=AMOUNT), DOUBTFUL._replace(is_doubtful=False)).effects == []


@pytest.mark.parametrize("token", ["tok_ok", "tok_flaky", "tok_slow"])
async def test_the_sandbox_does_nothing_again_that_it_finds_done_under_another_key(tmp_path: Path, token: str) -> None:
    provider = SandboxPayments(ProviderLedger(tmp_path / "ledger.jsonl"))
    asked = payment.ProviderRequest(
        operation=payment.PROVIDER_OPERATION_CAPTURE, order_id=ORDER, operation_id="1", amount=AMOUNT,
        payment_token="tok_ok",
    )  # fmt: skip
    await provider.execute(asked, "lost")
    again = payment.ProviderRequest()
    again.CopyFrom(asked)
    again.payment_token, again.look_up = token, True
    for number in range(6):
        assert (await provider.execute(again, f"new-{number}")).approved
    assert len(provider.operations(ORDER)) == 1
    again.operation, again.operation_id = payment.PROVIDER_OPERATION_VOID, ""
    assert (await provider.execute(again, "void")).code == "already_captured"
    await provider.close()
