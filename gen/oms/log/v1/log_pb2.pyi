from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class Durability(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    DURABILITY_UNSPECIFIED: _ClassVar[Durability]
    DURABILITY_STORED: _ClassVar[Durability]
    DURABILITY_LOGGED: _ClassVar[Durability]
DURABILITY_UNSPECIFIED: Durability
DURABILITY_STORED: Durability
DURABILITY_LOGGED: Durability

class Position(_message.Message):
    __slots__ = ("epoch", "frame", "index")
    EPOCH_FIELD_NUMBER: _ClassVar[int]
    FRAME_FIELD_NUMBER: _ClassVar[int]
    INDEX_FIELD_NUMBER: _ClassVar[int]
    epoch: int
    frame: int
    index: int
    def __init__(self, epoch: _Optional[int] = ..., frame: _Optional[int] = ..., index: _Optional[int] = ...) -> None: ...

class Source(_message.Message):
    __slots__ = ("group", "partition", "position", "n")
    GROUP_FIELD_NUMBER: _ClassVar[int]
    PARTITION_FIELD_NUMBER: _ClassVar[int]
    POSITION_FIELD_NUMBER: _ClassVar[int]
    N_FIELD_NUMBER: _ClassVar[int]
    group: str
    partition: int
    position: Position
    n: int
    def __init__(self, group: _Optional[str] = ..., partition: _Optional[int] = ..., position: _Optional[_Union[Position, _Mapping]] = ..., n: _Optional[int] = ...) -> None: ...

class AgendaId(_message.Message):
    __slots__ = ("position", "n", "partition")
    POSITION_FIELD_NUMBER: _ClassVar[int]
    N_FIELD_NUMBER: _ClassVar[int]
    PARTITION_FIELD_NUMBER: _ClassVar[int]
    position: Position
    n: int
    partition: int
    def __init__(self, position: _Optional[_Union[Position, _Mapping]] = ..., n: _Optional[int] = ..., partition: _Optional[int] = ...) -> None: ...

class Envelope(_message.Message):
    __slots__ = ("service", "tenant", "key", "type", "payload", "source", "agenda_id", "correlation", "durability", "actor", "traceparent", "first")
    SERVICE_FIELD_NUMBER: _ClassVar[int]
    TENANT_FIELD_NUMBER: _ClassVar[int]
    KEY_FIELD_NUMBER: _ClassVar[int]
    TYPE_FIELD_NUMBER: _ClassVar[int]
    PAYLOAD_FIELD_NUMBER: _ClassVar[int]
    SOURCE_FIELD_NUMBER: _ClassVar[int]
    AGENDA_ID_FIELD_NUMBER: _ClassVar[int]
    CORRELATION_FIELD_NUMBER: _ClassVar[int]
    DURABILITY_FIELD_NUMBER: _ClassVar[int]
    ACTOR_FIELD_NUMBER: _ClassVar[int]
    TRACEPARENT_FIELD_NUMBER: _ClassVar[int]
    FIRST_FIELD_NUMBER: _ClassVar[int]
    service: str
    tenant: str
    key: str
    type: str
    payload: bytes
    source: Source
    agenda_id: AgendaId
    correlation: int
    durability: Durability
    actor: str
    traceparent: str
    first: bool
    def __init__(self, service: _Optional[str] = ..., tenant: _Optional[str] = ..., key: _Optional[str] = ..., type: _Optional[str] = ..., payload: _Optional[bytes] = ..., source: _Optional[_Union[Source, _Mapping]] = ..., agenda_id: _Optional[_Union[AgendaId, _Mapping]] = ..., correlation: _Optional[int] = ..., durability: _Optional[_Union[Durability, str]] = ..., actor: _Optional[str] = ..., traceparent: _Optional[str] = ..., first: _Optional[bool] = ...) -> None: ...

class CommandFrame(_message.Message):
    __slots__ = ("reply_to", "envelopes")
    REPLY_TO_FIELD_NUMBER: _ClassVar[int]
    ENVELOPES_FIELD_NUMBER: _ClassVar[int]
    reply_to: str
    envelopes: _containers.RepeatedCompositeFieldContainer[Envelope]
    def __init__(self, reply_to: _Optional[str] = ..., envelopes: _Optional[_Iterable[_Union[Envelope, _Mapping]]] = ...) -> None: ...

class Event(_message.Message):
    __slots__ = ("kind", "tenant", "key", "sub_key", "version", "type", "payload")
    KIND_FIELD_NUMBER: _ClassVar[int]
    TENANT_FIELD_NUMBER: _ClassVar[int]
    KEY_FIELD_NUMBER: _ClassVar[int]
    SUB_KEY_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    TYPE_FIELD_NUMBER: _ClassVar[int]
    PAYLOAD_FIELD_NUMBER: _ClassVar[int]
    kind: str
    tenant: str
    key: str
    sub_key: str
    version: int
    type: str
    payload: bytes
    def __init__(self, kind: _Optional[str] = ..., tenant: _Optional[str] = ..., key: _Optional[str] = ..., sub_key: _Optional[str] = ..., version: _Optional[int] = ..., type: _Optional[str] = ..., payload: _Optional[bytes] = ...) -> None: ...

class AgendaEntry(_message.Message):
    __slots__ = ("id", "timer", "effect", "parked")
    ID_FIELD_NUMBER: _ClassVar[int]
    TIMER_FIELD_NUMBER: _ClassVar[int]
    EFFECT_FIELD_NUMBER: _ClassVar[int]
    PARKED_FIELD_NUMBER: _ClassVar[int]
    id: AgendaId
    timer: Timer
    effect: Effect
    parked: Parked
    def __init__(self, id: _Optional[_Union[AgendaId, _Mapping]] = ..., timer: _Optional[_Union[Timer, _Mapping]] = ..., effect: _Optional[_Union[Effect, _Mapping]] = ..., parked: _Optional[_Union[Parked, _Mapping]] = ...) -> None: ...

class Timer(_message.Message):
    __slots__ = ("due_us", "owner", "envelope")
    DUE_US_FIELD_NUMBER: _ClassVar[int]
    OWNER_FIELD_NUMBER: _ClassVar[int]
    ENVELOPE_FIELD_NUMBER: _ClassVar[int]
    due_us: int
    owner: str
    envelope: Envelope
    def __init__(self, due_us: _Optional[int] = ..., owner: _Optional[str] = ..., envelope: _Optional[_Union[Envelope, _Mapping]] = ...) -> None: ...

class Effect(_message.Message):
    __slots__ = ("service", "tenant", "key", "type", "payload", "open_us")
    SERVICE_FIELD_NUMBER: _ClassVar[int]
    TENANT_FIELD_NUMBER: _ClassVar[int]
    KEY_FIELD_NUMBER: _ClassVar[int]
    TYPE_FIELD_NUMBER: _ClassVar[int]
    PAYLOAD_FIELD_NUMBER: _ClassVar[int]
    OPEN_US_FIELD_NUMBER: _ClassVar[int]
    service: str
    tenant: str
    key: str
    type: str
    payload: bytes
    open_us: int
    def __init__(self, service: _Optional[str] = ..., tenant: _Optional[str] = ..., key: _Optional[str] = ..., type: _Optional[str] = ..., payload: _Optional[bytes] = ..., open_us: _Optional[int] = ...) -> None: ...

class Parked(_message.Message):
    __slots__ = ("envelope", "reply_to")
    ENVELOPE_FIELD_NUMBER: _ClassVar[int]
    REPLY_TO_FIELD_NUMBER: _ClassVar[int]
    envelope: Envelope
    reply_to: str
    def __init__(self, envelope: _Optional[_Union[Envelope, _Mapping]] = ..., reply_to: _Optional[str] = ...) -> None: ...

class Refusal(_message.Message):
    __slots__ = ("reason", "message", "metadata")
    class MetadataEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    REASON_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_FIELD_NUMBER: _ClassVar[int]
    METADATA_FIELD_NUMBER: _ClassVar[int]
    reason: str
    message: str
    metadata: _containers.ScalarMap[str, str]
    def __init__(self, reason: _Optional[str] = ..., message: _Optional[str] = ..., metadata: _Optional[_Mapping[str, str]] = ...) -> None: ...

class DeadLetter(_message.Message):
    __slots__ = ("envelope", "error")
    ENVELOPE_FIELD_NUMBER: _ClassVar[int]
    ERROR_FIELD_NUMBER: _ClassVar[int]
    envelope: Envelope
    error: str
    def __init__(self, envelope: _Optional[_Union[Envelope, _Mapping]] = ..., error: _Optional[str] = ...) -> None: ...

class Decision(_message.Message):
    __slots__ = ("command_sequence", "command_index", "source", "unparked", "events", "messages", "opened", "closed", "refusal", "dead_letter", "traceparent")
    COMMAND_SEQUENCE_FIELD_NUMBER: _ClassVar[int]
    COMMAND_INDEX_FIELD_NUMBER: _ClassVar[int]
    SOURCE_FIELD_NUMBER: _ClassVar[int]
    UNPARKED_FIELD_NUMBER: _ClassVar[int]
    EVENTS_FIELD_NUMBER: _ClassVar[int]
    MESSAGES_FIELD_NUMBER: _ClassVar[int]
    OPENED_FIELD_NUMBER: _ClassVar[int]
    CLOSED_FIELD_NUMBER: _ClassVar[int]
    REFUSAL_FIELD_NUMBER: _ClassVar[int]
    DEAD_LETTER_FIELD_NUMBER: _ClassVar[int]
    TRACEPARENT_FIELD_NUMBER: _ClassVar[int]
    command_sequence: int
    command_index: int
    source: Source
    unparked: AgendaId
    events: _containers.RepeatedCompositeFieldContainer[Event]
    messages: _containers.RepeatedCompositeFieldContainer[Message]
    opened: _containers.RepeatedCompositeFieldContainer[AgendaEntry]
    closed: _containers.RepeatedCompositeFieldContainer[AgendaId]
    refusal: Refusal
    dead_letter: DeadLetter
    traceparent: str
    def __init__(self, command_sequence: _Optional[int] = ..., command_index: _Optional[int] = ..., source: _Optional[_Union[Source, _Mapping]] = ..., unparked: _Optional[_Union[AgendaId, _Mapping]] = ..., events: _Optional[_Iterable[_Union[Event, _Mapping]]] = ..., messages: _Optional[_Iterable[_Union[Message, _Mapping]]] = ..., opened: _Optional[_Iterable[_Union[AgendaEntry, _Mapping]]] = ..., closed: _Optional[_Iterable[_Union[AgendaId, _Mapping]]] = ..., refusal: _Optional[_Union[Refusal, _Mapping]] = ..., dead_letter: _Optional[_Union[DeadLetter, _Mapping]] = ..., traceparent: _Optional[str] = ...) -> None: ...

class Message(_message.Message):
    __slots__ = ("group", "partition", "envelope")
    GROUP_FIELD_NUMBER: _ClassVar[int]
    PARTITION_FIELD_NUMBER: _ClassVar[int]
    ENVELOPE_FIELD_NUMBER: _ClassVar[int]
    group: str
    partition: int
    envelope: Envelope
    def __init__(self, group: _Optional[str] = ..., partition: _Optional[int] = ..., envelope: _Optional[_Union[Envelope, _Mapping]] = ...) -> None: ...

class EpochEnd(_message.Message):
    __slots__ = ("epoch", "frame", "reincarnated_us")
    EPOCH_FIELD_NUMBER: _ClassVar[int]
    FRAME_FIELD_NUMBER: _ClassVar[int]
    REINCARNATED_US_FIELD_NUMBER: _ClassVar[int]
    epoch: int
    frame: int
    reincarnated_us: int
    def __init__(self, epoch: _Optional[int] = ..., frame: _Optional[int] = ..., reincarnated_us: _Optional[int] = ...) -> None: ...

class Taken(_message.Message):
    __slots__ = ("instance", "build", "previous")
    INSTANCE_FIELD_NUMBER: _ClassVar[int]
    BUILD_FIELD_NUMBER: _ClassVar[int]
    PREVIOUS_FIELD_NUMBER: _ClassVar[int]
    instance: str
    build: str
    previous: EpochEnd
    def __init__(self, instance: _Optional[str] = ..., build: _Optional[str] = ..., previous: _Optional[_Union[EpochEnd, _Mapping]] = ...) -> None: ...

class DecisionFrame(_message.Message):
    __slots__ = ("schema", "id", "previous_id", "epoch", "number", "clock_us", "decided_sequence", "decided_index", "taken", "decisions")
    SCHEMA_FIELD_NUMBER: _ClassVar[int]
    ID_FIELD_NUMBER: _ClassVar[int]
    PREVIOUS_ID_FIELD_NUMBER: _ClassVar[int]
    EPOCH_FIELD_NUMBER: _ClassVar[int]
    NUMBER_FIELD_NUMBER: _ClassVar[int]
    CLOCK_US_FIELD_NUMBER: _ClassVar[int]
    DECIDED_SEQUENCE_FIELD_NUMBER: _ClassVar[int]
    DECIDED_INDEX_FIELD_NUMBER: _ClassVar[int]
    TAKEN_FIELD_NUMBER: _ClassVar[int]
    DECISIONS_FIELD_NUMBER: _ClassVar[int]
    schema: int
    id: bytes
    previous_id: bytes
    epoch: int
    number: int
    clock_us: int
    decided_sequence: int
    decided_index: int
    taken: Taken
    decisions: _containers.RepeatedCompositeFieldContainer[Decision]
    def __init__(self, schema: _Optional[int] = ..., id: _Optional[bytes] = ..., previous_id: _Optional[bytes] = ..., epoch: _Optional[int] = ..., number: _Optional[int] = ..., clock_us: _Optional[int] = ..., decided_sequence: _Optional[int] = ..., decided_index: _Optional[int] = ..., taken: _Optional[_Union[Taken, _Mapping]] = ..., decisions: _Optional[_Iterable[_Union[Decision, _Mapping]]] = ...) -> None: ...

class Mark(_message.Message):
    __slots__ = ("source",)
    SOURCE_FIELD_NUMBER: _ClassVar[int]
    source: Source
    def __init__(self, source: _Optional[_Union[Source, _Mapping]] = ...) -> None: ...

class SentThrough(_message.Message):
    __slots__ = ("group", "partition", "sequence")
    GROUP_FIELD_NUMBER: _ClassVar[int]
    PARTITION_FIELD_NUMBER: _ClassVar[int]
    SEQUENCE_FIELD_NUMBER: _ClassVar[int]
    group: str
    partition: int
    sequence: int
    def __init__(self, group: _Optional[str] = ..., partition: _Optional[int] = ..., sequence: _Optional[int] = ...) -> None: ...

class Checkpoint(_message.Message):
    __slots__ = ("schema", "frame_id", "epoch", "frame", "sequence", "clock_us", "decided_sequence", "decided_index", "marks", "sent_through", "epoch_ends", "agenda")
    SCHEMA_FIELD_NUMBER: _ClassVar[int]
    FRAME_ID_FIELD_NUMBER: _ClassVar[int]
    EPOCH_FIELD_NUMBER: _ClassVar[int]
    FRAME_FIELD_NUMBER: _ClassVar[int]
    SEQUENCE_FIELD_NUMBER: _ClassVar[int]
    CLOCK_US_FIELD_NUMBER: _ClassVar[int]
    DECIDED_SEQUENCE_FIELD_NUMBER: _ClassVar[int]
    DECIDED_INDEX_FIELD_NUMBER: _ClassVar[int]
    MARKS_FIELD_NUMBER: _ClassVar[int]
    SENT_THROUGH_FIELD_NUMBER: _ClassVar[int]
    EPOCH_ENDS_FIELD_NUMBER: _ClassVar[int]
    AGENDA_FIELD_NUMBER: _ClassVar[int]
    schema: int
    frame_id: bytes
    epoch: int
    frame: int
    sequence: int
    clock_us: int
    decided_sequence: int
    decided_index: int
    marks: _containers.RepeatedCompositeFieldContainer[Mark]
    sent_through: _containers.RepeatedCompositeFieldContainer[SentThrough]
    epoch_ends: _containers.RepeatedCompositeFieldContainer[EpochEnd]
    agenda: _containers.RepeatedScalarFieldContainer[bytes]
    def __init__(self, schema: _Optional[int] = ..., frame_id: _Optional[bytes] = ..., epoch: _Optional[int] = ..., frame: _Optional[int] = ..., sequence: _Optional[int] = ..., clock_us: _Optional[int] = ..., decided_sequence: _Optional[int] = ..., decided_index: _Optional[int] = ..., marks: _Optional[_Iterable[_Union[Mark, _Mapping]]] = ..., sent_through: _Optional[_Iterable[_Union[SentThrough, _Mapping]]] = ..., epoch_ends: _Optional[_Iterable[_Union[EpochEnd, _Mapping]]] = ..., agenda: _Optional[_Iterable[bytes]] = ...) -> None: ...

class Reply(_message.Message):
    __slots__ = ("correlation", "persistence", "refusal", "state", "dead_letter")
    CORRELATION_FIELD_NUMBER: _ClassVar[int]
    PERSISTENCE_FIELD_NUMBER: _ClassVar[int]
    REFUSAL_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    DEAD_LETTER_FIELD_NUMBER: _ClassVar[int]
    correlation: int
    persistence: int
    refusal: Refusal
    state: bytes
    dead_letter: bool
    def __init__(self, correlation: _Optional[int] = ..., persistence: _Optional[int] = ..., refusal: _Optional[_Union[Refusal, _Mapping]] = ..., state: _Optional[bytes] = ..., dead_letter: _Optional[bool] = ...) -> None: ...

class ReplyFrame(_message.Message):
    __slots__ = ("replies",)
    REPLIES_FIELD_NUMBER: _ClassVar[int]
    replies: _containers.RepeatedCompositeFieldContainer[Reply]
    def __init__(self, replies: _Optional[_Iterable[_Union[Reply, _Mapping]]] = ...) -> None: ...

class Query(_message.Message):
    __slots__ = ("kind", "tenant", "key", "sub_key")
    KIND_FIELD_NUMBER: _ClassVar[int]
    TENANT_FIELD_NUMBER: _ClassVar[int]
    KEY_FIELD_NUMBER: _ClassVar[int]
    SUB_KEY_FIELD_NUMBER: _ClassVar[int]
    kind: str
    tenant: str
    key: str
    sub_key: str
    def __init__(self, kind: _Optional[str] = ..., tenant: _Optional[str] = ..., key: _Optional[str] = ..., sub_key: _Optional[str] = ...) -> None: ...

class ResolveDeadLetter(_message.Message):
    __slots__ = ("dead_letter_id", "replay")
    DEAD_LETTER_ID_FIELD_NUMBER: _ClassVar[int]
    REPLAY_FIELD_NUMBER: _ClassVar[int]
    dead_letter_id: str
    replay: bool
    def __init__(self, dead_letter_id: _Optional[str] = ..., replay: _Optional[bool] = ...) -> None: ...

class DeadLetterState(_message.Message):
    __slots__ = ("dead_letter_id", "dead_letter", "create_us", "replayed", "discarded")
    DEAD_LETTER_ID_FIELD_NUMBER: _ClassVar[int]
    DEAD_LETTER_FIELD_NUMBER: _ClassVar[int]
    CREATE_US_FIELD_NUMBER: _ClassVar[int]
    REPLAYED_FIELD_NUMBER: _ClassVar[int]
    DISCARDED_FIELD_NUMBER: _ClassVar[int]
    dead_letter_id: str
    dead_letter: DeadLetter
    create_us: int
    replayed: bool
    discarded: bool
    def __init__(self, dead_letter_id: _Optional[str] = ..., dead_letter: _Optional[_Union[DeadLetter, _Mapping]] = ..., create_us: _Optional[int] = ..., replayed: _Optional[bool] = ..., discarded: _Optional[bool] = ...) -> None: ...

class DeadLettered(_message.Message):
    __slots__ = ("state",)
    STATE_FIELD_NUMBER: _ClassVar[int]
    state: DeadLetterState
    def __init__(self, state: _Optional[_Union[DeadLetterState, _Mapping]] = ...) -> None: ...

class DeadLetterResolved(_message.Message):
    __slots__ = ("replayed",)
    REPLAYED_FIELD_NUMBER: _ClassVar[int]
    replayed: bool
    def __init__(self, replayed: _Optional[bool] = ...) -> None: ...

class PartitionStatus(_message.Message):
    __slots__ = ("group", "partition", "instance", "epoch", "last_sequence", "decided_through", "lag", "checkpoint_sequence", "agenda", "intake_open", "intake_reason", "retry_after_ms", "stopped_reason", "lag_ms")
    GROUP_FIELD_NUMBER: _ClassVar[int]
    PARTITION_FIELD_NUMBER: _ClassVar[int]
    INSTANCE_FIELD_NUMBER: _ClassVar[int]
    EPOCH_FIELD_NUMBER: _ClassVar[int]
    LAST_SEQUENCE_FIELD_NUMBER: _ClassVar[int]
    DECIDED_THROUGH_FIELD_NUMBER: _ClassVar[int]
    LAG_FIELD_NUMBER: _ClassVar[int]
    CHECKPOINT_SEQUENCE_FIELD_NUMBER: _ClassVar[int]
    AGENDA_FIELD_NUMBER: _ClassVar[int]
    INTAKE_OPEN_FIELD_NUMBER: _ClassVar[int]
    INTAKE_REASON_FIELD_NUMBER: _ClassVar[int]
    RETRY_AFTER_MS_FIELD_NUMBER: _ClassVar[int]
    STOPPED_REASON_FIELD_NUMBER: _ClassVar[int]
    LAG_MS_FIELD_NUMBER: _ClassVar[int]
    group: str
    partition: int
    instance: str
    epoch: int
    last_sequence: int
    decided_through: int
    lag: int
    checkpoint_sequence: int
    agenda: int
    intake_open: bool
    intake_reason: str
    retry_after_ms: int
    stopped_reason: str
    lag_ms: int
    def __init__(self, group: _Optional[str] = ..., partition: _Optional[int] = ..., instance: _Optional[str] = ..., epoch: _Optional[int] = ..., last_sequence: _Optional[int] = ..., decided_through: _Optional[int] = ..., lag: _Optional[int] = ..., checkpoint_sequence: _Optional[int] = ..., agenda: _Optional[int] = ..., intake_open: _Optional[bool] = ..., intake_reason: _Optional[str] = ..., retry_after_ms: _Optional[int] = ..., stopped_reason: _Optional[str] = ..., lag_ms: _Optional[int] = ...) -> None: ...

class RelayPosition(_message.Message):
    __slots__ = ("group", "partition", "sequence")
    GROUP_FIELD_NUMBER: _ClassVar[int]
    PARTITION_FIELD_NUMBER: _ClassVar[int]
    SEQUENCE_FIELD_NUMBER: _ClassVar[int]
    group: str
    partition: int
    sequence: int
    def __init__(self, group: _Optional[str] = ..., partition: _Optional[int] = ..., sequence: _Optional[int] = ...) -> None: ...

class Member(_message.Message):
    __slots__ = ("instance", "role", "groups", "build", "leaving", "drained", "draining")
    INSTANCE_FIELD_NUMBER: _ClassVar[int]
    ROLE_FIELD_NUMBER: _ClassVar[int]
    GROUPS_FIELD_NUMBER: _ClassVar[int]
    BUILD_FIELD_NUMBER: _ClassVar[int]
    LEAVING_FIELD_NUMBER: _ClassVar[int]
    DRAINED_FIELD_NUMBER: _ClassVar[int]
    DRAINING_FIELD_NUMBER: _ClassVar[int]
    instance: str
    role: str
    groups: _containers.RepeatedScalarFieldContainer[str]
    build: str
    leaving: bool
    drained: bool
    draining: bool
    def __init__(self, instance: _Optional[str] = ..., role: _Optional[str] = ..., groups: _Optional[_Iterable[str]] = ..., build: _Optional[str] = ..., leaving: _Optional[bool] = ..., drained: _Optional[bool] = ..., draining: _Optional[bool] = ...) -> None: ...

class Drain(_message.Message):
    __slots__ = ("instance", "drained")
    INSTANCE_FIELD_NUMBER: _ClassVar[int]
    DRAINED_FIELD_NUMBER: _ClassVar[int]
    instance: str
    drained: bool
    def __init__(self, instance: _Optional[str] = ..., drained: _Optional[bool] = ...) -> None: ...

class Deployment(_message.Message):
    __slots__ = ("deployment_id", "groups", "log_replicas")
    class Group(_message.Message):
        __slots__ = ("name", "services", "partitions", "first", "count")
        NAME_FIELD_NUMBER: _ClassVar[int]
        SERVICES_FIELD_NUMBER: _ClassVar[int]
        PARTITIONS_FIELD_NUMBER: _ClassVar[int]
        FIRST_FIELD_NUMBER: _ClassVar[int]
        COUNT_FIELD_NUMBER: _ClassVar[int]
        name: str
        services: _containers.RepeatedScalarFieldContainer[str]
        partitions: int
        first: int
        count: int
        def __init__(self, name: _Optional[str] = ..., services: _Optional[_Iterable[str]] = ..., partitions: _Optional[int] = ..., first: _Optional[int] = ..., count: _Optional[int] = ...) -> None: ...
    DEPLOYMENT_ID_FIELD_NUMBER: _ClassVar[int]
    GROUPS_FIELD_NUMBER: _ClassVar[int]
    LOG_REPLICAS_FIELD_NUMBER: _ClassVar[int]
    deployment_id: str
    groups: _containers.RepeatedCompositeFieldContainer[Deployment.Group]
    log_replicas: int
    def __init__(self, deployment_id: _Optional[str] = ..., groups: _Optional[_Iterable[_Union[Deployment.Group, _Mapping]]] = ..., log_replicas: _Optional[int] = ...) -> None: ...
