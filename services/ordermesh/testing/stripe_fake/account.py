"""What the stand-in knows: PaymentIntents with their charges, refunds, and the rules of what may be done to them.

Of Stripe's payment methods it knows those of `METHODS`, by Stripe's own names for tests.
"""

from __future__ import annotations

import itertools
import time
from collections.abc import Mapping
from typing import Any, Final, TypeAlias

Object: TypeAlias = dict[str, Any]

METHODS: Final[Mapping[str, str]] = {
    "pm_card_visa": "",
    "pm_card_visa_chargeDeclined": "generic_decline",
    "pm_card_chargeDeclinedInsufficientFunds": "insufficient_funds",
    "pm_card_authenticationRequired": "authentication_required",
}
"""Each with the code that the bank declines it with; empty where it does not."""
REFUND_FAILS: Final = "pm_card_refundFail"
"""Pays, and its refunds fail."""
AMOUNT_MIN: Final = 30
AMOUNT_MAX: Final = 99_999_999


class Refused(Exception):
    """The API's refusal: an HTTP status and the members of its error."""

    def __init__(self, status: int, **error: Any) -> None:
        super().__init__(error.get("message", ""))
        self.status = status
        self.error = error


def wrong(code: str, message: str, status: int = 400, **more: Any) -> Refused:
    """The refusal of what cannot be."""
    return Refused(status, type="invalid_request_error", code=code, message=message, **more)


