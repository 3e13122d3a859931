from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class ReceiveStock(_message.Message):
    __slots__ = ("quantity", "request_id")
    QUANTITY_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    quantity: int
    request_id: str
    def __init__(self, quantity: _Optional[int] = ..., request_id: _Optional[str] = ...) -> None: ...

class AdjustStock(_message.Message):
    __slots__ = ("change", "reason", "request_id", "etag")
    CHANGE_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    ETAG_FIELD_NUMBER: _ClassVar[int]
    change: int
    reason: str
    request_id: str
    etag: str
    def __init__(self, change: _Optional[int] = ..., reason: _Optional[str] = ..., request_id: _Optional[str] = ..., etag: _Optional[str] = ...) -> None: ...

class SkuQuantity(_message.Message):
    __slots__ = ("sku", "quantity")
    SKU_FIELD_NUMBER: _ClassVar[int]
    QUANTITY_FIELD_NUMBER: _ClassVar[int]
    sku: str
    quantity: int
    def __init__(self, sku: _Optional[str] = ..., quantity: _Optional[int] = ...) -> None: ...

class Reserve(_message.Message):
    __slots__ = ("order_id", "items")
    ORDER_ID_FIELD_NUMBER: _ClassVar[int]
    ITEMS_FIELD_NUMBER: _ClassVar[int]
    order_id: str
    items: _containers.RepeatedCompositeFieldContainer[SkuQuantity]
    def __init__(self, order_id: _Optional[str] = ..., items: _Optional[_Iterable[_Union[SkuQuantity, _Mapping]]] = ...) -> None: ...

class Release(_message.Message):
    __slots__ = ("order_id", "skus")
    ORDER_ID_FIELD_NUMBER: _ClassVar[int]
    SKUS_FIELD_NUMBER: _ClassVar[int]
    order_id: str
    skus: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, order_id: _Optional[str] = ..., skus: _Optional[_Iterable[str]] = ...) -> None: ...

class Commit(_message.Message):
    __slots__ = ("order_id", "skus")
    ORDER_ID_FIELD_NUMBER: _ClassVar[int]
    SKUS_FIELD_NUMBER: _ClassVar[int]
    order_id: str
    skus: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, order_id: _Optional[str] = ..., skus: _Optional[_Iterable[str]] = ...) -> None: ...

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
