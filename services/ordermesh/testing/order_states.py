"""Every state that an order can be in, found by trying: all commands and answers in all states, on small orders.

Nothing is asked of the other services: whatever they might say is tried, whenever. So what is found is what the order's
decider makes of it, and some of it may never be said. The search ends because states that differ only in versions,
times and the names of requests and refunds count as one.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import chain
from typing import Any, Final, NamedTuple

from google.protobuf.message import Message
from google.protobuf.timestamp_pb2 import Timestamp
from google.type.money_pb2 import Money

from oms.order.v1 import order_commands_pb2 as commands
from oms.order.v1.order_fulfillment_pb2 import StockGrant
from oms.order.v1.order_pb2 import (
    FULFILLMENT_POLICY_BACKORDER,
    FULFILLMENT_POLICY_PARTIAL,
    FULFILLMENT_POLICY_REJECT,
    FulfillmentState,
    Order,
    OrderLine,
    OrderState,
    PaymentState,
)
from oms.order.v1.order_service_pb2 import InspectedLine, LineQuantity
from oms.order.v1.order_state_pb2 import OrderStep, StoredOrder
from ordermesh.adapters.fraud_rules import fraud_scorer
from ordermesh.core.decider import Context, Handler, Stamp
from ordermesh.order import app, model, questions
from ordermesh.testing.given import START_US, TENANT, one_slot

STATES_MAX: Final = 40_000
"""States that are looked at before the search is said to have no end: some twenty thousand are there."""
ORDER_ID: Final = "0190a3c5-7e1b-7c3a-9d52-1f6b8a0c4e77"
OTHER_ID: Final = "0190a3c5-7e1b-7c3a-9d52-1f6b8a0c4e78"
POLICY: Final = model.OrderPolicy(fraud=fraud_scorer("", ""))
_EARLY_US: Final = 1
_LATE_US: Final = 10 * max(POLICY.reserve_give_up_us, POLICY.authorize_give_up_us, POLICY.backorder_us)
_PRICE: Final = Money(currency_code="GBP", units=1)


class Where(NamedTuple):
    """What people call the state of an order, and what it waits for; names without the prefixes of their enums."""

    order_state: str
    payment_state: str
    fulfillment_state: str
    step: str


class Change(NamedTuple):
    """From one state to another by the events of one decision."""

    before: Where | None
    events: tuple[str, ...]
    after: Where


class Try(NamedTuple):
    """A command or an answer, and how long after the step began it comes."""

    message: Message
    later_us: int = _EARLY_US


def where(state: StoredOrder) -> Where:
    """Where an order is."""
    order = state.order
    return Where(
        OrderState.Name(order.order_state).removeprefix("ORDER_STATE_"),
        PaymentState.Name(order.payment_state).removeprefix("PAYMENT_STATE_"),
        FulfillmentState.Name(order.fulfillment_state).removeprefix("FULFILLMENT_STATE_"),
        OrderStep.Name(state.step).removeprefix("ORDER_STEP_"),
    )


def small_orders() -> list[Order]:
    """Orders that show everything: a line of two pieces and one of one piece, of two SKUs; of one line under each other
    policy, in parts and for later; and of one piece, on which holds, returns step by step and exchanges are tried: one
    that is fine, one that a rule holds, one that may be paid by another token."""
    later = Timestamp(seconds=START_US // 1_000_000 + 3_600)
    return [
        _small({"A": 2, "B": 1}),
        _small({"A": 2}, fulfillment_policy=FULFILLMENT_POLICY_PARTIAL),
        _small({"A": 2}, fulfillment_policy=FULFILLMENT_POLICY_BACKORDER),
        _small({"A": 2}, fulfillment_policy=FULFILLMENT_POLICY_BACKORDER, allow_split_shipments=True),
        _small({"A": 1}, not_before=later),
        _small({"A": 1}),
        _small({"A": 1}, payment_token="tok_fraud_review"),
        _small({"A": 1}, payment_retry_seconds=60),
    ]


def _small(quantities: Mapping[str, int], **fields: Any) -> Order:
    lines = [OrderLine(sku=sku, quantity=number, unit_price=_PRICE) for sku, number in quantities.items()]
    order = Order(order_id=ORDER_ID, customer_id="ada", lines=lines, **{"payment_token": "tok_ok", **fields})
    model.complete(order)
    return order


def _subsets(state: StoredOrder) -> Iterator[list[str]]:
    """The SKUs as answers name them: those of one partition, or of all."""
    skus = model.skus_of(state.order)
    yield skus
    if len(skus) > 1:
        yield from ([sku] for sku in skus)


def _pending(state: StoredOrder) -> Iterator[str]:
    return (each.refund_id for each in state.pending_refunds)


def _pieces(state: StoredOrder) -> Iterator[list[LineQuantity]]:
    """All that can still come back, and one piece of it; of an order that is sent in parts or was changed all is tried
    once, by another order."""
    if state.HasField("fulfillment") or not _is_tried_further(state):
        return
    left = [(line.line_id, line.quantity - line.returned_quantity) for line in state.order.lines]
    whole = [LineQuantity(line_id=name, quantity=quantity) for name, quantity in left if quantity]
    if whole:
        yield whole
        yield [LineQuantity(line_id=whole[0].line_id, quantity=1)]


def _refunds(state: StoredOrder) -> Iterator[Message]:
    """The price of one piece."""
    if not state.HasField("fulfillment") and _is_tried_further(state):
        yield commands.Refund(amount=_PRICE)


def _cancellations(_state: StoredOrder) -> Iterator[Message]:
    """Of the whole, and of one piece of one line."""
    yield commands.Cancel()
    yield commands.Cancel(lines=[LineQuantity(line_id="1", quantity=1)])


def _amendments(state: StoredOrder) -> Iterator[Message]:
    """One piece of the first line, one more than there is, and as it is already."""
    for quantity in (1, 3):
        line = OrderLine(line_id="1", sku="A", quantity=quantity, unit_price=_PRICE)
        yield commands.Amend(lines=[line, *state.order.lines[1:]])
    yield commands.Amend(lines=state.order.lines, request_id="as it is")


def _reservations(state: StoredOrder) -> Iterator[Message]:
    """All that was asked for; and, where the order's policy takes that, none or one piece of it."""
    revision = state.change.revision
    yield from (commands.StockReserved(skus=skus, revision=revision) for skus in _subsets(state))
    if state.order.fulfillment_policy != FULFILLMENT_POLICY_REJECT:
        for quantity in (0, 1):
            yield commands.StockReserved(skus=["A"], grants=[StockGrant(sku="A", quantity=quantity)])


