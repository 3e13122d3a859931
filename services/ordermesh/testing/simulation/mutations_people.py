"""Deliberate breaks of what people do with orders: as in `mutations`."""

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import Any
from unittest.mock import patch

from oms.inventory.v1.inventory_pb2 import Stock
from oms.order.v1.order_pb2 import Order
from ordermesh.core import errors
from ordermesh.core.decider import Context, Decision, Outgoing
from ordermesh.inventory import counting, model
from ordermesh.order import amending, gating, questions, returning
from ordermesh.payment import reconciling
from ordermesh.testing.simulation.breaks import mutation


@mutation("an order in exchange is asked for by the log, whose next frame moves the clock")
def place_replacements_in_the_chain() -> AbstractContextManager[Any]:
    """In the own partition it is placed in the frame of the exchange, whatever its id says of the time."""
    ask = questions.place_replacement

    def at_once(order: Order, context: Context) -> Outgoing:
        return ask(order, context)._replace(by_log=False)

    return patch.object(questions, "place_replacement", at_once)


@mutation("an order that is held asks nobody for its next step")
def leave_the_gate_open() -> AbstractContextManager[Any]:
    """Holds are written down, and that is all."""
    return patch.object(gating, "is_held", lambda _state: False)


@mutation("what may still come back by an open return counts as returned")
def forget_open_returns() -> AbstractContextManager[Any]:
    """Only what is back counts."""

    def too_many(order: Order, goods: returning.Pieces) -> Decision | None:
        if all(quantity <= line.quantity - line.returned_quantity for line, quantity in goods):
            return None
        return errors.refuse(errors.RETURN_EXCEEDS_SHIPPED, "more than is out", order_id=order.order_id)

    return patch.object(returning, "too_many", too_many)


@mutation("a count below what is promised leaves the promises on hand, and notes what is short of them")
def count_what_is_promised_away() -> AbstractContextManager[Any]:
    """What was counted is on hand, whatever is promised."""

    def counted(stock: Stock, number: int) -> None:
        model._received(stock, number - stock.on_hand)

    return patch.object(model, "_counted", counted)


@mutation("that stock is low is said when it becomes so, and when it no longer is")
def forget_to_watch_the_stock() -> AbstractContextManager[Any]:
    """Nobody looks."""
    return patch.object(counting, "_watch", lambda _decision, _states: None)


@mutation("what is asked for one version is not done at another")
def amend_whatever_the_version() -> AbstractContextManager[Any]:
    """The version that an amendment names does not count."""
    return patch.object(amending, "etag_mismatch", lambda _etag, _version: None)


@mutation("a check asks the provider what was done, and has nothing done")
def do_what_is_to_be_looked_up() -> AbstractContextManager[Any]:
    """What is under way is asked for once more, under another key."""
    under_way = reconciling._under_way

    def asked_again(state: Any, context: Context) -> Any:
        for request in under_way(state, context):
            request.look_only = False
            yield request

    return patch.object(reconciling, "_under_way", asked_again)


@mutation("a hold that the payment needs is not let go of")
def let_go_of_any_hold() -> AbstractContextManager[Any]:
    """Whoever asks for a hold by its name gets it let go of."""
    return patch.object(reconciling, "_needs", lambda _payment, _reference: False)
