from google.type import money_pb2 as _money_pb2
from oms.common.v1 import request_record_pb2 as _request_record_pb2
from oms.order.v1 import order_pb2 as _order_pb2
from oms.order.v1 import order_fulfillment_pb2 as _order_fulfillment_pb2
from oms.order.v1 import order_service_pb2 as _order_service_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class OrderPlaced(_message.Message):
    __slots__ = ("order", "scheduled")
    ORDER_FIELD_NUMBER: _ClassVar[int]
    SCHEDULED_FIELD_NUMBER: _ClassVar[int]
    order: _order_pb2.Order
    scheduled: bool
    def __init__(self, order: _Optional[_Union[_order_pb2.Order, _Mapping]] = ..., scheduled: _Optional[bool] = ...) -> None: ...

class OrderStarted(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class StockAllocated(_message.Message):
    __slots__ = ("skus", "grants", "held")
    SKUS_FIELD_NUMBER: _ClassVar[int]
    GRANTS_FIELD_NUMBER: _ClassVar[int]
    HELD_FIELD_NUMBER: _ClassVar[int]
    skus: _containers.RepeatedScalarFieldContainer[str]
    grants: _containers.RepeatedCompositeFieldContainer[_order_fulfillment_pb2.StockGrant]
    held: bool
    def __init__(self, skus: _Optional[_Iterable[str]] = ..., grants: _Optional[_Iterable[_Union[_order_fulfillment_pb2.StockGrant, _Mapping]]] = ..., held: _Optional[bool] = ...) -> None: ...

class BackorderGranted(_message.Message):
    __slots__ = ("grant",)
    GRANT_FIELD_NUMBER: _ClassVar[int]
    grant: _order_fulfillment_pb2.StockGrant
    def __init__(self, grant: _Optional[_Union[_order_fulfillment_pb2.StockGrant, _Mapping]] = ...) -> None: ...

class AuthorizationAsked(_message.Message):
    __slots__ = ("amount",)
    AMOUNT_FIELD_NUMBER: _ClassVar[int]
    amount: _money_pb2.Money
    def __init__(self, amount: _Optional[_Union[_money_pb2.Money, _Mapping]] = ...) -> None: ...

class ShipmentRequested(_message.Message):
    __slots__ = ("number", "lines")
    NUMBER_FIELD_NUMBER: _ClassVar[int]
    LINES_FIELD_NUMBER: _ClassVar[int]
    number: int
    lines: _containers.RepeatedCompositeFieldContainer[_order_service_pb2.LineQuantity]
    def __init__(self, number: _Optional[int] = ..., lines: _Optional[_Iterable[_Union[_order_service_pb2.LineQuantity, _Mapping]]] = ...) -> None: ...

class ShipmentPaid(_message.Message):
    __slots__ = ("number",)
    NUMBER_FIELD_NUMBER: _ClassVar[int]
    number: int
    def __init__(self, number: _Optional[int] = ...) -> None: ...

class SettlementStarted(_message.Message):
    __slots__ = ("amount",)
    AMOUNT_FIELD_NUMBER: _ClassVar[int]
    amount: _money_pb2.Money
    def __init__(self, amount: _Optional[_Union[_money_pb2.Money, _Mapping]] = ...) -> None: ...

class LinesCancelled(_message.Message):
    __slots__ = ("lines", "reason", "detail", "request", "revision")
    LINES_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    DETAIL_FIELD_NUMBER: _ClassVar[int]
    REQUEST_FIELD_NUMBER: _ClassVar[int]
    REVISION_FIELD_NUMBER: _ClassVar[int]
    lines: _containers.RepeatedCompositeFieldContainer[_order_service_pb2.LineQuantity]
    reason: str
    detail: str
    request: _request_record_pb2.RequestRecord
    revision: int
    def __init__(self, lines: _Optional[_Iterable[_Union[_order_service_pb2.LineQuantity, _Mapping]]] = ..., reason: _Optional[str] = ..., detail: _Optional[str] = ..., request: _Optional[_Union[_request_record_pb2.RequestRecord, _Mapping]] = ..., revision: _Optional[int] = ...) -> None: ...

class ChangeRequested(_message.Message):
    __slots__ = ("change", "request", "stop_shipping")
    CHANGE_FIELD_NUMBER: _ClassVar[int]
    REQUEST_FIELD_NUMBER: _ClassVar[int]
    STOP_SHIPPING_FIELD_NUMBER: _ClassVar[int]
    change: _order_fulfillment_pb2.PendingChange
    request: _request_record_pb2.RequestRecord
    stop_shipping: bool
    def __init__(self, change: _Optional[_Union[_order_fulfillment_pb2.PendingChange, _Mapping]] = ..., request: _Optional[_Union[_request_record_pb2.RequestRecord, _Mapping]] = ..., stop_shipping: _Optional[bool] = ...) -> None: ...

class ShipmentStopped(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class ChangeReserving(_message.Message):
    __slots__ = ("revision", "skus")
    REVISION_FIELD_NUMBER: _ClassVar[int]
    SKUS_FIELD_NUMBER: _ClassVar[int]
    revision: int
    skus: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, revision: _Optional[int] = ..., skus: _Optional[_Iterable[str]] = ...) -> None: ...

class ChangeReserved(_message.Message):
    __slots__ = ("skus",)
    SKUS_FIELD_NUMBER: _ClassVar[int]
    skus: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, skus: _Optional[_Iterable[str]] = ...) -> None: ...

