"""The states of an order that are found by trying are all that there are, and what must never be is not among them."""

from __future__ import annotations

import random
from collections.abc import Iterable
from functools import cache

import pytest
from google.protobuf.message import Message

from oms.inventory.v1.inventory_commands_pb2 import ReceiveStock
from oms.order.v1 import order_commands_pb2 as commands
from oms.order.v1.order_pb2 import FulfillmentState, OrderState, PaymentState
from oms.order.v1.order_state_pb2 import OrderStep, StoredOrder
from oms.payment.v1 import payment_commands_pb2 as payments
from oms.shipping.v1.shipping_commands_pb2 import Deliver, Dispatch
from ordermesh.inventory import app as inventory
from ordermesh.order import app as order
from ordermesh.order.evolution import EVENTS
from ordermesh.order.model import OrderPolicy, order_key
from ordermesh.order.questions import shipment_number
from ordermesh.payment import app as payment
from ordermesh.shipping import app as shipping
from ordermesh.shipping.model import ShippingPolicy
from ordermesh.testing import order_states
from ordermesh.testing.given import TENANT
from ordermesh.testing.miniature import APART, TOGETHER, Miniature
from ordermesh.testing.order_states import ORDER_ID, TRIED, Change, Where, essence, small_orders, where
from ordermesh.testing.state_diagram import diagram, step_name

NEVER_STORED = {"UNSPECIFIED", "ACCEPTED"}
STEPS_OF_A_WALK = 60
BY_CLIENTS = (
    commands.Cancel, commands.Amend, commands.PlaceHold, commands.ReleaseHold, commands.RenewPayment,
    commands.Return, commands.Refund, commands.AuthorizeReturn, commands.ReceiveReturn, commands.InspectReturn,
    commands.CancelReturn, commands.Exchange,
)  # fmt: skip
"""What clients ask of an order after it was placed."""


@cache
def found() -> frozenset[Change]:
    """Every change; looked for once."""
    return frozenset(order_states.explore())


def places() -> set[Where]:
    """Every state."""
    return {change.after for change in found()}


def names(values: Iterable[str], prefix: str) -> set[str]:
    """The values of an enum that are stored, without their prefix."""
    return {name.removeprefix(prefix) for name in values} - NEVER_STORED


def test_everything_that_an_order_is_told_is_tried() -> None:
    handled = {handler.command for handler in order.make_service(OrderPolicy()).handlers}

    assert set(TRIED) == handled - {commands.PlaceOrder}, "a new command is tried in testing/order_states.py"


def test_everything_that_can_happen_to_an_order_happens() -> None:
    assert {name for change in found() for name in change.events} == {event.DESCRIPTOR.name for event in EVENTS}


def test_every_state_that_has_a_name_is_reached() -> None:
    assert {place.order_state for place in places()} == names(OrderState.keys(), "ORDER_STATE_")
    assert {place.payment_state for place in places()} == names(PaymentState.keys(), "PAYMENT_STATE_")
    assert {place.fulfillment_state for place in places()} == names(FulfillmentState.keys(), "FULFILLMENT_STATE_")
    assert {place.step for place in places()} == names(OrderStep.keys(), "ORDER_STEP_")


def test_what_is_asked_of_complete_orders_is_tried_on_all_that_were_sent_as_a_whole() -> None:
    asked = {"ReturnAuthorized", "ReturnAuthorized + ExchangeRequested"}
    for payment_state in ("CAPTURED", "PARTIALLY_REFUNDED"):
        complete = Where("COMPLETED", payment_state, "SHIPPED", "NONE")
        happens = {" + ".join(change.events) for change in found() if change.before == complete}
        assert asked <= happens, f"{payment_state}: {happens}"


def test_an_order_that_has_ended_without_completion_holds_nothing_and_nothing_follows() -> None:
    ended = [place for place in places() if place.order_state in ("CANCELLED", "REJECTED")]

    assert ended
    for place in ended:
        assert place.payment_state in ("NONE", "VOIDED", "DECLINED"), place
        assert (place.fulfillment_state, place.step) == ("UNALLOCATED", "NONE"), place
    assert not [change for change in found() if change.before in ended]


