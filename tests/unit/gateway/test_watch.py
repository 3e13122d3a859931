"""Watching an order by server-sent events: no gap, resumable, ended by either side, bounded."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from typing import Any, NamedTuple

import httpx
import pytest

from ordermesh.gateway.http import events, room
from tests.e2e.api.client import Client, new_id, order_of
from tests.unit.edge.shop import Shop
from tests.waiting import eventually


class Event(NamedTuple):
    """One event as a browser takes it."""

    id: str
    event: str
    data: Any


async def events_of(response: httpx.Response) -> AsyncIterator[Event]:
    """The events of a stream; a comment is one without data."""
    lines: dict[str, str] = {}
    async for line in response.aiter_lines():
        if line:
            name, _, value = line.partition(":")
            lines[name] = value.lstrip()
        elif "data" in lines:
            yield Event(lines.get("id", ""), lines["event"], json.loads(lines["data"]))
            lines = {}
        else:
            yield Event("", next(iter(lines), ""), None)
            lines = {}


async def seen_until(http: httpx.AsyncClient, path: str, version: int, headers: dict[str, str]) -> list[Event]:
    """The events up to that version."""
    seen: list[Event] = []
    async with http.stream("GET", path, headers=headers) as response:
        assert response.status_code == 200
        assert response.headers["content-type"] == "text/event-stream"
        async for event in events_of(response):
            if event.data is not None:
                seen.append(event)
                if int(event.id) >= version:
                    break
    return seen


def ids(seen: list[Event]) -> Iterator[int]:
    """Their ids as numbers."""
    return (int(event.id) for event in seen)


async def test_a_watch_sends_each_version_once_and_goes_on_where_it_was(
    client: Client, http: httpx.AsyncClient
) -> None:
    order = await client.completed()
    path = f"/v1/orders/{order.order_id}:watch"

    whole = await seen_until(http, path, order.version, {})
    rest = await seen_until(http, f"{path}?after_version=1", order.version, {})
    resumed = await seen_until(http, f"{path}?after_version=1", order.version, {"Last-Event-ID": "3"})

    assert list(ids(whole)) == list(range(1, order.version + 1))
    assert list(ids(rest)) == list(range(2, order.version + 1))
    assert list(ids(resumed)) == list(range(4, order.version + 1))
    assert [event.event for event in whole] == [entry.event for entry in order.timeline]
    last = whole[-1].data
    assert (last["version"], last["order"]["order_state"]) == (str(order.version), "ORDER_STATE_COMPLETED")
    assert "payment_token" not in whole[0].data["order"] or whole[0].data["order"]["payment_token"] == ""


async def test_what_happens_while_it_is_watched_is_sent(shop: Shop, client: Client, http: httpx.AsyncClient) -> None:
    await client.receive("TEA")
    shop.provider.silent = True
    created = await client.create(order_of())
    path = f"/v1/orders/{created.order.order_id}:watch"

    async with http.stream("GET", path, headers={"Last-Event-ID": str(created.order.version)}) as response:
        shop.provider.silent = False
        seen = []
        async for event in events_of(response):
            if event.data is not None:
                seen.append(event)
                if event.data["order"]["order_state"] == "ORDER_STATE_COMPLETED":
                    break

    assert next(ids(seen)) == created.order.version + 1


async def test_a_watch_that_cannot_begin_fails_as_any_call(client: Client, http: httpx.AsyncClient) -> None:
    order = await client.completed()

    missing = await http.get(f"/v1/orders/{new_id()}:watch")
    ahead = await http.get(f"/v1/orders/{order.order_id}:watch?after_version=999")
    no_version = await http.get(f"/v1/orders/{order.order_id}:watch", headers={"Last-Event-ID": "x"})

    assert missing.json()["error"]["details"][0]["reason"] == "ORDER_NOT_FOUND"
    assert [missing.status_code, ahead.status_code, no_version.status_code] == [404, 400, 400]


async def test_silence_is_broken_by_signs_of_life_and_a_reader_that_goes_frees_its_place(
    shop: Shop, client: Client, http: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    order = await client.completed()
    monkeypatch.setattr(events, "HEARTBEAT_S", 0.01)
    monkeypatch.setattr(events, "OPENING_S", 0.01)
    path = f"/v1/orders/{order.order_id}:watch?after_version={order.version}"

    async with http.stream("GET", path) as response:
        heard = [await anext(stream) for stream in [events_of(response)] for _ in range(4)]
        assert shop.edge.http.room.streams == 1

    assert [event.event for event in heard] == ["retry", "", "", ""]
    await eventually(lambda: shop.edge.http.room.streams == 0, "the place is free")


async def test_a_stream_that_fails_says_why_and_ends(
    shop: Shop, client: Client, http: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    order = await client.completed()
    monkeypatch.setattr(events, "OPENING_S", 0.01)
    path = f"/v1/orders/{order.order_id}:watch?after_version={order.version}"

    async with http.stream("GET", path) as response:
        stream = events_of(response)
        assert (await anext(stream)).event == "retry"
        await shop.edge.stop(1.0)
        ends = [event async for event in stream]

    assert [event.event for event in ends] == [events.PROBLEM_EVENT]
    assert ends[0].data["error"]["details"][0]["reason"] == "SHUTTING_DOWN"


async def test_a_stream_ends_with_its_time_and_there_are_only_so_many(
    shop: Shop, client: Client, http: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    order = await client.completed()
    path = f"/v1/orders/{order.order_id}:watch"
    monkeypatch.setattr(events, "LIFETIME_S", 0.0)
    async with asyncio.timeout(20.0):
        ended = await http.get(path)
    monkeypatch.setattr(room, "STREAMS_MAX", 0)
    refused = await http.get(path)

    assert ended.text.startswith("retry:")
    assert refused.status_code == 429
    await eventually(lambda: shop.edge.http.room.streams == 0, "the place is free")


async def test_a_reader_that_takes_nothing_is_not_waited_for(
    shop: Shop, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    order = await client.completed()
    monkeypatch.setattr(events, "SENDING_S", 0.05)
    stalled: list[Any] = []

    async def receive() -> Any:
        await eventually(lambda: False, "the reader stays")

    async def send(message: Any) -> None:
        stalled.append(message)
        if len(stalled) > 2:
            await eventually(lambda: False, "the reader takes nothing")

    path = f"/v1/orders/{order.order_id}:watch".encode()
    scope = {
        "type": "http",
        "method": "GET",
        "raw_path": path,
        "path": path.decode(),
        "query_string": b"",
        "headers": [],
    }
    await shop.edge.http.application()(scope, receive, send)

    assert len(stalled) == 3
    assert shop.edge.http.room.streams == 0
