"""Page tokens: opaque, bound to the list they belong to, and checked before anything is read by them."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from typing import NamedTuple, Protocol

from ordermesh.runtime.fields import Violations
from ordermesh.runtime.problems import Problem, Violation

_SIGNATURE_BYTES = 12
_TOKEN_LENGTH_MAX = 4096


class Paged(Protocol):
    """A request of a list."""

    page_size: int
    page_token: str


class PageRequest(NamedTuple):
    """A page that is asked for: of which list, how many items, from where."""

    bound_to: str
    size: int
    token: str

    @classmethod
    def of(cls, bound_to: str, request: Paged, violations: Violations) -> PageRequest:
        """What a request asks for; adds to the violations what it cannot mean."""
        return cls(bound_to, violations.page_size("page_size", request.page_size), request.page_token)


class PageTokens:
    """Makes and reads tokens. The key is the deployment's id: a token of another deployment means nothing here."""

    def __init__(self, key: str) -> None:
        self._key = key.encode()

    def _signature(self, bound_to: str, position: bytes) -> bytes:
        text = bound_to.encode() + b"\x00" + position
        return hashlib.blake2b(text, key=self._key[:64], digest_size=_SIGNATURE_BYTES).digest()

    def seal(self, bound_to: str, position: bytes) -> str:
        """The token of a position in the list that `bound_to` names (method, filter and all that decides its order)."""
        return base64.urlsafe_b64encode(self._signature(bound_to, position) + position).decode().rstrip("=")

    def open(self, bound_to: str, token: str) -> bytes:
        """The position in a token; empty for an empty token. Raises Problem if it is none of this list's tokens."""
        if not token:
            return b""
        try:
            if len(token) > _TOKEN_LENGTH_MAX:
                raise ValueError
            data = base64.b64decode(token + "=" * (-len(token) % 4), altchars=b"-_", validate=True)
        except (ValueError, binascii.Error):
            data = b""
        signature, position = data[:_SIGNATURE_BYTES], data[_SIGNATURE_BYTES:]
        if not hmac.compare_digest(signature, self._signature(bound_to, position)):
            text = "is not a token that this list gave for this filter; ask without it for the first page"
            raise Problem("INVALID_PAGE_TOKEN", f"page_token {text}", violations=[Violation("page_token", text)])
        return position
