"""The stand-in's HTTP: Stripe's paths for PaymentIntents and refunds, with the faults that a test orders.

async with StripeFake() as fake:
    fake.fail("capture", Fault.LOST_AFTER, times=1)
    ... StripeOptions(api_base=fake.url, api_key=fake.api_key, ...)
"""

from __future__ import annotations

import asyncio
import copy
import json
import re
from collections import Counter, deque
from collections.abc import Callable, Iterable
from enum import Enum
from functools import partial
from types import TracebackType
from typing import Any, Final, Self
from urllib.parse import parse_qsl

import stripe
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from ordermesh.gateway.http_port import HttpPort
from ordermesh.testing.stripe_fake.account import Account, Object, Refused, wrong
from ordermesh.testing.stripe_fake.keys import Answer, Keys

PAGE_MAX: Final = 100
HANG_S: Final = 600.0
"""How long a call that is to hang is not answered: longer than any client waits."""


class Fault(Enum):
    """What goes wrong with a call. BEFORE: nothing happened; AFTER: it took effect, and nobody hears of it."""

    LOST_BEFORE = "lost before"
    LOST_AFTER = "lost after"
    HANGS_BEFORE = "hangs before"
    HANGS_AFTER = "hangs after"
    ERROR_BEFORE = "500 before"
    ERROR_AFTER = "500 after"
    RATE_LIMIT = "429"
    CONFLICT = "409"
    KEY_REFUSED = "401"
    SLOW = "slow"


_BEFORE = {Fault.LOST_BEFORE, Fault.HANGS_BEFORE, Fault.RATE_LIMIT, Fault.CONFLICT, Fault.KEY_REFUSED}
_NOT_BEGUN = (400, 404)
"""Statuses of what is refused before anything is begun: under its key anything may be asked."""
_ERROR = Answer(500, {"error": {"type": "api_error", "message": "An unknown error occurred"}})
_STATUSES = {
    Fault.RATE_LIMIT: Refused(429, type="invalid_request_error", code="rate_limit", message="Too many requests"),
    Fault.CONFLICT: Refused(409, type="idempotency_error", code="idempotency_key_in_use", message="In use"),
    Fault.KEY_REFUSED: Refused(401, type="invalid_request_error", message="Invalid API Key provided: sk_te***3456"),
}


