import datetime

from google.protobuf import timestamp_pb2 as _timestamp_pb2
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class Durability(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    DURABILITY_UNSPECIFIED: _ClassVar[Durability]
    DURABILITY_STORED: _ClassVar[Durability]
    DURABILITY_LOGGED: _ClassVar[Durability]

class Persistence(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    PERSISTENCE_UNSPECIFIED: _ClassVar[Persistence]
    PERSISTENCE_ACCEPTED: _ClassVar[Persistence]
    PERSISTENCE_LOGGED: _ClassVar[Persistence]
    PERSISTENCE_STORED_ONE: _ClassVar[Persistence]
    PERSISTENCE_STORED: _ClassVar[Persistence]

class ReadConsistency(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    READ_CONSISTENCY_UNSPECIFIED: _ClassVar[ReadConsistency]
    READ_CONSISTENCY_QUORUM: _ClassVar[ReadConsistency]
    READ_CONSISTENCY_EVENTUAL: _ClassVar[ReadConsistency]
    READ_CONSISTENCY_AT_LEAST: _ClassVar[ReadConsistency]
    READ_CONSISTENCY_LINEARIZABLE: _ClassVar[ReadConsistency]
DURABILITY_UNSPECIFIED: Durability
DURABILITY_STORED: Durability
DURABILITY_LOGGED: Durability
PERSISTENCE_UNSPECIFIED: Persistence
PERSISTENCE_ACCEPTED: Persistence
PERSISTENCE_LOGGED: Persistence
PERSISTENCE_STORED_ONE: Persistence
PERSISTENCE_STORED: Persistence
READ_CONSISTENCY_UNSPECIFIED: ReadConsistency
READ_CONSISTENCY_QUORUM: ReadConsistency
READ_CONSISTENCY_EVENTUAL: ReadConsistency
READ_CONSISTENCY_AT_LEAST: ReadConsistency
READ_CONSISTENCY_LINEARIZABLE: ReadConsistency

class Freshness(_message.Message):
    __slots__ = ("consistency", "version", "read_time", "degraded", "reason")
    CONSISTENCY_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    READ_TIME_FIELD_NUMBER: _ClassVar[int]
    DEGRADED_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    consistency: ReadConsistency
    version: int
    read_time: _timestamp_pb2.Timestamp
    degraded: bool
    reason: str
    def __init__(self, consistency: _Optional[_Union[ReadConsistency, str]] = ..., version: _Optional[int] = ..., read_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., degraded: _Optional[bool] = ..., reason: _Optional[str] = ...) -> None: ...
