"""One way of an endpoint through the stream of events: what was read and waits, and what may be sent next. PURE.

Events of one subject (an order) go one after another: while one fails, later ones of the same subject wait behind it,
and those of others go on. Whatever a snapshot says was so at its time; begun again from an old one, a lane delivers
more than once, and leaves nothing out.

Times are microseconds since 1970.
"""

from __future__ import annotations

import heapq
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass

from oms.notification.v1 import webhook_state_pb2


@dataclass(slots=True)
class Waiting:
    """An event that was read and is not done. `failures` are attempts that failed, `due_us` when it is tried next;
    `scheduled_us` when it would have been, had it not been hurried."""

    sequence: int
    subject: str
    publish_us: int
    failures: int = 0
    due_us: int = 0
    is_in_flight: bool = False
    scheduled_us: int = 0


class Lane:
    """A way through the stream. `end` is the last sequence of one that ends, `end_us` the time at which it ends."""

    def __init__(self, redelivery_id: str = "", through: int = 0, end: int = 0, end_us: int = 0) -> None:
        self.redelivery_id = redelivery_id
        self.through = through
        self.end = end
        self.end_us = end_us
        self.is_read = False
        """Whether all of it was read: of a lane that ends, or never so."""
        self._queues: dict[str, deque[Waiting]] = {}
        self._due: list[tuple[int, int]] = []
        self._by_sequence: dict[int, Waiting] = {}
        self._untried = 0
        """Subjects whose first event never failed."""

    def __len__(self) -> int:
        """How many events wait or are being sent."""
        return len(self._by_sequence)

    @property
    def is_done(self) -> bool:
        """Whether nothing of it is left."""
        return self.is_read and not self._by_sequence

    def read(self, sequence: int) -> None:
        """Everything up to there has been looked at."""
        self.through = max(self.through, sequence)
        if self.end and self.through >= self.end:
            self.is_read = True

    def add(self, sequence: int, subject: str, publish_us: int, *, failures: int = 0, due_us: int = 0) -> None:
        """An event is to be sent, after those of its subject that were added before."""
        assert sequence not in self._by_sequence, "an event is read once"
        waiting = Waiting(sequence, subject, publish_us, failures, due_us)
        self._by_sequence[sequence] = waiting
        queue = self._queues.setdefault(subject, deque())
        queue.append(waiting)
        if len(queue) == 1:
            self._untried += not failures
            heapq.heappush(self._due, (waiting.due_us, sequence))

    def due_us(self) -> int | None:
        """When the next event is due that nothing holds back; None where there is none."""
        while self._due:
            due_us, sequence = self._due[0]
            waiting = self._by_sequence.get(sequence)
            if waiting is not None and waiting.due_us == due_us and not waiting.is_in_flight and self._leads(waiting):
                return due_us
            heapq.heappop(self._due)
        return None

    def take(self, now_us: int) -> Waiting | None:
        """The event that is due for longest; from now on it is being sent. None where none is due."""
        due_us = self.due_us()
        if due_us is None or due_us > now_us:
            return None
        waiting = self._by_sequence[heapq.heappop(self._due)[1]]
        waiting.is_in_flight = True
        return waiting

    def least_failed(self, now_us: int) -> Waiting | None:
        """The event that failed least of those that are due, the oldest of several; None where none is due."""
        due = (queue[0] for queue in self._queues.values() if not queue[0].is_in_flight and queue[0].due_us <= now_us)
        return min(due, key=lambda one: (one.failures, one.due_us, one.sequence), default=None)

    def begin(self, waiting: Waiting) -> None:
        """An event that is due is being sent from now on."""
        assert self._leads(waiting), "events of a subject go one after another"
        waiting.is_in_flight = True

    def has_untried(self) -> bool:
        """Whether an event is being sent, or may be, that never failed."""
        return self._untried > 0

    def most_failed(self) -> Waiting | None:
        """Of the events that wait to be tried again the one that failed most, the oldest of several; None for none."""
        failed = (queue[0] for queue in self._queues.values() if queue[0].failures and not queue[0].is_in_flight)
        return max(failed, key=lambda one: (one.failures, -one.sequence), default=None)

    def done(self, sequence: int) -> None:
        """It was delivered, or given up: the next of its subject may go."""
        waiting = self._by_sequence.pop(sequence)
        queue = self._queues[waiting.subject]
        assert queue[0] is waiting, "only the first of a subject is sent"
        queue.popleft()
        self._untried -= not waiting.failures
        if queue:
            self._untried += not queue[0].failures
            heapq.heappush(self._due, (queue[0].due_us, queue[0].sequence))
        else:
            del self._queues[waiting.subject]

    def failed(self, sequence: int, due_us: int) -> None:
        """It failed, and is tried again at that time; later ones of its subject wait."""
        waiting = self._by_sequence[sequence]
        self._untried -= not waiting.failures
        waiting.failures += 1
        waiting.scheduled_us = 0
        self._wait(waiting, due_us)

    def put_back(self, sequence: int, due_us: int) -> None:
        """It was not tried after all."""
        self._wait(self._by_sequence[sequence], due_us)

    def hurry(self, now_us: int) -> None:
        """Whatever waits for its time may go before: the endpoint answers again. See `scheduled_us`."""
        for queue in self._queues.values():
            if not queue[0].is_in_flight and queue[0].due_us > now_us:
                queue[0].scheduled_us = queue[0].due_us
                self._wait(queue[0], now_us)

    def comes_first(self, waiting: Waiting) -> bool:
        """Whether something of that subject that stands before that event is not done here, or not even read: then the
        event may not go another way either, or it would arrive first."""
        queue = self._queues.get(waiting.subject)
        return self.through < waiting.sequence or (queue is not None and queue[0].sequence < waiting.sequence)

    def waiting(self) -> Iterator[Waiting]:
        """What waits or is being sent, in the order of the stream."""
        return (self._by_sequence[sequence] for sequence in sorted(self._by_sequence))

    def snapshot(self) -> webhook_state_pb2.Lane:
        """What is kept of it: an event that is being sent counts as waiting."""
        kept = webhook_state_pb2.Lane(redelivery_id=self.redelivery_id, through_sequence=self.through)
        for one in self.waiting():
            kept.waiting.add(
                sequence=one.sequence, subject=one.subject, failures=one.failures, due_us=one.due_us,
                publish_us=one.publish_us,
            )  # fmt: skip
        return kept

    def restore(self, kept: webhook_state_pb2.Lane) -> None:
        """Goes on from what was kept."""
        self.read(kept.through_sequence)
        for one in kept.waiting:
            self.add(one.sequence, one.subject, one.publish_us, failures=one.failures, due_us=one.due_us)

    def _leads(self, waiting: Waiting) -> bool:
        return self._queues[waiting.subject][0] is waiting

    def _wait(self, waiting: Waiting, due_us: int) -> None:
        waiting.is_in_flight = False
        waiting.due_us = due_us
        heapq.heappush(self._due, (due_us, waiting.sequence))
