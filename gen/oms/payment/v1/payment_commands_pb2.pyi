from google.type import money_pb2 as _money_pb2
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class ProviderOperation(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    PROVIDER_OPERATION_UNSPECIFIED: _ClassVar[ProviderOperation]
    PROVIDER_OPERATION_AUTHORIZE: _ClassVar[ProviderOperation]
    PROVIDER_OPERATION_CAPTURE: _ClassVar[ProviderOperation]
    PROVIDER_OPERATION_VOID: _ClassVar[ProviderOperation]
    PROVIDER_OPERATION_REFUND: _ClassVar[ProviderOperation]
    PROVIDER_OPERATION_ADJUST: _ClassVar[ProviderOperation]
    PROVIDER_OPERATION_RELEASE: _ClassVar[ProviderOperation]
PROVIDER_OPERATION_UNSPECIFIED: ProviderOperation
PROVIDER_OPERATION_AUTHORIZE: ProviderOperation
PROVIDER_OPERATION_CAPTURE: ProviderOperation
PROVIDER_OPERATION_VOID: ProviderOperation
PROVIDER_OPERATION_REFUND: ProviderOperation
PROVIDER_OPERATION_ADJUST: ProviderOperation
PROVIDER_OPERATION_RELEASE: ProviderOperation

class Authorize(_message.Message):
    __slots__ = ("amount", "payment_token", "attempt")
    AMOUNT_FIELD_NUMBER: _ClassVar[int]
    PAYMENT_TOKEN_FIELD_NUMBER: _ClassVar[int]
    ATTEMPT_FIELD_NUMBER: _ClassVar[int]
    amount: _money_pb2.Money
    payment_token: str
    attempt: int
    def __init__(self, amount: _Optional[_Union[_money_pb2.Money, _Mapping]] = ..., payment_token: _Optional[str] = ..., attempt: _Optional[int] = ...) -> None: ...

class Capture(_message.Message):
    __slots__ = ("capture_id", "amount")
    CAPTURE_ID_FIELD_NUMBER: _ClassVar[int]
    AMOUNT_FIELD_NUMBER: _ClassVar[int]
    capture_id: str
    amount: _money_pb2.Money
    def __init__(self, capture_id: _Optional[str] = ..., amount: _Optional[_Union[_money_pb2.Money, _Mapping]] = ...) -> None: ...

class Adjust(_message.Message):
    __slots__ = ("adjustment_id", "amount")
    ADJUSTMENT_ID_FIELD_NUMBER: _ClassVar[int]
    AMOUNT_FIELD_NUMBER: _ClassVar[int]
    adjustment_id: str
    amount: _money_pb2.Money
    def __init__(self, adjustment_id: _Optional[str] = ..., amount: _Optional[_Union[_money_pb2.Money, _Mapping]] = ...) -> None: ...

class Void(_message.Message):
    __slots__ = ("amount", "payment_token", "attempt")
    AMOUNT_FIELD_NUMBER: _ClassVar[int]
    PAYMENT_TOKEN_FIELD_NUMBER: _ClassVar[int]
    ATTEMPT_FIELD_NUMBER: _ClassVar[int]
    amount: _money_pb2.Money
    payment_token: str
    attempt: int
    def __init__(self, amount: _Optional[_Union[_money_pb2.Money, _Mapping]] = ..., payment_token: _Optional[str] = ..., attempt: _Optional[int] = ...) -> None: ...

class Refund(_message.Message):
    __slots__ = ("refund_id", "amount")
    REFUND_ID_FIELD_NUMBER: _ClassVar[int]
    AMOUNT_FIELD_NUMBER: _ClassVar[int]
    refund_id: str
    amount: _money_pb2.Money
    def __init__(self, refund_id: _Optional[str] = ..., amount: _Optional[_Union[_money_pb2.Money, _Mapping]] = ...) -> None: ...

class Reconcile(_message.Message):
    __slots__ = ("operation", "operation_id", "also_done")
    OPERATION_FIELD_NUMBER: _ClassVar[int]
    OPERATION_ID_FIELD_NUMBER: _ClassVar[int]
    ALSO_DONE_FIELD_NUMBER: _ClassVar[int]
    operation: ProviderOperation
    operation_id: str
    also_done: bool
    def __init__(self, operation: _Optional[_Union[ProviderOperation, str]] = ..., operation_id: _Optional[str] = ..., also_done: _Optional[bool] = ...) -> None: ...

class Check(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class ReleaseHold(_message.Message):
    __slots__ = ("reference", "amount")
    REFERENCE_FIELD_NUMBER: _ClassVar[int]
    AMOUNT_FIELD_NUMBER: _ClassVar[int]
    reference: str
    amount: _money_pb2.Money
    def __init__(self, reference: _Optional[str] = ..., amount: _Optional[_Union[_money_pb2.Money, _Mapping]] = ...) -> None: ...

class ProviderRequest(_message.Message):
    __slots__ = ("operation", "order_id", "operation_id", "amount", "payment_token", "look_up", "reference", "ask_time_us", "left", "attempt", "look_only")
    OPERATION_FIELD_NUMBER: _ClassVar[int]
    ORDER_ID_FIELD_NUMBER: _ClassVar[int]
    OPERATION_ID_FIELD_NUMBER: _ClassVar[int]
    AMOUNT_FIELD_NUMBER: _ClassVar[int]
    PAYMENT_TOKEN_FIELD_NUMBER: _ClassVar[int]
    LOOK_UP_FIELD_NUMBER: _ClassVar[int]
    REFERENCE_FIELD_NUMBER: _ClassVar[int]
    ASK_TIME_US_FIELD_NUMBER: _ClassVar[int]
    LEFT_FIELD_NUMBER: _ClassVar[int]
    ATTEMPT_FIELD_NUMBER: _ClassVar[int]
    LOOK_ONLY_FIELD_NUMBER: _ClassVar[int]
    operation: ProviderOperation
    order_id: str
    operation_id: str
    amount: _money_pb2.Money
    payment_token: str
    look_up: bool
    reference: str
    ask_time_us: int
    left: _money_pb2.Money
    attempt: int
    look_only: bool
    def __init__(self, operation: _Optional[_Union[ProviderOperation, str]] = ..., order_id: _Optional[str] = ..., operation_id: _Optional[str] = ..., amount: _Optional[_Union[_money_pb2.Money, _Mapping]] = ..., payment_token: _Optional[str] = ..., look_up: _Optional[bool] = ..., reference: _Optional[str] = ..., ask_time_us: _Optional[int] = ..., left: _Optional[_Union[_money_pb2.Money, _Mapping]] = ..., attempt: _Optional[int] = ..., look_only: _Optional[bool] = ...) -> None: ...

class ProviderResult(_message.Message):
    __slots__ = ("operation", "operation_id", "approved", "code", "reference", "not_found", "attempt")
    OPERATION_FIELD_NUMBER: _ClassVar[int]
    OPERATION_ID_FIELD_NUMBER: _ClassVar[int]
    APPROVED_FIELD_NUMBER: _ClassVar[int]
    CODE_FIELD_NUMBER: _ClassVar[int]
    REFERENCE_FIELD_NUMBER: _ClassVar[int]
    NOT_FOUND_FIELD_NUMBER: _ClassVar[int]
    ATTEMPT_FIELD_NUMBER: _ClassVar[int]
    operation: ProviderOperation
    operation_id: str
    approved: bool
    code: str
    reference: str
    not_found: bool
    attempt: int
    def __init__(self, operation: _Optional[_Union[ProviderOperation, str]] = ..., operation_id: _Optional[str] = ..., approved: _Optional[bool] = ..., code: _Optional[str] = ..., reference: _Optional[str] = ..., not_found: _Optional[bool] = ..., attempt: _Optional[int] = ...) -> None: ...