class ChangeAuthorizing(_message.Message):
    __slots__ = ("amount",)
    AMOUNT_FIELD_NUMBER: _ClassVar[int]
    amount: _money_pb2.Money
    def __init__(self, amount: _Optional[_Union[_money_pb2.Money, _Mapping]] = ...) -> None: ...

class OrderAmended(_message.Message):
    __slots__ = ("amended", "request", "revision")
    AMENDED_FIELD_NUMBER: _ClassVar[int]
    REQUEST_FIELD_NUMBER: _ClassVar[int]
    REVISION_FIELD_NUMBER: _ClassVar[int]
    amended: _order_pb2.Order
    request: _request_record_pb2.RequestRecord
    revision: int
    def __init__(self, amended: _Optional[_Union[_order_pb2.Order, _Mapping]] = ..., request: _Optional[_Union[_request_record_pb2.RequestRecord, _Mapping]] = ..., revision: _Optional[int] = ...) -> None: ...

class RequestNoted(_message.Message):
    __slots__ = ("request",)
    REQUEST_FIELD_NUMBER: _ClassVar[int]
    request: _request_record_pb2.RequestRecord
    def __init__(self, request: _Optional[_Union[_request_record_pb2.RequestRecord, _Mapping]] = ...) -> None: ...

class ChangeRefused(_message.Message):
    __slots__ = ("outcome", "reason", "detail", "revision", "may_hold_more")
    OUTCOME_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    DETAIL_FIELD_NUMBER: _ClassVar[int]
    REVISION_FIELD_NUMBER: _ClassVar[int]
    MAY_HOLD_MORE_FIELD_NUMBER: _ClassVar[int]
    outcome: str
    reason: str
    detail: str
    revision: int
    may_hold_more: bool
    def __init__(self, outcome: _Optional[str] = ..., reason: _Optional[str] = ..., detail: _Optional[str] = ..., revision: _Optional[int] = ..., may_hold_more: _Optional[bool] = ...) -> None: ...

class OrderConfirmed(_message.Message):
    __slots__ = ("held",)
    HELD_FIELD_NUMBER: _ClassVar[int]
    held: bool
    def __init__(self, held: _Optional[bool] = ...) -> None: ...

class PaymentRefused(_message.Message):
    __slots__ = ("code", "retry_until_us")
    CODE_FIELD_NUMBER: _ClassVar[int]
    RETRY_UNTIL_US_FIELD_NUMBER: _ClassVar[int]
    code: str
    retry_until_us: int
    def __init__(self, code: _Optional[str] = ..., retry_until_us: _Optional[int] = ...) -> None: ...

class PaymentRenewed(_message.Message):
    __slots__ = ("payment_token", "attempt", "request", "held")
    PAYMENT_TOKEN_FIELD_NUMBER: _ClassVar[int]
    ATTEMPT_FIELD_NUMBER: _ClassVar[int]
    REQUEST_FIELD_NUMBER: _ClassVar[int]
    HELD_FIELD_NUMBER: _ClassVar[int]
    payment_token: str
    attempt: int
    request: _request_record_pb2.RequestRecord
    held: bool
    def __init__(self, payment_token: _Optional[str] = ..., attempt: _Optional[int] = ..., request: _Optional[_Union[_request_record_pb2.RequestRecord, _Mapping]] = ..., held: _Optional[bool] = ...) -> None: ...

