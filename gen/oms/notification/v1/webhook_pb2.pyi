import datetime

from google.api import field_behavior_pb2 as _field_behavior_pb2
from google.protobuf import timestamp_pb2 as _timestamp_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class EndpointState(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    ENDPOINT_STATE_UNSPECIFIED: _ClassVar[EndpointState]
    ENDPOINT_STATE_ACTIVE: _ClassVar[EndpointState]
    ENDPOINT_STATE_PAUSED: _ClassVar[EndpointState]
    ENDPOINT_STATE_DISABLED: _ClassVar[EndpointState]

class EndpointStateReason(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    ENDPOINT_STATE_REASON_UNSPECIFIED: _ClassVar[EndpointStateReason]
    ENDPOINT_STATE_REASON_GONE: _ClassVar[EndpointStateReason]
    ENDPOINT_STATE_REASON_UNREACHABLE: _ClassVar[EndpointStateReason]
    ENDPOINT_STATE_REASON_NOT_ALLOWED: _ClassVar[EndpointStateReason]

class DeliveryOutcome(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    DELIVERY_OUTCOME_UNSPECIFIED: _ClassVar[DeliveryOutcome]
    DELIVERY_OUTCOME_DELIVERED: _ClassVar[DeliveryOutcome]
    DELIVERY_OUTCOME_FAILED: _ClassVar[DeliveryOutcome]
    DELIVERY_OUTCOME_GIVEN_UP: _ClassVar[DeliveryOutcome]
    DELIVERY_OUTCOME_MISSED: _ClassVar[DeliveryOutcome]
ENDPOINT_STATE_UNSPECIFIED: EndpointState
ENDPOINT_STATE_ACTIVE: EndpointState
ENDPOINT_STATE_PAUSED: EndpointState
ENDPOINT_STATE_DISABLED: EndpointState
ENDPOINT_STATE_REASON_UNSPECIFIED: EndpointStateReason
ENDPOINT_STATE_REASON_GONE: EndpointStateReason
ENDPOINT_STATE_REASON_UNREACHABLE: EndpointStateReason
ENDPOINT_STATE_REASON_NOT_ALLOWED: EndpointStateReason
DELIVERY_OUTCOME_UNSPECIFIED: DeliveryOutcome
DELIVERY_OUTCOME_DELIVERED: DeliveryOutcome
DELIVERY_OUTCOME_FAILED: DeliveryOutcome
DELIVERY_OUTCOME_GIVEN_UP: DeliveryOutcome
DELIVERY_OUTCOME_MISSED: DeliveryOutcome

class Endpoint(_message.Message):
    __slots__ = ("endpoint_id", "url", "event_types", "description", "state", "state_reason", "state_detail", "redeliveries", "health", "version", "etag", "create_time", "update_time")
    ENDPOINT_ID_FIELD_NUMBER: _ClassVar[int]
    URL_FIELD_NUMBER: _ClassVar[int]
    EVENT_TYPES_FIELD_NUMBER: _ClassVar[int]
    DESCRIPTION_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    STATE_REASON_FIELD_NUMBER: _ClassVar[int]
    STATE_DETAIL_FIELD_NUMBER: _ClassVar[int]
    REDELIVERIES_FIELD_NUMBER: _ClassVar[int]
    HEALTH_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    ETAG_FIELD_NUMBER: _ClassVar[int]
    CREATE_TIME_FIELD_NUMBER: _ClassVar[int]
    UPDATE_TIME_FIELD_NUMBER: _ClassVar[int]
    endpoint_id: str
    url: str
    event_types: _containers.RepeatedScalarFieldContainer[str]
    description: str
    state: EndpointState
    state_reason: EndpointStateReason
    state_detail: str
    redeliveries: _containers.RepeatedCompositeFieldContainer[Redelivery]
    health: EndpointHealth
    version: int
    etag: str
    create_time: _timestamp_pb2.Timestamp
    update_time: _timestamp_pb2.Timestamp
    def __init__(self, endpoint_id: _Optional[str] = ..., url: _Optional[str] = ..., event_types: _Optional[_Iterable[str]] = ..., description: _Optional[str] = ..., state: _Optional[_Union[EndpointState, str]] = ..., state_reason: _Optional[_Union[EndpointStateReason, str]] = ..., state_detail: _Optional[str] = ..., redeliveries: _Optional[_Iterable[_Union[Redelivery, _Mapping]]] = ..., health: _Optional[_Union[EndpointHealth, _Mapping]] = ..., version: _Optional[int] = ..., etag: _Optional[str] = ..., create_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., update_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class EndpointHealth(_message.Message):
    __slots__ = ("waiting_count", "consecutive_failures", "failing_since", "last_success_time", "resume_time", "last_error", "missed_count", "given_up_count")
    WAITING_COUNT_FIELD_NUMBER: _ClassVar[int]
    CONSECUTIVE_FAILURES_FIELD_NUMBER: _ClassVar[int]
    FAILING_SINCE_FIELD_NUMBER: _ClassVar[int]
    LAST_SUCCESS_TIME_FIELD_NUMBER: _ClassVar[int]
    RESUME_TIME_FIELD_NUMBER: _ClassVar[int]
    LAST_ERROR_FIELD_NUMBER: _ClassVar[int]
    MISSED_COUNT_FIELD_NUMBER: _ClassVar[int]
    GIVEN_UP_COUNT_FIELD_NUMBER: _ClassVar[int]
    waiting_count: int
    consecutive_failures: int
    failing_since: _timestamp_pb2.Timestamp
    last_success_time: _timestamp_pb2.Timestamp
    resume_time: _timestamp_pb2.Timestamp
    last_error: str
    missed_count: int
    given_up_count: int
    def __init__(self, waiting_count: _Optional[int] = ..., consecutive_failures: _Optional[int] = ..., failing_since: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., last_success_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., resume_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., last_error: _Optional[str] = ..., missed_count: _Optional[int] = ..., given_up_count: _Optional[int] = ...) -> None: ...

class Redelivery(_message.Message):
    __slots__ = ("redelivery_id", "first_sequence", "last_sequence", "start_time", "end_time")
    REDELIVERY_ID_FIELD_NUMBER: _ClassVar[int]
    FIRST_SEQUENCE_FIELD_NUMBER: _ClassVar[int]
    LAST_SEQUENCE_FIELD_NUMBER: _ClassVar[int]
    START_TIME_FIELD_NUMBER: _ClassVar[int]
    END_TIME_FIELD_NUMBER: _ClassVar[int]
    redelivery_id: str
    first_sequence: int
    last_sequence: int
    start_time: _timestamp_pb2.Timestamp
    end_time: _timestamp_pb2.Timestamp
    def __init__(self, redelivery_id: _Optional[str] = ..., first_sequence: _Optional[int] = ..., last_sequence: _Optional[int] = ..., start_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., end_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class Delivery(_message.Message):
    __slots__ = ("delivery_id", "endpoint_id", "event_id", "event_type", "subject", "attempt", "outcome", "attempt_time", "duration_ms", "status_code", "error", "next_attempt_time", "request_excerpt", "response_excerpt", "redelivery_id", "message_id")
    DELIVERY_ID_FIELD_NUMBER: _ClassVar[int]
    ENDPOINT_ID_FIELD_NUMBER: _ClassVar[int]
    EVENT_ID_FIELD_NUMBER: _ClassVar[int]
    EVENT_TYPE_FIELD_NUMBER: _ClassVar[int]
    SUBJECT_FIELD_NUMBER: _ClassVar[int]
    ATTEMPT_FIELD_NUMBER: _ClassVar[int]
    OUTCOME_FIELD_NUMBER: _ClassVar[int]
    ATTEMPT_TIME_FIELD_NUMBER: _ClassVar[int]
    DURATION_MS_FIELD_NUMBER: _ClassVar[int]
    STATUS_CODE_FIELD_NUMBER: _ClassVar[int]
    ERROR_FIELD_NUMBER: _ClassVar[int]
    NEXT_ATTEMPT_TIME_FIELD_NUMBER: _ClassVar[int]
    REQUEST_EXCERPT_FIELD_NUMBER: _ClassVar[int]
    RESPONSE_EXCERPT_FIELD_NUMBER: _ClassVar[int]
    REDELIVERY_ID_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_ID_FIELD_NUMBER: _ClassVar[int]
    delivery_id: str
    endpoint_id: str
    event_id: str
    event_type: str
    subject: str
    attempt: int
    outcome: DeliveryOutcome
    attempt_time: _timestamp_pb2.Timestamp
    duration_ms: int
    status_code: int
    error: str
    next_attempt_time: _timestamp_pb2.Timestamp
    request_excerpt: str
    response_excerpt: str
    redelivery_id: str
    message_id: str
    def __init__(self, delivery_id: _Optional[str] = ..., endpoint_id: _Optional[str] = ..., event_id: _Optional[str] = ..., event_type: _Optional[str] = ..., subject: _Optional[str] = ..., attempt: _Optional[int] = ..., outcome: _Optional[_Union[DeliveryOutcome, str]] = ..., attempt_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., duration_ms: _Optional[int] = ..., status_code: _Optional[int] = ..., error: _Optional[str] = ..., next_attempt_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., request_excerpt: _Optional[str] = ..., response_excerpt: _Optional[str] = ..., redelivery_id: _Optional[str] = ..., message_id: _Optional[str] = ...) -> None: ...
