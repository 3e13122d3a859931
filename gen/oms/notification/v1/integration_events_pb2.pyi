import datetime

from google.protobuf import timestamp_pb2 as _timestamp_pb2
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

class OrderAmended(_message.Message):
    __slots__ = ("order_id", "version", "lines", "total")
    ORDER_ID_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    LINES_FIELD_NUMBER: _ClassVar[int]
    TOTAL_FIELD_NUMBER: _ClassVar[int]
    order_id: str
    version: int
    lines: _containers.RepeatedCompositeFieldContainer[PlacedLine]
    total: _money_pb2.Money
    def __init__(self, order_id: _Optional[str] = ..., version: _Optional[int] = ..., lines: _Optional[_Iterable[_Union[PlacedLine, _Mapping]]] = ..., total: _Optional[_Union[_money_pb2.Money, _Mapping]] = ...) -> None: ...

class LinesCancelled(_message.Message):
    __slots__ = ("order_id", "version", "lines", "reason", "detail")
    ORDER_ID_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    LINES_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    DETAIL_FIELD_NUMBER: _ClassVar[int]
    order_id: str
    version: int
    lines: _containers.RepeatedCompositeFieldContainer[LineCount]
    reason: str
    detail: str
    def __init__(self, order_id: _Optional[str] = ..., version: _Optional[int] = ..., lines: _Optional[_Iterable[_Union[LineCount, _Mapping]]] = ..., reason: _Optional[str] = ..., detail: _Optional[str] = ...) -> None: ...

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

