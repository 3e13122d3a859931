from google.type import money_pb2 as _money_pb2
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class AuthorizationStarted(_message.Message):
    __slots__ = ("order_id", "amount", "payment_token", "attempt")
    ORDER_ID_FIELD_NUMBER: _ClassVar[int]
    AMOUNT_FIELD_NUMBER: _ClassVar[int]
    PAYMENT_TOKEN_FIELD_NUMBER: _ClassVar[int]
    ATTEMPT_FIELD_NUMBER: _ClassVar[int]
    order_id: str
    amount: _money_pb2.Money
    payment_token: str
    attempt: int
    def __init__(self, order_id: _Optional[str] = ..., amount: _Optional[_Union[_money_pb2.Money, _Mapping]] = ..., payment_token: _Optional[str] = ..., attempt: _Optional[int] = ...) -> None: ...

class Authorized(_message.Message):
    __slots__ = ("reference",)
    REFERENCE_FIELD_NUMBER: _ClassVar[int]
    reference: str
    def __init__(self, reference: _Optional[str] = ...) -> None: ...

class Declined(_message.Message):
    __slots__ = ("code",)
    CODE_FIELD_NUMBER: _ClassVar[int]
    code: str
    def __init__(self, code: _Optional[str] = ...) -> None: ...

class CaptureStarted(_message.Message):
    __slots__ = ("capture_id", "amount", "attempt")
    CAPTURE_ID_FIELD_NUMBER: _ClassVar[int]
    AMOUNT_FIELD_NUMBER: _ClassVar[int]
    ATTEMPT_FIELD_NUMBER: _ClassVar[int]
    capture_id: str
    amount: _money_pb2.Money
    attempt: int
    def __init__(self, capture_id: _Optional[str] = ..., amount: _Optional[_Union[_money_pb2.Money, _Mapping]] = ..., attempt: _Optional[int] = ...) -> None: ...

class Captured(_message.Message):
    __slots__ = ("capture_id",)
    CAPTURE_ID_FIELD_NUMBER: _ClassVar[int]
    capture_id: str
    def __init__(self, capture_id: _Optional[str] = ...) -> None: ...

class CaptureDeclined(_message.Message):
    __slots__ = ("capture_id", "code")
    CAPTURE_ID_FIELD_NUMBER: _ClassVar[int]
    CODE_FIELD_NUMBER: _ClassVar[int]
    capture_id: str
    code: str
    def __init__(self, capture_id: _Optional[str] = ..., code: _Optional[str] = ...) -> None: ...

class AdjustmentStarted(_message.Message):
    __slots__ = ("adjustment_id", "amount")
    ADJUSTMENT_ID_FIELD_NUMBER: _ClassVar[int]
    AMOUNT_FIELD_NUMBER: _ClassVar[int]
    adjustment_id: str
    amount: _money_pb2.Money
    def __init__(self, adjustment_id: _Optional[str] = ..., amount: _Optional[_Union[_money_pb2.Money, _Mapping]] = ...) -> None: ...

class Adjusted(_message.Message):
    __slots__ = ("adjustment_id",)
    ADJUSTMENT_ID_FIELD_NUMBER: _ClassVar[int]
    adjustment_id: str
    def __init__(self, adjustment_id: _Optional[str] = ...) -> None: ...

class AdjustmentDeclined(_message.Message):
    __slots__ = ("adjustment_id", "code")
    ADJUSTMENT_ID_FIELD_NUMBER: _ClassVar[int]
    CODE_FIELD_NUMBER: _ClassVar[int]
    adjustment_id: str
    code: str
    def __init__(self, adjustment_id: _Optional[str] = ..., code: _Optional[str] = ...) -> None: ...

class VoidRequested(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class VoidStarted(_message.Message):
    __slots__ = ("authorized", "reference")
    AUTHORIZED_FIELD_NUMBER: _ClassVar[int]
    REFERENCE_FIELD_NUMBER: _ClassVar[int]
    authorized: bool
    reference: str
    def __init__(self, authorized: _Optional[bool] = ..., reference: _Optional[str] = ...) -> None: ...

class Voided(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class VoidDeclined(_message.Message):
    __slots__ = ("code",)
    CODE_FIELD_NUMBER: _ClassVar[int]
    code: str
    def __init__(self, code: _Optional[str] = ...) -> None: ...

class PaymentClosed(_message.Message):
    __slots__ = ("order_id", "attempt")
    ORDER_ID_FIELD_NUMBER: _ClassVar[int]
    ATTEMPT_FIELD_NUMBER: _ClassVar[int]
    order_id: str
    attempt: int
    def __init__(self, order_id: _Optional[str] = ..., attempt: _Optional[int] = ...) -> None: ...

class RefundStarted(_message.Message):
    __slots__ = ("refund_id", "amount")
    REFUND_ID_FIELD_NUMBER: _ClassVar[int]
    AMOUNT_FIELD_NUMBER: _ClassVar[int]
    refund_id: str
    amount: _money_pb2.Money
    def __init__(self, refund_id: _Optional[str] = ..., amount: _Optional[_Union[_money_pb2.Money, _Mapping]] = ...) -> None: ...

class Refunded(_message.Message):
    __slots__ = ("refund_id",)
    REFUND_ID_FIELD_NUMBER: _ClassVar[int]
    refund_id: str
    def __init__(self, refund_id: _Optional[str] = ...) -> None: ...

class RefundDeclined(_message.Message):
    __slots__ = ("refund_id", "code")
    REFUND_ID_FIELD_NUMBER: _ClassVar[int]
    CODE_FIELD_NUMBER: _ClassVar[int]
    refund_id: str
    code: str
    def __init__(self, refund_id: _Optional[str] = ..., code: _Optional[str] = ...) -> None: ...

class RefundReissueStarted(_message.Message):
    __slots__ = ("refund_id", "attempt")
    REFUND_ID_FIELD_NUMBER: _ClassVar[int]
    ATTEMPT_FIELD_NUMBER: _ClassVar[int]
    refund_id: str
    attempt: int
    def __init__(self, refund_id: _Optional[str] = ..., attempt: _Optional[int] = ...) -> None: ...

class RefundReissued(_message.Message):
    __slots__ = ("refund_id",)
    REFUND_ID_FIELD_NUMBER: _ClassVar[int]
    refund_id: str
    def __init__(self, refund_id: _Optional[str] = ...) -> None: ...

class RefundReissueDeclined(_message.Message):
    __slots__ = ("refund_id", "code")
    REFUND_ID_FIELD_NUMBER: _ClassVar[int]
    CODE_FIELD_NUMBER: _ClassVar[int]
    refund_id: str
    code: str
    def __init__(self, refund_id: _Optional[str] = ..., code: _Optional[str] = ...) -> None: ...

class HoldReleaseStarted(_message.Message):
    __slots__ = ("reference", "amount")
    REFERENCE_FIELD_NUMBER: _ClassVar[int]
    AMOUNT_FIELD_NUMBER: _ClassVar[int]
    reference: str
    amount: _money_pb2.Money
    def __init__(self, reference: _Optional[str] = ..., amount: _Optional[_Union[_money_pb2.Money, _Mapping]] = ...) -> None: ...

class HoldReleased(_message.Message):
    __slots__ = ("reference",)
    REFERENCE_FIELD_NUMBER: _ClassVar[int]
    reference: str
    def __init__(self, reference: _Optional[str] = ...) -> None: ...
