from google.type import money_pb2 as _money_pb2
from oms.common.v1 import request_record_pb2 as _request_record_pb2
from oms.order.v1 import order_pb2 as _order_pb2
from oms.order.v1 import order_fulfillment_pb2 as _order_fulfillment_pb2
from oms.order.v1 import order_service_pb2 as _order_service_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class OrderStep(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    ORDER_STEP_UNSPECIFIED: _ClassVar[OrderStep]
    ORDER_STEP_RESERVE: _ClassVar[OrderStep]
    ORDER_STEP_AUTHORIZE: _ClassVar[OrderStep]
    ORDER_STEP_SHIP: _ClassVar[OrderStep]
    ORDER_STEP_CAPTURE: _ClassVar[OrderStep]
    ORDER_STEP_STOP_SHIPPING: _ClassVar[OrderStep]
    ORDER_STEP_UNDO: _ClassVar[OrderStep]
    ORDER_STEP_NONE: _ClassVar[OrderStep]
    ORDER_STEP_SCHEDULE: _ClassVar[OrderStep]
    ORDER_STEP_BACKORDER: _ClassVar[OrderStep]
    ORDER_STEP_STOP_FOR_CHANGE: _ClassVar[OrderStep]
    ORDER_STEP_CHANGE_STOCK: _ClassVar[OrderStep]
    ORDER_STEP_CHANGE_PAYMENT: _ClassVar[OrderStep]
    ORDER_STEP_SETTLE: _ClassVar[OrderStep]
    ORDER_STEP_HELD_BEFORE_PAYMENT: _ClassVar[OrderStep]
    ORDER_STEP_HELD_BEFORE_SHIPPING: _ClassVar[OrderStep]
    ORDER_STEP_PAYMENT_RETRY: _ClassVar[OrderStep]
ORDER_STEP_UNSPECIFIED: OrderStep
ORDER_STEP_RESERVE: OrderStep
ORDER_STEP_AUTHORIZE: OrderStep
ORDER_STEP_SHIP: OrderStep
ORDER_STEP_CAPTURE: OrderStep
ORDER_STEP_STOP_SHIPPING: OrderStep
ORDER_STEP_UNDO: OrderStep
ORDER_STEP_NONE: OrderStep
ORDER_STEP_SCHEDULE: OrderStep
ORDER_STEP_BACKORDER: OrderStep
ORDER_STEP_STOP_FOR_CHANGE: OrderStep
ORDER_STEP_CHANGE_STOCK: OrderStep
ORDER_STEP_CHANGE_PAYMENT: OrderStep
ORDER_STEP_SETTLE: OrderStep
ORDER_STEP_HELD_BEFORE_PAYMENT: OrderStep
ORDER_STEP_HELD_BEFORE_SHIPPING: OrderStep
ORDER_STEP_PAYMENT_RETRY: OrderStep

class PendingRefund(_message.Message):
    __slots__ = ("refund_id", "amount", "lines", "request_hash", "shipping")
    REFUND_ID_FIELD_NUMBER: _ClassVar[int]
    AMOUNT_FIELD_NUMBER: _ClassVar[int]
    LINES_FIELD_NUMBER: _ClassVar[int]
    REQUEST_HASH_FIELD_NUMBER: _ClassVar[int]
    SHIPPING_FIELD_NUMBER: _ClassVar[int]
    refund_id: str
    amount: _money_pb2.Money
    lines: _containers.RepeatedCompositeFieldContainer[_order_service_pb2.LineQuantity]
    request_hash: int
    shipping: _money_pb2.Money
    def __init__(self, refund_id: _Optional[str] = ..., amount: _Optional[_Union[_money_pb2.Money, _Mapping]] = ..., lines: _Optional[_Iterable[_Union[_order_service_pb2.LineQuantity, _Mapping]]] = ..., request_hash: _Optional[int] = ..., shipping: _Optional[_Union[_money_pb2.Money, _Mapping]] = ...) -> None: ...

class StoredExchange(_message.Message):
    __slots__ = ("order_id", "return_id", "request_hash", "replacement")
    ORDER_ID_FIELD_NUMBER: _ClassVar[int]
    RETURN_ID_FIELD_NUMBER: _ClassVar[int]
    REQUEST_HASH_FIELD_NUMBER: _ClassVar[int]
    REPLACEMENT_FIELD_NUMBER: _ClassVar[int]
    order_id: str
    return_id: str
    request_hash: int
    replacement: _order_pb2.Order
    def __init__(self, order_id: _Optional[str] = ..., return_id: _Optional[str] = ..., request_hash: _Optional[int] = ..., replacement: _Optional[_Union[_order_pb2.Order, _Mapping]] = ...) -> None: ...

class StoredOrder(_message.Message):
    __slots__ = ("order", "step", "step_since_us", "waiting_skus", "waiting_void", "ending", "pending_refunds", "refund_count", "requests", "refund_committed", "fulfillment", "change", "placed_hash", "hold_count", "payment_attempt", "payment_token", "payment_retry_until_us", "exchanges", "return_request_hashes", "shipping_refunded", "shipping_refunded_for")
    ORDER_FIELD_NUMBER: _ClassVar[int]
    STEP_FIELD_NUMBER: _ClassVar[int]
    STEP_SINCE_US_FIELD_NUMBER: _ClassVar[int]
    WAITING_SKUS_FIELD_NUMBER: _ClassVar[int]
    WAITING_VOID_FIELD_NUMBER: _ClassVar[int]
    ENDING_FIELD_NUMBER: _ClassVar[int]
    PENDING_REFUNDS_FIELD_NUMBER: _ClassVar[int]
    REFUND_COUNT_FIELD_NUMBER: _ClassVar[int]
    REQUESTS_FIELD_NUMBER: _ClassVar[int]
    REFUND_COMMITTED_FIELD_NUMBER: _ClassVar[int]
    FULFILLMENT_FIELD_NUMBER: _ClassVar[int]
    CHANGE_FIELD_NUMBER: _ClassVar[int]
    PLACED_HASH_FIELD_NUMBER: _ClassVar[int]
    HOLD_COUNT_FIELD_NUMBER: _ClassVar[int]
    PAYMENT_ATTEMPT_FIELD_NUMBER: _ClassVar[int]
    PAYMENT_TOKEN_FIELD_NUMBER: _ClassVar[int]
    PAYMENT_RETRY_UNTIL_US_FIELD_NUMBER: _ClassVar[int]
    EXCHANGES_FIELD_NUMBER: _ClassVar[int]
    RETURN_REQUEST_HASHES_FIELD_NUMBER: _ClassVar[int]
    SHIPPING_REFUNDED_FIELD_NUMBER: _ClassVar[int]
    SHIPPING_REFUNDED_FOR_FIELD_NUMBER: _ClassVar[int]
    order: _order_pb2.Order
    step: OrderStep
    step_since_us: int
    waiting_skus: _containers.RepeatedScalarFieldContainer[str]
    waiting_void: bool
    ending: _order_pb2.OrderState
    pending_refunds: _containers.RepeatedCompositeFieldContainer[PendingRefund]
    refund_count: int
    requests: _containers.RepeatedCompositeFieldContainer[_request_record_pb2.RequestRecord]
    refund_committed: _money_pb2.Money
    fulfillment: _order_fulfillment_pb2.Fulfillment
    change: _order_fulfillment_pb2.PendingChange
    placed_hash: int
    hold_count: int
    payment_attempt: int
    payment_token: str
    payment_retry_until_us: int
    exchanges: _containers.RepeatedCompositeFieldContainer[StoredExchange]
    return_request_hashes: _containers.RepeatedScalarFieldContainer[int]
    shipping_refunded: _money_pb2.Money
    shipping_refunded_for: _money_pb2.Money
    def __init__(self, order: _Optional[_Union[_order_pb2.Order, _Mapping]] = ..., step: _Optional[_Union[OrderStep, str]] = ..., step_since_us: _Optional[int] = ..., waiting_skus: _Optional[_Iterable[str]] = ..., waiting_void: _Optional[bool] = ..., ending: _Optional[_Union[_order_pb2.OrderState, str]] = ..., pending_refunds: _Optional[_Iterable[_Union[PendingRefund, _Mapping]]] = ..., refund_count: _Optional[int] = ..., requests: _Optional[_Iterable[_Union[_request_record_pb2.RequestRecord, _Mapping]]] = ..., refund_committed: _Optional[_Union[_money_pb2.Money, _Mapping]] = ..., fulfillment: _Optional[_Union[_order_fulfillment_pb2.Fulfillment, _Mapping]] = ..., change: _Optional[_Union[_order_fulfillment_pb2.PendingChange, _Mapping]] = ..., placed_hash: _Optional[int] = ..., hold_count: _Optional[int] = ..., payment_attempt: _Optional[int] = ..., payment_token: _Optional[str] = ..., payment_retry_until_us: _Optional[int] = ..., exchanges: _Optional[_Iterable[_Union[StoredExchange, _Mapping]]] = ..., return_request_hashes: _Optional[_Iterable[int]] = ..., shipping_refunded: _Optional[_Union[_money_pb2.Money, _Mapping]] = ..., shipping_refunded_for: _Optional[_Union[_money_pb2.Money, _Mapping]] = ...) -> None: ...
