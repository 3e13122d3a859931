"""PaymentIntents and refunds, as much of them as is needed, with a type for each member. PURE."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, NamedTuple

import stripe

ORDER: Final = "ordermesh_order"
DEPLOYMENT: Final = "ordermesh_deployment"
ATTEMPT: Final = "ordermesh_attempt"
REFUND: Final = "ordermesh_refund"
CAPTURE_PREFIX: Final = "ordermesh_capture_"
ADJUST_PREFIX: Final = "ordermesh_adjust_"
"""Names of metadata; Stripe takes 50 of 40 characters."""

_GONE: Final = ("canceled", "succeeded")
_HELD: Final = ("requires_capture", "succeeded")
_GIVEN_BACK: Final = ("succeeded", "pending", "requires_action")


class Intent(NamedTuple):
    """A PaymentIntent. Amounts are Stripe's whole numbers, `created` is in seconds since 1970."""

    reference: str
    status: str
    currency: str
    amount: int
    capturable: int
    received: int
    created: int
    metadata: Mapping[str, str]
    cancellation_reason: str
    decline_code: str
    charge_status: str
    charge_refunded: int
    has_multicapture: bool

    @classmethod
    def of(cls, found: stripe.PaymentIntent) -> Intent:
        """As Stripe told it; of the charge only what was asked for."""
        members: dict[str, Any] = found.to_dict()
        charge = _members(members, "latest_charge")
        card = _members(_members(charge, "payment_method_details"), "card")
        error = _members(members, "last_payment_error")
        return cls(
            reference=members["id"],
            status=members["status"],
            currency=members["currency"],
            amount=members["amount"],
            capturable=members.get("amount_capturable") or 0,
            received=members.get("amount_received") or 0,
            created=members["created"],
            metadata=_members(members, "metadata"),
            cancellation_reason=members.get("cancellation_reason") or "",
            decline_code=error.get("decline_code") or error.get("code") or "",
            charge_status=charge.get("status") or "",
            charge_refunded=charge.get("amount_refunded") or 0,
            has_multicapture=_members(card, "multicapture").get("status") == "available",
        )

    @property
    def is_gone(self) -> bool:
        """Whether nothing is held any more."""
        return self.status in _GONE

    @property
    def is_decided(self) -> bool:
        """Whether an authorisation has become a hold, or cannot any more: the bank declined, or it is cancelled."""
        is_declined = self.status == "requires_payment_method" and bool(self.decline_code)
        return is_declined or self.status in (*_HELD, "canceled")

    @property
    def took_effect(self) -> bool:
        """Whether money was ever held: a declined or unfinished one never held any."""
        return self.status in _HELD or (self.status == "canceled" and self.charge_status == "succeeded")

    @property
    def let_go(self) -> int:
        """What was held and is not, without being taken."""
        return self.amount - self.capturable - self.received


class Refund(NamedTuple):
    """A refund; `name` is the one that it has here, or Stripe's where it was not made from here."""

    name: str
    amount: int
    status: str
    failure_reason: str

    @classmethod
    def of(cls, found: stripe.Refund) -> Refund:
        """As Stripe told it."""
        members: dict[str, Any] = found.to_dict()
        name = _members(members, "metadata").get(REFUND) or members["id"]
        return cls(name, members["amount"], members.get("status") or "", members.get("failure_reason") or "")

    @property
    def is_given_back(self) -> bool:
        """Whether the money is back, or on its way."""
        return self.status in _GIVEN_BACK


def _members(of: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    """An object within another; empty where it is absent, or only its id is told."""
    found = of.get(name)
    return found if isinstance(found, Mapping) else {}
