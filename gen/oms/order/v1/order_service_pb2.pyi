import datetime

from google.api import annotations_pb2 as _annotations_pb2
from google.api import field_behavior_pb2 as _field_behavior_pb2
from google.protobuf import timestamp_pb2 as _timestamp_pb2
from google.rpc import status_pb2 as _status_pb2
from google.type import money_pb2 as _money_pb2
from oms.common.v1 import address_pb2 as _address_pb2
from oms.common.v1 import consistency_pb2 as _consistency_pb2
from oms.order.v1 import order_pb2 as _order_pb2
from oms.order.v1 import order_explanation_pb2 as _order_explanation_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class CreateOrderRequest(_message.Message):
    __slots__ = ("order", "durability")
    ORDER_FIELD_NUMBER: _ClassVar[int]
    DURABILITY_FIELD_NUMBER: _ClassVar[int]
    order: _order_pb2.Order
    durability: _consistency_pb2.Durability
    def __init__(self, order: _Optional[_Union[_order_pb2.Order, _Mapping]] = ..., durability: _Optional[_Union[_consistency_pb2.Durability, str]] = ...) -> None: ...

class CreateOrderResponse(_message.Message):
    __slots__ = ("order", "persistence")
    ORDER_FIELD_NUMBER: _ClassVar[int]
    PERSISTENCE_FIELD_NUMBER: _ClassVar[int]
    order: _order_pb2.Order
    persistence: _consistency_pb2.Persistence
    def __init__(self, order: _Optional[_Union[_order_pb2.Order, _Mapping]] = ..., persistence: _Optional[_Union[_consistency_pb2.Persistence, str]] = ...) -> None: ...

class BatchCreateOrdersRequest(_message.Message):
    __slots__ = ("requests",)
    REQUESTS_FIELD_NUMBER: _ClassVar[int]
    requests: _containers.RepeatedCompositeFieldContainer[CreateOrderRequest]
    def __init__(self, requests: _Optional[_Iterable[_Union[CreateOrderRequest, _Mapping]]] = ...) -> None: ...

class BatchCreateOrdersResponse(_message.Message):
    __slots__ = ("results",)
    RESULTS_FIELD_NUMBER: _ClassVar[int]
    results: _containers.RepeatedCompositeFieldContainer[BatchCreateOrdersResult]
    def __init__(self, results: _Optional[_Iterable[_Union[BatchCreateOrdersResult, _Mapping]]] = ...) -> None: ...

class BatchCreateOrdersResult(_message.Message):
    __slots__ = ("order", "status", "persistence")
    ORDER_FIELD_NUMBER: _ClassVar[int]
    STATUS_FIELD_NUMBER: _ClassVar[int]
    PERSISTENCE_FIELD_NUMBER: _ClassVar[int]
    order: _order_pb2.Order
    status: _status_pb2.Status
    persistence: _consistency_pb2.Persistence
    def __init__(self, order: _Optional[_Union[_order_pb2.Order, _Mapping]] = ..., status: _Optional[_Union[_status_pb2.Status, _Mapping]] = ..., persistence: _Optional[_Union[_consistency_pb2.Persistence, str]] = ...) -> None: ...

class IngestOrdersResponse(_message.Message):
    __slots__ = ("order_id", "order", "status", "persistence")
    ORDER_ID_FIELD_NUMBER: _ClassVar[int]
    ORDER_FIELD_NUMBER: _ClassVar[int]
    STATUS_FIELD_NUMBER: _ClassVar[int]
    PERSISTENCE_FIELD_NUMBER: _ClassVar[int]
    order_id: str
    order: _order_pb2.Order
    status: _status_pb2.Status
    persistence: _consistency_pb2.Persistence
    def __init__(self, order_id: _Optional[str] = ..., order: _Optional[_Union[_order_pb2.Order, _Mapping]] = ..., status: _Optional[_Union[_status_pb2.Status, _Mapping]] = ..., persistence: _Optional[_Union[_consistency_pb2.Persistence, str]] = ...) -> None: ...

class GetOrderRequest(_message.Message):
    __slots__ = ("order_id", "read_consistency", "min_version")
    ORDER_ID_FIELD_NUMBER: _ClassVar[int]
    READ_CONSISTENCY_FIELD_NUMBER: _ClassVar[int]
    MIN_VERSION_FIELD_NUMBER: _ClassVar[int]
    order_id: str
    read_consistency: _consistency_pb2.ReadConsistency
    min_version: int
    def __init__(self, order_id: _Optional[str] = ..., read_consistency: _Optional[_Union[_consistency_pb2.ReadConsistency, str]] = ..., min_version: _Optional[int] = ...) -> None: ...

