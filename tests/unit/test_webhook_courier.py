"""A courier over hours, in virtual time: what an endpoint that refuses some events, or is away, gets of the others."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any, cast

import pytest

from oms.notification.v1.webhook_pb2 import DELIVERY_OUTCOME_GIVEN_UP, DELIVERY_OUTCOME_MISSED, ENDPOINT_STATE_ACTIVE
from oms.notification.v1.webhook_state_pb2 import DeliveryProgress, Lane, StoredEndpoint
from ordermesh.adapters.jetstream_api import ApiError
from ordermesh.adapters.memory_events import MemoryEvents
from ordermesh.core.stamps import write_time
from ordermesh.notification import courier
from ordermesh.notification.courier import Courier, Figures
from ordermesh.notification.feed import EventFeed
from ordermesh.notification.patience import TROUBLE_PAUSE_MAX_S
from ordermesh.notification.sending import Attempt, Sender
from ordermesh.runtime.event_stream import Bounds, StreamEvent
from ordermesh.runtime.relay import IntegrationEvent

START_US = 1_700_000_000_000_000
HOUR_S = 3_600.0
ANSWER_S = 0.05


class VirtualLoop(asyncio.SelectorEventLoop):
    """Goes to the time of what is next whenever nothing is to be done."""

    now_s = 0.0

    def time(self) -> float:
        """Seconds since the loop was made."""
        return self.now_s

    def _run_once(self) -> None:
        loop = cast(Any, self)
        if not loop._ready and loop._scheduled:
            self.now_s = max(self.now_s, loop._scheduled[0]._when)
        cast(Any, super())._run_once()


class Stream(MemoryEvents):
    """Answers nothing but an error while it is broken; does not say all that it has while who leads it is behind."""

    is_broken = False
    is_behind = False

    async def bounds(self) -> Bounds:
        """As the port says."""
        self._check()
        ends = await super().bounds()
        return ends._replace(last=ends.last - 2) if self.is_behind else ends

    async def page(self, after: int, count_max: int) -> Sequence[StreamEvent]:
        """As the port says."""
        self._check()
        return await super().page(after, count_max)

    def make_anew(self) -> None:
        """Its servers lost it, and a relay made it again."""
        self.__init__(self._now_us)  # type: ignore[misc]  # as it was at first

    def _check(self) -> None:
        if self.is_broken:
            raise ApiError({"code": 500, "err_code": 10118, "description": "stream is offline"})


class World:
    """A stream, a courier, and an endpoint that refuses what `refuses` says of a subject and the time in seconds."""

    def __init__(self, refuses: Callable[[str, float], bool]) -> None:
        self.refuses = refuses
        self.loop = VirtualLoop()
        self.chance = random.Random(1)
        self.ahead_us = 0
        """By so much the clock here is ahead of the stream's."""
        self.stream = Stream(lambda: self.now_us() - self.ahead_us)
        self.figures = Figures()
        self.published_s: dict[str, float] = {}
        self.taken_s: dict[str, float] = {}
        self.attempts: dict[str, list[float]] = {}
        endpoint = StoredEndpoint()
        endpoint.endpoint.endpoint_id, endpoint.endpoint.state = "we_1", ENDPOINT_STATE_ACTIVE
        endpoint.endpoint.event_types.append("*")
        self.feed = EventFeed(self.stream)
        self.courier = Courier(
            "default", endpoint, feed=self.feed, sender=cast(Sender, self), clock=self, figures=self.figures,
            scale=1.0, disable_after_s=3 * 86_400.0,
        )  # fmt: skip

    def now_us(self) -> int:
        """As the clock says."""
        return START_US + round(self.loop.time() * 1e6)

    def monotonic(self) -> float:
        """As the clock says."""
        return self.loop.time()

    def busy(self) -> float:
        """As the clock says."""
        return 0.0

    def token(self, length: int) -> bytes:
        """As the clock says."""
        return self.chance.randbytes(length)

    def random(self) -> float:
        """As the clock says."""
        return self.chance.random()

    @staticmethod
    def encoded(tenant: str) -> str:
        """As the sender says."""
        return tenant

    def told(self) -> None:
        """As the sender says."""

    async def send(self, _endpoint: StoredEndpoint, event: StreamEvent) -> Attempt:
        """As the sender does it."""
        subject = event.headers["ce-subject"]
        self.attempts.setdefault(subject, []).append(self.loop.time())
        await asyncio.sleep(ANSWER_S)
        if self.refuses(subject, self.loop.time()):
            return Attempt(500, "it answered 500", ANSWER_S, "", "")
        self.taken_s.setdefault(subject, self.loop.time())
        return Attempt(200, "", ANSWER_S, "", "")

    async def publish(self, subject: str) -> None:
        """An order was placed."""
        name = f"{subject}/{len(self.stream.events)}"
        headers = f"ce-tenant: default\r\nce-type: oms.order.placed.v1\r\nce-subject: {subject}\r\nce-id: {name}\r\n"
        self.published_s[subject] = self.loop.time()
        await self.stream.publish([IntegrationEvent(name, subject, "om.events.v1.x", headers.encode(), b"")])

    def run(self, happens: Callable[[], Any]) -> None:
        """Delivers while that happens."""

        async def whole() -> None:
            working = [asyncio.create_task(self.feed.watch(self.courier.wake)), asyncio.create_task(self.courier.run())]
            await happens()
            for task in working:
                task.cancel()
                with suppress(asyncio.CancelledError):
                    await task

        try:
            self.loop.run_until_complete(whole())
        finally:
            self.loop.close()

    async def steady(self, hours: float, per_second: float, bad_share: float) -> None:
        """Orders at chance times, of which some are bad."""
        number = 0
        while self.loop.time() < hours * HOUR_S:
            await asyncio.sleep(self.chance.expovariate(per_second))
            number += 1
            await self.publish(("bad" if self.chance.random() < bad_share else "good") + f"-{number}")


