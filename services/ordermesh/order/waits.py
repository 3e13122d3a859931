"""How each thing that an order may wait for is told to people: one entry for each step. PURE.

Whoever adds a step adds its entry, and a test sees to it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from oms.order.v1 import order_explanation_pb2 as told
from oms.order.v1 import order_state_pb2 as stored
from oms.order.v1.order_pb2 import ORDER_STATE_COMPLETED
from oms.order.v1.order_state_pb2 import StoredOrder
from ordermesh.core.money import text_of
from ordermesh.order import awaiting, model, pieces
from ordermesh.order.awaiting import Elsewhere
from ordermesh.order.fulfilment import expires_us
from ordermesh.order.gating import hold_expires_us
from ordermesh.order.model import OrderPolicy

_ORDERS: Final = "oms.order.v1.OrderService"
_CANCEL = told.Remedy(
    party=told.PARTY_CUSTOMER, method=f"{_ORDERS}.CancelOrder", text="Cancels the order: what was done is undone."
)
_AMEND = told.Remedy(
    party=told.PARTY_CUSTOMER,
    method=f"{_ORDERS}.AmendOrder",
    text="Has other lines, quantities or another address, while nothing of it has left.",
)
_LOOK = told.Remedy(
    party=told.PARTY_OPERATOR,
    method="oms.admin.v1.AdminService.ListPartitions",
    text="Shows who owns the partitions, and how far behind they are.",
)
_DISPATCH = told.Remedy(
    party=told.PARTY_WAREHOUSE,
    method="oms.shipping.v1.ShippingService.DispatchShipment",
    text="Says that the goods left; not needed where shipments leave by themselves.",
)
_RECEIVE = told.Remedy(
    party=told.PARTY_WAREHOUSE,
    method="oms.inventory.v1.InventoryService.ReceiveStock",
    text="Makes stock for orders to come; this one is told of what there is when its question is decided.",
)
_RESTOCK = told.Remedy(
    party=told.PARTY_WAREHOUSE,
    method="oms.inventory.v1.InventoryService.ReceiveStock",
    text="Makes stock: it goes to the orders that wait, the first come first.",
)
_RELEASE = told.Remedy(
    party=told.PARTY_OPERATOR, method=f"{_ORDERS}.ReleaseOrder", text="Ends a hold; after the last one it goes on."
)
_UPDATE_PAYMENT = told.Remedy(
    party=told.PARTY_CUSTOMER, method=f"{_ORDERS}.UpdatePayment", text="Names another payment token."
)
_PROVIDER = told.Remedy(
    party=told.PARTY_PAYMENT_PROVIDER,
    text="Has the definite answer; each operation is repeated under one key until then.",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """How a step is explained. `give_up_us` is how long it waits at most, None where it never gives up; `asks` whether
    the order's timer asks again."""

    waiting_for: told.WaitingFor
    text: Callable[[StoredOrder], str]
    outcomes: Sequence[str]
    parts: Callable[[StoredOrder, Elsewhere], Iterator[told.AwaitedPart]]
    remedies: Sequence[told.Remedy]
    services: Sequence[str]
    """Those whose answer is waited for."""
    skus: Callable[[StoredOrder], Sequence[str]] = lambda state: state.waiting_skus
    """The SKUs whose stock is waited for, where inventory has to answer."""
    asks: bool = True
    give_up_us: Callable[[OrderPolicy], int] | None = None
    ends_us: Callable[[OrderPolicy, StoredOrder], int] | None = None
    """When it gives up whatever is asked meanwhile, in microseconds of the log clock; None, or 0, where it does not."""


def _skus(state: StoredOrder) -> str:
    """The SKUs that are not answered for, the first few by name."""
    named = ", ".join(state.waiting_skus[:5])
    more = len(state.waiting_skus) - 5
    return f"{named} and {more} more" if more > 0 else named


def _stock_text(state: StoredOrder) -> str:
    return f"It waits until inventory has reserved {_skus(state)}."


