from oms.common.v1 import request_record_pb2 as _request_record_pb2
from oms.inventory.v1 import inventory_pb2 as _inventory_pb2
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class StockReceived(_message.Message):
    __slots__ = ("sku", "quantity", "request")
    SKU_FIELD_NUMBER: _ClassVar[int]
    QUANTITY_FIELD_NUMBER: _ClassVar[int]
    REQUEST_FIELD_NUMBER: _ClassVar[int]
    sku: str
    quantity: int
    request: _request_record_pb2.RequestRecord
    def __init__(self, sku: _Optional[str] = ..., quantity: _Optional[int] = ..., request: _Optional[_Union[_request_record_pb2.RequestRecord, _Mapping]] = ...) -> None: ...

class StockAdjusted(_message.Message):
    __slots__ = ("sku", "change", "reason", "request", "reason_code")
    SKU_FIELD_NUMBER: _ClassVar[int]
    CHANGE_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    REQUEST_FIELD_NUMBER: _ClassVar[int]
    REASON_CODE_FIELD_NUMBER: _ClassVar[int]
    sku: str
    change: int
    reason: str
    request: _request_record_pb2.RequestRecord
    reason_code: _inventory_pb2.StockReason
    def __init__(self, sku: _Optional[str] = ..., change: _Optional[int] = ..., reason: _Optional[str] = ..., request: _Optional[_Union[_request_record_pb2.RequestRecord, _Mapping]] = ..., reason_code: _Optional[_Union[_inventory_pb2.StockReason, str]] = ...) -> None: ...

class StockCounted(_message.Message):
    __slots__ = ("sku", "counted", "reason_code", "reason", "request")
    SKU_FIELD_NUMBER: _ClassVar[int]
    COUNTED_FIELD_NUMBER: _ClassVar[int]
    REASON_CODE_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    REQUEST_FIELD_NUMBER: _ClassVar[int]
    sku: str
    counted: int
    reason_code: _inventory_pb2.StockReason
    reason: str
    request: _request_record_pb2.RequestRecord
    def __init__(self, sku: _Optional[str] = ..., counted: _Optional[int] = ..., reason_code: _Optional[_Union[_inventory_pb2.StockReason, str]] = ..., reason: _Optional[str] = ..., request: _Optional[_Union[_request_record_pb2.RequestRecord, _Mapping]] = ...) -> None: ...

class LowStockThresholdSet(_message.Message):
    __slots__ = ("sku", "threshold", "request")
    SKU_FIELD_NUMBER: _ClassVar[int]
    THRESHOLD_FIELD_NUMBER: _ClassVar[int]
    REQUEST_FIELD_NUMBER: _ClassVar[int]
    sku: str
    threshold: int
    request: _request_record_pb2.RequestRecord
    def __init__(self, sku: _Optional[str] = ..., threshold: _Optional[int] = ..., request: _Optional[_Union[_request_record_pb2.RequestRecord, _Mapping]] = ...) -> None: ...

class StockLow(_message.Message):
    __slots__ = ("available", "threshold")
    AVAILABLE_FIELD_NUMBER: _ClassVar[int]
    THRESHOLD_FIELD_NUMBER: _ClassVar[int]
    available: int
    threshold: int
    def __init__(self, available: _Optional[int] = ..., threshold: _Optional[int] = ...) -> None: ...

class StockReplenished(_message.Message):
    __slots__ = ("available", "threshold")
    AVAILABLE_FIELD_NUMBER: _ClassVar[int]
    THRESHOLD_FIELD_NUMBER: _ClassVar[int]
    available: int
    threshold: int
    def __init__(self, available: _Optional[int] = ..., threshold: _Optional[int] = ...) -> None: ...

class StockReserved(_message.Message):
    __slots__ = ("quantity", "order")
    QUANTITY_FIELD_NUMBER: _ClassVar[int]
    ORDER_FIELD_NUMBER: _ClassVar[int]
    quantity: int
    order: bytes
    def __init__(self, quantity: _Optional[int] = ..., order: _Optional[bytes] = ...) -> None: ...

