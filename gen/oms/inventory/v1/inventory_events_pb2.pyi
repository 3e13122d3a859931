from oms.common.v1 import request_record_pb2 as _request_record_pb2
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
    __slots__ = ("sku", "change", "reason", "request")
    SKU_FIELD_NUMBER: _ClassVar[int]
    CHANGE_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    REQUEST_FIELD_NUMBER: _ClassVar[int]
    sku: str
    change: int
    reason: str
    request: _request_record_pb2.RequestRecord
    def __init__(self, sku: _Optional[str] = ..., change: _Optional[int] = ..., reason: _Optional[str] = ..., request: _Optional[_Union[_request_record_pb2.RequestRecord, _Mapping]] = ...) -> None: ...

class StockReserved(_message.Message):
    __slots__ = ("quantity",)
    QUANTITY_FIELD_NUMBER: _ClassVar[int]
    quantity: int
    def __init__(self, quantity: _Optional[int] = ...) -> None: ...

class StockReleased(_message.Message):
    __slots__ = ("quantity",)
    QUANTITY_FIELD_NUMBER: _ClassVar[int]
    quantity: int
    def __init__(self, quantity: _Optional[int] = ...) -> None: ...

class StockCommitted(_message.Message):
    __slots__ = ("quantity",)
    QUANTITY_FIELD_NUMBER: _ClassVar[int]
    quantity: int
    def __init__(self, quantity: _Optional[int] = ...) -> None: ...

class StockRestocked(_message.Message):
    __slots__ = ("quantity",)
    QUANTITY_FIELD_NUMBER: _ClassVar[int]
    quantity: int
    def __init__(self, quantity: _Optional[int] = ...) -> None: ...

class StockRecounted(_message.Message):
    __slots__ = ("reserved", "committed")
    RESERVED_FIELD_NUMBER: _ClassVar[int]
    COMMITTED_FIELD_NUMBER: _ClassVar[int]
    reserved: int
    committed: int
    def __init__(self, reserved: _Optional[int] = ..., committed: _Optional[int] = ...) -> None: ...

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
