from oms.inventory.v1 import inventory_pb2 as _inventory_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class ShortagePolicy(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    SHORTAGE_POLICY_UNSPECIFIED: _ClassVar[ShortagePolicy]
    SHORTAGE_POLICY_TAKE_PART: _ClassVar[ShortagePolicy]
    SHORTAGE_POLICY_WAIT: _ClassVar[ShortagePolicy]
SHORTAGE_POLICY_UNSPECIFIED: ShortagePolicy
SHORTAGE_POLICY_TAKE_PART: ShortagePolicy
SHORTAGE_POLICY_WAIT: ShortagePolicy

class ReceiveStock(_message.Message):
    __slots__ = ("quantity", "request_id")
    QUANTITY_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    quantity: int
    request_id: str
    def __init__(self, quantity: _Optional[int] = ..., request_id: _Optional[str] = ...) -> None: ...

class AdjustStock(_message.Message):
    __slots__ = ("change", "reason", "request_id", "etag", "reason_code")
    CHANGE_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    ETAG_FIELD_NUMBER: _ClassVar[int]
    REASON_CODE_FIELD_NUMBER: _ClassVar[int]
    change: int
    reason: str
    request_id: str
    etag: str
    reason_code: _inventory_pb2.StockReason
    def __init__(self, change: _Optional[int] = ..., reason: _Optional[str] = ..., request_id: _Optional[str] = ..., etag: _Optional[str] = ..., reason_code: _Optional[_Union[_inventory_pb2.StockReason, str]] = ...) -> None: ...

class CountStock(_message.Message):
    __slots__ = ("counted", "reason_code", "reason", "allow_shortage", "request_id", "etag")
    COUNTED_FIELD_NUMBER: _ClassVar[int]
    REASON_CODE_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    ALLOW_SHORTAGE_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    ETAG_FIELD_NUMBER: _ClassVar[int]
    counted: int
    reason_code: _inventory_pb2.StockReason
    reason: str
    allow_shortage: bool
    request_id: str
    etag: str
    def __init__(self, counted: _Optional[int] = ..., reason_code: _Optional[_Union[_inventory_pb2.StockReason, str]] = ..., reason: _Optional[str] = ..., allow_shortage: _Optional[bool] = ..., request_id: _Optional[str] = ..., etag: _Optional[str] = ...) -> None: ...

class SetLowStockThreshold(_message.Message):
    __slots__ = ("threshold", "request_id", "etag")
    THRESHOLD_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    ETAG_FIELD_NUMBER: _ClassVar[int]
    threshold: int
    request_id: str
    etag: str
    def __init__(self, threshold: _Optional[int] = ..., request_id: _Optional[str] = ..., etag: _Optional[str] = ...) -> None: ...

class SkuQuantity(_message.Message):
    __slots__ = ("sku", "quantity")
    SKU_FIELD_NUMBER: _ClassVar[int]
    QUANTITY_FIELD_NUMBER: _ClassVar[int]
    sku: str
    quantity: int
    def __init__(self, sku: _Optional[str] = ..., quantity: _Optional[int] = ...) -> None: ...

class Reserve(_message.Message):
    __slots__ = ("order_id", "items", "shortage")
    ORDER_ID_FIELD_NUMBER: _ClassVar[int]
    ITEMS_FIELD_NUMBER: _ClassVar[int]
    SHORTAGE_FIELD_NUMBER: _ClassVar[int]
    order_id: str
    items: _containers.RepeatedCompositeFieldContainer[SkuQuantity]
    shortage: ShortagePolicy
    def __init__(self, order_id: _Optional[str] = ..., items: _Optional[_Iterable[_Union[SkuQuantity, _Mapping]]] = ..., shortage: _Optional[_Union[ShortagePolicy, str]] = ...) -> None: ...

class Revise(_message.Message):
    __slots__ = ("order_id", "revision", "items", "more")
    ORDER_ID_FIELD_NUMBER: _ClassVar[int]
    REVISION_FIELD_NUMBER: _ClassVar[int]
    ITEMS_FIELD_NUMBER: _ClassVar[int]
    MORE_FIELD_NUMBER: _ClassVar[int]
    order_id: str
    revision: int
    items: _containers.RepeatedCompositeFieldContainer[SkuQuantity]
    more: bool
    def __init__(self, order_id: _Optional[str] = ..., revision: _Optional[int] = ..., items: _Optional[_Iterable[_Union[SkuQuantity, _Mapping]]] = ..., more: _Optional[bool] = ...) -> None: ...

class Release(_message.Message):
    __slots__ = ("order_id", "skus")
    ORDER_ID_FIELD_NUMBER: _ClassVar[int]
    SKUS_FIELD_NUMBER: _ClassVar[int]
    order_id: str
    skus: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, order_id: _Optional[str] = ..., skus: _Optional[_Iterable[str]] = ...) -> None: ...

class ShippedItem(_message.Message):
    __slots__ = ("sku", "shipped", "last")
    SKU_FIELD_NUMBER: _ClassVar[int]
    SHIPPED_FIELD_NUMBER: _ClassVar[int]
    LAST_FIELD_NUMBER: _ClassVar[int]
    sku: str
    shipped: int
    last: bool
    def __init__(self, sku: _Optional[str] = ..., shipped: _Optional[int] = ..., last: _Optional[bool] = ...) -> None: ...

class Commit(_message.Message):
    __slots__ = ("order_id", "skus", "items")
    ORDER_ID_FIELD_NUMBER: _ClassVar[int]
    SKUS_FIELD_NUMBER: _ClassVar[int]
    ITEMS_FIELD_NUMBER: _ClassVar[int]
    order_id: str
    skus: _containers.RepeatedScalarFieldContainer[str]
    items: _containers.RepeatedCompositeFieldContainer[ShippedItem]
    def __init__(self, order_id: _Optional[str] = ..., skus: _Optional[_Iterable[str]] = ..., items: _Optional[_Iterable[_Union[ShippedItem, _Mapping]]] = ...) -> None: ...

class ServeBackorders(_message.Message):
    __slots__ = ("order_ids",)
    ORDER_IDS_FIELD_NUMBER: _ClassVar[int]
    order_ids: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, order_ids: _Optional[_Iterable[str]] = ...) -> None: ...

class Restock(_message.Message):
    __slots__ = ("order_id", "items")
    ORDER_ID_FIELD_NUMBER: _ClassVar[int]
    ITEMS_FIELD_NUMBER: _ClassVar[int]
    order_id: str
    items: _containers.RepeatedCompositeFieldContainer[SkuQuantity]
    def __init__(self, order_id: _Optional[str] = ..., items: _Optional[_Iterable[_Union[SkuQuantity, _Mapping]]] = ...) -> None: ...

class Recount(_message.Message):
    __slots__ = ("reserved", "committed")
    RESERVED_FIELD_NUMBER: _ClassVar[int]
    COMMITTED_FIELD_NUMBER: _ClassVar[int]
    reserved: int
    committed: int
    def __init__(self, reserved: _Optional[int] = ..., committed: _Optional[int] = ...) -> None: ...

class ReservationTimer(_message.Message):
    __slots__ = ("order_id", "skus")
    ORDER_ID_FIELD_NUMBER: _ClassVar[int]
    SKUS_FIELD_NUMBER: _ClassVar[int]
    order_id: str
    skus: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, order_id: _Optional[str] = ..., skus: _Optional[_Iterable[str]] = ...) -> None: ...
