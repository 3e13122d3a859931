import datetime

from google.api import annotations_pb2 as _annotations_pb2
from google.api import field_behavior_pb2 as _field_behavior_pb2
from google.protobuf import timestamp_pb2 as _timestamp_pb2
from oms.admin.v1 import admin_pb2 as _admin_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class ListPartitionsRequest(_message.Message):
    __slots__ = ("group",)
    GROUP_FIELD_NUMBER: _ClassVar[int]
    group: str
    def __init__(self, group: _Optional[str] = ...) -> None: ...

class ListPartitionsResponse(_message.Message):
    __slots__ = ("partitions",)
    PARTITIONS_FIELD_NUMBER: _ClassVar[int]
    partitions: _containers.RepeatedCompositeFieldContainer[_admin_pb2.Partition]
    def __init__(self, partitions: _Optional[_Iterable[_Union[_admin_pb2.Partition, _Mapping]]] = ...) -> None: ...

class ListDeadLettersRequest(_message.Message):
    __slots__ = ("include_resolved", "page_size", "page_token")
    INCLUDE_RESOLVED_FIELD_NUMBER: _ClassVar[int]
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    include_resolved: bool
    page_size: int
    page_token: str
    def __init__(self, include_resolved: _Optional[bool] = ..., page_size: _Optional[int] = ..., page_token: _Optional[str] = ...) -> None: ...