def _rejections(state: StoredOrder) -> Iterator[Message]:
    revision = state.change.revision
    yield from (commands.StockRejected(skus=skus, revision=revision) for skus in _subsets(state))


def _adjustments(state: StoredOrder) -> Iterator[str]:
    return iter((state.change.adjustment_id, questions.SETTLEMENT))


def _shipment(state: StoredOrder) -> int:
    return questions.shipment_number(state)


def _is_looked_after(state: StoredOrder) -> bool:
    """Whether it is one with which people have to do: on all of them that would be as much again for each state."""
    return len(state.order.lines) == 1 and state.order.lines[0].quantity == 1


def _holds(state: StoredOrder) -> Iterator[Message]:
    """One by hand, beside that of a rule; also of orders that are sent in parts."""
    may_be = _is_looked_after(state) or state.order.allow_split_shipments
    if may_be and not any(hold.reason == "LOOK" for hold in state.order.holds):
        yield commands.PlaceHold(reason="LOOK")


def _renewals(state: StoredOrder) -> Iterator[Message]:
    """Two other tokens."""
    if state.payment_attempt < 2:
        yield commands.RenewPayment(payment_token="tok_ok")


def _open_returns(state: StoredOrder) -> Iterator[tuple[str, list[LineQuantity]]]:
    return ((each.return_id, [LineQuantity(line_id="1", quantity=1)]) for each in state.order.returns)


def _may_come_back(state: StoredOrder) -> bool:
    """Whether returns step by step and exchanges are tried: on an order of one piece, and on any that was sent as a
    whole while nothing has come back and no refund is under way."""
    came_back = any(line.returned_quantity for line in state.order.lines)
    return _is_looked_after(state) or not (came_back or state.pending_refunds or state.HasField("fulfillment"))


def _is_tried_further(state: StoredOrder) -> bool:
    """Whether goods and money are given back otherwise too: of an order of several pieces not beside such a return."""
    return _is_looked_after(state) or not (state.order.returns or state.exchanges)


