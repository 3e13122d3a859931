"""Delivers to one endpoint: reads on where there is nothing to send, sends what is due, and notes what came of it.

What it keeps (`progress`) is a statement about the past, so it may be stored late or lost: a courier that begins from
an older one delivers again what was delivered since, in order, and leaves nothing out. Two that work for the same
endpoint at the same time do no more harm than that.
"""

from __future__ import annotations

import asyncio
from collections import deque
from contextlib import suppress
from dataclasses import dataclass
from urllib.parse import unquote

import structlog

from oms.notification.v1 import webhook_state_pb2
from oms.notification.v1.webhook_pb2 import (
    DELIVERY_OUTCOME_DELIVERED,
    DELIVERY_OUTCOME_FAILED,
    DELIVERY_OUTCOME_GIVEN_UP,
    DELIVERY_OUTCOME_MISSED,
    ENDPOINT_STATE_ACTIVE,
    ENDPOINT_STATE_REASON_GONE,
    ENDPOINT_STATE_REASON_NOT_ALLOWED,
    ENDPOINT_STATE_REASON_UNREACHABLE,
    Delivery,
    EndpointStateReason,
)
from ordermesh.core.stamps import write_time
from ordermesh.notification.catalogue import TEST_TYPE
from ordermesh.notification.feed import EventFeed
from ordermesh.notification.lane import Lane, Waiting
from ordermesh.notification.model import wants
from ordermesh.notification.patience import RETRY_AFTER_MAX_S, TROUBLE_PAUSE_MAX_S, Trouble, pause_us
from ordermesh.notification.rows import BLOCK_ROWS
from ordermesh.notification.sending import Attempt, Sender
from ordermesh.runtime.event_stream import StreamEvent
from ordermesh.runtime.ports import Clock, LogError

IN_FLIGHT_MAX = 8
"""Requests to an endpoint at once, of different subjects."""
WAITING_MAX = 2_000
"""Events of an endpoint that were read and are not delivered, by a page more at most, and twice as many where each was
refused before; others wait in the stream. That one waits takes 100 bytes of a row that is stored twice a second."""
GIVE_WAY_FAILURES_MIN = 3
"""Attempts that an event had before it gives way to others, where an endpoint refuses more than may wait: 5 minutes."""
GIVE_WAY_S = 60.0
"""And the endpoint took others so long after it was published: it is there, and does not want this one."""
START_SLACK_US = 2_000_000
"""An endpoint is told of what was published up to so long before it was made: clocks differ."""
PUBLISHED_WITHIN_US = 5_000_000
"""From an event's happening to its publication, at most, where all is well: a redelivery waits for that."""
REST_S = 0.5
"""After the stream of events did not answer, or while a redelivery waits for the ordinary way."""
AHEAD_S = 30.0
"""How long a stream may end before what was read of it until it counts as another: a new leader may be behind."""
LONG_S = 3_600.0
"""Where only what wakes it is waited for."""
NOTED_MAX = 1_000
"""Attempts that wait to be stored; past it the oldest are left out of the log of deliveries."""


_log = structlog.get_logger(__name__)


@dataclass(slots=True)
class Figures:
    """What a process counts of all its endpoints: attempts by outcome, and what they took."""

    delivered: int = 0
    failed: int = 0
    given_up: int = 0
    missed: int = 0
    seconds: float = 0.0


