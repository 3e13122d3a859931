from google.type import money_pb2 as _money_pb2
from oms.common.v1 import request_record_pb2 as _request_record_pb2
from oms.order.v1 import order_pb2 as _order_pb2
from oms.order.v1 import order_service_pb2 as _order_service_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class OrderPlaced(_message.Message):
    __slots__ = ("order",)
    ORDER_FIELD_NUMBER: _ClassVar[int]
    order: _order_pb2.Order
    def __init__(self, order: _Optional[_Union[_order_pb2.Order, _Mapping]] = ...) -> None: ...

class StockAllocated(_message.Message):
    __slots__ = ("skus",)
    SKUS_FIELD_NUMBER: _ClassVar[int]
    skus: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, skus: _Optional[_Iterable[str]] = ...) -> None: ...

class OrderConfirmed(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class OrderShipped(_message.Message):
    __slots__ = ("number", "tracking", "cancel_refused")
    NUMBER_FIELD_NUMBER: _ClassVar[int]
    TRACKING_FIELD_NUMBER: _ClassVar[int]
    CANCEL_REFUSED_FIELD_NUMBER: _ClassVar[int]
    number: int
    tracking: str
    cancel_refused: bool
    def __init__(self, number: _Optional[int] = ..., tracking: _Optional[str] = ..., cancel_refused: _Optional[bool] = ...) -> None: ...

class OrderCompleted(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class OrderDelivered(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class CancelRequested(_message.Message):
    __slots__ = ("detail", "request")
    DETAIL_FIELD_NUMBER: _ClassVar[int]
    REQUEST_FIELD_NUMBER: _ClassVar[int]
    detail: str
    request: _request_record_pb2.RequestRecord
    def __init__(self, detail: _Optional[str] = ..., request: _Optional[_Union[_request_record_pb2.RequestRecord, _Mapping]] = ...) -> None: ...

class CancelRefused(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class UndoStarted(_message.Message):
    __slots__ = ("reason", "detail", "request", "skus", "void_payment", "payment_declined", "ending")
    REASON_FIELD_NUMBER: _ClassVar[int]
    DETAIL_FIELD_NUMBER: _ClassVar[int]
    REQUEST_FIELD_NUMBER: _ClassVar[int]
    SKUS_FIELD_NUMBER: _ClassVar[int]
    VOID_PAYMENT_FIELD_NUMBER: _ClassVar[int]
    PAYMENT_DECLINED_FIELD_NUMBER: _ClassVar[int]
    ENDING_FIELD_NUMBER: _ClassVar[int]
    reason: str
    detail: str
    request: _request_record_pb2.RequestRecord
    skus: _containers.RepeatedScalarFieldContainer[str]
    void_payment: bool
    payment_declined: bool
    ending: _order_pb2.OrderState
    def __init__(self, reason: _Optional[str] = ..., detail: _Optional[str] = ..., request: _Optional[_Union[_request_record_pb2.RequestRecord, _Mapping]] = ..., skus: _Optional[_Iterable[str]] = ..., void_payment: _Optional[bool] = ..., payment_declined: _Optional[bool] = ..., ending: _Optional[_Union[_order_pb2.OrderState, str]] = ...) -> None: ...

class AllocationReleased(_message.Message):
    __slots__ = ("skus",)
    SKUS_FIELD_NUMBER: _ClassVar[int]
    skus: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, skus: _Optional[_Iterable[str]] = ...) -> None: ...

class AuthorizationEnded(_message.Message):
    __slots__ = ("declined",)
    DECLINED_FIELD_NUMBER: _ClassVar[int]
    declined: bool
    def __init__(self, declined: _Optional[bool] = ...) -> None: ...

class OrderCancelled(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class OrderRejected(_message.Message):
    __slots__ = ("reason", "detail")
    REASON_FIELD_NUMBER: _ClassVar[int]
    DETAIL_FIELD_NUMBER: _ClassVar[int]
    reason: str
    detail: str
    def __init__(self, reason: _Optional[str] = ..., detail: _Optional[str] = ...) -> None: ...

class CaptureDeclined(_message.Message):
    __slots__ = ("code",)
    CODE_FIELD_NUMBER: _ClassVar[int]
    code: str
    def __init__(self, code: _Optional[str] = ...) -> None: ...

class OrderReturned(_message.Message):
    __slots__ = ("lines", "restock", "refund_id", "amount", "refunded_lines", "request")
    LINES_FIELD_NUMBER: _ClassVar[int]
    RESTOCK_FIELD_NUMBER: _ClassVar[int]
    REFUND_ID_FIELD_NUMBER: _ClassVar[int]
    AMOUNT_FIELD_NUMBER: _ClassVar[int]
    REFUNDED_LINES_FIELD_NUMBER: _ClassVar[int]
    REQUEST_FIELD_NUMBER: _ClassVar[int]
    lines: _containers.RepeatedCompositeFieldContainer[_order_service_pb2.LineQuantity]
    restock: bool
    refund_id: str
    amount: _money_pb2.Money
    refunded_lines: _containers.RepeatedCompositeFieldContainer[_order_service_pb2.LineQuantity]
    request: _request_record_pb2.RequestRecord
    def __init__(self, lines: _Optional[_Iterable[_Union[_order_service_pb2.LineQuantity, _Mapping]]] = ..., restock: _Optional[bool] = ..., refund_id: _Optional[str] = ..., amount: _Optional[_Union[_money_pb2.Money, _Mapping]] = ..., refunded_lines: _Optional[_Iterable[_Union[_order_service_pb2.LineQuantity, _Mapping]]] = ..., request: _Optional[_Union[_request_record_pb2.RequestRecord, _Mapping]] = ...) -> None: ...

class RefundRequested(_message.Message):
    __slots__ = ("refund_id", "amount", "refunded_lines", "request")
    REFUND_ID_FIELD_NUMBER: _ClassVar[int]
    AMOUNT_FIELD_NUMBER: _ClassVar[int]
    REFUNDED_LINES_FIELD_NUMBER: _ClassVar[int]
    REQUEST_FIELD_NUMBER: _ClassVar[int]
    refund_id: str
    amount: _money_pb2.Money
    refunded_lines: _containers.RepeatedCompositeFieldContainer[_order_service_pb2.LineQuantity]
    request: _request_record_pb2.RequestRecord
    def __init__(self, refund_id: _Optional[str] = ..., amount: _Optional[_Union[_money_pb2.Money, _Mapping]] = ..., refunded_lines: _Optional[_Iterable[_Union[_order_service_pb2.LineQuantity, _Mapping]]] = ..., request: _Optional[_Union[_request_record_pb2.RequestRecord, _Mapping]] = ...) -> None: ...

class OrderRefunded(_message.Message):
    __slots__ = ("refund_id",)
    REFUND_ID_FIELD_NUMBER: _ClassVar[int]
    refund_id: str
    def __init__(self, refund_id: _Optional[str] = ...) -> None: ...

class OrderRefundDeclined(_message.Message):
    __slots__ = ("refund_id", "code")
    REFUND_ID_FIELD_NUMBER: _ClassVar[int]
    CODE_FIELD_NUMBER: _ClassVar[int]
    refund_id: str
    code: str
    def __init__(self, refund_id: _Optional[str] = ..., code: _Optional[str] = ...) -> None: ...
