"""A decision in the making, about an order that is not sent as a whole at once. PURE."""

from __future__ import annotations

from google.protobuf.message import Message

from oms.order.v1.order_state_pb2 import StoredOrder
from ordermesh.core.decider import Context, Decision, Key, Outgoing, Stamp
from ordermesh.order.evolution import evolve
from ordermesh.order.timer import clear_timer, set_timer


class Draft:
    """Its events have already happened to a copy of the order, so that what follows is decided on the order as it will
    be. `state` is that copy."""

    def __init__(self, state: StoredOrder, key: Key, context: Context) -> None:
        self.state = StoredOrder()
        self.state.CopyFrom(state)
        self.key = key
        self.context = context
        self.decision = Decision()

    def happen(self, event: Message) -> None:
        """One more event."""
        evolve(self.state, event, Stamp(self.state.order.version + 1, self.context.now_us))
        self.decision.events.append((self.key, event))

    def ask(self, *messages: Outgoing) -> None:
        """More messages."""
        self.decision.messages.extend(messages)

    def join(self, decision: Decision) -> None:
        """What else was decided on the order as it is in the draft."""
        for _, event in decision.events:
            self.happen(event)
        self.decision.messages.extend(decision.messages)
        self.decision.timers.extend(decision.timers)

    def wait_until(self, due_us: int) -> None:
        """Moves the order's timer."""
        self.decision.timers.append(set_timer(self.key, due_us))

    def wait_no_more(self) -> None:
        """Ends the order's timer."""
        self.decision.timers.append(clear_timer(self.key))
