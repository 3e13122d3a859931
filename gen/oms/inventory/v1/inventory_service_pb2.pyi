import datetime

from google.api import annotations_pb2 as _annotations_pb2
from google.api import field_behavior_pb2 as _field_behavior_pb2
from google.protobuf import duration_pb2 as _duration_pb2
from google.rpc import status_pb2 as _status_pb2
from oms.common.v1 import consistency_pb2 as _consistency_pb2
from oms.inventory.v1 import inventory_pb2 as _inventory_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class ReceiveStockRequest(_message.Message):
    __slots__ = ("sku", "quantity", "request_id")
    SKU_FIELD_NUMBER: _ClassVar[int]
    QUANTITY_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    sku: str
    quantity: int
    request_id: str
    def __init__(self, sku: _Optional[str] = ..., quantity: _Optional[int] = ..., request_id: _Optional[str] = ...) -> None: ...

class ReceiveStockResponse(_message.Message):
    __slots__ = ("stock", "persistence")
    STOCK_FIELD_NUMBER: _ClassVar[int]
    PERSISTENCE_FIELD_NUMBER: _ClassVar[int]
    stock: _inventory_pb2.Stock
    persistence: _consistency_pb2.Persistence
    def __init__(self, stock: _Optional[_Union[_inventory_pb2.Stock, _Mapping]] = ..., persistence: _Optional[_Union[_consistency_pb2.Persistence, str]] = ...) -> None: ...

class BatchReceiveStockRequest(_message.Message):
    __slots__ = ("requests",)
    REQUESTS_FIELD_NUMBER: _ClassVar[int]
    requests: _containers.RepeatedCompositeFieldContainer[ReceiveStockRequest]
    def __init__(self, requests: _Optional[_Iterable[_Union[ReceiveStockRequest, _Mapping]]] = ...) -> None: ...

class BatchReceiveStockResponse(_message.Message):
    __slots__ = ("results",)
    RESULTS_FIELD_NUMBER: _ClassVar[int]
    results: _containers.RepeatedCompositeFieldContainer[BatchReceiveStockResult]
    def __init__(self, results: _Optional[_Iterable[_Union[BatchReceiveStockResult, _Mapping]]] = ...) -> None: ...

class BatchReceiveStockResult(_message.Message):
    __slots__ = ("stock", "status", "persistence")
    STOCK_FIELD_NUMBER: _ClassVar[int]
    STATUS_FIELD_NUMBER: _ClassVar[int]
    PERSISTENCE_FIELD_NUMBER: _ClassVar[int]
    stock: _inventory_pb2.Stock
    status: _status_pb2.Status
    persistence: _consistency_pb2.Persistence
    def __init__(self, stock: _Optional[_Union[_inventory_pb2.Stock, _Mapping]] = ..., status: _Optional[_Union[_status_pb2.Status, _Mapping]] = ..., persistence: _Optional[_Union[_consistency_pb2.Persistence, str]] = ...) -> None: ...

class AdjustStockRequest(_message.Message):
    __slots__ = ("sku", "change", "reason", "request_id", "etag", "reason_code")
    SKU_FIELD_NUMBER: _ClassVar[int]
    CHANGE_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    ETAG_FIELD_NUMBER: _ClassVar[int]
    REASON_CODE_FIELD_NUMBER: _ClassVar[int]
    sku: str
    change: int
    reason: str
    request_id: str
    etag: str
    reason_code: _inventory_pb2.StockReason
    def __init__(self, sku: _Optional[str] = ..., change: _Optional[int] = ..., reason: _Optional[str] = ..., request_id: _Optional[str] = ..., etag: _Optional[str] = ..., reason_code: _Optional[_Union[_inventory_pb2.StockReason, str]] = ...) -> None: ...

class AdjustStockResponse(_message.Message):
    __slots__ = ("stock", "persistence")
    STOCK_FIELD_NUMBER: _ClassVar[int]
    PERSISTENCE_FIELD_NUMBER: _ClassVar[int]
    stock: _inventory_pb2.Stock
    persistence: _consistency_pb2.Persistence
    def __init__(self, stock: _Optional[_Union[_inventory_pb2.Stock, _Mapping]] = ..., persistence: _Optional[_Union[_consistency_pb2.Persistence, str]] = ...) -> None: ...