def test_only_a_complete_order_was_paid_and_every_complete_order_was_sent() -> None:
    paid = ("CAPTURED", "PARTIALLY_REFUNDED", "REFUNDED")
    for place in places():
        assert (place.payment_state in paid) == (place.order_state == "COMPLETED"), place
        if place.order_state == "COMPLETED":
            assert place.fulfillment_state in ("SHIPPED", "DELIVERED", "RETURNED"), place


def test_goods_that_left_are_never_cancelled() -> None:
    gone = ("SHIPPED", "DELIVERED", "RETURNED")
    for change in found():
        if change.before is not None and change.before.fulfillment_state in gone:
            assert change.after.fulfillment_state in gone, change
            assert change.after.order_state in ("CONFIRMED", "COMPLETED"), change


def test_versions_times_and_names_make_no_other_state() -> None:
    one, other = StoredOrder(order=small_orders()[0]), StoredOrder(order=small_orders()[0])
    one.pending_refunds.add(refund_id="1")
    other.pending_refunds.add(refund_id="7", request_hash=5)
    other.step_since_us, other.refund_count, other.order.version, other.order.etag = 5, 7, 9, "9"
    other.order.timeline.add(version=9)

    assert essence(one) == essence(other)
    other.waiting_skus.append("A")
    assert essence(one) != essence(other)


def test_a_search_without_end_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(order_states, "STATES_MAX", 20)

    with pytest.raises(AssertionError, match="something in it grows"):
        order_states.explore()


@pytest.mark.parametrize("seed", range(40))
def test_what_all_services_do_together_is_among_what_was_found(seed: int) -> None:
    """Random walks with real services, of any small order: whatever is asked and arrives when, the order is never where
    the search was not."""
    chance = random.Random(seed)
    bus = deployment(chance)
    known = places()
    bus.ask(ORDER_ID, commands.PlaceOrder(order=chance.choice(small_orders())))
    for _ in range(STEPS_OF_A_WALK):
        step(bus, chance)
        state = bus.state(order_key(TENANT, ORDER_ID))
        assert state is not None
        assert where(state) in known


def deployment(chance: random.Random) -> Miniature:
    """All services; enough stock, or not; a provider that declines now and then."""

    def answer(request: Message) -> Message:
        assert isinstance(request, payments.ProviderRequest)
        return payments.ProviderResult(
            operation=request.operation, operation_id=request.operation_id, approved=chance.random() < 0.8
        )

    services = (
        order.make_service(order_states.POLICY),
        payment.SERVICE,
        shipping.make_service(ShippingPolicy(dispatch_automatically=False)),
        inventory.SERVICE,
    )
    bus = Miniature(services, chance.choice([TOGETHER, APART]), chance.randint(1, 4), answer)
    for sku in ("A", "B"):
        bus.ask(sku, ReceiveStock(quantity=chance.choice([1, 3, 3, 3])))
    return bus


def step(bus: Miniature, chance: random.Random) -> None:
    """Something happens: mostly what is under way goes on, now and then somebody asks for something."""
    links = bus.waiting_links()
    if links and chance.random() < 0.8:
        bus.deliver(chance.choice(links))
    elif bus.effects and chance.random() < 0.8:
        bus.finish(chance.randrange(len(bus.effects)))
    elif bus.timers and chance.random() < 0.2:
        bus.fire(*chance.choice(sorted(bus.timers)))
    else:
        state = bus.state(order_key(TENANT, ORDER_ID))
        assert isinstance(state, StoredOrder)
        number = shipment_number(state)
        moved = (Dispatch(number=number, tracking="T"), Deliver(number=number))
        asked = [message for kind in BY_CLIENTS for message in TRIED[kind](state)]
        bus.ask(ORDER_ID, chance.choice(moved if chance.random() < 0.5 or not asked else asked))


def test_a_diagram_has_an_arrow_for_each_change_and_an_end_for_each_end() -> None:
    lines = diagram(found(), step_name, loops=True).splitlines()

    assert lines[:2] == ["```mermaid", "stateDiagram-v2"]
    assert "    [*] --> PLACED_RESERVE: OrderPlaced" in lines
    assert "    CANCELLED --> [*]" in lines
    assert any("CONFIRMED_CAPTURE --> COMPLETED: " in line and "OrderCompleted" in line for line in lines)
    assert len(lines) == len(set(lines))
