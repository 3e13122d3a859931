"""The reasons that deciders give, and how a refusal is made. PURE.

A reason is a name of `oms.common.v1.ErrorReason` without its prefix; the gRPC status of each is the edge's business.
"""

from __future__ import annotations

from typing import Final

from ordermesh.core.decider import Decision, Refusal

INVALID_REQUEST: Final = "INVALID_REQUEST"
ORDER_NOT_FOUND: Final = "ORDER_NOT_FOUND"
ORDER_ALREADY_EXISTS: Final = "ORDER_ALREADY_EXISTS"
ORDER_NOT_CANCELLABLE: Final = "ORDER_NOT_CANCELLABLE"
ORDER_NOT_RETURNABLE: Final = "ORDER_NOT_RETURNABLE"
ORDER_NOT_REFUNDABLE: Final = "ORDER_NOT_REFUNDABLE"
RETURN_EXCEEDS_SHIPPED: Final = "RETURN_EXCEEDS_SHIPPED"
REFUND_EXCEEDS_CAPTURED: Final = "REFUND_EXCEEDS_CAPTURED"
REFUND_DECLINED: Final = "REFUND_DECLINED"
LINE_NOT_FOUND: Final = "LINE_NOT_FOUND"
ETAG_MISMATCH: Final = "ETAG_MISMATCH"
REQUEST_ID_REUSED: Final = "REQUEST_ID_REUSED"
STOCK_NOT_FOUND: Final = "STOCK_NOT_FOUND"
STOCK_BELOW_RESERVED: Final = "STOCK_BELOW_RESERVED"
SHIPMENT_NOT_FOUND: Final = "SHIPMENT_NOT_FOUND"
SHIPMENT_NOT_DISPATCHABLE: Final = "SHIPMENT_NOT_DISPATCHABLE"
SHIPMENT_NOT_DELIVERABLE: Final = "SHIPMENT_NOT_DELIVERABLE"
PAYMENT_NOT_FOUND: Final = "PAYMENT_NOT_FOUND"
CAPTURE_EXCEEDS_AUTHORIZED: Final = "CAPTURE_EXCEEDS_AUTHORIZED"
RESERVATION_NOT_OPEN: Final = "RESERVATION_NOT_OPEN"


def refuse(reason: str, message: str, **metadata: object) -> Decision:
    """A decision that refuses: the reason for programs, a sentence for a person, and the values that it names."""
    return Decision(refusal=Refusal(reason, message, {name: str(value) for name, value in metadata.items()}))