def _is_bad(subject: str, _now_s: float) -> bool:
    return subject.startswith("bad")


def test_an_endpoint_that_refuses_some_orders_gets_all_others_soon() -> None:
    world = World(_is_bad)
    world.run(lambda: world.steady(hours=1.0, per_second=2.0, bad_share=0.05))

    good = {name: at for name, at in world.published_s.items() if name.startswith("good") and at < HOUR_S - 60.0}
    late = [name for name, at in good.items() if world.taken_s.get(name, 1e9) - at > 60.0]
    assert len(good) > 6_000
    assert not late, f"{len(late)} of {len(good)} came late or not at all"
    assert world.figures.given_up == 0, "ten attempts take three days"


def test_an_endpoint_that_refuses_more_than_may_wait_gets_all_others_soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(courier, "WAITING_MAX", 60)
    world = World(_is_bad)
    world.run(lambda: world.steady(hours=0.75, per_second=2.0, bad_share=0.1))

    good = {name: at for name, at in world.published_s.items() if name.startswith("good") and at < 0.75 * HOUR_S - 60.0}
    assert not [name for name, at in good.items() if world.taken_s.get(name, 1e9) - at > 60.0]
    noted = [stored.delivery for _, stored in world.courier.noted]
    told = [one for one in noted if one.outcome == DELIVERY_OUTCOME_GIVEN_UP]
    assert told
    assert world.figures.given_up > 100
    assert all(one.subject.startswith("bad") and "refused events wait" in one.error for one in told)
    assert min(len(world.attempts[one.subject]) for one in told) >= courier.GIVE_WAY_FAILURES_MIN
    assert world.courier.waiting_count < 2 * courier.WAITING_MAX


def test_an_outage_gives_up_nothing_however_much_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    """Also of few subjects, each of which has an event that failed often."""
    monkeypatch.setattr(courier, "WAITING_MAX", 60)
    world = World(lambda _subject, now_s: 600.0 < now_s < 3 * HOUR_S)

    async def happens() -> None:
        for number in range(3_000):
            await asyncio.sleep(5.0)
            await world.publish(f"tea-{number % 4}")

    world.run(happens)
    assert world.figures.given_up == 0
    assert world.figures.delivered >= 2_999


def test_an_endpoint_that_was_away_for_hours_is_found_within_minutes_and_gets_all() -> None:
    back_s = 4 * HOUR_S
    world = World(lambda _subject, now_s: HOUR_S < now_s < back_s)
    world.run(lambda: world.steady(hours=4.5, per_second=0.5, bad_share=0.0))

    waited = [name for name, at in world.published_s.items() if HOUR_S < at < back_s]
    first_s = min(world.taken_s[name] for name in waited)
    assert first_s - back_s <= 1.2 * TROUBLE_PAUSE_MAX_S + 1.0
    assert max(world.taken_s[name] for name in waited) - first_s < 120.0
    assert sum(len(world.attempts[name]) - 1 for name in waited) < 70, "it was asked seldom"


def test_a_moment_of_failure_costs_a_moment() -> None:
    """Eight requests are under way when it fails: that is one failure, and not eight."""
    world = World(lambda _subject, now_s: 60.0 < now_s < 61.0)
    world.run(lambda: world.steady(hours=0.03, per_second=100.0, bad_share=0.0))

    latest_s = max(at - world.published_s[name] for name, at in world.taken_s.items())
    assert latest_s < 15.0
    assert len(world.taken_s) > 0.99 * len(world.published_s)


def test_a_quiet_endpoint_s_refused_orders_keep_their_schedule() -> None:
    """A success after some refusals hurries what waits, which is no attempt of the ten."""
    world = World(_is_bad)
    world.run(lambda: world.steady(hours=12.0, per_second=1 / 300.0, bad_share=0.5))

    assert world.figures.given_up == 0
    assert any(len(times) > 10 for times in world.attempts.values()), "some were hurried"
    late = [name for name, at in world.taken_s.items() if at - world.published_s[name] > 3_600.0]
    assert not late


