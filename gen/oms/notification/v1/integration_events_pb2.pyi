from google.type import money_pb2 as _money_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class PlacedLine(_message.Message):
    __slots__ = ("line_id", "sku", "quantity", "unit_price")
    LINE_ID_FIELD_NUMBER: _ClassVar[int]
    SKU_FIELD_NUMBER: _ClassVar[int]
    QUANTITY_FIELD_NUMBER: _ClassVar[int]
    UNIT_PRICE_FIELD_NUMBER: _ClassVar[int]
    line_id: str
    sku: str
    quantity: int
    unit_price: _money_pb2.Money
    def __init__(self, line_id: _Optional[str] = ..., sku: _Optional[str] = ..., quantity: _Optional[int] = ..., unit_price: _Optional[_Union[_money_pb2.Money, _Mapping]] = ...) -> None: ...

class LineCount(_message.Message):
    __slots__ = ("line_id", "quantity")
    LINE_ID_FIELD_NUMBER: _ClassVar[int]
    QUANTITY_FIELD_NUMBER: _ClassVar[int]
    line_id: str
    quantity: int
    def __init__(self, line_id: _Optional[str] = ..., quantity: _Optional[int] = ...) -> None: ...

class OrderPlaced(_message.Message):
    __slots__ = ("order_id", "version", "customer_id", "lines", "total", "labels")
    class LabelsEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    ORDER_ID_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    CUSTOMER_ID_FIELD_NUMBER: _ClassVar[int]
    LINES_FIELD_NUMBER: _ClassVar[int]
    TOTAL_FIELD_NUMBER: _ClassVar[int]
    LABELS_FIELD_NUMBER: _ClassVar[int]
    order_id: str
    version: int
    customer_id: str
    lines: _containers.RepeatedCompositeFieldContainer[PlacedLine]
    total: _money_pb2.Money
    labels: _containers.ScalarMap[str, str]
    def __init__(self, order_id: _Optional[str] = ..., version: _Optional[int] = ..., customer_id: _Optional[str] = ..., lines: _Optional[_Iterable[_Union[PlacedLine, _Mapping]]] = ..., total: _Optional[_Union[_money_pb2.Money, _Mapping]] = ..., labels: _Optional[_Mapping[str, str]] = ...) -> None: ...

class OrderConfirmed(_message.Message):
    __slots__ = ("order_id", "version")
    ORDER_ID_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    order_id: str
    version: int
    def __init__(self, order_id: _Optional[str] = ..., version: _Optional[int] = ...) -> None: ...

class OrderCompleted(_message.Message):
    __slots__ = ("order_id", "version")
    ORDER_ID_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    order_id: str
    version: int
    def __init__(self, order_id: _Optional[str] = ..., version: _Optional[int] = ...) -> None: ...

class OrderCancelling(_message.Message):
    __slots__ = ("order_id", "version", "reason", "detail")
    ORDER_ID_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    DETAIL_FIELD_NUMBER: _ClassVar[int]
    order_id: str
    version: int
    reason: str
    detail: str
    def __init__(self, order_id: _Optional[str] = ..., version: _Optional[int] = ..., reason: _Optional[str] = ..., detail: _Optional[str] = ...) -> None: ...

class OrderCancelled(_message.Message):
    __slots__ = ("order_id", "version")
    ORDER_ID_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    order_id: str
    version: int
    def __init__(self, order_id: _Optional[str] = ..., version: _Optional[int] = ...) -> None: ...

class OrderRejected(_message.Message):
    __slots__ = ("order_id", "version", "reason", "detail")
    ORDER_ID_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    DETAIL_FIELD_NUMBER: _ClassVar[int]
    order_id: str
    version: int
    reason: str
    detail: str
    def __init__(self, order_id: _Optional[str] = ..., version: _Optional[int] = ..., reason: _Optional[str] = ..., detail: _Optional[str] = ...) -> None: ...

