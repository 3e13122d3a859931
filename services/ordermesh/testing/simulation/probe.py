"""A service of the simulation's own that forgives nothing: what the real services' idempotence would hide, it counts.

A hop makes one event and one message to another key, which may live anywhere: a message lost or taken twice makes the
count wrong. A hop may also raise, before or after something evolved, or lead to itself for ever.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from google.protobuf import wrappers_pb2

from oms.log.v1 import log_pb2
from ordermesh.core.decider import (
    AGGREGATE_COLUMNS,
    AggregateType,
    Context,
    Decision,
    Handler,
    Key,
    Outgoing,
    Service,
    Stamp,
    State,
    Table,
)

PROBE = "probe"
"""The service and its one kind of aggregate."""

RAISE = -1
"""A hop that raises at once."""

RAISE_LATER = -2
"""A hop that evolves, and leads to one that raises."""

ENDLESS = -3
"""A hop that leads to itself."""

Hop = wrappers_pb2.Int64Value
"""The command: how many hops are still to be made, or one of the above."""

Hopped = wrappers_pb2.BoolValue
"""The event."""

PROBES = Table(name="probes", columns=AGGREGATE_COLUMNS, partition=("tenant", "key"), clustering=("sub_key",))


class ProbeFailed(Exception):
    """What a hop raises."""


def _evolve(state: State, _event: Any, stamp: Stamp) -> None:
    """The state is a count beside its version."""
    state.epoch = stamp.version
    state.frame += 1


def _keys(_hop: Hop, context: Context) -> Sequence[Key]:
    return (Key(PROBE, context.tenant, context.key),)


def _decide(_states: Mapping[Key, State], hop: Hop, context: Context) -> Decision:
    if hop.value == RAISE:
        raise ProbeFailed("this command always raises")
    decision = Decision(events=[(Key(PROBE, context.tenant, context.key), Hopped(value=True))])
    if hop.value == RAISE_LATER:
        decision.messages.append(Outgoing(PROBE, context.tenant, context.key, Hop(value=RAISE)))
    elif hop.value == ENDLESS:
        decision.messages.append(Outgoing(PROBE, context.tenant, context.key, Hop(value=ENDLESS)))
    elif hop.value > 0:
        decision.messages.append(Outgoing(PROBE, context.tenant, f"hop-{hop.value}", Hop(value=hop.value - 1)))
    return decision


PROBE_SERVICE = Service(
    name=PROBE,
    aggregates=(AggregateType(kind=PROBE, state=log_pb2.Position, evolve=_evolve, events=(Hopped,), table=PROBES),),
    handlers=(Handler(command=Hop, keys=_keys, decide=_decide),),
)
"""What is simulated beside the real services."""
