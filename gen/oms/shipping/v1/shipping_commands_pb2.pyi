from oms.common.v1 import address_pb2 as _address_pb2
from oms.shipping.v1 import shipping_pb2 as _shipping_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class CreateShipment(_message.Message):
    __slots__ = ("number", "lines", "ship_to")
    NUMBER_FIELD_NUMBER: _ClassVar[int]
    LINES_FIELD_NUMBER: _ClassVar[int]
    SHIP_TO_FIELD_NUMBER: _ClassVar[int]
    number: int
    lines: _containers.RepeatedCompositeFieldContainer[_shipping_pb2.ShipmentLine]
    ship_to: _address_pb2.Address
    def __init__(self, number: _Optional[int] = ..., lines: _Optional[_Iterable[_Union[_shipping_pb2.ShipmentLine, _Mapping]]] = ..., ship_to: _Optional[_Union[_address_pb2.Address, _Mapping]] = ...) -> None: ...

class CancelShipment(_message.Message):
    __slots__ = ("number",)
    NUMBER_FIELD_NUMBER: _ClassVar[int]
    number: int
    def __init__(self, number: _Optional[int] = ...) -> None: ...

class Dispatch(_message.Message):
    __slots__ = ("number", "tracking", "request_id")
    NUMBER_FIELD_NUMBER: _ClassVar[int]
    TRACKING_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    number: int
    tracking: str
    request_id: str
    def __init__(self, number: _Optional[int] = ..., tracking: _Optional[str] = ..., request_id: _Optional[str] = ...) -> None: ...

class Deliver(_message.Message):
    __slots__ = ("number", "request_id")
    NUMBER_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    number: int
    request_id: str
    def __init__(self, number: _Optional[int] = ..., request_id: _Optional[str] = ...) -> None: ...

class DispatchTimer(_message.Message):
    __slots__ = ("number",)
    NUMBER_FIELD_NUMBER: _ClassVar[int]
    number: int
    def __init__(self, number: _Optional[int] = ...) -> None: ...