class Account:
    """One account at Stripe. `has_multicapture`: whether several captures are allowed; `has_increments`: whether more
    may be held later. `ahead_s` moves its clock."""

    def __init__(self, *, has_multicapture: bool = False, has_increments: bool = True) -> None:
        self.has_multicapture = has_multicapture
        self.has_increments = has_increments
        self.ahead_s = 0.0
        self.intents: dict[str, Object] = {}
        self.refunds: dict[str, Object] = {}
        self._numbers = itertools.count(1)

    def now_s(self) -> float:
        """The account's time, seconds since 1970."""
        return time.time() + self.ahead_s

    def create(self, asked: Object) -> Object:
        """A PaymentIntent, confirmed at once where that is asked for."""
        amount = _number(asked, "amount")
        if amount < AMOUNT_MIN:
            raise wrong("amount_too_small", "Amount must be at least 30", param="amount")
        if amount > AMOUNT_MAX:
            raise wrong("amount_too_large", "Amount must be no more than 99,999,999", param="amount")
        intent: Object = {
            "id": f"pi_{next(self._numbers):016d}",
            "object": "payment_intent",
            "amount": amount,
            "amount_capturable": 0,
            "amount_received": 0,
            "currency": asked["currency"],
            "capture_method": asked.get("capture_method", "automatic"),
            "cancellation_reason": None,
            "created": int(self.now_s()),
            "last_payment_error": None,
            "latest_charge": None,
            "livemode": False,
            "metadata": dict(asked.get("metadata", {})),
            "payment_method": _method(asked),
            "status": "requires_confirmation",
        }
        self.intents[intent["id"]] = intent
        return self.confirm(intent["id"], asked) if asked.get("confirm") == "true" else intent

    def confirm(self, intent_id: str, asked: Object) -> Object:
        """Has the bank asked. Raises Refused, with the PaymentIntent in the error, where it declines."""
        intent = self.intent(intent_id)
        method = intent["payment_method"] or _method(asked)
        if method not in METHODS and method != REFUND_FAILS:
            del self.intents[intent_id]
            raise wrong("resource_missing", f"No such PaymentMethod: '{method}'", param="payment_method")
        code = METHODS.get(method, "")
        if code:
            error = {
                "type": "card_error",
                "code": "authentication_required" if code == "authentication_required" else "card_declined",
                "decline_code": code,
                "message": "Your card was declined.",
            }
            intent["status"], intent["last_payment_error"] = "requires_payment_method", error
            raise Refused(402, **error, payment_intent=intent)
        is_manual = intent["capture_method"] == "manual"
        intent["status"] = "requires_capture" if is_manual else "succeeded"
        intent["amount_capturable"] = intent["amount"] if is_manual else 0
        intent["amount_received"] = 0 if is_manual else intent["amount"]
        multicapture = "available" if self.has_multicapture else "unavailable"
        intent["latest_charge"] = {
            "id": f"ch_{next(self._numbers):016d}",
            "object": "charge",
            "status": "succeeded",
            "amount_refunded": 0,
            "payment_method_details": {"card": {"multicapture": {"status": multicapture}}, "type": "card"},
        }
        return intent

    def capture(self, intent_id: str, asked: Object) -> Object:
        """Takes held money. Without multicapture, or with the final capture, the rest is let go."""
        intent = self.intent(intent_id)
        if intent["status"] != "requires_capture":
            raise _unexpected(intent, "captured")
        amount = _number(asked, "amount_to_capture", intent["amount_capturable"])
        if amount > intent["amount_capturable"]:
            raise wrong("amount_too_large", "The amount to capture is above what is capturable.")
        is_final = asked.get("final_capture", "true") == "true"
        if not is_final and not self.has_multicapture:
            raise wrong("parameter_invalid", "final_capture is not available for this PaymentIntent.")
        intent["metadata"].update(asked.get("metadata", {}))
        intent["amount_received"] += amount
        intent["amount_capturable"] -= amount
        if is_final or not intent["amount_capturable"]:
            intent["latest_charge"]["amount_refunded"] += intent["amount_capturable"]
            intent["amount_capturable"] = 0
            intent["status"] = "succeeded"
        return intent

    def increment(self, intent_id: str, asked: Object) -> Object:
        """Holds more: `amount` is the new total. Raises Refused where the bank does not allow it."""
        intent = self.intent(intent_id)
        if intent["status"] != "requires_capture":
            raise _unexpected(intent, "incremented")
        amount = _number(asked, "amount")
        if amount <= intent["amount"]:
            raise wrong("parameter_invalid_integer", "The amount has to be above the one that is held.", param="amount")
        if not self.has_increments:
            error = {"type": "card_error", "code": "card_declined", "decline_code": "generic_decline"}
            raise Refused(402, **error, message="Your card was declined.", payment_intent=intent)
        intent["metadata"].update(asked.get("metadata", {}))
        intent["amount_capturable"] += amount - intent["amount"]
        intent["amount"] = amount
        return intent

    def cancel(self, intent_id: str, reason: str | None = None) -> Object:
        """Lets held money go."""
        intent = self.intent(intent_id)
        if intent["status"] in ("succeeded", "canceled"):
            raise _unexpected(intent, "canceled")
        if intent["latest_charge"] is not None:
            intent["latest_charge"]["amount_refunded"] += intent["amount_capturable"]
        intent["amount_capturable"] = 0
        intent["status"], intent["cancellation_reason"] = "canceled", reason
        return intent

    def refund(self, asked: Object) -> Object:
        """Gives taken money back."""
        intent = self.intent(asked["payment_intent"])
        left = intent["amount_received"] - sum(
            each["amount"] for each in self.refunds_of(intent["id"]) if each["status"] != "failed"
        )
        amount = _number(asked, "amount", left)
        if not intent["amount_received"]:
            raise wrong("charge_not_captured", "This PaymentIntent has no captured charge to refund.")
        if amount > left:
            code = "charge_already_refunded" if not left else "amount_too_large"
            raise wrong(code, "Refund amount is greater than unrefunded amount on charge.", param="amount")
        failed = intent["payment_method"] == REFUND_FAILS
        refund = {
            "id": f"re_{next(self._numbers):016d}",
            "object": "refund",
            "amount": amount,
            "created": int(self.now_s()),
            "currency": intent["currency"],
            "failure_reason": "expired_or_canceled_card" if failed else None,
            "metadata": dict(asked.get("metadata", {})),
            "payment_intent": intent["id"],
            "status": "failed" if failed else "succeeded",
        }
        self.refunds[refund["id"]] = refund
        if not failed:
            intent["latest_charge"]["amount_refunded"] += amount
        return refund

    def fail_refund(self, refund_id: str, reason: str = "expired_or_canceled_card") -> None:
        """The bank sends back, days later, what was given back: it is the account's again."""
        refund = self.refunds[refund_id]
        refund["status"], refund["failure_reason"] = "failed", reason
        self.intent(refund["payment_intent"])["latest_charge"]["amount_refunded"] -= refund["amount"]

    def intent(self, intent_id: str) -> Object:
        """The PaymentIntent. Raises Refused."""
        if intent_id not in self.intents:
            raise wrong("resource_missing", f"No such payment_intent: '{intent_id}'", 404, param="intent")
        return self.intents[intent_id]

    def refunds_of(self, intent_id: str) -> list[Object]:
        """The refunds of a PaymentIntent, the newest first."""
        return [each for each in reversed(self.refunds.values()) if each["payment_intent"] == intent_id]


def _number(asked: Object, name: str, default: int | None = None) -> int:
    text: Any = asked.get(name, default)
    try:
        return int(text)
    except (TypeError, ValueError):
        raise wrong("parameter_invalid_integer", f"Invalid integer: {text}", param=name) from None


def _method(asked: Object) -> str:
    return str(asked.get("payment_method") or "")


def _unexpected(intent: Object, what: str) -> Refused:
    message = f"This PaymentIntent could not be {what} because it has a status of {intent['status']}."
    return wrong("payment_intent_unexpected_state", message, payment_intent=intent)
