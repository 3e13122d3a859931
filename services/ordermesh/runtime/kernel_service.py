"""The commands that every partition understands: queries through the log, and what becomes of dead letters."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from google.protobuf import descriptor_pool, message_factory

from oms.log.v1 import log_pb2
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
    Stamp,
    State,
    Table,
)
from ordermesh.runtime.topology import KERNEL

DEAD_LETTER = "dead_letter"
"""The kind of a dead letter; its key is the partition as text, its sub key its id."""

DEAD_LETTERS = Table(
    name="dead_letters",
    columns=(*AGGREGATE_COLUMNS, ("type", "text"), ("error", "text"), ("resolved", "text")),
    partition=("tenant", "key"),
    clustering=("sub_key",),
    names=(("tenant", ""), ("key", "log_partition"), ("sub_key", "dead_letter_id")),
)


def _evolve(state: State, event: Any, _stamp: Stamp) -> None:
    """A dead letter is written once and resolved once."""
    if isinstance(event, log_pb2.DeadLettered):
        state.CopyFrom(event.state)
    else:
        state.replayed = event.replayed
        state.discarded = not event.replayed


def _columns(_key: Key, state: State) -> tuple[str, ...]:
    resolved = "replayed" if state.replayed else "discarded" if state.discarded else ""
    return (state.dead_letter.envelope.type, state.dead_letter.error, resolved)


def _query_keys(query: log_pb2.Query, _context: Context) -> Sequence[Key]:
    return (Key(query.kind, query.tenant, query.key, query.sub_key),)


def _query(_states: Mapping[Key, State], _query: log_pb2.Query, _context: Context) -> Decision:
    """Changes nothing: the kernel answers with the state once the frame is in."""
    return Decision()


def _resolve_keys(command: log_pb2.ResolveDeadLetter, context: Context) -> Sequence[Key]:
    return (Key(DEAD_LETTER, "", context.key, command.dead_letter_id),)


def _resolve(states: Mapping[Key, State], command: log_pb2.ResolveDeadLetter, context: Context) -> Decision:
    """Replays a dead letter as a command of its own, or discards it; asking again changes nothing."""
    (key,) = _resolve_keys(command, context)
    state = states.get(key)
    if state is None:
        return Decision(refusal=Refusal("DEAD_LETTER_NOT_FOUND", f"There is no dead letter {command.dead_letter_id}."))
    if state.replayed or state.discarded:
        return Decision()
    resolved = log_pb2.DeadLetterResolved(replayed=command.replay)
    if not command.replay:
        return Decision(events=[(key, resolved)])
    envelope = state.dead_letter.envelope
    try:
        descriptor = descriptor_pool.Default().FindMessageTypeByName(envelope.type)
        message = message_factory.GetMessageClass(descriptor).FromString(envelope.payload)
    except Exception as error:  # noqa: BLE001 - whatever the bytes do, this command must refuse and not raise
        return Decision(refusal=Refusal("DEAD_LETTER_UNREADABLE", f"Its command cannot be read: {error}"))
    again = Outgoing(envelope.service, envelope.tenant, envelope.key, message, by_log=True)
    return Decision(events=[(key, resolved)], messages=[again])


KERNEL_SERVICE = Service(
    name=KERNEL,
    aggregates=(
        AggregateType(
            kind=DEAD_LETTER,
            state=log_pb2.DeadLetterState,
            evolve=_evolve,
            events=(log_pb2.DeadLettered, log_pb2.DeadLetterResolved),
            table=DEAD_LETTERS,
            columns=_columns,
        ),
    ),
    handlers=(
        Handler(command=log_pb2.Query, keys=_query_keys, decide=_query),
        Handler(command=log_pb2.ResolveDeadLetter, keys=_resolve_keys, decide=_resolve),
    ),
)
"""What the kernel adds to every process's services."""
