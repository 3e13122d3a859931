from google.api import annotations_pb2 as _annotations_pb2
from google.api import field_behavior_pb2 as _field_behavior_pb2
from oms.common.v1 import consistency_pb2 as _consistency_pb2
from oms.shipping.v1 import shipping_pb2 as _shipping_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class GetShipmentRequest(_message.Message):
    __slots__ = ("shipment_id", "read_consistency", "min_version")
    SHIPMENT_ID_FIELD_NUMBER: _ClassVar[int]
    READ_CONSISTENCY_FIELD_NUMBER: _ClassVar[int]
    MIN_VERSION_FIELD_NUMBER: _ClassVar[int]
    shipment_id: str
    read_consistency: _consistency_pb2.ReadConsistency
    min_version: int
    def __init__(self, shipment_id: _Optional[str] = ..., read_consistency: _Optional[_Union[_consistency_pb2.ReadConsistency, str]] = ..., min_version: _Optional[int] = ...) -> None: ...

class GetShipmentResponse(_message.Message):
    __slots__ = ("shipment", "freshness")
    SHIPMENT_FIELD_NUMBER: _ClassVar[int]
    FRESHNESS_FIELD_NUMBER: _ClassVar[int]
    shipment: _shipping_pb2.Shipment
    freshness: _consistency_pb2.Freshness
    def __init__(self, shipment: _Optional[_Union[_shipping_pb2.Shipment, _Mapping]] = ..., freshness: _Optional[_Union[_consistency_pb2.Freshness, _Mapping]] = ...) -> None: ...

class ListShipmentsRequest(_message.Message):
    __slots__ = ("order_id", "page_size", "page_token")
    ORDER_ID_FIELD_NUMBER: _ClassVar[int]
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    order_id: str
    page_size: int
    page_token: str
    def __init__(self, order_id: _Optional[str] = ..., page_size: _Optional[int] = ..., page_token: _Optional[str] = ...) -> None: ...

class ListShipmentsResponse(_message.Message):
    __slots__ = ("shipments", "next_page_token")
    SHIPMENTS_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    shipments: _containers.RepeatedCompositeFieldContainer[_shipping_pb2.Shipment]
    next_page_token: str
    def __init__(self, shipments: _Optional[_Iterable[_Union[_shipping_pb2.Shipment, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class DispatchShipmentRequest(_message.Message):
    __slots__ = ("shipment_id", "tracking", "request_id")
    SHIPMENT_ID_FIELD_NUMBER: _ClassVar[int]
    TRACKING_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    shipment_id: str
    tracking: str
    request_id: str
    def __init__(self, shipment_id: _Optional[str] = ..., tracking: _Optional[str] = ..., request_id: _Optional[str] = ...) -> None: ...

class DispatchShipmentResponse(_message.Message):
    __slots__ = ("shipment", "persistence")
    SHIPMENT_FIELD_NUMBER: _ClassVar[int]
    PERSISTENCE_FIELD_NUMBER: _ClassVar[int]
    shipment: _shipping_pb2.Shipment
    persistence: _consistency_pb2.Persistence
    def __init__(self, shipment: _Optional[_Union[_shipping_pb2.Shipment, _Mapping]] = ..., persistence: _Optional[_Union[_consistency_pb2.Persistence, str]] = ...) -> None: ...

class DeliverShipmentRequest(_message.Message):
    __slots__ = ("shipment_id", "request_id")
    SHIPMENT_ID_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    shipment_id: str
    request_id: str
    def __init__(self, shipment_id: _Optional[str] = ..., request_id: _Optional[str] = ...) -> None: ...

class DeliverShipmentResponse(_message.Message):
    __slots__ = ("shipment", "persistence")
    SHIPMENT_FIELD_NUMBER: _ClassVar[int]
    PERSISTENCE_FIELD_NUMBER: _ClassVar[int]
    shipment: _shipping_pb2.Shipment
    persistence: _consistency_pb2.Persistence
    def __init__(self, shipment: _Optional[_Union[_shipping_pb2.Shipment, _Mapping]] = ..., persistence: _Optional[_Union[_consistency_pb2.Persistence, str]] = ...) -> None: ...
