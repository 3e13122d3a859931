"""The ways of those who tell the world: to the stream of integration events, and to who receives webhooks.

As on the ways of `links`, requests and answers are lost and late, and what failed for who asked may have happened.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence

from ordermesh.adapters.http_post import PostFailed, Response
from ordermesh.adapters.memory_events import MemoryEvents
from ordermesh.core.targets import Target
from ordermesh.runtime.event_stream import Bounds, StreamEvent
from ordermesh.runtime.ports import LogUnavailable, OutcomeUnknown
from ordermesh.runtime.relay import IntegrationEvent
from ordermesh.testing.simulation.links import LATE_S, Answer, Link
from ordermesh.testing.simulation.loop import Process
from ordermesh.testing.simulation.receiver import Receiver
from ordermesh.testing.simulation.servers import Servers

PUBLISH_FAULTS = ("events_lost", "events_part", "events_unknown", "events_late")
"""What may strike a publication; the first that does."""

POST_FAULTS = ("post_lost", "post_unanswered", "post_refused")
"""What may strike a webhook."""

REFUSALS = (Response(500, b"", None), Response(503, b"", 0.5), Response(429, b"slower", 2.0))
"""What an endpoint in trouble answers."""


class EventsLink(Link):
    """A process's way to the stream of integration events: the ports `EventPublisher` and `EventStream`."""

    def __init__(self, servers: Servers, process: Process, stream: MemoryEvents) -> None:
        super().__init__(servers, process)
        self._stream = stream

    def down(self) -> bool:
        """Whether the stream cannot be reached from this process: it is where the logs are."""
        return self.servers.log_down or self.process.name in self.servers.log_cut

    async def publish(self, events: Sequence[IntegrationEvent]) -> None:
        """As the port says."""
        taken = list(events)
        self.servers.note("publish", self.process.name, len(taken), taken[0].id)
        unknown = OutcomeUnknown("the events were not acknowledged")
        strike = self.chance.strike_first(*PUBLISH_FAULTS, whom=self.process.name)
        if strike == "events_lost":
            await self.fail(unknown, self.timeout_s(), None)
        elif strike == "events_part":
            part = self._part(taken)
            await self.fail(unknown, self.timeout_s(), lambda: self._take(part))
        elif strike:
            late_s = self.servers.travel_s() if strike == "events_unknown" else self.chance.spread(*LATE_S)
            await self.fail(unknown, self.timeout_s(), lambda: self._take(taken), late_s)
        await self.ask(lambda: self._take(taken), self.down, lambda: unknown, "log_slow")

    def _take(self, events: Sequence[IntegrationEvent]) -> None:
        for event in events:
            self._stream.append(event)

    def _part(self, events: Sequence[IntegrationEvent]) -> list[IntegrationEvent]:
        """What is stored where not all is: of each key some first ones, as the next of a key is published after it."""
        whole_rounds = self.chance.random.randrange(4)
        depth: Counter[str] = Counter()
        found = []
        for event in events:
            level, depth[event.key] = depth[event.key], depth[event.key] + 1
            if level < whole_rounds or (level == whole_rounds and self.chance.coin()):
                found.append(event)
        return found

    async def bounds(self) -> Bounds:
        """As the port says."""
        return await self._asked(self._stream.ends)

    async def page(self, after: int, count_max: int) -> Sequence[StreamEvent]:
        """As the port says; a replica that lags gives fewer than there are, or none."""
        if self.chance.strikes("replica_lags", self.process.name):
            count_max = self.chance.random.randrange(2)
        return await self._asked(lambda: self._stream.read(after, count_max))

    async def first_since(self, time_us: int) -> int:
        """As the port says."""
        return await self._asked(lambda: self._stream.place_since(time_us))

    async def _asked(self, apply: Callable[[], Answer]) -> Answer:
        lost = LogUnavailable("the stream of events did not answer")
        return await self.ask(apply, self.down, lambda: lost, "log_slow")


class PostLink(Link):
    """A process's way to endpoints: what `HttpPost` is elsewhere."""

    def __init__(self, servers: Servers, process: Process, receiver: Receiver) -> None:
        super().__init__(servers, process)
        self._receiver = receiver

    async def post(self, target: Target, headers: Mapping[str, str], body: bytes, timeout_s: float) -> Response:
        """As `HttpPost.post`."""
        lost = PostFailed("the connection was lost")
        strike = self.chance.strike_first(*POST_FAULTS, whom=self.process.name)
        if strike == "post_lost":
            await self.fail(lost, self.chance.between(0.1, timeout_s), None)
        elif strike == "post_unanswered":
            late_s = self.chance.spread(*LATE_S)
            await self.fail(
                lost, self.chance.between(0.1, timeout_s), lambda: self._receiver.take(target, headers, body), late_s
            )
        elif strike or self._receiver.is_down:
            refusal = REFUSALS[self.chance.random.randrange(len(REFUSALS))]
            return await self.ask(lambda: refusal, _never, lambda: lost, "post_slow")
        return await self.ask(lambda: self._receiver.take(target, headers, body), _never, lambda: lost, "post_slow")


def _never() -> bool:
    return False
