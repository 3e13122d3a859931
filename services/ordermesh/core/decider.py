"""What a service gives the kernel: aggregates that evolve, and commands that are decided.

PURE. A decider is a plain function over protobuf state: it reads states, the command and the context, and returns a
`Decision`; it changes nothing and does no I/O. `evolve` is the only thing that changes a state, one event at a time,
live and when a log is redone. The kernel (`ordermesh.runtime`) does the rest.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple, TypeAlias

from google.protobuf.message import Message

State: TypeAlias = Any
"""The protobuf message that holds an aggregate's state; each kind has its own."""


KEYS_KEPT: Final = 16_384
"""Keys of a kind that are kept to be found again: one is asked for several times in a row, and making it costs more."""


class Key(NamedTuple):
    """The name of an aggregate: only `tenant` and `key` are hashed, so all its parts lie in one partition."""

    kind: str
    tenant: str
    key: str
    sub_key: str = ""


class Stamp(NamedTuple):
    """When an event happened to an aggregate: its new version, and the log clock in microseconds."""

    version: int
    time_us: int


@dataclass(frozen=True, slots=True)
class Refusal:
    """A transition that is not allowed. `reason` is a name of `oms.common.v1.ErrorReason` without its prefix."""

    reason: str
    message: str
    metadata: Mapping[str, str] = field(default_factory=dict)


class Outgoing(NamedTuple):
    """A message to the partition of (tenant, key), which may be the own one. `first` as in `Envelope.first`.

    With `by_log` it goes through the log even to the own partition, as a command of its own.
    """

    service: str
    tenant: str
    key: str
    message: Message
    first: bool = False
    by_log: bool = False


class SetTimer(NamedTuple):
    """Sets (or with `message` None clears) the timer `name` of `owner`; its message goes to `service` when due."""

    owner: Key
    name: str
    service: str
    due_us: int = 0
    message: Message | None = None


class StartEffect(NamedTuple):
    """Starts a call to the outside; its result comes back to `service` as a command with the same tenant and key."""

    service: str
    tenant: str
    key: str
    request: Message


@dataclass(slots=True)
class Decision:
    """What a decider decided: nothing of it has happened until the kernel has it in the log."""

    events: list[tuple[Key, Message]] = field(default_factory=list)
    messages: list[Outgoing] = field(default_factory=list)
    timers: list[SetTimer] = field(default_factory=list)
    effects: list[StartEffect] = field(default_factory=list)
    refusal: Refusal | None = None


class Context(NamedTuple):
    """What else a decider may know: the log clock, who asks, and where keys live.

    `slot(service, tenant, key)` gives a value that is equal for keys that share a partition, so that a decider can send
    one message for all of them; it must not be kept. `is_doubtful`: what was decided about the key before may have been
    lost with the tail of its partition's log, though not what came of it elsewhere.
    """

    now_us: int
    tenant: str
    key: str
    actor: str
    first: bool
    slot: Callable[[str, str, str], int]
    is_doubtful: bool = False


class Row(NamedTuple):
    """A row of a table: the values of all its columns in the table's order, and the write time in microseconds."""

    table: str
    values: tuple[Any, ...]
    write_time: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """A table of the store: columns with their types (text, bigint, blob), and which of them make the key.

    `partition` and `clustering` are names of columns; rows of one partition are kept in the clustering columns' order,
    descending if `newest_first`. `names` says what columns are called in a store that people query by hand: an
    aggregate's `key` is an order's id there; a column without a name is always empty, and left out. `overwritten`:
    its rows are written again for as long as they exist, and not only while they are young.
    """

    name: str
    columns: tuple[tuple[str, str], ...]
    partition: tuple[str, ...]
    clustering: tuple[str, ...] = ()
    newest_first: bool = False
    names: tuple[tuple[str, str], ...] = ()
    overwritten: bool = False


AGGREGATE_COLUMNS = (
    ("tenant", "text"),
    ("key", "text"),
    ("sub_key", "text"),
    ("version", "bigint"),
    ("epoch", "bigint"),
    ("frame", "bigint"),
    ("index_in_frame", "bigint"),
    ("state", "blob"),
)
"""The columns that every aggregate's own table begins with, in this order; columns for a person's eyes may follow."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AggregateType:
    """A kind of aggregate: its state's class, how it evolves, and its rows.

    `table` begins with `AGGREGATE_COLUMNS`; its key is (tenant, key) clustered by sub_key, or where the other way
    round is what is asked for, (tenant, sub_key) clustered by key. `columns(key, state)` gives the values of the
    columns after those. `query_rows(key, state, write_time)` gives rows of other tables; it is
    called for the first flush of an aggregate by an owner (which may repeat it), so what is in them must not change
    afterwards. `event_rows(key, event, state, stamp, write_time)` gives rows that an event leaves for good; `state` is
    after it. It is called when the event happens and again when it is redone, and has to give the same then; its rows
    are stored before the aggregate's own, so that an aggregate is never ahead of what its events left.

    `key_is_uuid7`: the key is a UUIDv7, so an aggregate newer than the owner's memory reaches is known to be absent
    without a look into the store. `absent_when_first`: so is one that a command names which is its sender's first
    attempt, however young the memory.
    """

    kind: str
    state: type[Message]
    evolve: Callable[[State, Any, Stamp], None]
    events: tuple[type[Message], ...]
    table: Table
    columns: Callable[[Key, State], tuple[Any, ...]] = lambda _key, _state: ()
    query_tables: tuple[Table, ...] = ()
    query_rows: Callable[[Key, State, int], Sequence[Row]] = lambda _key, _state, _write_time: ()
    event_tables: tuple[Table, ...] = ()
    event_rows: Callable[[Key, Any, State, Stamp, int], Sequence[Row]] | None = None
    key_is_uuid7: bool = False
    absent_when_first: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Handler:
    """How one type of command is decided.

    `keys(command, context)` names the aggregates that `decide` will read or change (all in the command's partition);
    the first one's state is the answer to whoever waits. States that do not exist are absent from the mapping.
    """

    command: type[Message]
    keys: Callable[[Any, Context], Sequence[Key]]
    decide: Callable[[Mapping[Key, State], Any, Context], Decision]


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """A service, whole: the kernel knows nothing else of it."""

    name: str
    aggregates: tuple[AggregateType, ...]
    handlers: tuple[Handler, ...]