class StripeFake:
    """A server on a free port of the loopback, in this loop."""

    def __init__(self, *, has_multicapture: bool = False) -> None:
        self.account = Account(has_multicapture=has_multicapture)
        self.keys = Keys()
        self.api_key = "sk_test_stand_in_123456"
        self.url = ""
        self.search_lag_s = 0.0
        """What is younger than that is not found by a search."""
        self.slow_s = 0.3
        """How long a slow call takes; its key is in use all the time."""
        self.calls: Counter[str] = Counter()
        """Calls by operation, repeated ones counted."""
        self._faults: dict[str, deque[Fault]] = {}
        self._shut = asyncio.Event()
        self._port = HttpPort(self._application())

    async def __aenter__(self) -> Self:
        self.url = f"http://{await self._port.start('127.0.0.1:0')}"
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._shut.set()
        await self._port.stop()

    def fail(self, operation: str, fault: Fault, times: int = 1) -> None:
        """The next calls of an operation (create, capture, cancel, refund, retrieve, search, list) go wrong."""
        self._faults.setdefault(operation, deque()).extend([fault] * times)

    def signed(self, kind: str, found: Object, secret: str, time_s: int | None = None) -> tuple[bytes, str]:
        """A webhook about an object: its body and its Stripe-Signature."""
        event = {
            "id": f"evt_{self.calls.total():016d}_{kind}",
            "object": "event",
            "type": kind,
            "created": int(self.account.now_s()),
            "data": {"object": found},
        }
        body = json.dumps(event)
        return body.encode(), stripe.WebhookSignature.generate_signature_header(body, secret, time_s)

    def _application(self) -> Starlette:
        account = self.account

        def post(path: str, operation: str, do: Callable[[Request, Object], Object]) -> Route:
            return Route(path, partial(self._mutate, operation, do), methods=["POST"])

        def get(path: str, operation: str, read: Callable[[Request], Object]) -> Route:
            return Route(path, partial(self._read, operation, read), methods=["GET"])

        one, intents = "/v1/payment_intents/{id}", "/v1/payment_intents"
        return Starlette(
            routes=[
                post(intents, "create", lambda _, asked: account.create(asked)),
                get(intents, "list", self._list),
                get(f"{intents}/search", "search", self._search),
                get(one, "retrieve", lambda request: account.intent(request.path_params["id"])),
                post(f"{one}/confirm", "confirm", lambda request, a: account.confirm(request.path_params["id"], a)),
                post(f"{one}/capture", "capture", lambda request, a: account.capture(request.path_params["id"], a)),
                post(
                    f"{one}/increment_authorization",
                    "increment",
                    lambda request, a: account.increment(request.path_params["id"], a),
                ),
                post(
                    f"{one}/cancel",
                    "cancel",
                    lambda request, a: account.cancel(request.path_params["id"], a.get("cancellation_reason")),
                ),
                post("/v1/refunds", "refund", lambda _, asked: account.refund(asked)),
                get("/v1/refunds", "refunds", self._refunds),
            ]
        )

    async def _mutate(self, operation: str, do: Callable[[Request, Object], Object], request: Request) -> Response:
        self.calls[operation] += 1
        fault = self._next_fault(operation)
        asked = form_of((await request.body()).decode())
        named = (request.url.path, asked)
        key = request.headers.get("idempotency-key", "")
        try:
            self._check(request)
            if fault in _BEFORE:
                return await self._broken(fault)
            known = self.keys.begin(key, named, self.account.now_s()) if key else None
            answer = known or await self._done(fault, lambda: do(request, asked))
            if known is None and key:
                is_begun = answer.status not in _NOT_BEGUN
                self.keys.end(key, named, answer if is_begun else None, self.account.now_s())
        except Refused as refused:
            return JSONResponse({"error": refused.error}, refused.status)
        if fault in (Fault.LOST_AFTER, Fault.HANGS_AFTER):
            return await self._broken(fault)
        return self._told(answer, request, is_replay=known is not None)

    async def _done(self, fault: Fault | None, do: Callable[[], Object]) -> Answer:
        """Has it take effect, unless the fault is of a kind that comes before."""
        if fault is Fault.SLOW:
            await asyncio.sleep(self.slow_s)
        answer = _ERROR if fault is Fault.ERROR_BEFORE else _done(do)
        return _ERROR if fault is Fault.ERROR_AFTER else answer

    async def _read(self, operation: str, read: Callable[[Request], Object], request: Request) -> Response:
        self.calls[operation] += 1
        fault = self._next_fault(operation)
        try:
            self._check(request)
            if fault is Fault.ERROR_BEFORE:
                return JSONResponse(_ERROR.body, _ERROR.status)
            if fault is not None:
                return await self._broken(fault)
            return self._told(_done(lambda: read(request)), request)
        except Refused as refused:
            return JSONResponse({"error": refused.error}, refused.status)

    def _next_fault(self, operation: str) -> Fault | None:
        waiting = self._faults.get(operation)
        return waiting.popleft() if waiting else None

    def _check(self, request: Request) -> None:
        if request.headers.get("authorization") != f"Bearer {self.api_key}":
            raise _STATUSES[Fault.KEY_REFUSED]

    async def _broken(self, fault: Fault) -> Response:
        """No answer, or one that says nothing."""
        if fault in _STATUSES:
            raise _STATUSES[fault]
        if fault in (Fault.HANGS_BEFORE, Fault.HANGS_AFTER):
            try:
                await asyncio.wait_for(self._shut.wait(), HANG_S)
            except TimeoutError:
                pass
        return _Cut()

    def _told(self, answer: Answer, request: Request, *, is_replay: bool = False) -> Response:
        headers = {"request-id": f"req_{self.calls.total()}", **({"idempotent-replayed": "true"} if is_replay else {})}
        expanded = any(value.endswith("latest_charge") for _, value in parse_qsl(request.url.query))
        return JSONResponse(_shown(answer.body, expanded=expanded), answer.status, headers)

    def _list(self, request: Request) -> Object:
        asked = form_of(request.url.query)
        created = asked.get("created", {})
        low, high = int(created.get("gte", 0)), int(created.get("lt", 1 << 60))
        found = [each for each in reversed(self.account.intents.values()) if low <= each["created"] < high]
        return _page(found, asked, "/v1/payment_intents")

    def _search(self, request: Request) -> Object:
        asked = form_of(request.url.query)
        wanted = dict(re.findall(r"metadata\['(\w+)'\]:'([^']*)'", asked["query"]))
        if not wanted:
            raise wrong("parameter_invalid", "The query is not understood.")
        latest = self.account.now_s() - self.search_lag_s
        found = [
            each
            for each in self.account.intents.values()
            if each["created"] <= latest and wanted.items() <= each["metadata"].items()
        ]
        return {**_page(found, asked, "/v1/payment_intents/search"), "object": "search_result", "next_page": None}

    def _refunds(self, request: Request) -> Object:
        asked = form_of(request.url.query)
        return _page(self.account.refunds_of(asked["payment_intent"]), asked, "/v1/refunds")


class _Cut(Response):
    """Ends the connection without an answer."""

    async def __call__(self, _scope: Any, _receive: Any, send: Any) -> None:
        """Promises a body and does not send it."""
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"1000")]})
        await send({"type": "http.response.body", "body": b"{", "more_body": True})


def _done(do: Callable[[], Object]) -> Answer:
    """What became of it; what a card refuses is an answer that is kept, too."""
    try:
        return Answer(200, do())
    except Refused as refused:
        return Answer(refused.status, {"error": refused.error})


def _shown(body: Object, *, expanded: bool) -> Object:
    """A copy as it goes over the wire: a charge is only an id unless it is asked for."""
    shown: Object = copy.deepcopy(body)
    for each in [shown, *shown.get("data", []), shown.get("error", {}).get("payment_intent") or {}]:
        if isinstance(each.get("latest_charge"), dict) and not expanded:
            each["latest_charge"] = each["latest_charge"]["id"]
    return shown


def _page(found: Iterable[Object], asked: Object, url: str) -> Object:
    """A page of objects, after the one that is named."""
    objects = list(found)
    limit, after = min(int(asked.get("limit", 10)), PAGE_MAX), asked.get("starting_after")
    if after:
        ids = [each["id"] for each in objects]
        objects = objects[ids.index(after) + 1 :]
    return {"object": "list", "url": url, "has_more": len(objects) > limit, "data": objects[:limit]}


def form_of(text: str) -> Object:
    """A form with brackets as nested objects: `a[b]=1` is {"a": {"b": "1"}}."""
    form: Object = {}
    for name, value in parse_qsl(text, keep_blank_values=True):
        *path, last = re.findall(r"[^\[\]]+", name)
        at = form
        for part in path:
            at = at.setdefault(part, {})
        at[last] = value
    return form
