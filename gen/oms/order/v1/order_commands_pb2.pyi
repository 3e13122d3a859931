from google.type import money_pb2 as _money_pb2
from oms.common.v1 import address_pb2 as _address_pb2
from oms.order.v1 import order_pb2 as _order_pb2
from oms.order.v1 import order_fulfillment_pb2 as _order_fulfillment_pb2
from oms.order.v1 import order_service_pb2 as _order_service_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class PlaceOrder(_message.Message):
    __slots__ = ("order",)
    ORDER_FIELD_NUMBER: _ClassVar[int]
    order: _order_pb2.Order
    def __init__(self, order: _Optional[_Union[_order_pb2.Order, _Mapping]] = ...) -> None: ...

class Cancel(_message.Message):
    __slots__ = ("reason", "request_id", "etag", "lines")
    REASON_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    ETAG_FIELD_NUMBER: _ClassVar[int]
    LINES_FIELD_NUMBER: _ClassVar[int]
    reason: str
    request_id: str
    etag: str
    lines: _containers.RepeatedCompositeFieldContainer[_order_service_pb2.LineQuantity]
    def __init__(self, reason: _Optional[str] = ..., request_id: _Optional[str] = ..., etag: _Optional[str] = ..., lines: _Optional[_Iterable[_Union[_order_service_pb2.LineQuantity, _Mapping]]] = ...) -> None: ...

class Amend(_message.Message):
    __slots__ = ("lines", "shipping_charge", "ship_to", "request_id", "etag")
    LINES_FIELD_NUMBER: _ClassVar[int]
    SHIPPING_CHARGE_FIELD_NUMBER: _ClassVar[int]
    SHIP_TO_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    ETAG_FIELD_NUMBER: _ClassVar[int]
    lines: _containers.RepeatedCompositeFieldContainer[_order_pb2.OrderLine]
    shipping_charge: _money_pb2.Money
    ship_to: _address_pb2.Address
    request_id: str
    etag: str
    def __init__(self, lines: _Optional[_Iterable[_Union[_order_pb2.OrderLine, _Mapping]]] = ..., shipping_charge: _Optional[_Union[_money_pb2.Money, _Mapping]] = ..., ship_to: _Optional[_Union[_address_pb2.Address, _Mapping]] = ..., request_id: _Optional[str] = ..., etag: _Optional[str] = ...) -> None: ...

class Return(_message.Message):
    __slots__ = ("lines", "restock", "request_id", "etag")
    LINES_FIELD_NUMBER: _ClassVar[int]
    RESTOCK_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    ETAG_FIELD_NUMBER: _ClassVar[int]
    lines: _containers.RepeatedCompositeFieldContainer[_order_service_pb2.LineQuantity]
    restock: bool
    request_id: str
    etag: str
    def __init__(self, lines: _Optional[_Iterable[_Union[_order_service_pb2.LineQuantity, _Mapping]]] = ..., restock: _Optional[bool] = ..., request_id: _Optional[str] = ..., etag: _Optional[str] = ...) -> None: ...

class Refund(_message.Message):
    __slots__ = ("amount", "lines", "request_id", "etag", "include_shipping", "reason")
    AMOUNT_FIELD_NUMBER: _ClassVar[int]
    LINES_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    ETAG_FIELD_NUMBER: _ClassVar[int]
    INCLUDE_SHIPPING_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    amount: _money_pb2.Money
    lines: _containers.RepeatedCompositeFieldContainer[_order_service_pb2.LineQuantity]
    request_id: str
    etag: str
    include_shipping: bool
    reason: _order_pb2.RefundReason
    def __init__(self, amount: _Optional[_Union[_money_pb2.Money, _Mapping]] = ..., lines: _Optional[_Iterable[_Union[_order_service_pb2.LineQuantity, _Mapping]]] = ..., request_id: _Optional[str] = ..., etag: _Optional[str] = ..., include_shipping: _Optional[bool] = ..., reason: _Optional[_Union[_order_pb2.RefundReason, str]] = ...) -> None: ...

