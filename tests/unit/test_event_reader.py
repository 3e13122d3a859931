"""Reading events where the replica that answers is behind: what it does not have yet is never taken for the end."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import pytest
from nats.aio.client import Client
from nats.aio.msg import Msg

from ordermesh.adapters.jetstream_event_reader import JetStreamEventReader, _Page
from ordermesh.runtime.event_stream import Bounds, StreamEvent
from ordermesh.runtime.ports import LogUnavailable


class Reader(JetStreamEventReader):
    """Asks a replica that has what was up to a place; the leader has all. `meanwhile` is published after its answer."""

    def __init__(self, times_us: Sequence[int], replica: int, *, first: int = 1, meanwhile: Sequence[int] = ()) -> None:
        super().__init__(["nats://127.0.0.1:1"], name="test")
        self._times_us = list(times_us)
        self._replica = replica
        self._first = first
        self._meanwhile = list(meanwhile)

    async def bounds(self) -> Bounds:
        """As the leader says."""
        return Bounds(self._first, len(self._times_us), 0)

    async def _fetch(self, place: dict[str, Any]) -> list[StreamEvent]:
        have = [
            StreamEvent(sequence, time_us, {}, b"")
            for sequence, time_us in enumerate(self._times_us[: self._replica], start=1)
            if sequence >= self._first
        ]
        if "seq" in place:
            return [event for event in have if event.sequence >= place["seq"]][: place["batch"]]
        self._times_us += self._meanwhile
        since_us = round(datetime.fromisoformat(place["start_time"]).timestamp() * 1_000_000)
        return [event for event in have if event.time_us >= since_us][:1]


def told(sequence: int, before: int) -> Msg:
    """An event of a page, as a server sends it: with the one of the page that it sent before."""
    headers = {
        "Nats-Sequence": str(sequence), "Nats-Last-Sequence": str(before),
        "Nats-Time-Stamp": "2026-01-01T00:00:00.123456789Z",
    }  # fmt: skip
    return Msg(_client=Client(), headers=headers)


END = Msg(_client=Client(), headers={"Status": "204", "Description": "EOB"})


@pytest.mark.parametrize("lost", [5, 6, 9])
async def test_a_page_of_which_an_event_was_lost_is_none(lost: int) -> None:
    """Requests and answers are at most once: a server's buffer that is full drops what it holds."""
    page = _Page()
    for sequence, before in ((5, 0), (6, 5), (9, 6), (10, 9)):
        if sequence != lost:
            page.take(told(sequence, before))
    page.take(END)

    with pytest.raises(LogUnavailable, match="lost"):
        await page.ended


async def test_a_page_without_what_the_stream_let_go_of_is_whole() -> None:
    page = _Page()
    for message in (told(5, 0), told(6, 5), told(9, 6), END):
        page.take(message)

    await page.ended
    assert [event.sequence for event in page.events] == [5, 6, 9]


async def test_a_place_is_found_by_time_where_the_replica_has_it() -> None:
    assert await Reader([10_000_000, 20_000_000, 30_000_000], replica=2).first_since(20_000_000) == 2
    assert await Reader([10_000_000, 20_000_000], replica=2).first_since(30_000_000) == 3
    assert await Reader([], replica=0).first_since(0) == 1


@pytest.mark.parametrize("replica", [0, 1, 2])
async def test_a_replica_without_the_newest_event_says_nothing_of_a_time(replica: int) -> None:
    with pytest.raises(LogUnavailable):
        await Reader([10_000_000, 20_000_000, 30_000_000], replica=replica).first_since(25_000_000)


async def test_what_is_published_while_a_place_is_looked_for_is_after_it() -> None:
    reader = Reader([10_000_000], replica=9, meanwhile=[20_000_000, 21_000_000])
    assert await reader.first_since(20_000_000) == 2


async def test_a_stream_that_let_go_of_all_is_no_replica_that_lags() -> None:
    assert await Reader([10_000_000, 20_000_000], replica=2, first=3).first_since(30_000_000) == 3