def _permissions(state: StoredOrder) -> Iterator[Message]:
    if _may_come_back(state) and not state.order.returns:
        yield commands.AuthorizeReturn(lines=[LineQuantity(line_id="1", quantity=1)])


def _exchanges(state: StoredOrder) -> Iterator[Message]:
    if _may_come_back(state) and not state.exchanges:
        replacement = _small({"B": 1})
        replacement.order_id = OTHER_ID
        yield commands.Exchange(lines=[LineQuantity(line_id="1", quantity=1)], replacement=replacement)


TRIED: Final[Mapping[type[Message], Callable[[StoredOrder], Iterable[Message]]]] = {
    commands.Cancel: _cancellations,
    commands.Amend: _amendments,
    commands.Return: lambda state: (commands.Return(lines=lines) for lines in _pieces(state)),
    commands.Refund: _refunds,
    commands.PlaceHold: _holds,
    commands.ReleaseHold: lambda state: (commands.ReleaseHold(hold_id=hold.hold_id) for hold in state.order.holds),
    commands.RenewPayment: _renewals,
    commands.AuthorizeReturn: _permissions,
    commands.ReceiveReturn: lambda state: (
        commands.ReceiveReturn(return_id=name, lines=lines) for name, lines in _open_returns(state)
    ),
    commands.InspectReturn: lambda state: (
        commands.InspectReturn(return_id=name, lines=[InspectedLine(line_id="1", restock_quantity=1)])
        for name, _ in _open_returns(state)
    ),
    commands.CancelReturn: lambda state: (commands.CancelReturn(return_id=name) for name, _ in _open_returns(state)),
    commands.Exchange: _exchanges,
    commands.ReplacementPlaced: lambda _: [commands.ReplacementPlaced(order_id=OTHER_ID)],
    commands.ReplacementRefused: lambda _: [commands.ReplacementRefused(order_id=OTHER_ID, reason="NO")],
    commands.PlaceReplacement: lambda _: [],
    commands.StockReserved: _reservations,
    commands.StockRejected: _rejections,
    commands.StockGranted: lambda _: (commands.StockGranted(sku="A", quantity=quantity) for quantity in (1, 2)),
    commands.StockReleased: lambda state: (commands.StockReleased(skus=skus) for skus in _subsets(state)),
    commands.PaymentAuthorized: lambda state: [commands.PaymentAuthorized(attempt=state.payment_attempt)],
    commands.PaymentDeclined: lambda state: [commands.PaymentDeclined(code="no", attempt=state.payment_attempt)],
    commands.PaymentVoided: lambda _: [commands.PaymentVoided()],
    commands.PaymentCaptured: lambda state: [commands.PaymentCaptured(capture_id=str(_shipment(state)))],
    commands.PaymentAdjusted: lambda state: (
        commands.PaymentAdjusted(adjustment_id=name) for name in _adjustments(state)
    ),
    commands.PaymentAdjustDeclined: lambda state: (
        commands.PaymentAdjustDeclined(adjustment_id=name, code="no") for name in _adjustments(state)
    ),
    commands.PaymentCaptureDeclined: lambda state: [
        commands.PaymentCaptureDeclined(capture_id=str(_shipment(state)), code="no")
    ],
    commands.PaymentRefunded: lambda state: (commands.PaymentRefunded(refund_id=each) for each in _pending(state)),
    commands.PaymentRefundDeclined: lambda state: (
        commands.PaymentRefundDeclined(refund_id=each, code="no") for each in _pending(state)
    ),
    commands.ShipmentDispatched: lambda state: [commands.ShipmentDispatched(number=_shipment(state), tracking="T")],
    commands.ShipmentDelivered: lambda state: [commands.ShipmentDelivered(number=_shipment(state))],
    commands.ShipmentCancelled: lambda state: [commands.ShipmentCancelled(number=_shipment(state))],
    commands.ShipmentCancelRefused: lambda state: [commands.ShipmentCancelRefused(number=_shipment(state))],
    commands.ReservationAged: lambda state: (commands.ReservationAged(skus=skus) for skus in _subsets(state)),
    commands.StepTimer: lambda _: [commands.StepTimer()],
}
"""What is tried in each state, by kind: all that an order is ever told, but for its placing."""


