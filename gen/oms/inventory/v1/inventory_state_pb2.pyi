from oms.common.v1 import request_record_pb2 as _request_record_pb2
from oms.inventory.v1 import inventory_pb2 as _inventory_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class Backorder(_message.Message):
    __slots__ = ("order_id", "quantity")
    ORDER_ID_FIELD_NUMBER: _ClassVar[int]
    QUANTITY_FIELD_NUMBER: _ClassVar[int]
    order_id: str
    quantity: int
    def __init__(self, order_id: _Optional[str] = ..., quantity: _Optional[int] = ...) -> None: ...

class StoredStock(_message.Message):
    __slots__ = ("stock", "requests", "queue")
    STOCK_FIELD_NUMBER: _ClassVar[int]
    REQUESTS_FIELD_NUMBER: _ClassVar[int]
    QUEUE_FIELD_NUMBER: _ClassVar[int]
    stock: _inventory_pb2.Stock
    requests: _containers.RepeatedCompositeFieldContainer[_request_record_pb2.RequestRecord]
    queue: _containers.RepeatedCompositeFieldContainer[Backorder]
    def __init__(self, stock: _Optional[_Union[_inventory_pb2.Stock, _Mapping]] = ..., requests: _Optional[_Iterable[_Union[_request_record_pb2.RequestRecord, _Mapping]]] = ..., queue: _Optional[_Iterable[_Union[Backorder, _Mapping]]] = ...) -> None: ...

class StoredReservation(_message.Message):
    __slots__ = ("reservation",)
    RESERVATION_FIELD_NUMBER: _ClassVar[int]
    reservation: _inventory_pb2.Reservation
    def __init__(self, reservation: _Optional[_Union[_inventory_pb2.Reservation, _Mapping]] = ...) -> None: ...