class OrderHeld(_message.Message):
    __slots__ = ("hold_id", "reason", "detail", "rule", "actor", "request")
    HOLD_ID_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    DETAIL_FIELD_NUMBER: _ClassVar[int]
    RULE_FIELD_NUMBER: _ClassVar[int]
    ACTOR_FIELD_NUMBER: _ClassVar[int]
    REQUEST_FIELD_NUMBER: _ClassVar[int]
    hold_id: str
    reason: str
    detail: str
    rule: str
    actor: str
    request: _request_record_pb2.RequestRecord
    def __init__(self, hold_id: _Optional[str] = ..., reason: _Optional[str] = ..., detail: _Optional[str] = ..., rule: _Optional[str] = ..., actor: _Optional[str] = ..., request: _Optional[_Union[_request_record_pb2.RequestRecord, _Mapping]] = ...) -> None: ...

class OrderReleased(_message.Message):
    __slots__ = ("hold_ids", "detail", "request")
    HOLD_IDS_FIELD_NUMBER: _ClassVar[int]
    DETAIL_FIELD_NUMBER: _ClassVar[int]
    REQUEST_FIELD_NUMBER: _ClassVar[int]
    hold_ids: _containers.RepeatedScalarFieldContainer[str]
    detail: str
    request: _request_record_pb2.RequestRecord
    def __init__(self, hold_ids: _Optional[_Iterable[str]] = ..., detail: _Optional[str] = ..., request: _Optional[_Union[_request_record_pb2.RequestRecord, _Mapping]] = ...) -> None: ...

class OrderShipped(_message.Message):
    __slots__ = ("number", "tracking", "cancel_refused", "lines")
    NUMBER_FIELD_NUMBER: _ClassVar[int]
    TRACKING_FIELD_NUMBER: _ClassVar[int]
    CANCEL_REFUSED_FIELD_NUMBER: _ClassVar[int]
    LINES_FIELD_NUMBER: _ClassVar[int]
    number: int
    tracking: str
    cancel_refused: bool
    lines: _containers.RepeatedCompositeFieldContainer[_order_service_pb2.LineQuantity]
    def __init__(self, number: _Optional[int] = ..., tracking: _Optional[str] = ..., cancel_refused: _Optional[bool] = ..., lines: _Optional[_Iterable[_Union[_order_service_pb2.LineQuantity, _Mapping]]] = ...) -> None: ...