def tries(state: StoredOrder) -> Iterator[Try]:
    """Everything that may come next; all of it soon, the step's timer also after a long time."""
    yield from map(Try, chain.from_iterable(make(state) for make in TRIED.values()))
    yield Try(commands.StepTimer(), _LATE_US)


def essence(state: StoredOrder) -> bytes:
    """The state without what tells no difference: equal for states in which the same can happen."""
    left = StoredOrder()
    left.CopyFrom(state)
    for name in ("timeline", "version", "etag", "create_time", "update_time"):
        left.order.ClearField(name)
    for name in ("step_since_us", "refund_count", "requests"):
        left.ClearField(name)
    _forget_numbers(left)
    _forget_names(left)
    for number, each in enumerate(left.pending_refunds):
        each.refund_id, each.request_hash = str(number), 0
    return left.SerializeToString(deterministic=True)


def _forget_numbers(left: StoredOrder) -> None:
    """Takes away how often an order was changed: revisions, numbers of shipments, names."""
    left.order.ClearField("promised_by")
    left.placed_hash = min(left.placed_hash, 1)
    if left.HasField("change"):
        left.change.request_hash, left.change.detail = 0, ""
        left.change.revision, left.change.adjustment_id = min(left.change.revision, 1), left.change.adjustment_id[:1]
    if left.HasField("fulfillment"):
        found = left.fulfillment
        found.revision, found.shipment = 0, min(found.shipment, 1)
        sent, arrived = len(found.shipped), len(found.delivered)
        found.shipped[:], found.delivered[:] = range(1, sent + 1), range(1, arrived + 1)
        for grant in found.grants:
            grant.promised_by_us = 0


def _forget_names(left: StoredOrder) -> None:
    """Takes away what people made and when: names of holds, times of returns, until when another token is taken."""
    left.hold_count = 0
    left.ClearField("return_request_hashes")
    left.order.ClearField("payment_retry_time")
    left.payment_retry_until_us = min(left.payment_retry_until_us, 1)
    for number, hold in enumerate(left.order.holds):
        hold.hold_id = str(number)
        hold.ClearField("create_time")
    for returned in left.order.returns:
        returned.ClearField("create_time")
        returned.ClearField("update_time")
    for exchange in left.exchanges:
        exchange.request_hash = 0


class _Explorer:
    """The order service's decider, without a kernel."""

    def __init__(self) -> None:
        service = app.make_service(POLICY)
        self._handlers: dict[type[Message], Handler] = {each.command: each for each in service.handlers}
        self._key = model.order_key(TENANT, ORDER_ID)
        self._evolve = service.aggregates[0].evolve

    def decided(self, state: StoredOrder | None, attempt: Try) -> tuple[tuple[str, ...], StoredOrder | None]:
        """The events of a decision by name, and the state after them."""
        since_us = START_US if state is None else state.step_since_us
        now_us = since_us + attempt.later_us
        context = Context(now_us, TENANT, ORDER_ID, "", False, one_slot)
        states = {} if state is None else {self._key: state}
        decision = self._handlers[type(attempt.message)].decide(states, attempt.message, context)
        if not decision.events:
            return (), state
        after = StoredOrder()
        if state is not None:
            after.CopyFrom(state)
        for _, event in decision.events:
            self._evolve(after, event, Stamp(after.order.version + 1, now_us))
        return tuple(event.DESCRIPTOR.name for _, event in decision.events), after


def explore(orders: Sequence[Order] | None = None) -> set[Change]:
    """Every change that there is, from the placing on. Raises AssertionError where there is no end to it."""
    explorer, changes = _Explorer(), set[Change]()
    seen: set[bytes] = set()
    waiting: deque[StoredOrder] = deque()

    def found(before: StoredOrder | None, names: tuple[str, ...], after: StoredOrder | None) -> None:
        if not names or after is None:
            return
        changes.add(Change(None if before is None else where(before), names, where(after)))
        essential = essence(after)
        if essential not in seen:
            assert len(seen) < STATES_MAX, "an order has more states than can be looked at: something in it grows"
            seen.add(essential)
            waiting.append(after)

    for order in small_orders() if orders is None else orders:
        found(None, *explorer.decided(None, Try(commands.PlaceOrder(order=order))))
    while waiting:
        state = waiting.popleft()
        for attempt in tries(state):
            found(state, *explorer.decided(state, attempt))
    return changes
