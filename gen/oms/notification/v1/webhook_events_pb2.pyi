from oms.common.v1 import request_record_pb2 as _request_record_pb2
from oms.notification.v1 import webhook_pb2 as _webhook_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class EndpointCreated(_message.Message):
    __slots__ = ("endpoint_id", "url", "event_types", "description", "secret", "request")
    ENDPOINT_ID_FIELD_NUMBER: _ClassVar[int]
    URL_FIELD_NUMBER: _ClassVar[int]
    EVENT_TYPES_FIELD_NUMBER: _ClassVar[int]
    DESCRIPTION_FIELD_NUMBER: _ClassVar[int]
    SECRET_FIELD_NUMBER: _ClassVar[int]
    REQUEST_FIELD_NUMBER: _ClassVar[int]
    endpoint_id: str
    url: str
    event_types: _containers.RepeatedScalarFieldContainer[str]
    description: str
    secret: str
    request: _request_record_pb2.RequestRecord
    def __init__(self, endpoint_id: _Optional[str] = ..., url: _Optional[str] = ..., event_types: _Optional[_Iterable[str]] = ..., description: _Optional[str] = ..., secret: _Optional[str] = ..., request: _Optional[_Union[_request_record_pb2.RequestRecord, _Mapping]] = ...) -> None: ...

class EndpointUpdated(_message.Message):
    __slots__ = ("url", "event_types", "description", "state", "request")
    URL_FIELD_NUMBER: _ClassVar[int]
    EVENT_TYPES_FIELD_NUMBER: _ClassVar[int]
    DESCRIPTION_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    REQUEST_FIELD_NUMBER: _ClassVar[int]
    url: str
    event_types: _containers.RepeatedScalarFieldContainer[str]
    description: str
    state: _webhook_pb2.EndpointState
    request: _request_record_pb2.RequestRecord
    def __init__(self, url: _Optional[str] = ..., event_types: _Optional[_Iterable[str]] = ..., description: _Optional[str] = ..., state: _Optional[_Union[_webhook_pb2.EndpointState, str]] = ..., request: _Optional[_Union[_request_record_pb2.RequestRecord, _Mapping]] = ...) -> None: ...

class EndpointDeleted(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class SecretRotated(_message.Message):
    __slots__ = ("secret", "old_expire_us", "request")
    SECRET_FIELD_NUMBER: _ClassVar[int]
    OLD_EXPIRE_US_FIELD_NUMBER: _ClassVar[int]
    REQUEST_FIELD_NUMBER: _ClassVar[int]
    secret: str
    old_expire_us: int
    request: _request_record_pb2.RequestRecord
    def __init__(self, secret: _Optional[str] = ..., old_expire_us: _Optional[int] = ..., request: _Optional[_Union[_request_record_pb2.RequestRecord, _Mapping]] = ...) -> None: ...

class TestEventRequested(_message.Message):
    __slots__ = ("request",)
    REQUEST_FIELD_NUMBER: _ClassVar[int]
    request: _request_record_pb2.RequestRecord
    def __init__(self, request: _Optional[_Union[_request_record_pb2.RequestRecord, _Mapping]] = ...) -> None: ...

class RedeliveryRequested(_message.Message):
    __slots__ = ("redelivery", "request")
    REDELIVERY_FIELD_NUMBER: _ClassVar[int]
    REQUEST_FIELD_NUMBER: _ClassVar[int]
    redelivery: _webhook_pb2.Redelivery
    request: _request_record_pb2.RequestRecord
    def __init__(self, redelivery: _Optional[_Union[_webhook_pb2.Redelivery, _Mapping]] = ..., request: _Optional[_Union[_request_record_pb2.RequestRecord, _Mapping]] = ...) -> None: ...

class RedeliveryEnded(_message.Message):
    __slots__ = ("redelivery_id",)
    REDELIVERY_ID_FIELD_NUMBER: _ClassVar[int]
    redelivery_id: str
    def __init__(self, redelivery_id: _Optional[str] = ...) -> None: ...

class EndpointDisabled(_message.Message):
    __slots__ = ("reason", "detail")
    REASON_FIELD_NUMBER: _ClassVar[int]
    DETAIL_FIELD_NUMBER: _ClassVar[int]
    reason: _webhook_pb2.EndpointStateReason
    detail: str
    def __init__(self, reason: _Optional[_Union[_webhook_pb2.EndpointStateReason, str]] = ..., detail: _Optional[str] = ...) -> None: ...

class EndpointListed(_message.Message):
    __slots__ = ("endpoint_id",)
    ENDPOINT_ID_FIELD_NUMBER: _ClassVar[int]
    endpoint_id: str
    def __init__(self, endpoint_id: _Optional[str] = ...) -> None: ...

class EndpointUnlisted(_message.Message):
    __slots__ = ("endpoint_id",)
    ENDPOINT_ID_FIELD_NUMBER: _ClassVar[int]
    endpoint_id: str
    def __init__(self, endpoint_id: _Optional[str] = ...) -> None: ...
