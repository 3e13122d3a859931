"""Whatever fails, crashes or is there twice: every event arrives, and the first arrivals of a subject are in order."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from oms.notification.v1 import webhook_state_pb2
from ordermesh.notification.lane import Lane

STEPS_MAX = 2_000
READ_TOGETHER = 3

subjects_of = st.lists(st.sampled_from("ab"), min_size=4, max_size=12)
"""What the events of a stream are about, in its order."""


class World:
    """A stream, a receiver that notes what arrives, and couriers that begin from what one of them stored some time."""

    def __init__(self, subjects: list[str]) -> None:
        self.subjects = subjects
        self.arrived: list[int] = []
        self.stored = [Lane().snapshot()]
        self.now_us = 0
        self.lanes = [Lane(), Lane()]
        self.in_flight: list[list[int]] = [[], []]

    def step(self, courier: int, what: str, number: int) -> None:
        """One thing happens to a courier."""
        self.now_us += 1
        lane, in_flight = self.lanes[courier], self.in_flight[courier]
        if what == "read":
            self._read(lane)
        elif what == "send" and (waiting := lane.take(self.now_us)) is not None:
            in_flight.append(waiting.sequence)
        elif what == "store":
            self.stored.append(lane.snapshot())
        elif what == "crash":
            # What was being sent may arrive all the same, and nobody hears of it.
            self.arrived += in_flight[: number % (len(in_flight) + 1)]
            kept = self.stored[number % len(self.stored)]
            self.lanes[courier], self.in_flight[courier] = Lane(), []
            self.lanes[courier].restore(webhook_state_pb2.Lane.FromString(kept.SerializeToString()))
        elif in_flight and what in {"take", "lose answer", "fail"}:
            self._end(lane, in_flight.pop(number % len(in_flight)), what)
        elif what == "hurry":
            lane.hurry(self.now_us)

    def _end(self, lane: Lane, sequence: int, how: str) -> None:
        """An attempt ends: the receiver took it or not, and the courier heard so or not."""
        if how != "fail":
            self.arrived.append(sequence)
        if how == "take":
            lane.done(sequence)
        else:
            lane.failed(sequence, self.now_us + 2)

    def _read(self, lane: Lane) -> None:
        start = lane.through
        for sequence, subject in enumerate(self.subjects[start : start + READ_TOGETHER], start=start + 1):
            lane.add(sequence, subject, sequence)
            lane.read(sequence)

    def heal(self) -> None:
        """From now on all is well: the first courier does what is left."""
        for _ in range(STEPS_MAX):
            if self.lanes[0].through == len(self.subjects) and not self.lanes[0]:
                return
            for what in ("read", "send", "take"):
                self.step(0, what, 0)
        raise AssertionError("it never ends")


steps_of = st.lists(
    st.tuples(
        st.integers(0, 1),
        st.sampled_from(["read", "send", "send", "take", "take", "fail", "lose answer", "store", "crash", "hurry"]),
        st.integers(0, 7),
    ),
    min_size=20,
    max_size=100,
)


@given(subjects=subjects_of, steps=steps_of)
def test_every_event_arrives_and_first_arrivals_of_a_subject_are_in_order(
    subjects: list[str], steps: list[tuple[int, str, int]]
) -> None:
    world = World(subjects)
    for step in steps:
        world.step(*step)
    world.heal()

    first = list(dict.fromkeys(world.arrived))
    assert sorted(first) == list(range(1, len(subjects) + 1)), "each arrives"
    for subject in set(subjects):
        of_it = [sequence for sequence in first if subjects[sequence - 1] == subject]
        assert of_it == sorted(of_it), "in order"


@given(subjects=subjects_of, steps=steps_of)
def test_a_snapshot_says_all_that_is_not_done(subjects: list[str], steps: list[tuple[int, str, int]]) -> None:
    world = World(subjects)
    done: set[int] = set()
    for courier, what, number in steps:
        if courier == 0 and what not in {"crash", "store"}:
            world.step(0, what, number)
            kept = world.lanes[0].snapshot()
            waiting = {one.sequence for one in kept.waiting}
            done = set(range(1, kept.through_sequence + 1)) - waiting
            assert done <= set(world.arrived), "what it says is done has arrived"


@given(subjects=subjects_of, steps=steps_of)
def test_what_was_never_tried_is_known(subjects: list[str], steps: list[tuple[int, str, int]]) -> None:
    world = World(subjects)
    for step in steps:
        world.step(*step)
        for lane in world.lanes:
            leaders = [queue[0] for queue in lane._queues.values()]
            assert lane.has_untried() == any(not each.failures for each in leaders)
            assert lane._untried == sum(not each.failures for each in leaders)