class StockReleased(_message.Message):
    __slots__ = ("quantity", "order")
    QUANTITY_FIELD_NUMBER: _ClassVar[int]
    ORDER_FIELD_NUMBER: _ClassVar[int]
    quantity: int
    order: bytes
    def __init__(self, quantity: _Optional[int] = ..., order: _Optional[bytes] = ...) -> None: ...

class StockCommitted(_message.Message):
    __slots__ = ("quantity", "order")
    QUANTITY_FIELD_NUMBER: _ClassVar[int]
    ORDER_FIELD_NUMBER: _ClassVar[int]
    quantity: int
    order: bytes
    def __init__(self, quantity: _Optional[int] = ..., order: _Optional[bytes] = ...) -> None: ...

class StockRestocked(_message.Message):
    __slots__ = ("quantity", "order")
    QUANTITY_FIELD_NUMBER: _ClassVar[int]
    ORDER_FIELD_NUMBER: _ClassVar[int]
    quantity: int
    order: bytes
    def __init__(self, quantity: _Optional[int] = ..., order: _Optional[bytes] = ...) -> None: ...

class StockRecounted(_message.Message):
    __slots__ = ("reserved", "committed")
    RESERVED_FIELD_NUMBER: _ClassVar[int]
    COMMITTED_FIELD_NUMBER: _ClassVar[int]
    reserved: int
    committed: int
    def __init__(self, reserved: _Optional[int] = ..., committed: _Optional[int] = ...) -> None: ...

class BackorderQueued(_message.Message):
    __slots__ = ("order_id", "quantity")
    ORDER_ID_FIELD_NUMBER: _ClassVar[int]
    QUANTITY_FIELD_NUMBER: _ClassVar[int]
    order_id: str
    quantity: int
    def __init__(self, order_id: _Optional[str] = ..., quantity: _Optional[int] = ...) -> None: ...

class BackorderServed(_message.Message):
    __slots__ = ("order_id", "quantity")
    ORDER_ID_FIELD_NUMBER: _ClassVar[int]
    QUANTITY_FIELD_NUMBER: _ClassVar[int]
    order_id: str
    quantity: int
    def __init__(self, order_id: _Optional[str] = ..., quantity: _Optional[int] = ...) -> None: ...

class BackorderReduced(_message.Message):
    __slots__ = ("order_id", "quantity")
    ORDER_ID_FIELD_NUMBER: _ClassVar[int]
    QUANTITY_FIELD_NUMBER: _ClassVar[int]
    order_id: str
    quantity: int
    def __init__(self, order_id: _Optional[str] = ..., quantity: _Optional[int] = ...) -> None: ...

class ReservationRevised(_message.Message):
    __slots__ = ("quantity", "waiting", "revision", "promised_by_us")
    QUANTITY_FIELD_NUMBER: _ClassVar[int]
    WAITING_FIELD_NUMBER: _ClassVar[int]
    REVISION_FIELD_NUMBER: _ClassVar[int]
    PROMISED_BY_US_FIELD_NUMBER: _ClassVar[int]
    quantity: int
    waiting: int
    revision: int
    promised_by_us: int
    def __init__(self, quantity: _Optional[int] = ..., waiting: _Optional[int] = ..., revision: _Optional[int] = ..., promised_by_us: _Optional[int] = ...) -> None: ...

class ReservationShipped(_message.Message):
    __slots__ = ("shipped",)
    SHIPPED_FIELD_NUMBER: _ClassVar[int]
    shipped: int
    def __init__(self, shipped: _Optional[int] = ...) -> None: ...

class ReservationOpened(_message.Message):
    __slots__ = ("quantity",)
    QUANTITY_FIELD_NUMBER: _ClassVar[int]
    quantity: int
    def __init__(self, quantity: _Optional[int] = ...) -> None: ...

class ReservationRefused(_message.Message):
    __slots__ = ("quantity",)
    QUANTITY_FIELD_NUMBER: _ClassVar[int]
    quantity: int
    def __init__(self, quantity: _Optional[int] = ...) -> None: ...

class ReservationReleased(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class ReservationCommitted(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class ReservationRestocked(_message.Message):
    __slots__ = ("quantity",)
    QUANTITY_FIELD_NUMBER: _ClassVar[int]
    quantity: int
    def __init__(self, quantity: _Optional[int] = ...) -> None: ...
