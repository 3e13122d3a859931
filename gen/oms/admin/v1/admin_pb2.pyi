import datetime

from google.protobuf import timestamp_pb2 as _timestamp_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class DeadLetterStatus(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    DEAD_LETTER_STATUS_UNSPECIFIED: _ClassVar[DeadLetterStatus]
    DEAD_LETTER_STATUS_OPEN: _ClassVar[DeadLetterStatus]
    DEAD_LETTER_STATUS_REPLAYED: _ClassVar[DeadLetterStatus]
    DEAD_LETTER_STATUS_DISCARDED: _ClassVar[DeadLetterStatus]

class LogRecordKind(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    LOG_RECORD_KIND_UNSPECIFIED: _ClassVar[LogRecordKind]
    LOG_RECORD_KIND_COMMAND: _ClassVar[LogRecordKind]
    LOG_RECORD_KIND_MESSAGE: _ClassVar[LogRecordKind]
    LOG_RECORD_KIND_TAKEN: _ClassVar[LogRecordKind]
    LOG_RECORD_KIND_EVENT: _ClassVar[LogRecordKind]
    LOG_RECORD_KIND_SENT: _ClassVar[LogRecordKind]
    LOG_RECORD_KIND_OPENED: _ClassVar[LogRecordKind]
    LOG_RECORD_KIND_REFUSAL: _ClassVar[LogRecordKind]
    LOG_RECORD_KIND_DEAD_LETTER: _ClassVar[LogRecordKind]

class PaymentDifference(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    PAYMENT_DIFFERENCE_UNSPECIFIED: _ClassVar[PaymentDifference]
    PAYMENT_DIFFERENCE_MISSING_AT_PROVIDER: _ClassVar[PaymentDifference]
    PAYMENT_DIFFERENCE_HELD_AFTER_END: _ClassVar[PaymentDifference]
    PAYMENT_DIFFERENCE_HELD_TWICE: _ClassVar[PaymentDifference]
    PAYMENT_DIFFERENCE_UNKNOWN_ORDER: _ClassVar[PaymentDifference]
    PAYMENT_DIFFERENCE_AUTHORIZED_DIFFERS: _ClassVar[PaymentDifference]
    PAYMENT_DIFFERENCE_CAPTURED_DIFFERS: _ClassVar[PaymentDifference]
    PAYMENT_DIFFERENCE_CAPTURED_IN_VAIN: _ClassVar[PaymentDifference]
    PAYMENT_DIFFERENCE_HOLD_GONE: _ClassVar[PaymentDifference]
    PAYMENT_DIFFERENCE_REFUND_MISSING: _ClassVar[PaymentDifference]
    PAYMENT_DIFFERENCE_REFUND_DIFFERS: _ClassVar[PaymentDifference]
    PAYMENT_DIFFERENCE_REFUND_UNKNOWN: _ClassVar[PaymentDifference]
    PAYMENT_DIFFERENCE_UNDER_WAY: _ClassVar[PaymentDifference]
DEAD_LETTER_STATUS_UNSPECIFIED: DeadLetterStatus
DEAD_LETTER_STATUS_OPEN: DeadLetterStatus
DEAD_LETTER_STATUS_REPLAYED: DeadLetterStatus
DEAD_LETTER_STATUS_DISCARDED: DeadLetterStatus
LOG_RECORD_KIND_UNSPECIFIED: LogRecordKind
LOG_RECORD_KIND_COMMAND: LogRecordKind
LOG_RECORD_KIND_MESSAGE: LogRecordKind
LOG_RECORD_KIND_TAKEN: LogRecordKind
LOG_RECORD_KIND_EVENT: LogRecordKind
LOG_RECORD_KIND_SENT: LogRecordKind
LOG_RECORD_KIND_OPENED: LogRecordKind
LOG_RECORD_KIND_REFUSAL: LogRecordKind
LOG_RECORD_KIND_DEAD_LETTER: LogRecordKind
PAYMENT_DIFFERENCE_UNSPECIFIED: PaymentDifference
PAYMENT_DIFFERENCE_MISSING_AT_PROVIDER: PaymentDifference
PAYMENT_DIFFERENCE_HELD_AFTER_END: PaymentDifference
PAYMENT_DIFFERENCE_HELD_TWICE: PaymentDifference
PAYMENT_DIFFERENCE_UNKNOWN_ORDER: PaymentDifference
PAYMENT_DIFFERENCE_AUTHORIZED_DIFFERS: PaymentDifference
PAYMENT_DIFFERENCE_CAPTURED_DIFFERS: PaymentDifference
PAYMENT_DIFFERENCE_CAPTURED_IN_VAIN: PaymentDifference
PAYMENT_DIFFERENCE_HOLD_GONE: PaymentDifference
PAYMENT_DIFFERENCE_REFUND_MISSING: PaymentDifference
PAYMENT_DIFFERENCE_REFUND_DIFFERS: PaymentDifference
PAYMENT_DIFFERENCE_REFUND_UNKNOWN: PaymentDifference
PAYMENT_DIFFERENCE_UNDER_WAY: PaymentDifference

class Partition(_message.Message):
    __slots__ = ("group", "partition", "owner", "epoch", "last_sequence", "decided_through", "lag", "checkpoint", "agenda", "lag_ms", "intake_open", "intake_reason", "stopped_reason")
    GROUP_FIELD_NUMBER: _ClassVar[int]
    PARTITION_FIELD_NUMBER: _ClassVar[int]
    OWNER_FIELD_NUMBER: _ClassVar[int]
    EPOCH_FIELD_NUMBER: _ClassVar[int]
    LAST_SEQUENCE_FIELD_NUMBER: _ClassVar[int]
    DECIDED_THROUGH_FIELD_NUMBER: _ClassVar[int]
    LAG_FIELD_NUMBER: _ClassVar[int]
    CHECKPOINT_FIELD_NUMBER: _ClassVar[int]
    AGENDA_FIELD_NUMBER: _ClassVar[int]
    LAG_MS_FIELD_NUMBER: _ClassVar[int]
    INTAKE_OPEN_FIELD_NUMBER: _ClassVar[int]
    INTAKE_REASON_FIELD_NUMBER: _ClassVar[int]
    STOPPED_REASON_FIELD_NUMBER: _ClassVar[int]
    group: str
    partition: int
    owner: str
    epoch: int
    last_sequence: int
    decided_through: int
    lag: int
    checkpoint: int
    agenda: int
    lag_ms: int
    intake_open: bool
    intake_reason: str
    stopped_reason: str
    def __init__(self, group: _Optional[str] = ..., partition: _Optional[int] = ..., owner: _Optional[str] = ..., epoch: _Optional[int] = ..., last_sequence: _Optional[int] = ..., decided_through: _Optional[int] = ..., lag: _Optional[int] = ..., checkpoint: _Optional[int] = ..., agenda: _Optional[int] = ..., lag_ms: _Optional[int] = ..., intake_open: _Optional[bool] = ..., intake_reason: _Optional[str] = ..., stopped_reason: _Optional[str] = ...) -> None: ...

class DeadLetter(_message.Message):
    __slots__ = ("dead_letter_id", "group", "partition", "service", "tenant", "key", "type", "payload_json", "error", "create_time", "status")
    DEAD_LETTER_ID_FIELD_NUMBER: _ClassVar[int]
    GROUP_FIELD_NUMBER: _ClassVar[int]
    PARTITION_FIELD_NUMBER: _ClassVar[int]
    SERVICE_FIELD_NUMBER: _ClassVar[int]
    TENANT_FIELD_NUMBER: _ClassVar[int]
    KEY_FIELD_NUMBER: _ClassVar[int]
    TYPE_FIELD_NUMBER: _ClassVar[int]
    PAYLOAD_JSON_FIELD_NUMBER: _ClassVar[int]
    ERROR_FIELD_NUMBER: _ClassVar[int]
    CREATE_TIME_FIELD_NUMBER: _ClassVar[int]
    STATUS_FIELD_NUMBER: _ClassVar[int]
    dead_letter_id: str
    group: str
    partition: int
    service: str
    tenant: str
    key: str
    type: str
    payload_json: str
    error: str
    create_time: _timestamp_pb2.Timestamp
    status: DeadLetterStatus
    def __init__(self, dead_letter_id: _Optional[str] = ..., group: _Optional[str] = ..., partition: _Optional[int] = ..., service: _Optional[str] = ..., tenant: _Optional[str] = ..., key: _Optional[str] = ..., type: _Optional[str] = ..., payload_json: _Optional[str] = ..., error: _Optional[str] = ..., create_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., status: _Optional[_Union[DeadLetterStatus, str]] = ...) -> None: ...

class LogRecord(_message.Message):
    __slots__ = ("group", "partition", "sequence", "index", "kind", "time", "type", "tenant", "key", "sub_key", "version", "payload_json")
    GROUP_FIELD_NUMBER: _ClassVar[int]
    PARTITION_FIELD_NUMBER: _ClassVar[int]
    SEQUENCE_FIELD_NUMBER: _ClassVar[int]
    INDEX_FIELD_NUMBER: _ClassVar[int]
    KIND_FIELD_NUMBER: _ClassVar[int]
    TIME_FIELD_NUMBER: _ClassVar[int]
    TYPE_FIELD_NUMBER: _ClassVar[int]
    TENANT_FIELD_NUMBER: _ClassVar[int]
    KEY_FIELD_NUMBER: _ClassVar[int]
    SUB_KEY_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    PAYLOAD_JSON_FIELD_NUMBER: _ClassVar[int]
    group: str
    partition: int
    sequence: int
    index: int
    kind: LogRecordKind
    time: _timestamp_pb2.Timestamp
    type: str
    tenant: str
    key: str
    sub_key: str
    version: int
    payload_json: str
    def __init__(self, group: _Optional[str] = ..., partition: _Optional[int] = ..., sequence: _Optional[int] = ..., index: _Optional[int] = ..., kind: _Optional[_Union[LogRecordKind, str]] = ..., time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., type: _Optional[str] = ..., tenant: _Optional[str] = ..., key: _Optional[str] = ..., sub_key: _Optional[str] = ..., version: _Optional[int] = ..., payload_json: _Optional[str] = ...) -> None: ...

class Finding(_message.Message):
    __slots__ = ("invariant_id", "holds", "checked", "violations")
    INVARIANT_ID_FIELD_NUMBER: _ClassVar[int]
    HOLDS_FIELD_NUMBER: _ClassVar[int]
    CHECKED_FIELD_NUMBER: _ClassVar[int]
    VIOLATIONS_FIELD_NUMBER: _ClassVar[int]
    invariant_id: str
    holds: bool
    checked: int
    violations: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, invariant_id: _Optional[str] = ..., holds: _Optional[bool] = ..., checked: _Optional[int] = ..., violations: _Optional[_Iterable[str]] = ...) -> None: ...

class Group(_message.Message):
    __slots__ = ("name", "services", "partitions")
    NAME_FIELD_NUMBER: _ClassVar[int]
    SERVICES_FIELD_NUMBER: _ClassVar[int]
    PARTITIONS_FIELD_NUMBER: _ClassVar[int]
    name: str
    services: _containers.RepeatedScalarFieldContainer[str]
    partitions: int
    def __init__(self, name: _Optional[str] = ..., services: _Optional[_Iterable[str]] = ..., partitions: _Optional[int] = ...) -> None: ...

class Member(_message.Message):
    __slots__ = ("instance", "role", "groups", "build", "drained")
    INSTANCE_FIELD_NUMBER: _ClassVar[int]
    ROLE_FIELD_NUMBER: _ClassVar[int]
    GROUPS_FIELD_NUMBER: _ClassVar[int]
    BUILD_FIELD_NUMBER: _ClassVar[int]
    DRAINED_FIELD_NUMBER: _ClassVar[int]
    instance: str
    role: str
    groups: _containers.RepeatedScalarFieldContainer[str]
    build: str
    drained: bool
    def __init__(self, instance: _Optional[str] = ..., role: _Optional[str] = ..., groups: _Optional[_Iterable[str]] = ..., build: _Optional[str] = ..., drained: _Optional[bool] = ...) -> None: ...

class PaymentFinding(_message.Message):
    __slots__ = ("difference", "order_id", "reference", "detail", "mendable", "mended", "not_mended_reason", "looked_up")
    DIFFERENCE_FIELD_NUMBER: _ClassVar[int]
    ORDER_ID_FIELD_NUMBER: _ClassVar[int]
    REFERENCE_FIELD_NUMBER: _ClassVar[int]
    DETAIL_FIELD_NUMBER: _ClassVar[int]
    MENDABLE_FIELD_NUMBER: _ClassVar[int]
    MENDED_FIELD_NUMBER: _ClassVar[int]
    NOT_MENDED_REASON_FIELD_NUMBER: _ClassVar[int]
    LOOKED_UP_FIELD_NUMBER: _ClassVar[int]
    difference: PaymentDifference
    order_id: str
    reference: str
    detail: str
    mendable: bool
    mended: bool
    not_mended_reason: str
    looked_up: bool
    def __init__(self, difference: _Optional[_Union[PaymentDifference, str]] = ..., order_id: _Optional[str] = ..., reference: _Optional[str] = ..., detail: _Optional[str] = ..., mendable: _Optional[bool] = ..., mended: _Optional[bool] = ..., not_mended_reason: _Optional[str] = ..., looked_up: _Optional[bool] = ...) -> None: ...

class PaymentReconciliation(_message.Message):
    __slots__ = ("payments_compared", "payments_in_range", "holds_listed", "differences", "mended")
    PAYMENTS_COMPARED_FIELD_NUMBER: _ClassVar[int]
    PAYMENTS_IN_RANGE_FIELD_NUMBER: _ClassVar[int]
    HOLDS_LISTED_FIELD_NUMBER: _ClassVar[int]
    DIFFERENCES_FIELD_NUMBER: _ClassVar[int]
    MENDED_FIELD_NUMBER: _ClassVar[int]
    payments_compared: int
    payments_in_range: int
    holds_listed: int
    differences: int
    mended: int
    def __init__(self, payments_compared: _Optional[int] = ..., payments_in_range: _Optional[int] = ..., holds_listed: _Optional[int] = ..., differences: _Optional[int] = ..., mended: _Optional[int] = ...) -> None: ...