def test_an_error_of_the_stream_ends_nothing() -> None:
    """It answers with an error that says nothing of being away: to the look for news, to a page, to one event."""
    world = World(lambda _subject, now_s: now_s < 3.0)

    async def happens() -> None:
        await world.publish("first")
        await asyncio.sleep(2.0)
        world.stream.is_broken = True
        world.feed._kept.clear()
        await world.publish("second")
        await asyncio.sleep(8.0)
        assert not world.taken_s, "neither can be read"
        world.stream.is_broken = False
        await asyncio.sleep(2.0)

    world.run(happens)
    assert set(world.taken_s) == {"first", "second"}


def test_a_redelivery_of_what_is_no_longer_kept_is_told_and_is_no_loss() -> None:
    world = World(_is_bad)
    again = world.courier.endpoint.endpoint.redeliveries.add
    again(redelivery_id="re_1", first_sequence=2, last_sequence=2)
    again(redelivery_id="re_2", first_sequence=3, last_sequence=5)

    async def happens() -> None:
        for number in range(1, 7):
            await world.publish(f"good-{number}")
        world.courier.restore(DeliveryProgress(lanes=[Lane(through_sequence=6)]))
        world.stream.forget(4)
        await asyncio.sleep(2.0)

    world.run(happens)
    told = {stored.delivery.redelivery_id: stored.delivery for _, stored in world.courier.noted}
    assert told["re_1"].outcome == DELIVERY_OUTCOME_MISSED
    assert told["re_1"].error.startswith("events 2 to 2 were")
    assert sorted(world.courier.ended_redeliveries()) == ["re_1", "re_2"]
    assert list(world.taken_s) == ["good-5"], "what is left is sent again"
    assert world.figures.missed == 0


def test_a_redelivery_ends_by_the_clock_of_the_stream() -> None:
    """The clock here is 20 s ahead: what is published before the end of a redelivery still belongs to it."""
    world = World(_is_bad)
    world.ahead_us = 20_000_000
    redelivery = world.courier.endpoint.endpoint.redeliveries.add(redelivery_id="re_1")
    write_time(redelivery.start_time, START_US - 21_000_000)
    write_time(redelivery.end_time, START_US - 17_000_000)

    async def happens() -> None:
        await asyncio.sleep(2.0)
        await world.publish("in time")
        await asyncio.sleep(2.0)
        await world.publish("later")
        await asyncio.sleep(10.0)

    world.run(happens)
    assert {subject: len(at) for subject, at in world.attempts.items()} == {"in time": 2, "later": 1}
    assert world.courier.ended_redeliveries() == ["re_1"]


def test_a_stream_that_was_lost_and_made_anew_is_read_from_its_start() -> None:
    world = World(lambda subject, _now_s: subject == "waits")
    world.courier.endpoint.endpoint.redeliveries.add(redelivery_id="re_1", first_sequence=8, last_sequence=9)

    async def happens() -> None:
        world.courier.restore(DeliveryProgress(lanes=[Lane(), Lane(redelivery_id="re_1", through_sequence=7)]))
        await world.publish("waits")
        for number in range(2, 8):
            await world.publish(f"old-{number}")
        await asyncio.sleep(60.0)
        world.stream.make_anew()
        for number in range(3):
            await asyncio.sleep(20.0)
            await world.publish(f"new-{number}")
        await asyncio.sleep(60.0)
        await world.publish("new-3")
        await asyncio.sleep(1.0)

    world.run(happens)
    assert [name for name in world.taken_s if name.startswith("new")] == [f"new-{number}" for number in range(4)]
    told = [stored.delivery for _, stored in world.courier.noted if "made anew" in stored.delivery.error]
    assert [(one.outcome, one.redelivery_id) for one in told] == [
        (DELIVERY_OUTCOME_MISSED, ""),
        (DELIVERY_OUTCOME_MISSED, "re_1"),
    ]
    assert world.figures.missed == 1
    assert world.courier.ended_redeliveries() == ["re_1"]
    assert world.courier.waiting_count == 0, "what waited is gone"


def test_a_stream_that_seems_to_end_too_soon_for_a_moment_is_the_same() -> None:
    world = World(_is_bad)

    async def happens() -> None:
        for number in range(5):
            await world.publish(f"good-{number}")
        await asyncio.sleep(1.0)
        world.stream.is_behind = True
        await asyncio.sleep(20.0)
        world.stream.is_behind = False
        await asyncio.sleep(60.0)
        await world.publish("good-5")
        await asyncio.sleep(1.0)

    world.run(happens)
    assert {name: len(times) for name, times in world.attempts.items()} == {f"good-{number}": 1 for number in range(6)}
    assert world.figures.missed == 0
