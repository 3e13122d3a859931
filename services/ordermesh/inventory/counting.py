"""What is decided about counting a SKU, and what every decision about its stock leaves for the ledger. PURE.

A count that finds less than is promised keeps the promises and notes a shortage: which order has to wait is for a
person to say. Stock is low from a threshold on; that is told once, and once when it is over. What comes in for orders
that wait is not free, so it ends nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final, TypeAlias

from oms.inventory.v1 import inventory_commands_pb2 as commands
from oms.inventory.v1 import inventory_events_pb2 as events
from oms.inventory.v1.inventory_state_pb2 import StoredStock
from ordermesh.core import errors
from ordermesh.core.decider import Context, Decision, Key, Stamp, State
from ordermesh.core.ids import order_id_bytes
from ordermesh.core.requests import etag_mismatch, record_of, seen_before
from ordermesh.inventory.backorders import free_of, serve_later
from ordermesh.inventory.model import STOCK, evolve_stock, stock_key

_States: TypeAlias = Mapping[Key, State]
Decide: TypeAlias = Callable[[_States, Any, Context], Decision]
_FOR_ORDERS: Final = (events.StockReserved, events.StockReleased, events.StockCommitted, events.StockRestocked)
_NO_STAMP: Final = Stamp(0, 0)


def count(states: _States, command: commands.CountStock, context: Context) -> Decision:
    """What was counted is on hand. Fewer than are promised are refused, unless a shortage is allowed."""
    key = stock_key(context.tenant, context.key)
    state: StoredStock = states.get(key) or StoredStock()
    record = record_of(command.request_id, command)
    refused = seen_before(state.requests, record) or etag_mismatch(command.etag, state.stock.version)
    if refused is not None:
        return refused
    reserved = state.stock.reserved
    if command.counted < reserved and not command.allow_shortage:
        return errors.refuse(
            errors.STOCK_BELOW_RESERVED,
            f"{reserved} of {context.key} are promised to orders, and only {command.counted} were counted; count again,"
            " or allow a shortage.",
            sku=context.key,
            available=state.stock.available,
            reserved=reserved,
        )
    event = events.StockCounted(
        sku=context.key,
        counted=command.counted,
        reason_code=command.reason_code,
        reason=command.reason,
        request=record,
    )
    decision = Decision([(key, event)])
    serve_later(decision, state, context.key, context)
    return decision


def set_threshold(states: _States, command: commands.SetLowStockThreshold, context: Context) -> Decision:
    """From when on stock is low; the SKU has to be known."""
    key = stock_key(context.tenant, context.key)
    state: StoredStock | None = states.get(key)
    if state is None:
        return errors.refuse(errors.STOCK_NOT_FOUND, f"Nothing is known of SKU {context.key}.", sku=context.key)
    record = record_of(command.request_id, command)
    refused = seen_before(state.requests, record) or etag_mismatch(command.etag, state.stock.version)
    if refused is not None:
        return refused
    threshold = command.threshold if command.HasField("threshold") else None
    return Decision([(key, events.LowStockThresholdSet(sku=context.key, threshold=threshold, request=record))])


def kept(decide: Decide) -> Decide:
    """The decision with what the ledger needs: events name their order, and say when stock becomes low or is not any
    more. Around every decider of this service, so that none forgets it."""

    def decide_and_keep(states: _States, command: Any, context: Context) -> Decision:
        decision = decide(states, command, context)
        if decision.events:
            _name_orders(decision, command)
            _watch(decision, states)
        return decision

    return decide_and_keep


def _name_orders(decision: Decision, command: Any) -> None:
    """Events of the stock get the order of the command, unless they have one."""
    order_id = getattr(command, "order_id", "")
    if not order_id:
        return
    order = order_id_bytes(order_id)
    for _, event in decision.events:
        if isinstance(event, _FOR_ORDERS) and not event.order:
            event.order = order


def _watch(decision: Decision, states: _States) -> None:
    """Adds what is to be told of stock that has a threshold."""
    watched = {
        key
        for key, event in decision.events
        if key.kind == STOCK and (isinstance(event, events.LowStockThresholdSet) or _has_threshold(states.get(key)))
    }
    for key in sorted(watched):
        after = StoredStock()
        after.CopyFrom(states[key])
        for changed, event in decision.events:
            if changed == key:
                evolve_stock(after, event, _NO_STAMP)
        stock = after.stock
        is_low = stock.HasField("low_stock_threshold") and free_of(after) <= stock.low_stock_threshold
        if is_low == stock.is_low:
            continue
        told = events.StockLow if is_low else events.StockReplenished
        decision.events.append((key, told(available=stock.available, threshold=stock.low_stock_threshold)))


def _has_threshold(state: State | None) -> bool:
    return state is not None and state.stock.HasField("low_stock_threshold")
