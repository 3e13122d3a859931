from oms.common.v1 import request_record_pb2 as _request_record_pb2
from oms.notification.v1 import webhook_pb2 as _webhook_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class StoredEndpoint(_message.Message):
    __slots__ = ("endpoint", "secrets", "requests", "deleted", "active_version")
    ENDPOINT_FIELD_NUMBER: _ClassVar[int]
    SECRETS_FIELD_NUMBER: _ClassVar[int]
    REQUESTS_FIELD_NUMBER: _ClassVar[int]
    DELETED_FIELD_NUMBER: _ClassVar[int]
    ACTIVE_VERSION_FIELD_NUMBER: _ClassVar[int]
    endpoint: _webhook_pb2.Endpoint
    secrets: _containers.RepeatedCompositeFieldContainer[Secret]
    requests: _containers.RepeatedCompositeFieldContainer[_request_record_pb2.RequestRecord]
    deleted: bool
    active_version: int
    def __init__(self, endpoint: _Optional[_Union[_webhook_pb2.Endpoint, _Mapping]] = ..., secrets: _Optional[_Iterable[_Union[Secret, _Mapping]]] = ..., requests: _Optional[_Iterable[_Union[_request_record_pb2.RequestRecord, _Mapping]]] = ..., deleted: _Optional[bool] = ..., active_version: _Optional[int] = ...) -> None: ...

class Secret(_message.Message):
    __slots__ = ("secret", "expire_us")
    SECRET_FIELD_NUMBER: _ClassVar[int]
    EXPIRE_US_FIELD_NUMBER: _ClassVar[int]
    secret: str
    expire_us: int
    def __init__(self, secret: _Optional[str] = ..., expire_us: _Optional[int] = ...) -> None: ...

class StoredDirectory(_message.Message):
    __slots__ = ("endpoint_ids", "version")
    ENDPOINT_IDS_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    endpoint_ids: _containers.RepeatedScalarFieldContainer[str]
    version: int
    def __init__(self, endpoint_ids: _Optional[_Iterable[str]] = ..., version: _Optional[int] = ...) -> None: ...

class DeliveryProgress(_message.Message):
    __slots__ = ("lanes", "next_delivery", "consecutive_failures", "failing_since_us", "last_success_us", "resume_us", "last_error", "missed_count", "given_up_count", "active_version")
    LANES_FIELD_NUMBER: _ClassVar[int]
    NEXT_DELIVERY_FIELD_NUMBER: _ClassVar[int]
    CONSECUTIVE_FAILURES_FIELD_NUMBER: _ClassVar[int]
    FAILING_SINCE_US_FIELD_NUMBER: _ClassVar[int]
    LAST_SUCCESS_US_FIELD_NUMBER: _ClassVar[int]
    RESUME_US_FIELD_NUMBER: _ClassVar[int]
    LAST_ERROR_FIELD_NUMBER: _ClassVar[int]
    MISSED_COUNT_FIELD_NUMBER: _ClassVar[int]
    GIVEN_UP_COUNT_FIELD_NUMBER: _ClassVar[int]
    ACTIVE_VERSION_FIELD_NUMBER: _ClassVar[int]
    lanes: _containers.RepeatedCompositeFieldContainer[Lane]
    next_delivery: int
    consecutive_failures: int
    failing_since_us: int
    last_success_us: int
    resume_us: int
    last_error: str
    missed_count: int
    given_up_count: int
    active_version: int
    def __init__(self, lanes: _Optional[_Iterable[_Union[Lane, _Mapping]]] = ..., next_delivery: _Optional[int] = ..., consecutive_failures: _Optional[int] = ..., failing_since_us: _Optional[int] = ..., last_success_us: _Optional[int] = ..., resume_us: _Optional[int] = ..., last_error: _Optional[str] = ..., missed_count: _Optional[int] = ..., given_up_count: _Optional[int] = ..., active_version: _Optional[int] = ...) -> None: ...

class Lane(_message.Message):
    __slots__ = ("redelivery_id", "through_sequence", "waiting")
    REDELIVERY_ID_FIELD_NUMBER: _ClassVar[int]
    THROUGH_SEQUENCE_FIELD_NUMBER: _ClassVar[int]
    WAITING_FIELD_NUMBER: _ClassVar[int]
    redelivery_id: str
    through_sequence: int
    waiting: _containers.RepeatedCompositeFieldContainer[WaitingEvent]
    def __init__(self, redelivery_id: _Optional[str] = ..., through_sequence: _Optional[int] = ..., waiting: _Optional[_Iterable[_Union[WaitingEvent, _Mapping]]] = ...) -> None: ...

class WaitingEvent(_message.Message):
    __slots__ = ("sequence", "subject", "failures", "due_us", "publish_us")
    SEQUENCE_FIELD_NUMBER: _ClassVar[int]
    SUBJECT_FIELD_NUMBER: _ClassVar[int]
    FAILURES_FIELD_NUMBER: _ClassVar[int]
    DUE_US_FIELD_NUMBER: _ClassVar[int]
    PUBLISH_US_FIELD_NUMBER: _ClassVar[int]
    sequence: int
    subject: str
    failures: int
    due_us: int
    publish_us: int
    def __init__(self, sequence: _Optional[int] = ..., subject: _Optional[str] = ..., failures: _Optional[int] = ..., due_us: _Optional[int] = ..., publish_us: _Optional[int] = ...) -> None: ...

class StoredDelivery(_message.Message):
    __slots__ = ("delivery", "sequence")
    DELIVERY_FIELD_NUMBER: _ClassVar[int]
    SEQUENCE_FIELD_NUMBER: _ClassVar[int]
    delivery: _webhook_pb2.Delivery
    sequence: int
    def __init__(self, delivery: _Optional[_Union[_webhook_pb2.Delivery, _Mapping]] = ..., sequence: _Optional[int] = ...) -> None: ...
