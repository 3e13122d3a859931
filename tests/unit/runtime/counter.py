"""A toy service for the kernel's tests: counters that are added to, and that may tell another counter."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from google.protobuf.wrappers_pb2 import BoolValue, Int32Value, Int64Value, StringValue, UInt64Value

from ordermesh.core.decider import (
    AGGREGATE_COLUMNS,
    AggregateType,
    Context,
    Decision,
    Handler,
    Key,
    Outgoing,
    Refusal,
    Service,
    SetTimer,
    Stamp,
    StartEffect,
    State,
    Table,
)

COUNTERS = Table(name="counters", columns=AGGREGATE_COLUMNS, partition=("tenant", "key"), clustering=("sub_key",))


def _evolve(state: State, event: UInt64Value, _stamp: Stamp) -> None:
    state.value += event.value


def _keys(_command: Any, context: Context) -> Sequence[Key]:
    return (Key("counter", context.tenant, context.key),)


def _add(_states: Mapping[Key, State], command: Int64Value, context: Context) -> Decision:
    """Adds; refuses negative numbers; raises on 13."""
    if command.value < 0:
        return Decision(refusal=Refusal("NEGATIVE", "A counter only grows."))
    if command.value == 13:
        raise ValueError("unlucky")
    return Decision(events=[(Key("counter", context.tenant, context.key), UInt64Value(value=command.value))])


def _add_and_tell(_states: Mapping[Key, State], command: StringValue, context: Context) -> Decision:
    """Adds one here and tells each counter named, separated by spaces, to add the number behind its colon."""
    told = [part.split(":") for part in command.value.split()]
    return Decision(
        events=[(Key("counter", context.tenant, context.key), UInt64Value(value=1))],
        messages=[Outgoing("counter", context.tenant, name, Int64Value(value=int(number))) for name, number in told],
    )


def _ask_outside(_states: Mapping[Key, State], command: Int32Value, context: Context) -> Decision:
    """Starts an effect whose result, an Int64Value, is added."""
    return Decision(effects=[StartEffect("counter", context.tenant, context.key, command)])


def _set_timer(_states: Mapping[Key, State], command: BoolValue, context: Context) -> Decision:
    """Sets (or clears) a timer that adds 100 after a second."""
    owner = Key("counter", context.tenant, context.key)
    message = Int64Value(value=100) if command.value else None
    return Decision(timers=[SetTimer(owner, "later", "counter", context.now_us + 1_000_000, message)])


COUNTER = Service(
    name="counter",
    aggregates=(
        AggregateType(kind="counter", state=UInt64Value, evolve=_evolve, events=(UInt64Value,), table=COUNTERS),
    ),
    handlers=(
        Handler(command=Int64Value, keys=_keys, decide=_add),
        Handler(command=StringValue, keys=_keys, decide=_add_and_tell),
        Handler(command=Int32Value, keys=_keys, decide=_ask_outside),
        Handler(command=BoolValue, keys=_keys, decide=_set_timer),
    ),
)
