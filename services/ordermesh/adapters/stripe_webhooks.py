"""Stripe's webhooks: signed by a secret of the endpoint, which the library checks, and read for whose payment it is."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, Final

import stripe

from ordermesh.adapters.stripe_objects import DEPLOYMENT, ORDER
from ordermesh.payment.provider import Notice, Unsigned

HEADER: Final = "stripe-signature"
TOLERANCE_S: Final = 300
"""How long ago it may be signed: as Stripe recommends; clocks differ by less, and Stripe signs each try anew."""
TEXT_MAX: Final = 256
"""Characters of what is taken from a body."""


class StripeNotices:
    """The `NoticeReader` of Stripe. A signature by any of the secrets counts."""

    def __init__(self, secrets: Sequence[str], deployment_id: str) -> None:
        self._secrets = secrets
        self._deployment_id = deployment_id

    def read(self, body: bytes, headers: Mapping[str, str]) -> Notice:
        """See `NoticeReader.read`."""
        if not any(_is_signed(body, headers.get(HEADER, ""), secret) for secret in self._secrets):
            raise Unsigned("its signature is not that of the endpoint, or too old")
        event = json.loads(body)
        if not isinstance(event, dict):
            raise ValueError("it is no event")  # what is signed and wrong is one kind of error
        metadata = _members(_members(_members(event, "data"), "object"), "metadata")
        is_ours = metadata.get(DEPLOYMENT) == self._deployment_id
        order_id = str(metadata.get(ORDER, "")) if is_ours else ""
        return Notice(str(event.get("id", ""))[:TEXT_MAX], str(event.get("type", ""))[:TEXT_MAX], order_id[:TEXT_MAX])


def _is_signed(body: bytes, header: str, secret: str) -> bool:
    if not header.isascii():
        return False  # the library compares text, which raises for anything else
    try:
        return bool(stripe.WebhookSignature.verify_header(body, header, secret, TOLERANCE_S))
    except (stripe.SignatureVerificationError, UnicodeDecodeError):
        return False


def _members(of: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    found = of.get(name)
    return found if isinstance(found, Mapping) else {}