class AuthorizeReturn(_message.Message):
    __slots__ = ("lines", "reason", "request_id", "etag")
    LINES_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    ETAG_FIELD_NUMBER: _ClassVar[int]
    lines: _containers.RepeatedCompositeFieldContainer[_order_service_pb2.LineQuantity]
    reason: str
    request_id: str
    etag: str
    def __init__(self, lines: _Optional[_Iterable[_Union[_order_service_pb2.LineQuantity, _Mapping]]] = ..., reason: _Optional[str] = ..., request_id: _Optional[str] = ..., etag: _Optional[str] = ...) -> None: ...

class ReceiveReturn(_message.Message):
    __slots__ = ("return_id", "lines", "request_id", "etag")
    RETURN_ID_FIELD_NUMBER: _ClassVar[int]
    LINES_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    ETAG_FIELD_NUMBER: _ClassVar[int]
    return_id: str
    lines: _containers.RepeatedCompositeFieldContainer[_order_service_pb2.LineQuantity]
    request_id: str
    etag: str
    def __init__(self, return_id: _Optional[str] = ..., lines: _Optional[_Iterable[_Union[_order_service_pb2.LineQuantity, _Mapping]]] = ..., request_id: _Optional[str] = ..., etag: _Optional[str] = ...) -> None: ...

class InspectReturn(_message.Message):
    __slots__ = ("return_id", "lines", "include_shipping", "request_id", "etag")
    RETURN_ID_FIELD_NUMBER: _ClassVar[int]
    LINES_FIELD_NUMBER: _ClassVar[int]
    INCLUDE_SHIPPING_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    ETAG_FIELD_NUMBER: _ClassVar[int]
    return_id: str
    lines: _containers.RepeatedCompositeFieldContainer[_order_service_pb2.InspectedLine]
    include_shipping: bool
    request_id: str
    etag: str
    def __init__(self, return_id: _Optional[str] = ..., lines: _Optional[_Iterable[_Union[_order_service_pb2.InspectedLine, _Mapping]]] = ..., include_shipping: _Optional[bool] = ..., request_id: _Optional[str] = ..., etag: _Optional[str] = ...) -> None: ...

class CancelReturn(_message.Message):
    __slots__ = ("return_id", "request_id", "etag")
    RETURN_ID_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    ETAG_FIELD_NUMBER: _ClassVar[int]
    return_id: str
    request_id: str
    etag: str
    def __init__(self, return_id: _Optional[str] = ..., request_id: _Optional[str] = ..., etag: _Optional[str] = ...) -> None: ...

class Exchange(_message.Message):
    __slots__ = ("lines", "reason", "replacement", "order_id_made", "request_id", "etag")
    LINES_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    REPLACEMENT_FIELD_NUMBER: _ClassVar[int]
    ORDER_ID_MADE_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    ETAG_FIELD_NUMBER: _ClassVar[int]
    lines: _containers.RepeatedCompositeFieldContainer[_order_service_pb2.LineQuantity]
    reason: str
    replacement: _order_pb2.Order
    order_id_made: bool
    request_id: str
    etag: str
    def __init__(self, lines: _Optional[_Iterable[_Union[_order_service_pb2.LineQuantity, _Mapping]]] = ..., reason: _Optional[str] = ..., replacement: _Optional[_Union[_order_pb2.Order, _Mapping]] = ..., order_id_made: _Optional[bool] = ..., request_id: _Optional[str] = ..., etag: _Optional[str] = ...) -> None: ...

class PlaceReplacement(_message.Message):
    __slots__ = ("order",)
    ORDER_FIELD_NUMBER: _ClassVar[int]
    order: _order_pb2.Order
    def __init__(self, order: _Optional[_Union[_order_pb2.Order, _Mapping]] = ...) -> None: ...

class ReplacementPlaced(_message.Message):
    __slots__ = ("order_id",)
    ORDER_ID_FIELD_NUMBER: _ClassVar[int]
    order_id: str
    def __init__(self, order_id: _Optional[str] = ...) -> None: ...

class ReplacementRefused(_message.Message):
    __slots__ = ("order_id", "reason")
    ORDER_ID_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    order_id: str
    reason: str
    def __init__(self, order_id: _Optional[str] = ..., reason: _Optional[str] = ...) -> None: ...