class OrderCompleted(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class OrderDelivered(_message.Message):
    __slots__ = ("number",)
    NUMBER_FIELD_NUMBER: _ClassVar[int]
    number: int
    def __init__(self, number: _Optional[int] = ...) -> None: ...

class CancelRequested(_message.Message):
    __slots__ = ("detail", "request")
    DETAIL_FIELD_NUMBER: _ClassVar[int]
    REQUEST_FIELD_NUMBER: _ClassVar[int]
    detail: str
    request: _request_record_pb2.RequestRecord
    def __init__(self, detail: _Optional[str] = ..., request: _Optional[_Union[_request_record_pb2.RequestRecord, _Mapping]] = ...) -> None: ...

class CancelRefused(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class UndoStarted(_message.Message):
    __slots__ = ("reason", "detail", "request", "skus", "void_payment", "payment_declined", "ending")
    REASON_FIELD_NUMBER: _ClassVar[int]
    DETAIL_FIELD_NUMBER: _ClassVar[int]
    REQUEST_FIELD_NUMBER: _ClassVar[int]
    SKUS_FIELD_NUMBER: _ClassVar[int]
    VOID_PAYMENT_FIELD_NUMBER: _ClassVar[int]
    PAYMENT_DECLINED_FIELD_NUMBER: _ClassVar[int]
    ENDING_FIELD_NUMBER: _ClassVar[int]
    reason: str
    detail: str
    request: _request_record_pb2.RequestRecord
    skus: _containers.RepeatedScalarFieldContainer[str]
    void_payment: bool
    payment_declined: bool
    ending: _order_pb2.OrderState
    def __init__(self, reason: _Optional[str] = ..., detail: _Optional[str] = ..., request: _Optional[_Union[_request_record_pb2.RequestRecord, _Mapping]] = ..., skus: _Optional[_Iterable[str]] = ..., void_payment: _Optional[bool] = ..., payment_declined: _Optional[bool] = ..., ending: _Optional[_Union[_order_pb2.OrderState, str]] = ...) -> None: ...

class AllocationReleased(_message.Message):
    __slots__ = ("skus",)
    SKUS_FIELD_NUMBER: _ClassVar[int]
    skus: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, skus: _Optional[_Iterable[str]] = ...) -> None: ...

class AuthorizationEnded(_message.Message):
    __slots__ = ("declined",)
    DECLINED_FIELD_NUMBER: _ClassVar[int]
    declined: bool
    def __init__(self, declined: _Optional[bool] = ...) -> None: ...

class OrderCancelled(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class OrderRejected(_message.Message):
    __slots__ = ("reason", "detail")
    REASON_FIELD_NUMBER: _ClassVar[int]
    DETAIL_FIELD_NUMBER: _ClassVar[int]
    reason: str
    detail: str
    def __init__(self, reason: _Optional[str] = ..., detail: _Optional[str] = ...) -> None: ...

class CaptureDeclined(_message.Message):
    __slots__ = ("code",)
    CODE_FIELD_NUMBER: _ClassVar[int]
    code: str
    def __init__(self, code: _Optional[str] = ...) -> None: ...

class OrderReturned(_message.Message):
    __slots__ = ("lines", "restock", "refund_id", "amount", "refunded_lines", "request")
    LINES_FIELD_NUMBER: _ClassVar[int]
    RESTOCK_FIELD_NUMBER: _ClassVar[int]
    REFUND_ID_FIELD_NUMBER: _ClassVar[int]
    AMOUNT_FIELD_NUMBER: _ClassVar[int]
    REFUNDED_LINES_FIELD_NUMBER: _ClassVar[int]
    REQUEST_FIELD_NUMBER: _ClassVar[int]
    lines: _containers.RepeatedCompositeFieldContainer[_order_service_pb2.LineQuantity]
    restock: bool
    refund_id: str
    amount: _money_pb2.Money
    refunded_lines: _containers.RepeatedCompositeFieldContainer[_order_service_pb2.LineQuantity]
    request: _request_record_pb2.RequestRecord
    def __init__(self, lines: _Optional[_Iterable[_Union[_order_service_pb2.LineQuantity, _Mapping]]] = ..., restock: _Optional[bool] = ..., refund_id: _Optional[str] = ..., amount: _Optional[_Union[_money_pb2.Money, _Mapping]] = ..., refunded_lines: _Optional[_Iterable[_Union[_order_service_pb2.LineQuantity, _Mapping]]] = ..., request: _Optional[_Union[_request_record_pb2.RequestRecord, _Mapping]] = ...) -> None: ...

class RefundRequested(_message.Message):
    __slots__ = ("refund_id", "amount", "refunded_lines", "request", "reason", "shipping")
    REFUND_ID_FIELD_NUMBER: _ClassVar[int]
    AMOUNT_FIELD_NUMBER: _ClassVar[int]
    REFUNDED_LINES_FIELD_NUMBER: _ClassVar[int]
    REQUEST_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    SHIPPING_FIELD_NUMBER: _ClassVar[int]
    refund_id: str
    amount: _money_pb2.Money
    refunded_lines: _containers.RepeatedCompositeFieldContainer[_order_service_pb2.LineQuantity]
    request: _request_record_pb2.RequestRecord
    reason: _order_pb2.RefundReason
    shipping: _money_pb2.Money
    def __init__(self, refund_id: _Optional[str] = ..., amount: _Optional[_Union[_money_pb2.Money, _Mapping]] = ..., refunded_lines: _Optional[_Iterable[_Union[_order_service_pb2.LineQuantity, _Mapping]]] = ..., request: _Optional[_Union[_request_record_pb2.RequestRecord, _Mapping]] = ..., reason: _Optional[_Union[_order_pb2.RefundReason, str]] = ..., shipping: _Optional[_Union[_money_pb2.Money, _Mapping]] = ...) -> None: ...

class ReturnAuthorized(_message.Message):
    __slots__ = ("return_id", "lines", "reason", "exchange_order_id", "request")
    RETURN_ID_FIELD_NUMBER: _ClassVar[int]
    LINES_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    EXCHANGE_ORDER_ID_FIELD_NUMBER: _ClassVar[int]
    REQUEST_FIELD_NUMBER: _ClassVar[int]
    return_id: str
    lines: _containers.RepeatedCompositeFieldContainer[_order_service_pb2.LineQuantity]
    reason: str
    exchange_order_id: str
    request: _request_record_pb2.RequestRecord
    def __init__(self, return_id: _Optional[str] = ..., lines: _Optional[_Iterable[_Union[_order_service_pb2.LineQuantity, _Mapping]]] = ..., reason: _Optional[str] = ..., exchange_order_id: _Optional[str] = ..., request: _Optional[_Union[_request_record_pb2.RequestRecord, _Mapping]] = ...) -> None: ...

class ReturnReceived(_message.Message):
    __slots__ = ("return_id", "lines", "request")
    RETURN_ID_FIELD_NUMBER: _ClassVar[int]
    LINES_FIELD_NUMBER: _ClassVar[int]
    REQUEST_FIELD_NUMBER: _ClassVar[int]
    return_id: str
    lines: _containers.RepeatedCompositeFieldContainer[_order_service_pb2.LineQuantity]
    request: _request_record_pb2.RequestRecord
    def __init__(self, return_id: _Optional[str] = ..., lines: _Optional[_Iterable[_Union[_order_service_pb2.LineQuantity, _Mapping]]] = ..., request: _Optional[_Union[_request_record_pb2.RequestRecord, _Mapping]] = ...) -> None: ...

class ReturnInspected(_message.Message):
    __slots__ = ("return_id", "lines", "refund_id", "amount", "refunded_lines", "shipping", "request")
    RETURN_ID_FIELD_NUMBER: _ClassVar[int]
    LINES_FIELD_NUMBER: _ClassVar[int]
    REFUND_ID_FIELD_NUMBER: _ClassVar[int]
    AMOUNT_FIELD_NUMBER: _ClassVar[int]
    REFUNDED_LINES_FIELD_NUMBER: _ClassVar[int]
    SHIPPING_FIELD_NUMBER: _ClassVar[int]
    REQUEST_FIELD_NUMBER: _ClassVar[int]
    return_id: str
    lines: _containers.RepeatedCompositeFieldContainer[_order_service_pb2.InspectedLine]
    refund_id: str
    amount: _money_pb2.Money
    refunded_lines: _containers.RepeatedCompositeFieldContainer[_order_service_pb2.LineQuantity]
    shipping: _money_pb2.Money
    request: _request_record_pb2.RequestRecord
    def __init__(self, return_id: _Optional[str] = ..., lines: _Optional[_Iterable[_Union[_order_service_pb2.InspectedLine, _Mapping]]] = ..., refund_id: _Optional[str] = ..., amount: _Optional[_Union[_money_pb2.Money, _Mapping]] = ..., refunded_lines: _Optional[_Iterable[_Union[_order_service_pb2.LineQuantity, _Mapping]]] = ..., shipping: _Optional[_Union[_money_pb2.Money, _Mapping]] = ..., request: _Optional[_Union[_request_record_pb2.RequestRecord, _Mapping]] = ...) -> None: ...

class ReturnCancelled(_message.Message):
    __slots__ = ("return_id", "request")
    RETURN_ID_FIELD_NUMBER: _ClassVar[int]
    REQUEST_FIELD_NUMBER: _ClassVar[int]
    return_id: str
    request: _request_record_pb2.RequestRecord
    def __init__(self, return_id: _Optional[str] = ..., request: _Optional[_Union[_request_record_pb2.RequestRecord, _Mapping]] = ...) -> None: ...

class ExchangeRequested(_message.Message):
    __slots__ = ("return_id", "replacement", "request")
    RETURN_ID_FIELD_NUMBER: _ClassVar[int]
    REPLACEMENT_FIELD_NUMBER: _ClassVar[int]
    REQUEST_FIELD_NUMBER: _ClassVar[int]
    return_id: str
    replacement: _order_pb2.Order
    request: _request_record_pb2.RequestRecord
    def __init__(self, return_id: _Optional[str] = ..., replacement: _Optional[_Union[_order_pb2.Order, _Mapping]] = ..., request: _Optional[_Union[_request_record_pb2.RequestRecord, _Mapping]] = ...) -> None: ...

class OrderExchanged(_message.Message):
    __slots__ = ("order_id",)
    ORDER_ID_FIELD_NUMBER: _ClassVar[int]
    order_id: str
    def __init__(self, order_id: _Optional[str] = ...) -> None: ...

class ExchangeRefused(_message.Message):
    __slots__ = ("order_id", "reason")
    ORDER_ID_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    order_id: str
    reason: str
    def __init__(self, order_id: _Optional[str] = ..., reason: _Optional[str] = ...) -> None: ...

class OrderRefunded(_message.Message):
    __slots__ = ("refund_id",)
    REFUND_ID_FIELD_NUMBER: _ClassVar[int]
    refund_id: str
    def __init__(self, refund_id: _Optional[str] = ...) -> None: ...

class OrderRefundDeclined(_message.Message):
    __slots__ = ("refund_id", "code")
    REFUND_ID_FIELD_NUMBER: _ClassVar[int]
    CODE_FIELD_NUMBER: _ClassVar[int]
    refund_id: str
    code: str
    def __init__(self, refund_id: _Optional[str] = ..., code: _Optional[str] = ...) -> None: ...