class Courier:
    """Delivers to one endpoint. `changed` is called when something is to be stored or decided."""

    def __init__(
        self, tenant: str, endpoint: webhook_state_pb2.StoredEndpoint, *, feed: EventFeed, sender: Sender, clock: Clock,
        figures: Figures, scale: float, disable_after_s: float,
    ) -> None:  # fmt: skip
        """`scale` shortens or lengthens the schedule of retries."""
        self.tenant = tenant
        self.endpoint = endpoint
        self.lanes: list[Lane] = []
        self.trouble = Trouble()
        self.disable: tuple[EndpointStateReason, str] | None = None
        """Why the endpoint should get nothing more."""
        self.noted: deque[tuple[int, webhook_state_pb2.StoredDelivery]] = deque(maxlen=NOTED_MAX)
        self.is_dirty = False
        self._feed = feed
        self._sender = sender
        self._clock = clock
        self._figures = figures
        self._scale = scale
        self._disable_after_s = disable_after_s
        self._next_delivery = 0
        self._last_success_us = 0
        self._missed = 0
        self._ahead_since_us = 0
        self._given_up = 0
        self._active_version = endpoint.active_version
        self._sending: set[asyncio.Task[None]] = set()
        self._wake = asyncio.Event()

    def wake(self) -> None:
        """Something may be to do."""
        self._wake.set()

    def configure(self, endpoint: webhook_state_pb2.StoredEndpoint) -> None:
        """The endpoint as it is now; where it was made active anew, old failures do not count."""
        self.endpoint = endpoint
        if endpoint.active_version > self._active_version:
            self._active_version = endpoint.active_version
            self.trouble = Trouble()
            self.disable = None
            self.is_dirty = True
            for lane in self.lanes:
                lane.hurry(self._clock.now_us())
        self.wake()

    @property
    def is_active(self) -> bool:
        """Whether anything is sent."""
        return self.endpoint.endpoint.state == ENDPOINT_STATE_ACTIVE and self.disable is None

    @property
    def waiting_count(self) -> int:
        """Events that were read and are not delivered."""
        return sum(map(len, self.lanes))

    def ended_redeliveries(self) -> list[str]:
        """Those that are done, as far as this courier knows."""
        return [lane.redelivery_id for lane in self.lanes if lane.redelivery_id and lane.is_done]

    def oldest_us(self) -> int | None:
        """When the oldest of them was published that is on the ordinary way; None where there is none."""
        return next((one.publish_us for lane in self.lanes[:1] for one in lane.waiting()), None)

    def restore(self, kept: webhook_state_pb2.DeliveryProgress) -> None:
        """Goes on from what was kept."""
        for each in kept.lanes:
            lane = Lane(each.redelivery_id)
            lane.restore(each)
            self.lanes.append(lane)
        # What was noted since may not be overwritten: a new block begins.
        self._next_delivery = -(-kept.next_delivery // BLOCK_ROWS) * BLOCK_ROWS
        self._last_success_us = kept.last_success_us
        self._missed, self._given_up = kept.missed_count, kept.given_up_count
        if kept.active_version == self._active_version:
            self.trouble = Trouble(kept.consecutive_failures, kept.failing_since_us, kept.resume_us, kept.last_error)

    def progress(self) -> webhook_state_pb2.DeliveryProgress:
        """What is kept."""
        trouble = self.trouble
        return webhook_state_pb2.DeliveryProgress(
            lanes=[lane.snapshot() for lane in self.lanes],
            next_delivery=self._next_delivery,
            consecutive_failures=trouble.consecutive_failures,
            failing_since_us=trouble.failing_since_us,
            last_success_us=self._last_success_us,
            resume_us=trouble.resume_us,
            last_error=trouble.last_error,
            missed_count=self._missed,
            given_up_count=self._given_up,
            active_version=self._active_version,
        )

    async def run(self) -> None:
        """Until cancelled."""
        try:
            while True:
                self._wake.clear()
                pause_s = REST_S
                with suppress(LogError):
                    await self._set_out()
                    pause_s = await self._go_on() if self.is_active else LONG_S
                with suppress(TimeoutError):
                    async with asyncio.timeout(pause_s):
                        await self._wake.wait()
        finally:
            for task in self._sending:
                task.cancel()
            await asyncio.gather(*self._sending, return_exceptions=True)

    async def _go_on(self) -> float:
        """Reads and sends; returns the seconds until something else is to do, but for what wakes it."""
        await self._begin_anew()
        await self._read_on()
        is_awaited = any(lane.end_us and not lane.is_read for lane in self.lanes)
        return min(self._send(), REST_S if is_awaited or self._ahead_since_us else LONG_S)

    async def _begin_anew(self) -> None:
        """Where the stream goes on ending before what was read of it, it was lost and made anew: all in it is new.
        Raises LogError."""
        now_us = self._clock.now_us()
        if self.lanes[0].through <= self._feed.bounds.last:
            self._ahead_since_us = 0
            return
        self._ahead_since_us = self._ahead_since_us or now_us
        if now_us - self._ahead_since_us < AHEAD_S * 1_000_000:
            return
        bounds = await self._feed.look()
        for place, lane in enumerate(self.lanes):
            if lane.through <= bounds.last:
                continue
            self._miss(lane, max(1, len(lane)))  # at least: what was published to it at last was never seen
            text = f"the stream of events was lost and made anew, with what waited of its events up to {lane.through}"
            self._note_missed(lane, text, lane.through)
            self.lanes[place] = Lane(lane.redelivery_id, bounds.first - 1)
            if lane.redelivery_id:
                self.lanes[place].is_read = True
                self._sender.told()
        self._ahead_since_us = 0

    async def _set_out(self) -> None:
        """Makes the lanes that there have to be, and drops those that are over. Raises LogError."""
        if not self.lanes:
            created_us = self.endpoint.endpoint.create_time.ToMicroseconds()
            through = await self._feed.first_since(created_us - START_SLACK_US) - 1
            self.lanes.append(Lane(through=through))
            self.is_dirty = True
        wanted = {each.redelivery_id: each for each in self.endpoint.endpoint.redeliveries}
        if self.lanes[1:] or wanted:
            self.lanes[1:] = [lane for lane in self.lanes[1:] if lane.redelivery_id in wanted]
            known = {lane.redelivery_id: lane for lane in self.lanes}
            for name, redelivery in wanted.items():
                if name not in known:
                    through = redelivery.first_sequence - 1
                    if not redelivery.first_sequence:
                        through = await self._feed.first_since(redelivery.start_time.ToMicroseconds()) - 1
                    known[name] = Lane(name, through)
                    self.lanes.append(known[name])
                    self.is_dirty = True
                known[name].end = redelivery.last_sequence
                known[name].end_us = 0 if redelivery.last_sequence else redelivery.end_time.ToMicroseconds()
                known[name].read(known[name].through)

    async def _read_on(self) -> None:
        """Reads further where nothing is to be sent now. Raises LogError."""
        for lane in self.lanes:
            while not lane.is_read and self._has_room(lane):
                due_us = lane.due_us()
                is_due = due_us is not None and due_us <= self._clock.now_us()
                # An endpoint in trouble is asked by what it never refused: that is looked for where there is none.
                if is_due and (not self.trouble.is_serious or lane.has_untried()):
                    break
                if not await self._read_page(lane):
                    break
                await asyncio.sleep(0)  # pages in memory are had at once, and others have a turn too

    def _has_room(self, lane: Lane) -> bool:
        """Whether more may wait. Where all that waits was refused by an endpoint that takes other events, what failed
        most gives way: the endpoint would get nothing else for days."""
        while len(lane) >= WAITING_MAX and not lane.has_untried():
            one = lane.most_failed()
            since_us = self._last_success_us - round(GIVE_WAY_S * self._scale * 1_000_000)
            if one is None or one.failures < GIVE_WAY_FAILURES_MIN or one.publish_us > since_us:
                return len(lane) < 2 * WAITING_MAX  # something else has to be tried
            delivery = self._told(lane, one, None, None)
            delivery.attempt = one.failures
            delivery.error = f"given up before its last attempt, because {WAITING_MAX} refused events wait"
            self._give_up(lane, one, delivery)
        return len(lane) < WAITING_MAX

    async def _read_page(self, lane: Lane) -> bool:
        """Reads a page, and adds what the endpoint wants. False at the end of the stream. Raises LogError."""
        first = self._feed.bounds.first
        if lane.through + 1 < first:
            self._note_gap(lane, first)
        events = await self._feed.page(lane.through)
        if not events and lane.end_us and self._feed.bounds.time_us > lane.end_us + PUBLISHED_WITHIN_US:
            lane.is_read = True
        for event in events:
            if lane.end_us and event.time_us >= lane.end_us:
                lane.is_read = True
            if lane.is_read:
                break
            if self._wants(event):
                lane.add(event.sequence, event.headers["ce-subject"], event.time_us)
            lane.read(event.sequence)
        if lane.redelivery_id and lane.is_done:
            self._sender.told()
        self.is_dirty = self.is_dirty or bool(events)
        return bool(events)

    def _wants(self, event: StreamEvent) -> bool:
        headers, endpoint = event.headers, self.endpoint.endpoint
        if headers.get("ce-tenant") != self._sender.encoded(self.tenant):
            return False
        if headers["ce-type"] == TEST_TYPE:
            return headers["ce-subject"] == endpoint.endpoint_id
        return wants(endpoint.event_types, headers["ce-type"])

    def _note_gap(self, lane: Lane, first: int) -> None:
        """The stream let go of events before they were read: they are lost for the endpoint, and that is told."""
        last = min(first - 1, lane.end) if lane.end else first - 1
        self._miss(lane, last - lane.through)
        text = f"events {lane.through + 1} to {last} were no longer kept when they would have been read"
        self._note_missed(lane, text, last)
        lane.read(last)

    def _note_missed(self, lane: Lane, text: str, sequence: int) -> None:
        """Tells in the log of deliveries of several events that are lost for the endpoint."""
        delivery = Delivery(
            endpoint_id=self.endpoint.endpoint.endpoint_id,
            outcome=DELIVERY_OUTCOME_MISSED,
            error=text,
            redelivery_id=lane.redelivery_id,
        )
        write_time(delivery.attempt_time, self._clock.now_us())
        self._note(delivery, sequence)

    def _miss(self, lane: Lane, count: int) -> None:
        """Counts events that are lost for the endpoint: not those that were to be sent again."""
        if not lane.redelivery_id:
            self._missed += count
            self._figures.missed += count

    def _send(self) -> float:
        """Begins to send what is due and may go; returns the seconds until something else may."""
        now_us = self._clock.now_us()
        most = 1 if self.trouble.is_serious else IN_FLIGHT_MAX
        wait_us = self.trouble.resume_us - now_us
        if wait_us > 0:
            return wait_us / 1_000_000
        while len(self._sending) < most and (begun := self._begin(now_us)) is not None:
            task = asyncio.create_task(self._deliver(*begun))
            self._sending.add(task)
            task.add_done_callback(self._sent)
        if len(self._sending) >= most:
            return LONG_S
        due = [due_us for lane in self.lanes if (due_us := lane.due_us()) is not None]
        return max(0.0, (min(due) - now_us) / 1_000_000) if due else LONG_S

    def _begin(self, now_us: int) -> tuple[Lane, Waiting] | None:
        """What is being sent from now on: what is due for longest, and to an endpoint in trouble what failed least,
        because what it refused before says nothing of whether it is well."""
        if not self.trouble.is_serious:
            return next(
                ((lane, one) for lane in self.lanes if (one := self._first_due(lane, now_us)) is not None), None
            )
        due = [(lane, one) for lane in self.lanes if (one := self._least_failed(lane, now_us)) is not None]
        if not due:
            return None
        lane, waiting = min(due, key=lambda each: each[1].failures)
        lane.begin(waiting)
        return lane, waiting

    def _first_due(self, lane: Lane, now_us: int) -> Waiting | None:
        """What is due for longest of a lane; from now on it is being sent."""
        while (one := lane.take(now_us)) is not None and self._is_early(lane, one):
            lane.put_back(one.sequence, now_us + round(REST_S * 1_000_000))
        return one

    def _least_failed(self, lane: Lane, now_us: int) -> Waiting | None:
        """What failed least of a lane's events that are due."""
        while (one := lane.least_failed(now_us)) is not None and self._is_early(lane, one):
            lane.begin(one)
            lane.put_back(one.sequence, now_us + round(REST_S * 1_000_000))
        return one

    def _is_early(self, lane: Lane, waiting: Waiting) -> bool:
        """Whether a redelivery would arrive before what the ordinary way still has of its order."""
        return bool(lane.redelivery_id) and self.lanes[0].comes_first(waiting)

    def _sent(self, task: asyncio.Task[None]) -> None:
        self._sending.discard(task)
        self.wake()

    async def _deliver(self, lane: Lane, waiting: Waiting) -> None:
        """One attempt."""
        try:
            event = await self._feed.event(waiting.sequence)
        except LogError:
            lane.put_back(waiting.sequence, self._clock.now_us() + round(REST_S * 1_000_000))
            return
        except asyncio.CancelledError:
            lane.put_back(waiting.sequence, 0)
            raise
        if event is None:
            self._miss(lane, 1)
            delivery = self._told(lane, waiting, None, None)
            delivery.outcome, delivery.error = DELIVERY_OUTCOME_MISSED, "the event was no longer kept"
            self._finish(lane, waiting, delivery)
            return
        began_us = self._clock.now_us()
        try:
            attempt = await self._sender.send(self.endpoint, event)
        except asyncio.CancelledError:
            lane.put_back(waiting.sequence, 0)
            raise
        except Exception:  # noqa: BLE001 - a defect here must not have the event sent again and again without a pause
            _log.exception("an attempt failed", endpoint=self.endpoint.endpoint.endpoint_id, sequence=event.sequence)
            attempt = Attempt(0, "the attempt failed inside the engine; its log says how", 0.0, "", "")
        self._take(lane, waiting, event, attempt, began_us)

    def _take(self, lane: Lane, waiting: Waiting, event: StreamEvent, attempt: Attempt, began_us: int) -> None:
        """What an attempt means for the event and for the endpoint."""
        delivery = self._told(lane, waiting, event, attempt)
        self._figures.seconds += attempt.seconds
        now_us = self._clock.now_us()
        if not attempt.error:
            self._figures.delivered += 1
            delivery.outcome = DELIVERY_OUTCOME_DELIVERED
            self._last_success_us = now_us
            self._finish(lane, waiting, delivery)
            self._recover(now_us)
            return
        self.trouble.failed(waiting.subject, attempt.error, now_us, self._clock.random(), self._scale, began_us)
        if attempt.retry_after_s is not None:
            self.trouble.wait_until(now_us + round(min(attempt.retry_after_s, RETRY_AFTER_MAX_S) * 1_000_000))
        self._disable_if_dead(attempt, now_us)
        self._try_again(lane, waiting, delivery, now_us)

    def _recover(self, now_us: int) -> None:
        """The endpoint answers: what waits because it was away for long need not wait for its time."""
        away_us = now_us - self.trouble.failing_since_us
        if self.trouble.succeeded() and away_us >= TROUBLE_PAUSE_MAX_S * self._scale * 1_000_000:
            for each in self.lanes:
                each.hurry(now_us)

    def _try_again(self, lane: Lane, waiting: Waiting, delivery: Delivery, now_us: int) -> None:
        """An attempt failed: the next has its time, unless this was the last. One that was hurried is one more than the
        schedule has, and counts for nothing."""
        due_us, is_extra = waiting.scheduled_us, waiting.scheduled_us > now_us
        if not is_extra:
            after_us = pause_us(waiting.failures + 1, self._clock.random(), self._scale)
            if after_us is None and self.disable is None:
                self._give_up(lane, waiting, delivery)
                return
            due_us = now_us + (after_us or 0)
        self._figures.failed += 1
        delivery.outcome = DELIVERY_OUTCOME_FAILED
        write_time(delivery.next_attempt_time, max(due_us, self.trouble.resume_us))
        if is_extra:
            lane.put_back(waiting.sequence, due_us)
        else:
            lane.failed(waiting.sequence, due_us)
        self._note(delivery, waiting.sequence)

    def _disable_if_dead(self, attempt: Attempt, now_us: int) -> None:
        if attempt.status == 410:
            self.disable = (ENDPOINT_STATE_REASON_GONE, "The endpoint answered 410 Gone.")
        elif self.trouble.is_dead(now_us, self._disable_after_s):
            reason = ENDPOINT_STATE_REASON_NOT_ALLOWED if attempt.is_not_allowed else ENDPOINT_STATE_REASON_UNREACHABLE
            days = self._disable_after_s / 86_400
            self.disable = (reason, f"Nothing but failures for {days:.3g} days; the last: {attempt.error}")
        if self.disable is not None:
            self._sender.told()

    def _give_up(self, lane: Lane, waiting: Waiting, delivery: Delivery) -> None:
        self._given_up += 1
        self._figures.given_up += 1
        delivery.outcome = DELIVERY_OUTCOME_GIVEN_UP
        self._finish(lane, waiting, delivery)

    def _finish(self, lane: Lane, waiting: Waiting, delivery: Delivery) -> None:
        lane.done(waiting.sequence)
        self._note(delivery, waiting.sequence)
        if lane.redelivery_id and lane.is_done:
            self._sender.told()

    def _told(self, lane: Lane, waiting: Waiting, event: StreamEvent | None, attempt: Attempt | None) -> Delivery:
        """The attempt for the log of deliveries; how it ended is still to be said."""
        delivery = Delivery(
            endpoint_id=self.endpoint.endpoint.endpoint_id,
            subject=unquote(waiting.subject),
            attempt=waiting.failures + 1,
            redelivery_id=lane.redelivery_id,
        )
        if event is not None:
            delivery.event_id, delivery.event_type = event.headers["ce-id"], event.headers["ce-type"]
        if attempt is not None:
            delivery.duration_ms = round(attempt.seconds * 1_000)
            delivery.status_code, delivery.error = attempt.status, attempt.error
            delivery.request_excerpt, delivery.response_excerpt = attempt.request_excerpt, attempt.response_excerpt
            delivery.message_id = attempt.message_id
        write_time(delivery.attempt_time, self._clock.now_us() - delivery.duration_ms * 1_000)
        return delivery

    def _note(self, delivery: Delivery, sequence: int) -> None:
        delivery.delivery_id = str(self._next_delivery)
        self.noted.append((self._next_delivery, webhook_state_pb2.StoredDelivery(delivery=delivery, sequence=sequence)))
        self._next_delivery += 1
        self.is_dirty = True
