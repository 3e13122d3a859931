"""Reading integration events by their place in `OM_EVENTS`: the `EventStream` of who delivers webhooks.

Pages come by direct gets in batches, so that nothing is kept in the server for a reader: no consumer, however many
endpoints read, each from where it is.
"""

from __future__ import annotations

import asyncio
import json
import secrets
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from nats.aio.msg import Msg

from ordermesh.adapters.jetstream_api import call
from ordermesh.adapters.jetstream_events import API_SECONDS, STREAM, SUBJECTS
from ordermesh.adapters.nats_access import OPEN, NatsAccess
from ordermesh.adapters.nats_connection import Connection, Requests
from ordermesh.runtime.event_stream import Bounds, StreamEvent
from ordermesh.runtime.ports import LogUnavailable

PAGE_SECONDS = 5.0
"""For one page."""
PAGE_BYTES_MAX = 4 * 1024 * 1024
"""Bytes of a page; one event may be larger."""
_END, _NOTHING = "204", "404"


class _Page:
    """One page while it comes."""

    def __init__(self) -> None:
        self.events: list[StreamEvent] = []
        self.ended: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def take(self, message: Msg) -> None:
        """One more event, or the end."""
        headers = {name.lower(): value for name, value in (message.headers or {}).items()}
        status = headers.get("status")
        if status is None and "nats-sequence" in headers:
            before = self.events[-1].sequence if self.events else 0
            if int(headers.get("nats-last-sequence", before)) != before and not self.ended.done():
                self.ended.set_exception(LogUnavailable(f"{STREAM}: an event of a page was lost on its way"))
            self.events.append(_event(headers, message.data))
        elif not self.ended.done():
            if status in (_END, _NOTHING):
                self.ended.set_result(None)
            else:
                self.ended.set_exception(LogUnavailable(f"{STREAM}: {status} {headers.get('description', '')}"))


def _event(headers: dict[str, str], data: bytes) -> StreamEvent:
    moment = datetime.fromisoformat(headers["nats-time-stamp"])
    own = {name: value for name, value in headers.items() if name.startswith("ce-") or name == "content-type"}
    return StreamEvent(int(headers["nats-sequence"]), _microseconds(moment), own, data)


def _microseconds(moment: datetime) -> int:
    since = moment - datetime(1970, 1, 1, tzinfo=UTC)
    return (since.days * 86_400 + since.seconds) * 1_000_000 + since.microseconds


class JetStreamEventReader:
    """Reads from a NATS server or cluster. Call `open` first; the stream has to be there."""

    def __init__(self, servers: Sequence[str], *, name: str, access: NatsAccess = OPEN) -> None:
        self._connection = Connection(servers, f"{name} events", access)
        self._requests = Requests(self._connection)
        self._inbox = f"_INBOX.{secrets.token_hex(11)}."
        self._pages: dict[str, _Page] = {}
        self._count = 0

    async def open(self, timeout_s: float = 10.0) -> None:
        """Connects. Raises LogUnavailable."""
        await self._connection.open(timeout_s)
        await self._requests.start()
        await self._connection.subscribe(self._inbox + "*", self._receive)

    async def close(self) -> None:
        """Disconnects; idempotent."""
        await self._connection.close()

    async def bounds(self) -> Bounds:
        """See `EventStream.bounds`."""
        info = await call(self._requests, f"STREAM.INFO.{STREAM}", {}, API_SECONDS)
        state = info["state"]
        last, time_us = int(state["last_seq"]), _microseconds(datetime.fromisoformat(info["ts"]))
        return Bounds(int(state["first_seq"]) if state["messages"] else last + 1, last, time_us)

    async def page(self, after: int, count_max: int) -> Sequence[StreamEvent]:
        """See `EventStream.page`."""
        place = {"seq": after + 1, "batch": count_max, "max_bytes": PAGE_BYTES_MAX}
        return [event for event in await self._fetch(place) if event.sequence > after]

    async def first_since(self, time_us: int) -> int:
        """See `EventStream.first_since`."""
        seconds, microseconds = divmod(max(time_us, 0), 1_000_000)
        moment = datetime.fromtimestamp(seconds, UTC).replace(microsecond=microseconds)
        bounds = await self.bounds()  # before: what is published from now on is after it, whoever answers below
        found = await self._fetch({"start_time": moment.isoformat(), "batch": 1})
        if found:
            return found[0].sequence
        if bounds.first <= bounds.last:
            newest = await self.page(bounds.last - 1, 1)
            if not newest or newest[0].time_us >= time_us:
                raise LogUnavailable(f"{STREAM}: a replica lags that was asked for what came since a time")
        return bounds.last + 1

    async def _fetch(self, place: dict[str, Any]) -> list[StreamEvent]:
        self._count += 1
        token = str(self._count)
        page = self._pages[token] = _Page()
        body = json.dumps({**place, "next_by_subj": SUBJECTS}).encode()
        try:
            await self._connection.publish(f"$JS.API.DIRECT.GET.{STREAM}", body, self._inbox + token)
            async with asyncio.timeout(PAGE_SECONDS):
                await page.ended
        except TimeoutError:
            raise LogUnavailable(f"{STREAM}: no page in {PAGE_SECONDS:g} s") from None
        finally:
            del self._pages[token]
        return page.events

    def _receive(self, message: Msg) -> None:
        page = self._pages.get(message.subject[len(self._inbox) :])
        if page is not None:
            page.take(message)
