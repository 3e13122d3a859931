from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class RequestOutcome(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    REQUEST_OUTCOME_UNSPECIFIED: _ClassVar[RequestOutcome]
    REQUEST_OUTCOME_PENDING: _ClassVar[RequestOutcome]
    REQUEST_OUTCOME_DONE: _ClassVar[RequestOutcome]
    REQUEST_OUTCOME_REFUSED: _ClassVar[RequestOutcome]
REQUEST_OUTCOME_UNSPECIFIED: RequestOutcome
REQUEST_OUTCOME_PENDING: RequestOutcome
REQUEST_OUTCOME_DONE: RequestOutcome
REQUEST_OUTCOME_REFUSED: RequestOutcome

class RequestRecord(_message.Message):
    __slots__ = ("request_hash", "content_hash", "outcome", "reason")
    REQUEST_HASH_FIELD_NUMBER: _ClassVar[int]
    CONTENT_HASH_FIELD_NUMBER: _ClassVar[int]
    OUTCOME_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    request_hash: int
    content_hash: int
    outcome: RequestOutcome
    reason: str
    def __init__(self, request_hash: _Optional[int] = ..., content_hash: _Optional[int] = ..., outcome: _Optional[_Union[RequestOutcome, str]] = ..., reason: _Optional[str] = ...) -> None: ...
