from google.type import money_pb2 as _money_pb2
from oms.order.v1 import order_pb2 as _order_pb2
from oms.order.v1 import order_service_pb2 as _order_service_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class StockGrant(_message.Message):
    __slots__ = ("sku", "quantity", "promised_by_us")
    SKU_FIELD_NUMBER: _ClassVar[int]
    QUANTITY_FIELD_NUMBER: _ClassVar[int]
    PROMISED_BY_US_FIELD_NUMBER: _ClassVar[int]
    sku: str
    quantity: int
    promised_by_us: int
    def __init__(self, sku: _Optional[str] = ..., quantity: _Optional[int] = ..., promised_by_us: _Optional[int] = ...) -> None: ...

class PendingChange(_message.Message):
    __slots__ = ("cancelled", "amended", "detail", "request_hash", "revision", "raised_skus", "adjustment_id", "authorize", "hold")
    CANCELLED_FIELD_NUMBER: _ClassVar[int]
    AMENDED_FIELD_NUMBER: _ClassVar[int]
    DETAIL_FIELD_NUMBER: _ClassVar[int]
    REQUEST_HASH_FIELD_NUMBER: _ClassVar[int]
    REVISION_FIELD_NUMBER: _ClassVar[int]
    RAISED_SKUS_FIELD_NUMBER: _ClassVar[int]
    ADJUSTMENT_ID_FIELD_NUMBER: _ClassVar[int]
    AUTHORIZE_FIELD_NUMBER: _ClassVar[int]
    HOLD_FIELD_NUMBER: _ClassVar[int]
    cancelled: _containers.RepeatedCompositeFieldContainer[_order_service_pb2.LineQuantity]
    amended: _order_pb2.Order
    detail: str
    request_hash: int
    revision: int
    raised_skus: _containers.RepeatedScalarFieldContainer[str]
    adjustment_id: str
    authorize: _money_pb2.Money
    hold: _order_pb2.Hold
    def __init__(self, cancelled: _Optional[_Iterable[_Union[_order_service_pb2.LineQuantity, _Mapping]]] = ..., amended: _Optional[_Union[_order_pb2.Order, _Mapping]] = ..., detail: _Optional[str] = ..., request_hash: _Optional[int] = ..., revision: _Optional[int] = ..., raised_skus: _Optional[_Iterable[str]] = ..., adjustment_id: _Optional[str] = ..., authorize: _Optional[_Union[_money_pb2.Money, _Mapping]] = ..., hold: _Optional[_Union[_order_pb2.Hold, _Mapping]] = ...) -> None: ...

class Fulfillment(_message.Message):
    __slots__ = ("revision", "shipment", "shipping", "grants", "shipped", "delivered", "authorized", "captured", "may_hold_more")
    REVISION_FIELD_NUMBER: _ClassVar[int]
    SHIPMENT_FIELD_NUMBER: _ClassVar[int]
    SHIPPING_FIELD_NUMBER: _ClassVar[int]
    GRANTS_FIELD_NUMBER: _ClassVar[int]
    SHIPPED_FIELD_NUMBER: _ClassVar[int]
    DELIVERED_FIELD_NUMBER: _ClassVar[int]
    AUTHORIZED_FIELD_NUMBER: _ClassVar[int]
    CAPTURED_FIELD_NUMBER: _ClassVar[int]
    MAY_HOLD_MORE_FIELD_NUMBER: _ClassVar[int]
    revision: int
    shipment: int
    shipping: _containers.RepeatedCompositeFieldContainer[_order_service_pb2.LineQuantity]
    grants: _containers.RepeatedCompositeFieldContainer[StockGrant]
    shipped: _containers.RepeatedScalarFieldContainer[int]
    delivered: _containers.RepeatedScalarFieldContainer[int]
    authorized: _money_pb2.Money
    captured: _money_pb2.Money
    may_hold_more: bool
    def __init__(self, revision: _Optional[int] = ..., shipment: _Optional[int] = ..., shipping: _Optional[_Iterable[_Union[_order_service_pb2.LineQuantity, _Mapping]]] = ..., grants: _Optional[_Iterable[_Union[StockGrant, _Mapping]]] = ..., shipped: _Optional[_Iterable[int]] = ..., delivered: _Optional[_Iterable[int]] = ..., authorized: _Optional[_Union[_money_pb2.Money, _Mapping]] = ..., captured: _Optional[_Union[_money_pb2.Money, _Mapping]] = ..., may_hold_more: _Optional[bool] = ...) -> None: ...