class GetOrderResponse(_message.Message):
    __slots__ = ("order", "freshness")
    ORDER_FIELD_NUMBER: _ClassVar[int]
    FRESHNESS_FIELD_NUMBER: _ClassVar[int]
    order: _order_pb2.Order
    freshness: _consistency_pb2.Freshness
    def __init__(self, order: _Optional[_Union[_order_pb2.Order, _Mapping]] = ..., freshness: _Optional[_Union[_consistency_pb2.Freshness, _Mapping]] = ...) -> None: ...

class ListOrdersRequest(_message.Message):
    __slots__ = ("customer_id", "order_state", "create_time_from", "create_time_to", "page_size", "page_token")
    CUSTOMER_ID_FIELD_NUMBER: _ClassVar[int]
    ORDER_STATE_FIELD_NUMBER: _ClassVar[int]
    CREATE_TIME_FROM_FIELD_NUMBER: _ClassVar[int]
    CREATE_TIME_TO_FIELD_NUMBER: _ClassVar[int]
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    customer_id: str
    order_state: _order_pb2.OrderState
    create_time_from: _timestamp_pb2.Timestamp
    create_time_to: _timestamp_pb2.Timestamp
    page_size: int
    page_token: str
    def __init__(self, customer_id: _Optional[str] = ..., order_state: _Optional[_Union[_order_pb2.OrderState, str]] = ..., create_time_from: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., create_time_to: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., page_size: _Optional[int] = ..., page_token: _Optional[str] = ...) -> None: ...