class CountStockRequest(_message.Message):
    __slots__ = ("sku", "counted", "reason_code", "reason", "allow_shortage", "request_id", "etag")
    SKU_FIELD_NUMBER: _ClassVar[int]
    COUNTED_FIELD_NUMBER: _ClassVar[int]
    REASON_CODE_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    ALLOW_SHORTAGE_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    ETAG_FIELD_NUMBER: _ClassVar[int]
    sku: str
    counted: int
    reason_code: _inventory_pb2.StockReason
    reason: str
    allow_shortage: bool
    request_id: str
    etag: str
    def __init__(self, sku: _Optional[str] = ..., counted: _Optional[int] = ..., reason_code: _Optional[_Union[_inventory_pb2.StockReason, str]] = ..., reason: _Optional[str] = ..., allow_shortage: _Optional[bool] = ..., request_id: _Optional[str] = ..., etag: _Optional[str] = ...) -> None: ...

class CountStockResponse(_message.Message):
    __slots__ = ("stock", "persistence")
    STOCK_FIELD_NUMBER: _ClassVar[int]
    PERSISTENCE_FIELD_NUMBER: _ClassVar[int]
    stock: _inventory_pb2.Stock
    persistence: _consistency_pb2.Persistence
    def __init__(self, stock: _Optional[_Union[_inventory_pb2.Stock, _Mapping]] = ..., persistence: _Optional[_Union[_consistency_pb2.Persistence, str]] = ...) -> None: ...

class SetLowStockThresholdRequest(_message.Message):
    __slots__ = ("sku", "threshold", "request_id", "etag")
    SKU_FIELD_NUMBER: _ClassVar[int]
    THRESHOLD_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    ETAG_FIELD_NUMBER: _ClassVar[int]
    sku: str
    threshold: int
    request_id: str
    etag: str
    def __init__(self, sku: _Optional[str] = ..., threshold: _Optional[int] = ..., request_id: _Optional[str] = ..., etag: _Optional[str] = ...) -> None: ...

class SetLowStockThresholdResponse(_message.Message):
    __slots__ = ("stock", "persistence")
    STOCK_FIELD_NUMBER: _ClassVar[int]
    PERSISTENCE_FIELD_NUMBER: _ClassVar[int]
    stock: _inventory_pb2.Stock
    persistence: _consistency_pb2.Persistence
    def __init__(self, stock: _Optional[_Union[_inventory_pb2.Stock, _Mapping]] = ..., persistence: _Optional[_Union[_consistency_pb2.Persistence, str]] = ...) -> None: ...

class ListStockMovementsRequest(_message.Message):
    __slots__ = ("sku", "page_size", "page_token", "kind")
    SKU_FIELD_NUMBER: _ClassVar[int]
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    KIND_FIELD_NUMBER: _ClassVar[int]
    sku: str
    page_size: int
    page_token: str
    kind: _inventory_pb2.StockMovementKind
    def __init__(self, sku: _Optional[str] = ..., page_size: _Optional[int] = ..., page_token: _Optional[str] = ..., kind: _Optional[_Union[_inventory_pb2.StockMovementKind, str]] = ...) -> None: ...