def _backorder_text(state: StoredOrder) -> str:
    missing = ", ".join(f"{number} {sku}" for sku, number in list(pieces.missing(state).items())[:5])
    promised = state.order.promised_by
    by = f" It is expected by {promised.ToJsonString()}." if state.order.HasField("promised_by") else ""
    held = f" {_held_text(state)}" if state.order.holds else ""
    return f"It waits for stock to come in: {missing} is missing.{by}{held}"


def _held_text(state: StoredOrder) -> str:
    reasons = ", ".join(dict.fromkeys(hold.reason for hold in state.order.holds))
    return f"It is held for {reasons}; nothing is asked for until that is released."


def _capture_text(state: StoredOrder) -> str:
    in_parts = state.HasField("fulfillment")
    amount = "what was sent costs" if in_parts else text_of(model.due_of(state.order))
    if state.order.state_reason == model.CAPTURE_DECLINED:
        code = next(
            (each.detail for each in reversed(state.order.timeline) if each.event == "CaptureDeclined"), "no code"
        )
        return f"The goods left, and the provider declined to take {amount} ({code}); it is asked again and again."
    return f"The goods left; it waits until the provider has taken {amount}."


def _undo_text(state: StoredOrder) -> str:
    waits = ["the payment holds nothing"] if state.waiting_void else []
    waits += [f"inventory has released {_skus(state)}"] if state.waiting_skus else []
    return f"It ends ({state.order.state_reason}); before that it waits until {' and '.join(waits)}."


def _refund_text(state: StoredOrder) -> str:
    amounts = ", ".join(f"refund {each.refund_id} of {text_of(each.amount)}" for each in state.pending_refunds[:5])
    more = len(state.pending_refunds) - 5
    return f"It waits until the provider has given back {amounts}{f' and {more} more' if more > 0 else ''}."


def _ended_text(state: StoredOrder) -> str:
    if state.order.order_state == ORDER_STATE_COMPLETED:
        return "It waits for nothing: it is shipped and paid."
    reason = f" ({state.order.state_reason})" if state.order.state_reason else ""
    return f"It waits for nothing: it has ended{reason}, and holds no stock and no money."


HELD: Final = Entry(
    waiting_for=told.WAITING_FOR_RELEASE,
    text=_held_text,
    outcomes=(
        "The last hold is released: it goes on to its next step.",
        f"Nobody releases it in time, where there is one: what is not sent is cancelled ({model.HOLD_EXPIRED}).",
    ),
    parts=awaiting.nothing,
    remedies=(_RELEASE, _CANCEL),
    services=(),
    asks=False,
    ends_us=hold_expires_us,
)
"""An order that would ask for its payment, for its next shipment, or for more money."""

EXCHANGING: Final = Entry(
    waiting_for=told.WAITING_FOR_EXCHANGE,
    text=lambda state: f"It waits until order {model.exchanges_asked(state)[0].order_id} is taken in exchange.",
    outcomes=("Taken: the two name each other.", "There is another order of that id: the exchange is off."),
    parts=awaiting.nothing,
    remedies=(_LOOK,),
    services=("order",),
)
"""A completed order, in exchange for which another is asked for."""

REFUNDING: Final = Entry(
    waiting_for=told.WAITING_FOR_REFUND,
    text=_refund_text,
    outcomes=("Given back: `refunded` grows.", "Declined for good: it can be asked for anew, as another refund."),
    parts=awaiting.refunds,
    remedies=(_PROVIDER, _LOOK),
    services=("payment",),
)
"""A completed order, of whose money some is being given back."""

UNKNOWN: Final = Entry(
    waiting_for=told.WAITING_FOR_UNSPECIFIED,
    text=lambda _state: "It waits for something that this server's build does not know; a newer one decides about it.",
    outcomes=(),
    parts=awaiting.nothing,
    remedies=(_LOOK,),
    services=("order",),
    asks=False,
)
"""A step of a newer build, while processes are being upgraded one by one."""

