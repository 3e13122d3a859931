import datetime

from google.api import field_behavior_pb2 as _field_behavior_pb2
from google.protobuf import duration_pb2 as _duration_pb2
from google.protobuf import timestamp_pb2 as _timestamp_pb2
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class StockReason(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    STOCK_REASON_UNSPECIFIED: _ClassVar[StockReason]
    STOCK_REASON_DAMAGED: _ClassVar[StockReason]
    STOCK_REASON_LOST: _ClassVar[StockReason]
    STOCK_REASON_FOUND: _ClassVar[StockReason]
    STOCK_REASON_EXPIRED: _ClassVar[StockReason]
    STOCK_REASON_STOLEN: _ClassVar[StockReason]
    STOCK_REASON_RETURNED_TO_SUPPLIER: _ClassVar[StockReason]
    STOCK_REASON_TRANSFERRED: _ClassVar[StockReason]
    STOCK_REASON_USED: _ClassVar[StockReason]
    STOCK_REASON_CORRECTION: _ClassVar[StockReason]
    STOCK_REASON_CYCLE_COUNT: _ClassVar[StockReason]
    STOCK_REASON_OTHER: _ClassVar[StockReason]

class StockMovementKind(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    STOCK_MOVEMENT_KIND_UNSPECIFIED: _ClassVar[StockMovementKind]
    STOCK_MOVEMENT_KIND_RECEIVED: _ClassVar[StockMovementKind]
    STOCK_MOVEMENT_KIND_ADJUSTED: _ClassVar[StockMovementKind]
    STOCK_MOVEMENT_KIND_COUNTED: _ClassVar[StockMovementKind]
    STOCK_MOVEMENT_KIND_RESERVED: _ClassVar[StockMovementKind]
    STOCK_MOVEMENT_KIND_RELEASED: _ClassVar[StockMovementKind]
    STOCK_MOVEMENT_KIND_COMMITTED: _ClassVar[StockMovementKind]
    STOCK_MOVEMENT_KIND_RESTOCKED: _ClassVar[StockMovementKind]
    STOCK_MOVEMENT_KIND_RECOUNTED: _ClassVar[StockMovementKind]

class ReservationState(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    RESERVATION_STATE_UNSPECIFIED: _ClassVar[ReservationState]
    RESERVATION_STATE_OPEN: _ClassVar[ReservationState]
    RESERVATION_STATE_COMMITTED: _ClassVar[ReservationState]
    RESERVATION_STATE_RELEASED: _ClassVar[ReservationState]
    RESERVATION_STATE_REFUSED: _ClassVar[ReservationState]
    RESERVATION_STATE_WAITING: _ClassVar[ReservationState]
    RESERVATION_STATE_WITHDRAWN: _ClassVar[ReservationState]
STOCK_REASON_UNSPECIFIED: StockReason
STOCK_REASON_DAMAGED: StockReason
STOCK_REASON_LOST: StockReason
STOCK_REASON_FOUND: StockReason
STOCK_REASON_EXPIRED: StockReason
STOCK_REASON_STOLEN: StockReason
STOCK_REASON_RETURNED_TO_SUPPLIER: StockReason
STOCK_REASON_TRANSFERRED: StockReason
STOCK_REASON_USED: StockReason
STOCK_REASON_CORRECTION: StockReason
STOCK_REASON_CYCLE_COUNT: StockReason
STOCK_REASON_OTHER: StockReason
STOCK_MOVEMENT_KIND_UNSPECIFIED: StockMovementKind
STOCK_MOVEMENT_KIND_RECEIVED: StockMovementKind
STOCK_MOVEMENT_KIND_ADJUSTED: StockMovementKind
STOCK_MOVEMENT_KIND_COUNTED: StockMovementKind
STOCK_MOVEMENT_KIND_RESERVED: StockMovementKind
STOCK_MOVEMENT_KIND_RELEASED: StockMovementKind
STOCK_MOVEMENT_KIND_COMMITTED: StockMovementKind
STOCK_MOVEMENT_KIND_RESTOCKED: StockMovementKind
STOCK_MOVEMENT_KIND_RECOUNTED: StockMovementKind
RESERVATION_STATE_UNSPECIFIED: ReservationState
RESERVATION_STATE_OPEN: ReservationState
RESERVATION_STATE_COMMITTED: ReservationState
RESERVATION_STATE_RELEASED: ReservationState
RESERVATION_STATE_REFUSED: ReservationState
RESERVATION_STATE_WAITING: ReservationState
RESERVATION_STATE_WITHDRAWN: ReservationState

class Stock(_message.Message):
    __slots__ = ("sku", "on_hand", "reserved", "available", "version", "etag", "update_time", "received", "committed", "backordered", "shortage", "low_stock_threshold", "is_low")
    SKU_FIELD_NUMBER: _ClassVar[int]
    ON_HAND_FIELD_NUMBER: _ClassVar[int]
    RESERVED_FIELD_NUMBER: _ClassVar[int]
    AVAILABLE_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    ETAG_FIELD_NUMBER: _ClassVar[int]
    UPDATE_TIME_FIELD_NUMBER: _ClassVar[int]
    RECEIVED_FIELD_NUMBER: _ClassVar[int]
    COMMITTED_FIELD_NUMBER: _ClassVar[int]
    BACKORDERED_FIELD_NUMBER: _ClassVar[int]
    SHORTAGE_FIELD_NUMBER: _ClassVar[int]
    LOW_STOCK_THRESHOLD_FIELD_NUMBER: _ClassVar[int]
    IS_LOW_FIELD_NUMBER: _ClassVar[int]
    sku: str
    on_hand: int
    reserved: int
    available: int
    version: int
    etag: str
    update_time: _timestamp_pb2.Timestamp
    received: int
    committed: int
    backordered: int
    shortage: int
    low_stock_threshold: int
    is_low: bool
    def __init__(self, sku: _Optional[str] = ..., on_hand: _Optional[int] = ..., reserved: _Optional[int] = ..., available: _Optional[int] = ..., version: _Optional[int] = ..., etag: _Optional[str] = ..., update_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., received: _Optional[int] = ..., committed: _Optional[int] = ..., backordered: _Optional[int] = ..., shortage: _Optional[int] = ..., low_stock_threshold: _Optional[int] = ..., is_low: _Optional[bool] = ...) -> None: ...

class StockMovement(_message.Message):
    __slots__ = ("sku", "version", "kind", "quantity", "on_hand", "reserved", "order_id", "reason_code", "reason", "time")
    SKU_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    KIND_FIELD_NUMBER: _ClassVar[int]
    QUANTITY_FIELD_NUMBER: _ClassVar[int]
    ON_HAND_FIELD_NUMBER: _ClassVar[int]
    RESERVED_FIELD_NUMBER: _ClassVar[int]
    ORDER_ID_FIELD_NUMBER: _ClassVar[int]
    REASON_CODE_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    TIME_FIELD_NUMBER: _ClassVar[int]
    sku: str
    version: int
    kind: StockMovementKind
    quantity: int
    on_hand: int
    reserved: int
    order_id: str
    reason_code: StockReason
    reason: str
    time: _timestamp_pb2.Timestamp
    def __init__(self, sku: _Optional[str] = ..., version: _Optional[int] = ..., kind: _Optional[_Union[StockMovementKind, str]] = ..., quantity: _Optional[int] = ..., on_hand: _Optional[int] = ..., reserved: _Optional[int] = ..., order_id: _Optional[str] = ..., reason_code: _Optional[_Union[StockReason, str]] = ..., reason: _Optional[str] = ..., time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class Reservation(_message.Message):
    __slots__ = ("order_id", "sku", "quantity", "state", "restocked", "version", "update_time", "waiting", "shipped", "revision", "promised_by", "reserve_time", "age")
    ORDER_ID_FIELD_NUMBER: _ClassVar[int]
    SKU_FIELD_NUMBER: _ClassVar[int]
    QUANTITY_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    RESTOCKED_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    UPDATE_TIME_FIELD_NUMBER: _ClassVar[int]
    WAITING_FIELD_NUMBER: _ClassVar[int]
    SHIPPED_FIELD_NUMBER: _ClassVar[int]
    REVISION_FIELD_NUMBER: _ClassVar[int]
    PROMISED_BY_FIELD_NUMBER: _ClassVar[int]
    RESERVE_TIME_FIELD_NUMBER: _ClassVar[int]
    AGE_FIELD_NUMBER: _ClassVar[int]
    order_id: str
    sku: str
    quantity: int
    state: ReservationState
    restocked: int
    version: int
    update_time: _timestamp_pb2.Timestamp
    waiting: int
    shipped: int
    revision: int
    promised_by: _timestamp_pb2.Timestamp
    reserve_time: _timestamp_pb2.Timestamp
    age: _duration_pb2.Duration
    def __init__(self, order_id: _Optional[str] = ..., sku: _Optional[str] = ..., quantity: _Optional[int] = ..., state: _Optional[_Union[ReservationState, str]] = ..., restocked: _Optional[int] = ..., version: _Optional[int] = ..., update_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., waiting: _Optional[int] = ..., shipped: _Optional[int] = ..., revision: _Optional[int] = ..., promised_by: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., reserve_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., age: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ...) -> None: ...
