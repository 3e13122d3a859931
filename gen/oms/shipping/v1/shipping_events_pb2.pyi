from oms.common.v1 import address_pb2 as _address_pb2
from oms.common.v1 import request_record_pb2 as _request_record_pb2
from oms.shipping.v1 import shipping_pb2 as _shipping_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class ShipmentCreated(_message.Message):
    __slots__ = ("order_id", "number", "lines", "ship_to")
    ORDER_ID_FIELD_NUMBER: _ClassVar[int]
    NUMBER_FIELD_NUMBER: _ClassVar[int]
    LINES_FIELD_NUMBER: _ClassVar[int]
    SHIP_TO_FIELD_NUMBER: _ClassVar[int]
    order_id: str
    number: int
    lines: _containers.RepeatedCompositeFieldContainer[_shipping_pb2.ShipmentLine]
    ship_to: _address_pb2.Address
    def __init__(self, order_id: _Optional[str] = ..., number: _Optional[int] = ..., lines: _Optional[_Iterable[_Union[_shipping_pb2.ShipmentLine, _Mapping]]] = ..., ship_to: _Optional[_Union[_address_pb2.Address, _Mapping]] = ...) -> None: ...

class ShipmentDispatched(_message.Message):
    __slots__ = ("tracking", "request")
    TRACKING_FIELD_NUMBER: _ClassVar[int]
    REQUEST_FIELD_NUMBER: _ClassVar[int]
    tracking: str
    request: _request_record_pb2.RequestRecord
    def __init__(self, tracking: _Optional[str] = ..., request: _Optional[_Union[_request_record_pb2.RequestRecord, _Mapping]] = ...) -> None: ...

class ShipmentDelivered(_message.Message):
    __slots__ = ("request",)
    REQUEST_FIELD_NUMBER: _ClassVar[int]
    request: _request_record_pb2.RequestRecord
    def __init__(self, request: _Optional[_Union[_request_record_pb2.RequestRecord, _Mapping]] = ...) -> None: ...

class ShipmentCancelled(_message.Message):
    __slots__ = ("order_id", "number")
    ORDER_ID_FIELD_NUMBER: _ClassVar[int]
    NUMBER_FIELD_NUMBER: _ClassVar[int]
    order_id: str
    number: int
    def __init__(self, order_id: _Optional[str] = ..., number: _Optional[int] = ...) -> None: ...