STEPS: Final[Mapping[stored.OrderStep, Entry]] = {
    stored.ORDER_STEP_RESERVE: Entry(
        waiting_for=told.WAITING_FOR_STOCK,
        text=_stock_text,
        outcomes=(
            "All of it reserved: the payment is authorised.",
            f"Too little of one: the order is rejected ({model.OUT_OF_STOCK}), and what was reserved is released.",
            f"No answer: the order is cancelled ({model.STOCK_NOT_ANSWERED}).",
        ),
        parts=awaiting.reservations,
        remedies=(_CANCEL, _RECEIVE, _LOOK),
        services=("inventory",),
        give_up_us=lambda policy: policy.reserve_give_up_us,
    ),
    stored.ORDER_STEP_AUTHORIZE: Entry(
        waiting_for=told.WAITING_FOR_AUTHORIZATION,
        text=lambda state: f"It waits until the provider holds {text_of(model.due_of(state.order))}.",
        outcomes=(
            "Held: the order is confirmed, and its shipment is made.",
            "Declined, where another token is taken for a time: it waits for that, with its stock.",
            f"Declined otherwise: the stock is released, and the order is cancelled ({model.PAYMENT_DECLINED}).",
            f"No answer: the order is cancelled ({model.PAYMENT_NOT_ANSWERED}); what is held later is let go.",
        ),
        parts=awaiting.authorization,
        remedies=(_CANCEL, _PROVIDER, _LOOK),
        services=("payment",),
        give_up_us=lambda policy: policy.authorize_give_up_us,
    ),
    stored.ORDER_STEP_SHIP: Entry(
        waiting_for=told.WAITING_FOR_DISPATCH,
        text=lambda _state: "Stock is reserved and the money is held; it waits until the goods leave.",
        outcomes=(
            "Dispatched: the money is taken.",
            "Cancelled in the warehouse: everything is undone, and the order is cancelled.",
        ),
        parts=awaiting.shipments,
        remedies=(_DISPATCH, _CANCEL, _AMEND, _LOOK),
        services=("shipping",),
    ),
    stored.ORDER_STEP_CAPTURE: Entry(
        waiting_for=told.WAITING_FOR_CAPTURE,
        text=_capture_text,
        outcomes=("Taken: the order is complete.", "Declined: it says so, and is asked again; never given up."),
        parts=awaiting.captures,
        remedies=(_PROVIDER, _LOOK),
        services=("payment",),
    ),
    stored.ORDER_STEP_STOP_SHIPPING: Entry(
        waiting_for=told.WAITING_FOR_SHIPPING_STOP,
        text=lambda _state: "Somebody cancelled it; it waits for shipping's word whether the goods had left before.",
        outcomes=(
            "They had not: everything is undone, and the order is cancelled.",
            "They had: the cancellation is refused, and the order goes on.",
        ),
        parts=awaiting.stopped_shipments,
        remedies=(_LOOK,),
        services=("shipping",),
    ),
    stored.ORDER_STEP_UNDO: Entry(
        waiting_for=told.WAITING_FOR_UNDO,
        text=_undo_text,
        outcomes=("All of it undone: the order has ended. It is never given up, so that nothing stays behind.",),
        parts=awaiting.undone,
        remedies=(_PROVIDER, _LOOK),
        services=("payment", "inventory"),
    ),
    stored.ORDER_STEP_SCHEDULE: Entry(
        waiting_for=told.WAITING_FOR_TIME,
        text=lambda state: f"Nothing is asked for before {state.order.not_before.ToJsonString()}.",
        outcomes=("Its time comes: its stock is asked for.",),
        parts=awaiting.nothing,
        remedies=(_CANCEL, _AMEND),
        services=("order",),
        asks=False,
    ),
    stored.ORDER_STEP_BACKORDER: Entry(
        waiting_for=told.WAITING_FOR_BACKORDER,
        text=_backorder_text,
        outcomes=(
            "It comes in: who came first is served first, and the order goes on.",
            f"Its time is over: what is missing is cancelled ({model.BACKORDER_EXPIRED}).",
        ),
        parts=awaiting.backorders,
        remedies=(_RESTOCK, _CANCEL, _AMEND),
        services=("inventory",),
        skus=lambda state: list(pieces.missing(state)),
        asks=False,
        ends_us=lambda policy, state: expires_us(policy, state.order),
    ),
    stored.ORDER_STEP_STOP_FOR_CHANGE: Entry(
        waiting_for=told.WAITING_FOR_CHANGE,
        text=lambda state: (
            f"It is to be {'held' if state.change.HasField('hold') else 'changed'}; it waits for shipping's word "
            "whether the goods had left before."
        ),
        outcomes=(
            "They had not: it is changed or held, and what is left goes as another shipment.",
            "They had: the change or the hold is refused, and the order goes on.",
        ),
        parts=awaiting.stopped_shipments,
        remedies=(_LOOK,),
        services=("shipping",),
    ),
    stored.ORDER_STEP_CHANGE_STOCK: Entry(
        waiting_for=told.WAITING_FOR_CHANGE,
        text=lambda state: f"It is to be changed; it waits until inventory has reserved more: {_skus(state)}.",
        outcomes=(
            "Reserved: the change goes on.",
            "Too little, or no answer: the change is refused, and the order is as it was.",
        ),
        parts=awaiting.reservations,
        remedies=(_CANCEL, _LOOK),
        services=("inventory",),
        give_up_us=lambda policy: policy.reserve_give_up_us,
    ),
    stored.ORDER_STEP_CHANGE_PAYMENT: Entry(
        waiting_for=told.WAITING_FOR_CHANGE,
        text=lambda state: f"It is to be changed; it waits until the provider holds {text_of(state.change.authorize)}.",
        outcomes=(
            "Held: it is changed.",
            "Declined, or no answer: the change is refused, and the order is as it was.",
        ),
        parts=awaiting.adjustments,
        remedies=(_CANCEL, _PROVIDER, _LOOK),
        services=("payment",),
        give_up_us=lambda policy: policy.authorize_give_up_us,
    ),
    stored.ORDER_STEP_SETTLE: Entry(
        waiting_for=told.WAITING_FOR_SETTLEMENT,
        text=lambda _state: "Everything is sent and paid; it waits until the rest of what is held is let go.",
        outcomes=("Let go: the order is complete. It is never given up, so that nothing stays held.",),
        parts=awaiting.adjustments,
        remedies=(_PROVIDER, _LOOK),
        services=("payment",),
    ),
    stored.ORDER_STEP_HELD_BEFORE_PAYMENT: HELD,
    stored.ORDER_STEP_HELD_BEFORE_SHIPPING: HELD,
    stored.ORDER_STEP_PAYMENT_RETRY: Entry(
        waiting_for=told.WAITING_FOR_PAYMENT_TOKEN,
        text=lambda state: (
            f"The provider declined; another token is taken until {state.order.payment_retry_time.ToJsonString()}."
            + (f" {_held_text(state)}" if state.order.holds else "")
        ),
        outcomes=(
            "Another token: the provider is asked anew.",
            f"None in time: the stock is released, and the order is cancelled ({model.PAYMENT_EXPIRED}).",
        ),
        parts=awaiting.nothing,
        remedies=(_UPDATE_PAYMENT, _CANCEL),
        services=(),
        asks=False,
        ends_us=lambda _policy, state: state.payment_retry_until_us,
    ),
    stored.ORDER_STEP_NONE: Entry(
        waiting_for=told.WAITING_FOR_NOTHING,
        text=_ended_text,
        outcomes=(),
        parts=awaiting.nothing,
        remedies=(),
        services=(),
        asks=False,
    ),
}
"""How each step is explained."""