class ListDeadLettersResponse(_message.Message):
    __slots__ = ("dead_letters", "next_page_token")
    DEAD_LETTERS_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    dead_letters: _containers.RepeatedCompositeFieldContainer[_admin_pb2.DeadLetter]
    next_page_token: str
    def __init__(self, dead_letters: _Optional[_Iterable[_Union[_admin_pb2.DeadLetter, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class ReplayDeadLetterRequest(_message.Message):
    __slots__ = ("dead_letter_id",)
    DEAD_LETTER_ID_FIELD_NUMBER: _ClassVar[int]
    dead_letter_id: str
    def __init__(self, dead_letter_id: _Optional[str] = ...) -> None: ...

class ReplayDeadLetterResponse(_message.Message):
    __slots__ = ("dead_letter",)
    DEAD_LETTER_FIELD_NUMBER: _ClassVar[int]
    dead_letter: _admin_pb2.DeadLetter
    def __init__(self, dead_letter: _Optional[_Union[_admin_pb2.DeadLetter, _Mapping]] = ...) -> None: ...

class DiscardDeadLetterRequest(_message.Message):
    __slots__ = ("dead_letter_id",)
    DEAD_LETTER_ID_FIELD_NUMBER: _ClassVar[int]
    dead_letter_id: str
    def __init__(self, dead_letter_id: _Optional[str] = ...) -> None: ...

class DiscardDeadLetterResponse(_message.Message):
    __slots__ = ("dead_letter",)
    DEAD_LETTER_FIELD_NUMBER: _ClassVar[int]
    dead_letter: _admin_pb2.DeadLetter
    def __init__(self, dead_letter: _Optional[_Union[_admin_pb2.DeadLetter, _Mapping]] = ...) -> None: ...

class TailLogRequest(_message.Message):
    __slots__ = ("group", "partition", "after_sequence", "follow", "kind", "key")
    GROUP_FIELD_NUMBER: _ClassVar[int]
    PARTITION_FIELD_NUMBER: _ClassVar[int]
    AFTER_SEQUENCE_FIELD_NUMBER: _ClassVar[int]
    FOLLOW_FIELD_NUMBER: _ClassVar[int]
    KIND_FIELD_NUMBER: _ClassVar[int]
    KEY_FIELD_NUMBER: _ClassVar[int]
    group: str
    partition: int
    after_sequence: int
    follow: bool
    kind: _admin_pb2.LogRecordKind
    key: str
    def __init__(self, group: _Optional[str] = ..., partition: _Optional[int] = ..., after_sequence: _Optional[int] = ..., follow: _Optional[bool] = ..., kind: _Optional[_Union[_admin_pb2.LogRecordKind, str]] = ..., key: _Optional[str] = ...) -> None: ...

class TailLogResponse(_message.Message):
    __slots__ = ("record",)
    RECORD_FIELD_NUMBER: _ClassVar[int]
    record: _admin_pb2.LogRecord
    def __init__(self, record: _Optional[_Union[_admin_pb2.LogRecord, _Mapping]] = ...) -> None: ...

class VerifyRequest(_message.Message):
    __slots__ = ("invariant_ids",)
    INVARIANT_IDS_FIELD_NUMBER: _ClassVar[int]
    invariant_ids: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, invariant_ids: _Optional[_Iterable[str]] = ...) -> None: ...

class VerifyResponse(_message.Message):
    __slots__ = ("finding",)
    FINDING_FIELD_NUMBER: _ClassVar[int]
    finding: _admin_pb2.Finding
    def __init__(self, finding: _Optional[_Union[_admin_pb2.Finding, _Mapping]] = ...) -> None: ...

class ReconcilePaymentsRequest(_message.Message):
    __slots__ = ("from_time", "to_time", "mend")
    FROM_TIME_FIELD_NUMBER: _ClassVar[int]
    TO_TIME_FIELD_NUMBER: _ClassVar[int]
    MEND_FIELD_NUMBER: _ClassVar[int]
    from_time: _timestamp_pb2.Timestamp
    to_time: _timestamp_pb2.Timestamp
    mend: bool
    def __init__(self, from_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., to_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., mend: _Optional[bool] = ...) -> None: ...

class ReconcilePaymentsResponse(_message.Message):
    __slots__ = ("finding", "reconciliation")
    FINDING_FIELD_NUMBER: _ClassVar[int]
    RECONCILIATION_FIELD_NUMBER: _ClassVar[int]
    finding: _admin_pb2.PaymentFinding
    reconciliation: _admin_pb2.PaymentReconciliation
    def __init__(self, finding: _Optional[_Union[_admin_pb2.PaymentFinding, _Mapping]] = ..., reconciliation: _Optional[_Union[_admin_pb2.PaymentReconciliation, _Mapping]] = ...) -> None: ...

class GetTopologyRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class GetTopologyResponse(_message.Message):
    __slots__ = ("deployment_id", "groups", "members")
    DEPLOYMENT_ID_FIELD_NUMBER: _ClassVar[int]
    GROUPS_FIELD_NUMBER: _ClassVar[int]
    MEMBERS_FIELD_NUMBER: _ClassVar[int]
    deployment_id: str
    groups: _containers.RepeatedCompositeFieldContainer[_admin_pb2.Group]
    members: _containers.RepeatedCompositeFieldContainer[_admin_pb2.Member]
    def __init__(self, deployment_id: _Optional[str] = ..., groups: _Optional[_Iterable[_Union[_admin_pb2.Group, _Mapping]]] = ..., members: _Optional[_Iterable[_Union[_admin_pb2.Member, _Mapping]]] = ...) -> None: ...

class DrainInstanceRequest(_message.Message):
    __slots__ = ("instance",)
    INSTANCE_FIELD_NUMBER: _ClassVar[int]
    instance: str
    def __init__(self, instance: _Optional[str] = ...) -> None: ...

class DrainInstanceResponse(_message.Message):
    __slots__ = ("member",)
    MEMBER_FIELD_NUMBER: _ClassVar[int]
    member: _admin_pb2.Member
    def __init__(self, member: _Optional[_Union[_admin_pb2.Member, _Mapping]] = ...) -> None: ...

class ResumeInstanceRequest(_message.Message):
    __slots__ = ("instance",)
    INSTANCE_FIELD_NUMBER: _ClassVar[int]
    instance: str
    def __init__(self, instance: _Optional[str] = ...) -> None: ...

class ResumeInstanceResponse(_message.Message):
    __slots__ = ("member",)
    MEMBER_FIELD_NUMBER: _ClassVar[int]
    member: _admin_pb2.Member
    def __init__(self, member: _Optional[_Union[_admin_pb2.Member, _Mapping]] = ...) -> None: ...