class OrderReturned(_message.Message):
    __slots__ = ("order_id", "version", "lines", "restock", "refund_id", "amount")
    ORDER_ID_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    LINES_FIELD_NUMBER: _ClassVar[int]
    RESTOCK_FIELD_NUMBER: _ClassVar[int]
    REFUND_ID_FIELD_NUMBER: _ClassVar[int]
    AMOUNT_FIELD_NUMBER: _ClassVar[int]
    order_id: str
    version: int
    lines: _containers.RepeatedCompositeFieldContainer[LineCount]
    restock: bool
    refund_id: str
    amount: _money_pb2.Money
    def __init__(self, order_id: _Optional[str] = ..., version: _Optional[int] = ..., lines: _Optional[_Iterable[_Union[LineCount, _Mapping]]] = ..., restock: _Optional[bool] = ..., refund_id: _Optional[str] = ..., amount: _Optional[_Union[_money_pb2.Money, _Mapping]] = ...) -> None: ...

class RefundRequested(_message.Message):
    __slots__ = ("order_id", "version", "refund_id", "amount")
    ORDER_ID_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    REFUND_ID_FIELD_NUMBER: _ClassVar[int]
    AMOUNT_FIELD_NUMBER: _ClassVar[int]
    order_id: str
    version: int
    refund_id: str
    amount: _money_pb2.Money
    def __init__(self, order_id: _Optional[str] = ..., version: _Optional[int] = ..., refund_id: _Optional[str] = ..., amount: _Optional[_Union[_money_pb2.Money, _Mapping]] = ...) -> None: ...

class OrderRefunded(_message.Message):
    __slots__ = ("order_id", "version", "refund_id")
    ORDER_ID_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    REFUND_ID_FIELD_NUMBER: _ClassVar[int]
    order_id: str
    version: int
    refund_id: str
    def __init__(self, order_id: _Optional[str] = ..., version: _Optional[int] = ..., refund_id: _Optional[str] = ...) -> None: ...

class OrderRefundDeclined(_message.Message):
    __slots__ = ("order_id", "version", "refund_id", "code")
    ORDER_ID_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    REFUND_ID_FIELD_NUMBER: _ClassVar[int]
    CODE_FIELD_NUMBER: _ClassVar[int]
    order_id: str
    version: int
    refund_id: str
    code: str
    def __init__(self, order_id: _Optional[str] = ..., version: _Optional[int] = ..., refund_id: _Optional[str] = ..., code: _Optional[str] = ...) -> None: ...

class ShipmentDispatched(_message.Message):
    __slots__ = ("order_id", "version", "shipment_id", "tracking")
    ORDER_ID_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    SHIPMENT_ID_FIELD_NUMBER: _ClassVar[int]
    TRACKING_FIELD_NUMBER: _ClassVar[int]
    order_id: str
    version: int
    shipment_id: str
    tracking: str
    def __init__(self, order_id: _Optional[str] = ..., version: _Optional[int] = ..., shipment_id: _Optional[str] = ..., tracking: _Optional[str] = ...) -> None: ...

class ShipmentDelivered(_message.Message):
    __slots__ = ("order_id", "version", "shipment_id")
    ORDER_ID_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    SHIPMENT_ID_FIELD_NUMBER: _ClassVar[int]
    order_id: str
    version: int
    shipment_id: str
    def __init__(self, order_id: _Optional[str] = ..., version: _Optional[int] = ..., shipment_id: _Optional[str] = ...) -> None: ...

class StockReceived(_message.Message):
    __slots__ = ("sku", "version", "quantity")
    SKU_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    QUANTITY_FIELD_NUMBER: _ClassVar[int]
    sku: str
    version: int
    quantity: int
    def __init__(self, sku: _Optional[str] = ..., version: _Optional[int] = ..., quantity: _Optional[int] = ...) -> None: ...

class StockAdjusted(_message.Message):
    __slots__ = ("sku", "version", "change", "reason")
    SKU_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    CHANGE_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    sku: str
    version: int
    change: int
    reason: str
    def __init__(self, sku: _Optional[str] = ..., version: _Optional[int] = ..., change: _Optional[int] = ..., reason: _Optional[str] = ...) -> None: ...
