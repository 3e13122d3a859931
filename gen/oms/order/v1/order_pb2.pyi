import datetime

from google.api import field_behavior_pb2 as _field_behavior_pb2
from google.protobuf import timestamp_pb2 as _timestamp_pb2
from google.type import money_pb2 as _money_pb2
from oms.common.v1 import address_pb2 as _address_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class OrderState(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    ORDER_STATE_UNSPECIFIED: _ClassVar[OrderState]
    ORDER_STATE_ACCEPTED: _ClassVar[OrderState]
    ORDER_STATE_PLACED: _ClassVar[OrderState]
    ORDER_STATE_CONFIRMED: _ClassVar[OrderState]
    ORDER_STATE_COMPLETED: _ClassVar[OrderState]
    ORDER_STATE_CANCELLING: _ClassVar[OrderState]
    ORDER_STATE_CANCELLED: _ClassVar[OrderState]
    ORDER_STATE_REJECTED: _ClassVar[OrderState]
    ORDER_STATE_SCHEDULED: _ClassVar[OrderState]

class PaymentState(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    PAYMENT_STATE_UNSPECIFIED: _ClassVar[PaymentState]
    PAYMENT_STATE_NONE: _ClassVar[PaymentState]
    PAYMENT_STATE_AUTHORIZING: _ClassVar[PaymentState]
    PAYMENT_STATE_AUTHORIZED: _ClassVar[PaymentState]
    PAYMENT_STATE_CAPTURED: _ClassVar[PaymentState]
    PAYMENT_STATE_PARTIALLY_REFUNDED: _ClassVar[PaymentState]
    PAYMENT_STATE_REFUNDED: _ClassVar[PaymentState]
    PAYMENT_STATE_VOIDED: _ClassVar[PaymentState]
    PAYMENT_STATE_DECLINED: _ClassVar[PaymentState]
    PAYMENT_STATE_RETRY: _ClassVar[PaymentState]

class FulfillmentState(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    FULFILLMENT_STATE_UNSPECIFIED: _ClassVar[FulfillmentState]
    FULFILLMENT_STATE_UNALLOCATED: _ClassVar[FulfillmentState]
    FULFILLMENT_STATE_ALLOCATED: _ClassVar[FulfillmentState]
    FULFILLMENT_STATE_SHIPPED: _ClassVar[FulfillmentState]
    FULFILLMENT_STATE_DELIVERED: _ClassVar[FulfillmentState]
    FULFILLMENT_STATE_RETURNED: _ClassVar[FulfillmentState]
    FULFILLMENT_STATE_PARTIALLY_SHIPPED: _ClassVar[FulfillmentState]
    FULFILLMENT_STATE_BACKORDERED: _ClassVar[FulfillmentState]

class ReturnState(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    RETURN_STATE_UNSPECIFIED: _ClassVar[ReturnState]
    RETURN_STATE_AUTHORIZED: _ClassVar[ReturnState]
    RETURN_STATE_RECEIVED: _ClassVar[ReturnState]
    RETURN_STATE_COMPLETED: _ClassVar[ReturnState]
    RETURN_STATE_CANCELLED: _ClassVar[ReturnState]

class RefundReason(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    REFUND_REASON_UNSPECIFIED: _ClassVar[RefundReason]
    REFUND_REASON_GOODWILL: _ClassVar[RefundReason]

class FulfillmentPolicy(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    FULFILLMENT_POLICY_UNSPECIFIED: _ClassVar[FulfillmentPolicy]
    FULFILLMENT_POLICY_REJECT: _ClassVar[FulfillmentPolicy]
    FULFILLMENT_POLICY_PARTIAL: _ClassVar[FulfillmentPolicy]
    FULFILLMENT_POLICY_BACKORDER: _ClassVar[FulfillmentPolicy]
ORDER_STATE_UNSPECIFIED: OrderState
ORDER_STATE_ACCEPTED: OrderState
ORDER_STATE_PLACED: OrderState
ORDER_STATE_CONFIRMED: OrderState
ORDER_STATE_COMPLETED: OrderState
ORDER_STATE_CANCELLING: OrderState
ORDER_STATE_CANCELLED: OrderState
ORDER_STATE_REJECTED: OrderState
ORDER_STATE_SCHEDULED: OrderState
PAYMENT_STATE_UNSPECIFIED: PaymentState
PAYMENT_STATE_NONE: PaymentState
PAYMENT_STATE_AUTHORIZING: PaymentState
PAYMENT_STATE_AUTHORIZED: PaymentState
PAYMENT_STATE_CAPTURED: PaymentState
PAYMENT_STATE_PARTIALLY_REFUNDED: PaymentState
PAYMENT_STATE_REFUNDED: PaymentState
PAYMENT_STATE_VOIDED: PaymentState
PAYMENT_STATE_DECLINED: PaymentState
PAYMENT_STATE_RETRY: PaymentState
FULFILLMENT_STATE_UNSPECIFIED: FulfillmentState
FULFILLMENT_STATE_UNALLOCATED: FulfillmentState
FULFILLMENT_STATE_ALLOCATED: FulfillmentState
FULFILLMENT_STATE_SHIPPED: FulfillmentState
FULFILLMENT_STATE_DELIVERED: FulfillmentState
FULFILLMENT_STATE_RETURNED: FulfillmentState
FULFILLMENT_STATE_PARTIALLY_SHIPPED: FulfillmentState
FULFILLMENT_STATE_BACKORDERED: FulfillmentState
RETURN_STATE_UNSPECIFIED: ReturnState
RETURN_STATE_AUTHORIZED: ReturnState
RETURN_STATE_RECEIVED: ReturnState
RETURN_STATE_COMPLETED: ReturnState
RETURN_STATE_CANCELLED: ReturnState
REFUND_REASON_UNSPECIFIED: RefundReason
REFUND_REASON_GOODWILL: RefundReason
FULFILLMENT_POLICY_UNSPECIFIED: FulfillmentPolicy
FULFILLMENT_POLICY_REJECT: FulfillmentPolicy
FULFILLMENT_POLICY_PARTIAL: FulfillmentPolicy
FULFILLMENT_POLICY_BACKORDER: FulfillmentPolicy

class Order(_message.Message):
    __slots__ = ("order_id", "customer_id", "lines", "shipping_charge", "total", "payment_token", "ship_to", "fulfillment_policy", "order_state", "payment_state", "fulfillment_state", "state_reason", "timeline", "labels", "version", "etag", "create_time", "update_time", "refunded", "not_before", "allow_split_shipments", "backorder_expire_time", "promised_by", "due", "holds", "payment_retry_seconds", "returns", "exchange_of", "exchanged_by", "payment_retry_time")
    class LabelsEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    ORDER_ID_FIELD_NUMBER: _ClassVar[int]
    CUSTOMER_ID_FIELD_NUMBER: _ClassVar[int]
    LINES_FIELD_NUMBER: _ClassVar[int]
    SHIPPING_CHARGE_FIELD_NUMBER: _ClassVar[int]
    TOTAL_FIELD_NUMBER: _ClassVar[int]
    PAYMENT_TOKEN_FIELD_NUMBER: _ClassVar[int]
    SHIP_TO_FIELD_NUMBER: _ClassVar[int]
    FULFILLMENT_POLICY_FIELD_NUMBER: _ClassVar[int]
    ORDER_STATE_FIELD_NUMBER: _ClassVar[int]
    PAYMENT_STATE_FIELD_NUMBER: _ClassVar[int]
    FULFILLMENT_STATE_FIELD_NUMBER: _ClassVar[int]
    STATE_REASON_FIELD_NUMBER: _ClassVar[int]
    TIMELINE_FIELD_NUMBER: _ClassVar[int]
    LABELS_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    ETAG_FIELD_NUMBER: _ClassVar[int]
    CREATE_TIME_FIELD_NUMBER: _ClassVar[int]
    UPDATE_TIME_FIELD_NUMBER: _ClassVar[int]
    REFUNDED_FIELD_NUMBER: _ClassVar[int]
    NOT_BEFORE_FIELD_NUMBER: _ClassVar[int]
    ALLOW_SPLIT_SHIPMENTS_FIELD_NUMBER: _ClassVar[int]
    BACKORDER_EXPIRE_TIME_FIELD_NUMBER: _ClassVar[int]
    PROMISED_BY_FIELD_NUMBER: _ClassVar[int]
    DUE_FIELD_NUMBER: _ClassVar[int]
    HOLDS_FIELD_NUMBER: _ClassVar[int]
    PAYMENT_RETRY_SECONDS_FIELD_NUMBER: _ClassVar[int]
    RETURNS_FIELD_NUMBER: _ClassVar[int]
    EXCHANGE_OF_FIELD_NUMBER: _ClassVar[int]
    EXCHANGED_BY_FIELD_NUMBER: _ClassVar[int]
    PAYMENT_RETRY_TIME_FIELD_NUMBER: _ClassVar[int]
    order_id: str
    customer_id: str
    lines: _containers.RepeatedCompositeFieldContainer[OrderLine]
    shipping_charge: _money_pb2.Money
    total: _money_pb2.Money
    payment_token: str
    ship_to: _address_pb2.Address
    fulfillment_policy: FulfillmentPolicy
    order_state: OrderState
    payment_state: PaymentState
    fulfillment_state: FulfillmentState
    state_reason: str
    timeline: _containers.RepeatedCompositeFieldContainer[TimelineEntry]
    labels: _containers.ScalarMap[str, str]
    version: int
    etag: str
    create_time: _timestamp_pb2.Timestamp
    update_time: _timestamp_pb2.Timestamp
    refunded: _money_pb2.Money
    not_before: _timestamp_pb2.Timestamp
    allow_split_shipments: bool
    backorder_expire_time: _timestamp_pb2.Timestamp
    promised_by: _timestamp_pb2.Timestamp
    due: _money_pb2.Money
    holds: _containers.RepeatedCompositeFieldContainer[Hold]
    payment_retry_seconds: int
    returns: _containers.RepeatedCompositeFieldContainer[OrderReturn]
    exchange_of: str
    exchanged_by: _containers.RepeatedScalarFieldContainer[str]
    payment_retry_time: _timestamp_pb2.Timestamp
    def __init__(self, order_id: _Optional[str] = ..., customer_id: _Optional[str] = ..., lines: _Optional[_Iterable[_Union[OrderLine, _Mapping]]] = ..., shipping_charge: _Optional[_Union[_money_pb2.Money, _Mapping]] = ..., total: _Optional[_Union[_money_pb2.Money, _Mapping]] = ..., payment_token: _Optional[str] = ..., ship_to: _Optional[_Union[_address_pb2.Address, _Mapping]] = ..., fulfillment_policy: _Optional[_Union[FulfillmentPolicy, str]] = ..., order_state: _Optional[_Union[OrderState, str]] = ..., payment_state: _Optional[_Union[PaymentState, str]] = ..., fulfillment_state: _Optional[_Union[FulfillmentState, str]] = ..., state_reason: _Optional[str] = ..., timeline: _Optional[_Iterable[_Union[TimelineEntry, _Mapping]]] = ..., labels: _Optional[_Mapping[str, str]] = ..., version: _Optional[int] = ..., etag: _Optional[str] = ..., create_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., update_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., refunded: _Optional[_Union[_money_pb2.Money, _Mapping]] = ..., not_before: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., allow_split_shipments: _Optional[bool] = ..., backorder_expire_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., promised_by: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., due: _Optional[_Union[_money_pb2.Money, _Mapping]] = ..., holds: _Optional[_Iterable[_Union[Hold, _Mapping]]] = ..., payment_retry_seconds: _Optional[int] = ..., returns: _Optional[_Iterable[_Union[OrderReturn, _Mapping]]] = ..., exchange_of: _Optional[str] = ..., exchanged_by: _Optional[_Iterable[str]] = ..., payment_retry_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class Hold(_message.Message):
    __slots__ = ("hold_id", "reason", "detail", "rule", "actor", "create_time")
    HOLD_ID_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    DETAIL_FIELD_NUMBER: _ClassVar[int]
    RULE_FIELD_NUMBER: _ClassVar[int]
    ACTOR_FIELD_NUMBER: _ClassVar[int]
    CREATE_TIME_FIELD_NUMBER: _ClassVar[int]
    hold_id: str
    reason: str
    detail: str
    rule: str
    actor: str
    create_time: _timestamp_pb2.Timestamp
    def __init__(self, hold_id: _Optional[str] = ..., reason: _Optional[str] = ..., detail: _Optional[str] = ..., rule: _Optional[str] = ..., actor: _Optional[str] = ..., create_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class OrderReturn(_message.Message):
    __slots__ = ("return_id", "state", "reason", "lines", "exchange_order_id", "create_time", "update_time")
    RETURN_ID_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    LINES_FIELD_NUMBER: _ClassVar[int]
    EXCHANGE_ORDER_ID_FIELD_NUMBER: _ClassVar[int]
    CREATE_TIME_FIELD_NUMBER: _ClassVar[int]
    UPDATE_TIME_FIELD_NUMBER: _ClassVar[int]
    return_id: str
    state: ReturnState
    reason: str
    lines: _containers.RepeatedCompositeFieldContainer[ReturnLine]
    exchange_order_id: str
    create_time: _timestamp_pb2.Timestamp
    update_time: _timestamp_pb2.Timestamp
    def __init__(self, return_id: _Optional[str] = ..., state: _Optional[_Union[ReturnState, str]] = ..., reason: _Optional[str] = ..., lines: _Optional[_Iterable[_Union[ReturnLine, _Mapping]]] = ..., exchange_order_id: _Optional[str] = ..., create_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., update_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class ReturnLine(_message.Message):
    __slots__ = ("line_id", "quantity", "received_quantity", "restocked_quantity", "written_off_quantity")
    LINE_ID_FIELD_NUMBER: _ClassVar[int]
    QUANTITY_FIELD_NUMBER: _ClassVar[int]
    RECEIVED_QUANTITY_FIELD_NUMBER: _ClassVar[int]
    RESTOCKED_QUANTITY_FIELD_NUMBER: _ClassVar[int]
    WRITTEN_OFF_QUANTITY_FIELD_NUMBER: _ClassVar[int]
    line_id: str
    quantity: int
    received_quantity: int
    restocked_quantity: int
    written_off_quantity: int
    def __init__(self, line_id: _Optional[str] = ..., quantity: _Optional[int] = ..., received_quantity: _Optional[int] = ..., restocked_quantity: _Optional[int] = ..., written_off_quantity: _Optional[int] = ...) -> None: ...

class OrderLine(_message.Message):
    __slots__ = ("line_id", "sku", "quantity", "unit_price", "discount", "tax", "returned_quantity", "refunded_quantity", "cancelled_quantity", "shipped_quantity")
    LINE_ID_FIELD_NUMBER: _ClassVar[int]
    SKU_FIELD_NUMBER: _ClassVar[int]
    QUANTITY_FIELD_NUMBER: _ClassVar[int]
    UNIT_PRICE_FIELD_NUMBER: _ClassVar[int]
    DISCOUNT_FIELD_NUMBER: _ClassVar[int]
    TAX_FIELD_NUMBER: _ClassVar[int]
    RETURNED_QUANTITY_FIELD_NUMBER: _ClassVar[int]
    REFUNDED_QUANTITY_FIELD_NUMBER: _ClassVar[int]
    CANCELLED_QUANTITY_FIELD_NUMBER: _ClassVar[int]
    SHIPPED_QUANTITY_FIELD_NUMBER: _ClassVar[int]
    line_id: str
    sku: str
    quantity: int
    unit_price: _money_pb2.Money
    discount: _money_pb2.Money
    tax: _money_pb2.Money
    returned_quantity: int
    refunded_quantity: int
    cancelled_quantity: int
    shipped_quantity: int
    def __init__(self, line_id: _Optional[str] = ..., sku: _Optional[str] = ..., quantity: _Optional[int] = ..., unit_price: _Optional[_Union[_money_pb2.Money, _Mapping]] = ..., discount: _Optional[_Union[_money_pb2.Money, _Mapping]] = ..., tax: _Optional[_Union[_money_pb2.Money, _Mapping]] = ..., returned_quantity: _Optional[int] = ..., refunded_quantity: _Optional[int] = ..., cancelled_quantity: _Optional[int] = ..., shipped_quantity: _Optional[int] = ...) -> None: ...

class TimelineEntry(_message.Message):
    __slots__ = ("version", "event", "time", "detail")
    VERSION_FIELD_NUMBER: _ClassVar[int]
    EVENT_FIELD_NUMBER: _ClassVar[int]
    TIME_FIELD_NUMBER: _ClassVar[int]
    DETAIL_FIELD_NUMBER: _ClassVar[int]
    version: int
    event: str
    time: _timestamp_pb2.Timestamp
    detail: str
    def __init__(self, version: _Optional[int] = ..., event: _Optional[str] = ..., time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., detail: _Optional[str] = ...) -> None: ...