class ListStockMovementsResponse(_message.Message):
    __slots__ = ("movements", "next_page_token")
    MOVEMENTS_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    movements: _containers.RepeatedCompositeFieldContainer[_inventory_pb2.StockMovement]
    next_page_token: str
    def __init__(self, movements: _Optional[_Iterable[_Union[_inventory_pb2.StockMovement, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class ListStockReservationsRequest(_message.Message):
    __slots__ = ("sku", "page_size", "page_token", "include_closed", "min_age")
    SKU_FIELD_NUMBER: _ClassVar[int]
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    INCLUDE_CLOSED_FIELD_NUMBER: _ClassVar[int]
    MIN_AGE_FIELD_NUMBER: _ClassVar[int]
    sku: str
    page_size: int
    page_token: str
    include_closed: bool
    min_age: _duration_pb2.Duration
    def __init__(self, sku: _Optional[str] = ..., page_size: _Optional[int] = ..., page_token: _Optional[str] = ..., include_closed: _Optional[bool] = ..., min_age: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ...) -> None: ...

class ListStockReservationsResponse(_message.Message):
    __slots__ = ("reservations", "next_page_token")
    RESERVATIONS_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    reservations: _containers.RepeatedCompositeFieldContainer[_inventory_pb2.Reservation]
    next_page_token: str
    def __init__(self, reservations: _Optional[_Iterable[_Union[_inventory_pb2.Reservation, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class GetStockRequest(_message.Message):
    __slots__ = ("sku", "read_consistency", "min_version")
    SKU_FIELD_NUMBER: _ClassVar[int]
    READ_CONSISTENCY_FIELD_NUMBER: _ClassVar[int]
    MIN_VERSION_FIELD_NUMBER: _ClassVar[int]
    sku: str
    read_consistency: _consistency_pb2.ReadConsistency
    min_version: int
    def __init__(self, sku: _Optional[str] = ..., read_consistency: _Optional[_Union[_consistency_pb2.ReadConsistency, str]] = ..., min_version: _Optional[int] = ...) -> None: ...

class GetStockResponse(_message.Message):
    __slots__ = ("stock", "freshness")
    STOCK_FIELD_NUMBER: _ClassVar[int]
    FRESHNESS_FIELD_NUMBER: _ClassVar[int]
    stock: _inventory_pb2.Stock
    freshness: _consistency_pb2.Freshness
    def __init__(self, stock: _Optional[_Union[_inventory_pb2.Stock, _Mapping]] = ..., freshness: _Optional[_Union[_consistency_pb2.Freshness, _Mapping]] = ...) -> None: ...

class BatchGetStockRequest(_message.Message):
    __slots__ = ("skus", "read_consistency")
    SKUS_FIELD_NUMBER: _ClassVar[int]
    READ_CONSISTENCY_FIELD_NUMBER: _ClassVar[int]
    skus: _containers.RepeatedScalarFieldContainer[str]
    read_consistency: _consistency_pb2.ReadConsistency
    def __init__(self, skus: _Optional[_Iterable[str]] = ..., read_consistency: _Optional[_Union[_consistency_pb2.ReadConsistency, str]] = ...) -> None: ...

class BatchGetStockResponse(_message.Message):
    __slots__ = ("results",)
    RESULTS_FIELD_NUMBER: _ClassVar[int]
    results: _containers.RepeatedCompositeFieldContainer[BatchGetStockResult]
    def __init__(self, results: _Optional[_Iterable[_Union[BatchGetStockResult, _Mapping]]] = ...) -> None: ...

class BatchGetStockResult(_message.Message):
    __slots__ = ("stock", "status", "freshness")
    STOCK_FIELD_NUMBER: _ClassVar[int]
    STATUS_FIELD_NUMBER: _ClassVar[int]
    FRESHNESS_FIELD_NUMBER: _ClassVar[int]
    stock: _inventory_pb2.Stock
    status: _status_pb2.Status
    freshness: _consistency_pb2.Freshness
    def __init__(self, stock: _Optional[_Union[_inventory_pb2.Stock, _Mapping]] = ..., status: _Optional[_Union[_status_pb2.Status, _Mapping]] = ..., freshness: _Optional[_Union[_consistency_pb2.Freshness, _Mapping]] = ...) -> None: ...

class ListReservationsRequest(_message.Message):
    __slots__ = ("order_id", "page_size", "page_token")
    ORDER_ID_FIELD_NUMBER: _ClassVar[int]
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    order_id: str
    page_size: int
    page_token: str
    def __init__(self, order_id: _Optional[str] = ..., page_size: _Optional[int] = ..., page_token: _Optional[str] = ...) -> None: ...

class ListReservationsResponse(_message.Message):
    __slots__ = ("reservations", "next_page_token")
    RESERVATIONS_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    reservations: _containers.RepeatedCompositeFieldContainer[_inventory_pb2.Reservation]
    next_page_token: str
    def __init__(self, reservations: _Optional[_Iterable[_Union[_inventory_pb2.Reservation, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...
