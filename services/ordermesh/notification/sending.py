"""One attempt at one endpoint: the request as it is signed now, and what came of it in words."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple, Protocol
from urllib.parse import quote

from google.protobuf.message import DecodeError

from oms.notification.v1.webhook_state_pb2 import StoredEndpoint
from ordermesh.adapters.http_post import PostFailed, Response
from ordermesh.core.targets import NotAllowed, Target, TargetRules, target_of
from ordermesh.notification import signing
from ordermesh.notification.cloud_event import HEADER_SAFE
from ordermesh.notification.model import signing_secrets
from ordermesh.runtime.event_stream import StreamEvent
from ordermesh.runtime.ports import Clock

TIMEOUT_S = 15.0
"""Until an answer begins; Standard Webhooks recommends 15 to 30 seconds."""
EXCERPT_BYTES_MAX = 1_024
"""Of what was sent, and of what was answered, in the log of deliveries."""
ERROR_CHARACTERS_MAX = 256
"""Of what was wrong."""


class Attempt(NamedTuple):
    """What came of it; `error` is empty where the endpoint took the event, `status` 0 where there was no answer."""

    status: int
    error: str
    seconds: float
    message_id: str
    request_excerpt: str
    response_excerpt: str = ""
    retry_after_s: float | None = None
    is_not_allowed: bool = False


class Post(Protocol):
    """How a request gets to an endpoint."""

    async def post(self, target: Target, headers: Mapping[str, str], body: bytes, timeout_s: float) -> Response:
        """Sends it and gives the answer. Raises PostFailed; NotAllowed where the name leads to where it may not."""


class Sender:
    """Sends events to endpoints. `told` wakes who stores and decides."""

    def __init__(self, post: Post, rules: TargetRules, clock: Clock, told: Callable[[], None]) -> None:
        self._post = post
        self._rules = rules
        self._clock = clock
        self.told = told

    @staticmethod
    def encoded(tenant: str) -> str:
        """A tenant as an event's header has it."""
        return quote(tenant, HEADER_SAFE)

    async def send(self, endpoint: StoredEndpoint, event: StreamEvent) -> Attempt:
        """One attempt; whatever the endpoint does, it ends within `TIMEOUT_S` and what an answer's body is given."""
        started = self._clock.monotonic()
        message_id = signing.message_id_of(event.headers["ce-id"])
        try:
            body = signing.body_of(event.headers, event.data)
        except (LookupError, ValueError, TypeError, DecodeError) as error:
            return Attempt(
                0, f"the event cannot be read by this build: {error!r}"[:ERROR_CHARACTERS_MAX], 0, message_id, ""
            )
        now_us = self._clock.now_us()
        secrets = signing_secrets(endpoint, now_us)
        headers = signing.headers(secrets, message_id, now_us // 1_000_000, body)
        excerpt = _excerpt(body)
        try:
            target = target_of(endpoint.endpoint.url, self._rules)
            response = await self._post.post(target, headers, body, TIMEOUT_S)
        except NotAllowed as error:
            text = f"the URL {error}"[:ERROR_CHARACTERS_MAX]
            return Attempt(0, text, self._clock.monotonic() - started, message_id, excerpt, is_not_allowed=True)
        except PostFailed as error:
            return Attempt(0, str(error)[:ERROR_CHARACTERS_MAX], self._clock.monotonic() - started, message_id, excerpt)
        return Attempt(
            response.status, _wrong(response.status), self._clock.monotonic() - started, message_id, excerpt,
            _excerpt(response.body), response.retry_after_s,
        )  # fmt: skip


def _wrong(status: int) -> str:
    """What is wrong with a status; nothing with 2xx."""
    if 200 <= status < 300:
        return ""
    if 300 <= status < 400:
        return f"it answered {status}: redirects are not followed; give the endpoint its new URL"
    return f"it answered {status}"


def _excerpt(data: bytes) -> str:
    """The beginning of what was sent or answered; what is no text is shown as such."""
    return data[:EXCERPT_BYTES_MAX].decode(errors="replace").replace("\x00", "\ufffd")