class ListOrdersResponse(_message.Message):
    __slots__ = ("orders", "next_page_token")
    ORDERS_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    orders: _containers.RepeatedCompositeFieldContainer[_order_pb2.Order]
    next_page_token: str
    def __init__(self, orders: _Optional[_Iterable[_Union[_order_pb2.Order, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class WatchOrderRequest(_message.Message):
    __slots__ = ("order_id", "after_version")
    ORDER_ID_FIELD_NUMBER: _ClassVar[int]
    AFTER_VERSION_FIELD_NUMBER: _ClassVar[int]
    order_id: str
    after_version: int
    def __init__(self, order_id: _Optional[str] = ..., after_version: _Optional[int] = ...) -> None: ...

class OrderUpdate(_message.Message):
    __slots__ = ("version", "event", "time", "order")
    VERSION_FIELD_NUMBER: _ClassVar[int]
    EVENT_FIELD_NUMBER: _ClassVar[int]
    TIME_FIELD_NUMBER: _ClassVar[int]
    ORDER_FIELD_NUMBER: _ClassVar[int]
    version: int
    event: str
    time: _timestamp_pb2.Timestamp
    order: _order_pb2.Order
    def __init__(self, version: _Optional[int] = ..., event: _Optional[str] = ..., time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., order: _Optional[_Union[_order_pb2.Order, _Mapping]] = ...) -> None: ...

class ExplainOrderRequest(_message.Message):
    __slots__ = ("order_id", "read_consistency", "min_version")
    ORDER_ID_FIELD_NUMBER: _ClassVar[int]
    READ_CONSISTENCY_FIELD_NUMBER: _ClassVar[int]
    MIN_VERSION_FIELD_NUMBER: _ClassVar[int]
    order_id: str
    read_consistency: _consistency_pb2.ReadConsistency
    min_version: int
    def __init__(self, order_id: _Optional[str] = ..., read_consistency: _Optional[_Union[_consistency_pb2.ReadConsistency, str]] = ..., min_version: _Optional[int] = ...) -> None: ...

class ExplainOrderResponse(_message.Message):
    __slots__ = ("explanation", "freshness")
    EXPLANATION_FIELD_NUMBER: _ClassVar[int]
    FRESHNESS_FIELD_NUMBER: _ClassVar[int]
    explanation: _order_explanation_pb2.OrderExplanation
    freshness: _consistency_pb2.Freshness
    def __init__(self, explanation: _Optional[_Union[_order_explanation_pb2.OrderExplanation, _Mapping]] = ..., freshness: _Optional[_Union[_consistency_pb2.Freshness, _Mapping]] = ...) -> None: ...

class CancelOrderRequest(_message.Message):
    __slots__ = ("order_id", "reason", "request_id", "etag", "lines")
    ORDER_ID_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    ETAG_FIELD_NUMBER: _ClassVar[int]
    LINES_FIELD_NUMBER: _ClassVar[int]
    order_id: str
    reason: str
    request_id: str
    etag: str
    lines: _containers.RepeatedCompositeFieldContainer[LineQuantity]
    def __init__(self, order_id: _Optional[str] = ..., reason: _Optional[str] = ..., request_id: _Optional[str] = ..., etag: _Optional[str] = ..., lines: _Optional[_Iterable[_Union[LineQuantity, _Mapping]]] = ...) -> None: ...

class CancelOrderResponse(_message.Message):
    __slots__ = ("order", "persistence")
    ORDER_FIELD_NUMBER: _ClassVar[int]
    PERSISTENCE_FIELD_NUMBER: _ClassVar[int]
    order: _order_pb2.Order
    persistence: _consistency_pb2.Persistence
    def __init__(self, order: _Optional[_Union[_order_pb2.Order, _Mapping]] = ..., persistence: _Optional[_Union[_consistency_pb2.Persistence, str]] = ...) -> None: ...

class AmendOrderRequest(_message.Message):
    __slots__ = ("order_id", "lines", "shipping_charge", "ship_to", "request_id", "etag")
    ORDER_ID_FIELD_NUMBER: _ClassVar[int]
    LINES_FIELD_NUMBER: _ClassVar[int]
    SHIPPING_CHARGE_FIELD_NUMBER: _ClassVar[int]
    SHIP_TO_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    ETAG_FIELD_NUMBER: _ClassVar[int]
    order_id: str
    lines: _containers.RepeatedCompositeFieldContainer[_order_pb2.OrderLine]
    shipping_charge: _money_pb2.Money
    ship_to: _address_pb2.Address
    request_id: str
    etag: str
    def __init__(self, order_id: _Optional[str] = ..., lines: _Optional[_Iterable[_Union[_order_pb2.OrderLine, _Mapping]]] = ..., shipping_charge: _Optional[_Union[_money_pb2.Money, _Mapping]] = ..., ship_to: _Optional[_Union[_address_pb2.Address, _Mapping]] = ..., request_id: _Optional[str] = ..., etag: _Optional[str] = ...) -> None: ...

class AmendOrderResponse(_message.Message):
    __slots__ = ("order", "persistence")
    ORDER_FIELD_NUMBER: _ClassVar[int]
    PERSISTENCE_FIELD_NUMBER: _ClassVar[int]
    order: _order_pb2.Order
    persistence: _consistency_pb2.Persistence
    def __init__(self, order: _Optional[_Union[_order_pb2.Order, _Mapping]] = ..., persistence: _Optional[_Union[_consistency_pb2.Persistence, str]] = ...) -> None: ...

class HoldOrderRequest(_message.Message):
    __slots__ = ("order_id", "reason", "detail", "request_id", "etag")
    ORDER_ID_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    DETAIL_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    ETAG_FIELD_NUMBER: _ClassVar[int]
    order_id: str
    reason: str
    detail: str
    request_id: str
    etag: str
    def __init__(self, order_id: _Optional[str] = ..., reason: _Optional[str] = ..., detail: _Optional[str] = ..., request_id: _Optional[str] = ..., etag: _Optional[str] = ...) -> None: ...

class HoldOrderResponse(_message.Message):
    __slots__ = ("order", "persistence")
    ORDER_FIELD_NUMBER: _ClassVar[int]
    PERSISTENCE_FIELD_NUMBER: _ClassVar[int]
    order: _order_pb2.Order
    persistence: _consistency_pb2.Persistence
    def __init__(self, order: _Optional[_Union[_order_pb2.Order, _Mapping]] = ..., persistence: _Optional[_Union[_consistency_pb2.Persistence, str]] = ...) -> None: ...

class ReleaseOrderRequest(_message.Message):
    __slots__ = ("order_id", "hold_id", "reason", "detail", "request_id", "etag")
    ORDER_ID_FIELD_NUMBER: _ClassVar[int]
    HOLD_ID_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    DETAIL_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    ETAG_FIELD_NUMBER: _ClassVar[int]
    order_id: str
    hold_id: str
    reason: str
    detail: str
    request_id: str
    etag: str
    def __init__(self, order_id: _Optional[str] = ..., hold_id: _Optional[str] = ..., reason: _Optional[str] = ..., detail: _Optional[str] = ..., request_id: _Optional[str] = ..., etag: _Optional[str] = ...) -> None: ...

class ReleaseOrderResponse(_message.Message):
    __slots__ = ("order", "persistence")
    ORDER_FIELD_NUMBER: _ClassVar[int]
    PERSISTENCE_FIELD_NUMBER: _ClassVar[int]
    order: _order_pb2.Order
    persistence: _consistency_pb2.Persistence
    def __init__(self, order: _Optional[_Union[_order_pb2.Order, _Mapping]] = ..., persistence: _Optional[_Union[_consistency_pb2.Persistence, str]] = ...) -> None: ...

class UpdatePaymentRequest(_message.Message):
    __slots__ = ("order_id", "payment_token", "request_id", "etag")
    ORDER_ID_FIELD_NUMBER: _ClassVar[int]
    PAYMENT_TOKEN_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    ETAG_FIELD_NUMBER: _ClassVar[int]
    order_id: str
    payment_token: str
    request_id: str
    etag: str
    def __init__(self, order_id: _Optional[str] = ..., payment_token: _Optional[str] = ..., request_id: _Optional[str] = ..., etag: _Optional[str] = ...) -> None: ...

class UpdatePaymentResponse(_message.Message):
    __slots__ = ("order", "persistence")
    ORDER_FIELD_NUMBER: _ClassVar[int]
    PERSISTENCE_FIELD_NUMBER: _ClassVar[int]
    order: _order_pb2.Order
    persistence: _consistency_pb2.Persistence
    def __init__(self, order: _Optional[_Union[_order_pb2.Order, _Mapping]] = ..., persistence: _Optional[_Union[_consistency_pb2.Persistence, str]] = ...) -> None: ...

class LineQuantity(_message.Message):
    __slots__ = ("line_id", "quantity")
    LINE_ID_FIELD_NUMBER: _ClassVar[int]
    QUANTITY_FIELD_NUMBER: _ClassVar[int]
    line_id: str
    quantity: int
    def __init__(self, line_id: _Optional[str] = ..., quantity: _Optional[int] = ...) -> None: ...

class ReturnOrderRequest(_message.Message):
    __slots__ = ("order_id", "lines", "restock", "request_id", "etag")
    ORDER_ID_FIELD_NUMBER: _ClassVar[int]
    LINES_FIELD_NUMBER: _ClassVar[int]
    RESTOCK_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    ETAG_FIELD_NUMBER: _ClassVar[int]
    order_id: str
    lines: _containers.RepeatedCompositeFieldContainer[LineQuantity]
    restock: bool
    request_id: str
    etag: str
    def __init__(self, order_id: _Optional[str] = ..., lines: _Optional[_Iterable[_Union[LineQuantity, _Mapping]]] = ..., restock: _Optional[bool] = ..., request_id: _Optional[str] = ..., etag: _Optional[str] = ...) -> None: ...

class ReturnOrderResponse(_message.Message):
    __slots__ = ("order", "persistence")
    ORDER_FIELD_NUMBER: _ClassVar[int]
    PERSISTENCE_FIELD_NUMBER: _ClassVar[int]
    order: _order_pb2.Order
    persistence: _consistency_pb2.Persistence
    def __init__(self, order: _Optional[_Union[_order_pb2.Order, _Mapping]] = ..., persistence: _Optional[_Union[_consistency_pb2.Persistence, str]] = ...) -> None: ...

class RefundOrderRequest(_message.Message):
    __slots__ = ("order_id", "amount", "lines", "request_id", "etag", "include_shipping", "reason")
    ORDER_ID_FIELD_NUMBER: _ClassVar[int]
    AMOUNT_FIELD_NUMBER: _ClassVar[int]
    LINES_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    ETAG_FIELD_NUMBER: _ClassVar[int]
    INCLUDE_SHIPPING_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    order_id: str
    amount: _money_pb2.Money
    lines: _containers.RepeatedCompositeFieldContainer[LineQuantity]
    request_id: str
    etag: str
    include_shipping: bool
    reason: _order_pb2.RefundReason
    def __init__(self, order_id: _Optional[str] = ..., amount: _Optional[_Union[_money_pb2.Money, _Mapping]] = ..., lines: _Optional[_Iterable[_Union[LineQuantity, _Mapping]]] = ..., request_id: _Optional[str] = ..., etag: _Optional[str] = ..., include_shipping: _Optional[bool] = ..., reason: _Optional[_Union[_order_pb2.RefundReason, str]] = ...) -> None: ...

class RefundOrderResponse(_message.Message):
    __slots__ = ("order", "persistence")
    ORDER_FIELD_NUMBER: _ClassVar[int]
    PERSISTENCE_FIELD_NUMBER: _ClassVar[int]
    order: _order_pb2.Order
    persistence: _consistency_pb2.Persistence
    def __init__(self, order: _Optional[_Union[_order_pb2.Order, _Mapping]] = ..., persistence: _Optional[_Union[_consistency_pb2.Persistence, str]] = ...) -> None: ...

class AuthorizeReturnRequest(_message.Message):
    __slots__ = ("order_id", "lines", "reason", "request_id", "etag")
    ORDER_ID_FIELD_NUMBER: _ClassVar[int]
    LINES_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    ETAG_FIELD_NUMBER: _ClassVar[int]
    order_id: str
    lines: _containers.RepeatedCompositeFieldContainer[LineQuantity]
    reason: str
    request_id: str
    etag: str
    def __init__(self, order_id: _Optional[str] = ..., lines: _Optional[_Iterable[_Union[LineQuantity, _Mapping]]] = ..., reason: _Optional[str] = ..., request_id: _Optional[str] = ..., etag: _Optional[str] = ...) -> None: ...

class AuthorizeReturnResponse(_message.Message):
    __slots__ = ("order", "persistence", "order_return")
    ORDER_FIELD_NUMBER: _ClassVar[int]
    PERSISTENCE_FIELD_NUMBER: _ClassVar[int]
    ORDER_RETURN_FIELD_NUMBER: _ClassVar[int]
    order: _order_pb2.Order
    persistence: _consistency_pb2.Persistence
    order_return: _order_pb2.OrderReturn
    def __init__(self, order: _Optional[_Union[_order_pb2.Order, _Mapping]] = ..., persistence: _Optional[_Union[_consistency_pb2.Persistence, str]] = ..., order_return: _Optional[_Union[_order_pb2.OrderReturn, _Mapping]] = ...) -> None: ...

class ReceiveReturnRequest(_message.Message):
    __slots__ = ("order_id", "return_id", "lines", "request_id", "etag")
    ORDER_ID_FIELD_NUMBER: _ClassVar[int]
    RETURN_ID_FIELD_NUMBER: _ClassVar[int]
    LINES_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    ETAG_FIELD_NUMBER: _ClassVar[int]
    order_id: str
    return_id: str
    lines: _containers.RepeatedCompositeFieldContainer[LineQuantity]
    request_id: str
    etag: str
    def __init__(self, order_id: _Optional[str] = ..., return_id: _Optional[str] = ..., lines: _Optional[_Iterable[_Union[LineQuantity, _Mapping]]] = ..., request_id: _Optional[str] = ..., etag: _Optional[str] = ...) -> None: ...

class ReceiveReturnResponse(_message.Message):
    __slots__ = ("order", "persistence", "order_return")
    ORDER_FIELD_NUMBER: _ClassVar[int]
    PERSISTENCE_FIELD_NUMBER: _ClassVar[int]
    ORDER_RETURN_FIELD_NUMBER: _ClassVar[int]
    order: _order_pb2.Order
    persistence: _consistency_pb2.Persistence
    order_return: _order_pb2.OrderReturn
    def __init__(self, order: _Optional[_Union[_order_pb2.Order, _Mapping]] = ..., persistence: _Optional[_Union[_consistency_pb2.Persistence, str]] = ..., order_return: _Optional[_Union[_order_pb2.OrderReturn, _Mapping]] = ...) -> None: ...

class InspectedLine(_message.Message):
    __slots__ = ("line_id", "restock_quantity", "write_off_quantity")
    LINE_ID_FIELD_NUMBER: _ClassVar[int]
    RESTOCK_QUANTITY_FIELD_NUMBER: _ClassVar[int]
    WRITE_OFF_QUANTITY_FIELD_NUMBER: _ClassVar[int]
    line_id: str
    restock_quantity: int
    write_off_quantity: int
    def __init__(self, line_id: _Optional[str] = ..., restock_quantity: _Optional[int] = ..., write_off_quantity: _Optional[int] = ...) -> None: ...

class InspectReturnRequest(_message.Message):
    __slots__ = ("order_id", "return_id", "lines", "include_shipping", "request_id", "etag")
    ORDER_ID_FIELD_NUMBER: _ClassVar[int]
    RETURN_ID_FIELD_NUMBER: _ClassVar[int]
    LINES_FIELD_NUMBER: _ClassVar[int]
    INCLUDE_SHIPPING_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    ETAG_FIELD_NUMBER: _ClassVar[int]
    order_id: str
    return_id: str
    lines: _containers.RepeatedCompositeFieldContainer[InspectedLine]
    include_shipping: bool
    request_id: str
    etag: str
    def __init__(self, order_id: _Optional[str] = ..., return_id: _Optional[str] = ..., lines: _Optional[_Iterable[_Union[InspectedLine, _Mapping]]] = ..., include_shipping: _Optional[bool] = ..., request_id: _Optional[str] = ..., etag: _Optional[str] = ...) -> None: ...

class InspectReturnResponse(_message.Message):
    __slots__ = ("order", "persistence", "order_return")
    ORDER_FIELD_NUMBER: _ClassVar[int]
    PERSISTENCE_FIELD_NUMBER: _ClassVar[int]
    ORDER_RETURN_FIELD_NUMBER: _ClassVar[int]
    order: _order_pb2.Order
    persistence: _consistency_pb2.Persistence
    order_return: _order_pb2.OrderReturn
    def __init__(self, order: _Optional[_Union[_order_pb2.Order, _Mapping]] = ..., persistence: _Optional[_Union[_consistency_pb2.Persistence, str]] = ..., order_return: _Optional[_Union[_order_pb2.OrderReturn, _Mapping]] = ...) -> None: ...

class CancelReturnRequest(_message.Message):
    __slots__ = ("order_id", "return_id", "request_id", "etag")
    ORDER_ID_FIELD_NUMBER: _ClassVar[int]
    RETURN_ID_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    ETAG_FIELD_NUMBER: _ClassVar[int]
    order_id: str
    return_id: str
    request_id: str
    etag: str
    def __init__(self, order_id: _Optional[str] = ..., return_id: _Optional[str] = ..., request_id: _Optional[str] = ..., etag: _Optional[str] = ...) -> None: ...

class CancelReturnResponse(_message.Message):
    __slots__ = ("order", "persistence", "order_return")
    ORDER_FIELD_NUMBER: _ClassVar[int]
    PERSISTENCE_FIELD_NUMBER: _ClassVar[int]
    ORDER_RETURN_FIELD_NUMBER: _ClassVar[int]
    order: _order_pb2.Order
    persistence: _consistency_pb2.Persistence
    order_return: _order_pb2.OrderReturn
    def __init__(self, order: _Optional[_Union[_order_pb2.Order, _Mapping]] = ..., persistence: _Optional[_Union[_consistency_pb2.Persistence, str]] = ..., order_return: _Optional[_Union[_order_pb2.OrderReturn, _Mapping]] = ...) -> None: ...

class ExchangeOrderRequest(_message.Message):
    __slots__ = ("order_id", "lines", "reason", "replacement", "request_id", "etag")
    ORDER_ID_FIELD_NUMBER: _ClassVar[int]
    LINES_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    REPLACEMENT_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    ETAG_FIELD_NUMBER: _ClassVar[int]
    order_id: str
    lines: _containers.RepeatedCompositeFieldContainer[LineQuantity]
    reason: str
    replacement: _order_pb2.Order
    request_id: str
    etag: str
    def __init__(self, order_id: _Optional[str] = ..., lines: _Optional[_Iterable[_Union[LineQuantity, _Mapping]]] = ..., reason: _Optional[str] = ..., replacement: _Optional[_Union[_order_pb2.Order, _Mapping]] = ..., request_id: _Optional[str] = ..., etag: _Optional[str] = ...) -> None: ...

class ExchangeOrderResponse(_message.Message):
    __slots__ = ("order", "persistence", "order_return", "replacement")
    ORDER_FIELD_NUMBER: _ClassVar[int]
    PERSISTENCE_FIELD_NUMBER: _ClassVar[int]
    ORDER_RETURN_FIELD_NUMBER: _ClassVar[int]
    REPLACEMENT_FIELD_NUMBER: _ClassVar[int]
    order: _order_pb2.Order
    persistence: _consistency_pb2.Persistence
    order_return: _order_pb2.OrderReturn
    replacement: _order_pb2.Order
    def __init__(self, order: _Optional[_Union[_order_pb2.Order, _Mapping]] = ..., persistence: _Optional[_Union[_consistency_pb2.Persistence, str]] = ..., order_return: _Optional[_Union[_order_pb2.OrderReturn, _Mapping]] = ..., replacement: _Optional[_Union[_order_pb2.Order, _Mapping]] = ...) -> None: ...