class PlaceHold(_message.Message):
    __slots__ = ("reason", "detail", "request_id", "etag")
    REASON_FIELD_NUMBER: _ClassVar[int]
    DETAIL_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    ETAG_FIELD_NUMBER: _ClassVar[int]
    reason: str
    detail: str
    request_id: str
    etag: str
    def __init__(self, reason: _Optional[str] = ..., detail: _Optional[str] = ..., request_id: _Optional[str] = ..., etag: _Optional[str] = ...) -> None: ...

class ReleaseHold(_message.Message):
    __slots__ = ("hold_id", "reason", "detail", "request_id", "etag")
    HOLD_ID_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    DETAIL_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    ETAG_FIELD_NUMBER: _ClassVar[int]
    hold_id: str
    reason: str
    detail: str
    request_id: str
    etag: str
    def __init__(self, hold_id: _Optional[str] = ..., reason: _Optional[str] = ..., detail: _Optional[str] = ..., request_id: _Optional[str] = ..., etag: _Optional[str] = ...) -> None: ...

class RenewPayment(_message.Message):
    __slots__ = ("payment_token", "request_id", "etag")
    PAYMENT_TOKEN_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    ETAG_FIELD_NUMBER: _ClassVar[int]
    payment_token: str
    request_id: str
    etag: str
    def __init__(self, payment_token: _Optional[str] = ..., request_id: _Optional[str] = ..., etag: _Optional[str] = ...) -> None: ...

class StockReserved(_message.Message):
    __slots__ = ("skus", "revision", "grants")
    SKUS_FIELD_NUMBER: _ClassVar[int]
    REVISION_FIELD_NUMBER: _ClassVar[int]
    GRANTS_FIELD_NUMBER: _ClassVar[int]
    skus: _containers.RepeatedScalarFieldContainer[str]
    revision: int
    grants: _containers.RepeatedCompositeFieldContainer[_order_fulfillment_pb2.StockGrant]
    def __init__(self, skus: _Optional[_Iterable[str]] = ..., revision: _Optional[int] = ..., grants: _Optional[_Iterable[_Union[_order_fulfillment_pb2.StockGrant, _Mapping]]] = ...) -> None: ...

class StockGranted(_message.Message):
    __slots__ = ("sku", "quantity")
    SKU_FIELD_NUMBER: _ClassVar[int]
    QUANTITY_FIELD_NUMBER: _ClassVar[int]
    sku: str
    quantity: int
    def __init__(self, sku: _Optional[str] = ..., quantity: _Optional[int] = ...) -> None: ...

class Shortage(_message.Message):
    __slots__ = ("sku", "wanted", "available")
    SKU_FIELD_NUMBER: _ClassVar[int]
    WANTED_FIELD_NUMBER: _ClassVar[int]
    AVAILABLE_FIELD_NUMBER: _ClassVar[int]
    sku: str
    wanted: int
    available: int
    def __init__(self, sku: _Optional[str] = ..., wanted: _Optional[int] = ..., available: _Optional[int] = ...) -> None: ...

class StockRejected(_message.Message):
    __slots__ = ("skus", "shortages", "revision", "full_queue")
    SKUS_FIELD_NUMBER: _ClassVar[int]
    SHORTAGES_FIELD_NUMBER: _ClassVar[int]
    REVISION_FIELD_NUMBER: _ClassVar[int]
    FULL_QUEUE_FIELD_NUMBER: _ClassVar[int]
    skus: _containers.RepeatedScalarFieldContainer[str]
    shortages: _containers.RepeatedCompositeFieldContainer[Shortage]
    revision: int
    full_queue: str
    def __init__(self, skus: _Optional[_Iterable[str]] = ..., shortages: _Optional[_Iterable[_Union[Shortage, _Mapping]]] = ..., revision: _Optional[int] = ..., full_queue: _Optional[str] = ...) -> None: ...

class StockReleased(_message.Message):
    __slots__ = ("skus",)
    SKUS_FIELD_NUMBER: _ClassVar[int]
    skus: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, skus: _Optional[_Iterable[str]] = ...) -> None: ...

