"""What clients called and were told, aggregate by aggregate, and whether it is linearizable (I7).

Unlike the truth this knows nothing of logs: it takes clients' words only. Writes and what their answers show count, and
reads that are said to be linearizable.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable
from typing import Any

from google.protobuf import empty_pb2
from google.protobuf.message import Message

from oms.inventory.v1 import inventory_commands_pb2
from oms.order.v1 import order_commands_pb2, order_pb2
from ordermesh.core import errors
from ordermesh.core.decider import Key
from ordermesh.core.requests import hash_of
from ordermesh.runtime.gate import ACCEPTED, Answer
from ordermesh.testing import linearizability
from ordermesh.testing.linearizability import UNKNOWN_S, Operation, Verdict
from ordermesh.testing.linearizability_model import Absent, Action, Aggregate, Saw, Unchanged, Wrote, step
from ordermesh.testing.simulation import goods
from ordermesh.testing.simulation.findings import Findings

KINDS = ("order", "stock")
"""The kinds of aggregates whose states tell which requests are in them."""

_NOT_THERE = (errors.ORDER_NOT_FOUND, errors.STOCK_NOT_FOUND)
_UNDONE = (order_pb2.ORDER_STATE_CANCELLING, order_pb2.ORDER_STATE_CANCELLED, order_pb2.ORDER_STATE_REJECTED)
"""Of an order that is being undone, which a cancellation leaves as it is; the answer may show how that ended."""
_TOLD_MAX = 4


class Calls:
    """All calls of one run."""

    def __init__(self, findings: Findings) -> None:
        self._findings = findings
        self._known: dict[Key, list[Operation[Action]]] = defaultdict(list)
        self._unknown: dict[Key, dict[Wrote, Operation[Action]]] = defaultdict(dict)

    def unanswered(self, key: Key, command: Message, asked_s: float) -> None:
        """A call whose outcome is unknown."""
        self._exchanged(key, command, asked_s)
        write = _write_of(key, command)
        if write is not None:
            self._may_come(key, write, asked_s)

    def _may_come(self, key: Key, write: Wrote, asked_s: float) -> None:
        """Of equal ones the one that was asked first is enough: it may have happened whenever the others may, and only
        once. One that was asked later may be heard of before."""
        known = self._unknown[key].get(write)
        if known is None or asked_s < known.invoked_s:
            self._unknown[key][write] = Operation(asked_s, UNKNOWN_S, write)

    def answered(self, key: Key, command: Message, answer: Answer, state: Any, asked_s: float, told_s: float) -> None:
        """A call and its answer; `state` is the parsed state of the answer, None where it has none."""
        self._exchanged(key, command, asked_s)
        write = _write_of(key, command)
        if write is None:
            return
        if answer.persistence <= ACCEPTED or answer.dead_letter:
            self.unanswered(key, command, asked_s)
            return
        known = self._known[key]
        if answer.refusal is not None:
            self.unanswered(key, command, asked_s)  # the log may get it again, too late for its window of duplicates
            is_place = isinstance(command, order_commands_pb2.PlaceOrder)
            gone = answer.refusal.reason in _NOT_THERE and not is_place
            known.append(Operation(asked_s, told_s, Absent() if gone else Unchanged(write.name)))
            return
        seen = None if state is None else written_in(key.kind, state)
        nothing_to_do = seen is not None and write.name not in seen and _ends_anyway(command, state)
        known.append(Operation(asked_s, told_s, Unchanged(write.name) if nothing_to_do else write))
        if state is not None:
            self.read(key, state, asked_s, told_s)

    def _exchanged(self, key: Key, command: Message, asked_s: float) -> None:
        """An exchange may write another order some time later, or never."""
        if isinstance(command, order_commands_pb2.Exchange):
            other = Key("order", key.tenant, command.replacement.order_id)
            write = Wrote(goods.content_of(command.replacement), creates=True, changes=False)
            self._may_come(other, write, asked_s)

    def read(self, key: Key, state: Any, asked_s: float, told_s: float) -> None:
        """A linearizable answer that shows a state; None for one that says that there is none."""
        if key.kind in KINDS:
            action: Action = Absent()
            if state is not None:
                action = Saw(getattr(state, key.kind).version, written_in(key.kind, state))
            self._known[key].append(Operation(asked_s, told_s, action))

    def check(self) -> None:
        """Each aggregate's history must be linearizable."""
        for key, known in self._known.items():
            verdict = linearizability.check([*known, *self._unknown[key].values()], Aggregate(), step)
            self._findings.require(
                verdict.answer is linearizability.Answer.YES, "I7", "the calls about {} are not linearizable: {}",
                key, _Told(verdict),
            )  # fmt: skip


class _Told:
    """A verdict as text, made only where it is needed."""

    def __init__(self, verdict: Verdict[Action]) -> None:
        self._verdict = verdict

    def __str__(self) -> str:
        answer, configurations, stuck = self._verdict
        calls = "; ".join(
            f"{type(one.action).__name__}{tuple(one.action)} from {one.invoked_s:.6f} to {one.returned_s:.6f}"
            for one in stuck[:_TOLD_MAX]
        )
        return f"{answer.name} after {configurations} configurations, none of these fits: {calls}"


def _write_of(key: Key, command: Any) -> Wrote | None:
    """A command as a write; None for one that leaves nothing behind by which it could be told."""
    if key.kind not in KINDS or isinstance(command, empty_pb2.Empty):
        return None
    if isinstance(command, order_commands_pb2.PlaceOrder):
        return Wrote(goods.content_of(command.order), creates=True, changes=False)
    return Wrote(hash_of(command.request_id), creates=_makes_known(command), changes=True)


def _makes_known(command: Any) -> bool:
    """Whether a command about a SKU that nobody knows makes it known."""
    if isinstance(command, inventory_commands_pb2.AdjustStock):
        return command.change >= 0
    return isinstance(command, inventory_commands_pb2.ReceiveStock | inventory_commands_pb2.CountStock)


def _ends_anyway(command: Message, state: Any) -> bool:
    """Whether a cancellation found an order that was being undone already: then it leaves nothing behind."""
    return isinstance(command, order_commands_pb2.Cancel) and state.order.order_state in _UNDONE


def written_in(kind: str, state: Any) -> frozenset[Hashable]:
    """What callers wrote to an aggregate, as its state tells."""
    names: list[Hashable] = [record.request_hash for record in state.requests]
    if kind == "order":
        names.append(goods.content_of(state.order))
    return frozenset(names)