class PaymentRefused(_message.Message):
    __slots__ = ("order_id", "version", "code", "retry_time")
    ORDER_ID_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    CODE_FIELD_NUMBER: _ClassVar[int]
    RETRY_TIME_FIELD_NUMBER: _ClassVar[int]
    order_id: str
    version: int
    code: str
    retry_time: _timestamp_pb2.Timestamp
    def __init__(self, order_id: _Optional[str] = ..., version: _Optional[int] = ..., code: _Optional[str] = ..., retry_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class OrderHeld(_message.Message):
    __slots__ = ("order_id", "version", "hold_id", "reason", "detail", "rule")
    ORDER_ID_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    HOLD_ID_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    DETAIL_FIELD_NUMBER: _ClassVar[int]
    RULE_FIELD_NUMBER: _ClassVar[int]
    order_id: str
    version: int
    hold_id: str
    reason: str
    detail: str
    rule: str
    def __init__(self, order_id: _Optional[str] = ..., version: _Optional[int] = ..., hold_id: _Optional[str] = ..., reason: _Optional[str] = ..., detail: _Optional[str] = ..., rule: _Optional[str] = ...) -> None: ...

class OrderReleased(_message.Message):
    __slots__ = ("order_id", "version", "hold_ids", "detail")
    ORDER_ID_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    HOLD_IDS_FIELD_NUMBER: _ClassVar[int]
    DETAIL_FIELD_NUMBER: _ClassVar[int]
    order_id: str
    version: int
    hold_ids: _containers.RepeatedScalarFieldContainer[str]
    detail: str
    def __init__(self, order_id: _Optional[str] = ..., version: _Optional[int] = ..., hold_ids: _Optional[_Iterable[str]] = ..., detail: _Optional[str] = ...) -> None: ...

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

class ReturnAuthorized(_message.Message):
    __slots__ = ("order_id", "version", "return_id", "lines", "reason", "exchange_order_id")
    ORDER_ID_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    RETURN_ID_FIELD_NUMBER: _ClassVar[int]
    LINES_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    EXCHANGE_ORDER_ID_FIELD_NUMBER: _ClassVar[int]
    order_id: str
    version: int
    return_id: str
    lines: _containers.RepeatedCompositeFieldContainer[LineCount]
    reason: str
    exchange_order_id: str
    def __init__(self, order_id: _Optional[str] = ..., version: _Optional[int] = ..., return_id: _Optional[str] = ..., lines: _Optional[_Iterable[_Union[LineCount, _Mapping]]] = ..., reason: _Optional[str] = ..., exchange_order_id: _Optional[str] = ...) -> None: ...

class ReturnReceived(_message.Message):
    __slots__ = ("order_id", "version", "return_id", "lines")
    ORDER_ID_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    RETURN_ID_FIELD_NUMBER: _ClassVar[int]
    LINES_FIELD_NUMBER: _ClassVar[int]
    order_id: str
    version: int
    return_id: str
    lines: _containers.RepeatedCompositeFieldContainer[LineCount]
    def __init__(self, order_id: _Optional[str] = ..., version: _Optional[int] = ..., return_id: _Optional[str] = ..., lines: _Optional[_Iterable[_Union[LineCount, _Mapping]]] = ...) -> None: ...

class ReturnInspected(_message.Message):
    __slots__ = ("order_id", "version", "return_id", "restocked", "written_off", "refund_id", "amount")
    ORDER_ID_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    RETURN_ID_FIELD_NUMBER: _ClassVar[int]
    RESTOCKED_FIELD_NUMBER: _ClassVar[int]
    WRITTEN_OFF_FIELD_NUMBER: _ClassVar[int]
    REFUND_ID_FIELD_NUMBER: _ClassVar[int]
    AMOUNT_FIELD_NUMBER: _ClassVar[int]
    order_id: str
    version: int
    return_id: str
    restocked: _containers.RepeatedCompositeFieldContainer[LineCount]
    written_off: _containers.RepeatedCompositeFieldContainer[LineCount]
    refund_id: str
    amount: _money_pb2.Money
    def __init__(self, order_id: _Optional[str] = ..., version: _Optional[int] = ..., return_id: _Optional[str] = ..., restocked: _Optional[_Iterable[_Union[LineCount, _Mapping]]] = ..., written_off: _Optional[_Iterable[_Union[LineCount, _Mapping]]] = ..., refund_id: _Optional[str] = ..., amount: _Optional[_Union[_money_pb2.Money, _Mapping]] = ...) -> None: ...

class ReturnCancelled(_message.Message):
    __slots__ = ("order_id", "version", "return_id")
    ORDER_ID_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    RETURN_ID_FIELD_NUMBER: _ClassVar[int]
    order_id: str
    version: int
    return_id: str
    def __init__(self, order_id: _Optional[str] = ..., version: _Optional[int] = ..., return_id: _Optional[str] = ...) -> None: ...

class OrderExchanged(_message.Message):
    __slots__ = ("order_id", "version", "exchange_order_id")
    ORDER_ID_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    EXCHANGE_ORDER_ID_FIELD_NUMBER: _ClassVar[int]
    order_id: str
    version: int
    exchange_order_id: str
    def __init__(self, order_id: _Optional[str] = ..., version: _Optional[int] = ..., exchange_order_id: _Optional[str] = ...) -> None: ...

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
    __slots__ = ("sku", "version", "change", "reason", "reason_code")
    SKU_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    CHANGE_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    REASON_CODE_FIELD_NUMBER: _ClassVar[int]
    sku: str
    version: int
    change: int
    reason: str
    reason_code: str
    def __init__(self, sku: _Optional[str] = ..., version: _Optional[int] = ..., change: _Optional[int] = ..., reason: _Optional[str] = ..., reason_code: _Optional[str] = ...) -> None: ...

class StockCounted(_message.Message):
    __slots__ = ("sku", "version", "counted", "reason_code", "reason")
    SKU_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    COUNTED_FIELD_NUMBER: _ClassVar[int]
    REASON_CODE_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    sku: str
    version: int
    counted: int
    reason_code: str
    reason: str
    def __init__(self, sku: _Optional[str] = ..., version: _Optional[int] = ..., counted: _Optional[int] = ..., reason_code: _Optional[str] = ..., reason: _Optional[str] = ...) -> None: ...

class StockLow(_message.Message):
    __slots__ = ("sku", "version", "available", "threshold")
    SKU_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    AVAILABLE_FIELD_NUMBER: _ClassVar[int]
    THRESHOLD_FIELD_NUMBER: _ClassVar[int]
    sku: str
    version: int
    available: int
    threshold: int
    def __init__(self, sku: _Optional[str] = ..., version: _Optional[int] = ..., available: _Optional[int] = ..., threshold: _Optional[int] = ...) -> None: ...

class StockReplenished(_message.Message):
    __slots__ = ("sku", "version", "available", "threshold")
    SKU_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    AVAILABLE_FIELD_NUMBER: _ClassVar[int]
    THRESHOLD_FIELD_NUMBER: _ClassVar[int]
    sku: str
    version: int
    available: int
    threshold: int
    def __init__(self, sku: _Optional[str] = ..., version: _Optional[int] = ..., available: _Optional[int] = ..., threshold: _Optional[int] = ...) -> None: ...

class WebhookTest(_message.Message):
    __slots__ = ("endpoint_id", "version")
    ENDPOINT_ID_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    endpoint_id: str
    version: int
    def __init__(self, endpoint_id: _Optional[str] = ..., version: _Optional[int] = ...) -> None: ...

class WebhookEndpointDisabled(_message.Message):
    __slots__ = ("endpoint_id", "version", "reason", "detail")
    ENDPOINT_ID_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    DETAIL_FIELD_NUMBER: _ClassVar[int]
    endpoint_id: str
    version: int
    reason: str
    detail: str
    def __init__(self, endpoint_id: _Optional[str] = ..., version: _Optional[int] = ..., reason: _Optional[str] = ..., detail: _Optional[str] = ...) -> None: ...