class ReservationAged(_message.Message):
    __slots__ = ("skus",)
    SKUS_FIELD_NUMBER: _ClassVar[int]
    skus: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, skus: _Optional[_Iterable[str]] = ...) -> None: ...

class PaymentAuthorized(_message.Message):
    __slots__ = ("attempt",)
    ATTEMPT_FIELD_NUMBER: _ClassVar[int]
    attempt: int
    def __init__(self, attempt: _Optional[int] = ...) -> None: ...

class PaymentDeclined(_message.Message):
    __slots__ = ("code", "attempt")
    CODE_FIELD_NUMBER: _ClassVar[int]
    ATTEMPT_FIELD_NUMBER: _ClassVar[int]
    code: str
    attempt: int
    def __init__(self, code: _Optional[str] = ..., attempt: _Optional[int] = ...) -> None: ...

class PaymentVoided(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class PaymentCaptured(_message.Message):
    __slots__ = ("capture_id",)
    CAPTURE_ID_FIELD_NUMBER: _ClassVar[int]
    capture_id: str
    def __init__(self, capture_id: _Optional[str] = ...) -> None: ...

class PaymentCaptureDeclined(_message.Message):
    __slots__ = ("capture_id", "code")
    CAPTURE_ID_FIELD_NUMBER: _ClassVar[int]
    CODE_FIELD_NUMBER: _ClassVar[int]
    capture_id: str
    code: str
    def __init__(self, capture_id: _Optional[str] = ..., code: _Optional[str] = ...) -> None: ...

class PaymentAdjusted(_message.Message):
    __slots__ = ("adjustment_id",)
    ADJUSTMENT_ID_FIELD_NUMBER: _ClassVar[int]
    adjustment_id: str
    def __init__(self, adjustment_id: _Optional[str] = ...) -> None: ...

class PaymentAdjustDeclined(_message.Message):
    __slots__ = ("adjustment_id", "code")
    ADJUSTMENT_ID_FIELD_NUMBER: _ClassVar[int]
    CODE_FIELD_NUMBER: _ClassVar[int]
    adjustment_id: str
    code: str
    def __init__(self, adjustment_id: _Optional[str] = ..., code: _Optional[str] = ...) -> None: ...

class PaymentRefunded(_message.Message):
    __slots__ = ("refund_id",)
    REFUND_ID_FIELD_NUMBER: _ClassVar[int]
    refund_id: str
    def __init__(self, refund_id: _Optional[str] = ...) -> None: ...

class PaymentRefundDeclined(_message.Message):
    __slots__ = ("refund_id", "code")
    REFUND_ID_FIELD_NUMBER: _ClassVar[int]
    CODE_FIELD_NUMBER: _ClassVar[int]
    refund_id: str
    code: str
    def __init__(self, refund_id: _Optional[str] = ..., code: _Optional[str] = ...) -> None: ...

class ShipmentDispatched(_message.Message):
    __slots__ = ("number", "tracking")
    NUMBER_FIELD_NUMBER: _ClassVar[int]
    TRACKING_FIELD_NUMBER: _ClassVar[int]
    number: int
    tracking: str
    def __init__(self, number: _Optional[int] = ..., tracking: _Optional[str] = ...) -> None: ...

class ShipmentDelivered(_message.Message):
    __slots__ = ("number",)
    NUMBER_FIELD_NUMBER: _ClassVar[int]
    number: int
    def __init__(self, number: _Optional[int] = ...) -> None: ...

class ShipmentCancelled(_message.Message):
    __slots__ = ("number",)
    NUMBER_FIELD_NUMBER: _ClassVar[int]
    number: int
    def __init__(self, number: _Optional[int] = ...) -> None: ...

class ShipmentCancelRefused(_message.Message):
    __slots__ = ("number",)
    NUMBER_FIELD_NUMBER: _ClassVar[int]
    number: int
    def __init__(self, number: _Optional[int] = ...) -> None: ...

class StepTimer(_message.Message):
    __slots__ = ("at_once",)
    AT_ONCE_FIELD_NUMBER: _ClassVar[int]
    at_once: bool
    def __init__(self, at_once: _Optional[bool] = ...) -> None: ...
