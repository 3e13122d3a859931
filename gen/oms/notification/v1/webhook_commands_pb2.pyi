from oms.notification.v1 import webhook_pb2 as _webhook_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class CreateEndpoint(_message.Message):
    __slots__ = ("endpoint_id", "url", "event_types", "description", "secret", "request_id")
    ENDPOINT_ID_FIELD_NUMBER: _ClassVar[int]
    URL_FIELD_NUMBER: _ClassVar[int]
    EVENT_TYPES_FIELD_NUMBER: _ClassVar[int]
    DESCRIPTION_FIELD_NUMBER: _ClassVar[int]
    SECRET_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    endpoint_id: str
    url: str
    event_types: _containers.RepeatedScalarFieldContainer[str]
    description: str
    secret: str
    request_id: str
    def __init__(self, endpoint_id: _Optional[str] = ..., url: _Optional[str] = ..., event_types: _Optional[_Iterable[str]] = ..., description: _Optional[str] = ..., secret: _Optional[str] = ..., request_id: _Optional[str] = ...) -> None: ...

class UpdateEndpoint(_message.Message):
    __slots__ = ("endpoint_id", "url", "event_types", "description", "state", "request_id", "etag")
    ENDPOINT_ID_FIELD_NUMBER: _ClassVar[int]
    URL_FIELD_NUMBER: _ClassVar[int]
    EVENT_TYPES_FIELD_NUMBER: _ClassVar[int]
    DESCRIPTION_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    ETAG_FIELD_NUMBER: _ClassVar[int]
    endpoint_id: str
    url: str
    event_types: _containers.RepeatedScalarFieldContainer[str]
    description: str
    state: _webhook_pb2.EndpointState
    request_id: str
    etag: str
    def __init__(self, endpoint_id: _Optional[str] = ..., url: _Optional[str] = ..., event_types: _Optional[_Iterable[str]] = ..., description: _Optional[str] = ..., state: _Optional[_Union[_webhook_pb2.EndpointState, str]] = ..., request_id: _Optional[str] = ..., etag: _Optional[str] = ...) -> None: ...

class DeleteEndpoint(_message.Message):
    __slots__ = ("endpoint_id", "etag")
    ENDPOINT_ID_FIELD_NUMBER: _ClassVar[int]
    ETAG_FIELD_NUMBER: _ClassVar[int]
    endpoint_id: str
    etag: str
    def __init__(self, endpoint_id: _Optional[str] = ..., etag: _Optional[str] = ...) -> None: ...

class RotateSecret(_message.Message):
    __slots__ = ("endpoint_id", "secret", "request_id")
    ENDPOINT_ID_FIELD_NUMBER: _ClassVar[int]
    SECRET_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    endpoint_id: str
    secret: str
    request_id: str
    def __init__(self, endpoint_id: _Optional[str] = ..., secret: _Optional[str] = ..., request_id: _Optional[str] = ...) -> None: ...

class RequestTestEvent(_message.Message):
    __slots__ = ("endpoint_id", "request_id")
    ENDPOINT_ID_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    endpoint_id: str
    request_id: str
    def __init__(self, endpoint_id: _Optional[str] = ..., request_id: _Optional[str] = ...) -> None: ...

class RequestRedelivery(_message.Message):
    __slots__ = ("endpoint_id", "redelivery", "request_id")
    ENDPOINT_ID_FIELD_NUMBER: _ClassVar[int]
    REDELIVERY_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    endpoint_id: str
    redelivery: _webhook_pb2.Redelivery
    request_id: str
    def __init__(self, endpoint_id: _Optional[str] = ..., redelivery: _Optional[_Union[_webhook_pb2.Redelivery, _Mapping]] = ..., request_id: _Optional[str] = ...) -> None: ...

class EndRedelivery(_message.Message):
    __slots__ = ("endpoint_id", "redelivery_id")
    ENDPOINT_ID_FIELD_NUMBER: _ClassVar[int]
    REDELIVERY_ID_FIELD_NUMBER: _ClassVar[int]
    endpoint_id: str
    redelivery_id: str
    def __init__(self, endpoint_id: _Optional[str] = ..., redelivery_id: _Optional[str] = ...) -> None: ...

class DisableEndpoint(_message.Message):
    __slots__ = ("endpoint_id", "reason", "detail", "active_version")
    ENDPOINT_ID_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    DETAIL_FIELD_NUMBER: _ClassVar[int]
    ACTIVE_VERSION_FIELD_NUMBER: _ClassVar[int]
    endpoint_id: str
    reason: _webhook_pb2.EndpointStateReason
    detail: str
    active_version: int
    def __init__(self, endpoint_id: _Optional[str] = ..., reason: _Optional[_Union[_webhook_pb2.EndpointStateReason, str]] = ..., detail: _Optional[str] = ..., active_version: _Optional[int] = ...) -> None: ...
