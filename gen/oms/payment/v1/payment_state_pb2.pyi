from oms.payment.v1 import payment_pb2 as _payment_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class StoredPayment(_message.Message):
    __slots__ = ("payment", "payment_token", "void_requested", "events", "attempt")
    PAYMENT_FIELD_NUMBER: _ClassVar[int]
    PAYMENT_TOKEN_FIELD_NUMBER: _ClassVar[int]
    VOID_REQUESTED_FIELD_NUMBER: _ClassVar[int]
    EVENTS_FIELD_NUMBER: _ClassVar[int]
    ATTEMPT_FIELD_NUMBER: _ClassVar[int]
    payment: _payment_pb2.Payment
    payment_token: str
    void_requested: bool
    events: _containers.RepeatedCompositeFieldContainer[_payment_pb2.PaymentEvent]
    attempt: int
    def __init__(self, payment: _Optional[_Union[_payment_pb2.Payment, _Mapping]] = ..., payment_token: _Optional[str] = ..., void_requested: _Optional[bool] = ..., events: _Optional[_Iterable[_Union[_payment_pb2.PaymentEvent, _Mapping]]] = ..., attempt: _Optional[int] = ...) -> None: ...
