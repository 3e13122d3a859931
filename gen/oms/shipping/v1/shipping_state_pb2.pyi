from oms.common.v1 import request_record_pb2 as _request_record_pb2
from oms.shipping.v1 import shipping_pb2 as _shipping_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class StoredShipment(_message.Message):
    __slots__ = ("shipment", "requests")
    SHIPMENT_FIELD_NUMBER: _ClassVar[int]
    REQUESTS_FIELD_NUMBER: _ClassVar[int]
    shipment: _shipping_pb2.Shipment
    requests: _containers.RepeatedCompositeFieldContainer[_request_record_pb2.RequestRecord]
    def __init__(self, shipment: _Optional[_Union[_shipping_pb2.Shipment, _Mapping]] = ..., requests: _Optional[_Iterable[_Union[_request_record_pb2.RequestRecord, _Mapping]]] = ...) -> None: ...
