"""One way of an endpoint through the stream: order per subject, and what a snapshot is worth."""

from __future__ import annotations

from oms.notification.v1 import webhook_state_pb2
from ordermesh.notification.lane import Lane, Waiting


def lane_of(*subjects: str) -> Lane:
    """A lane that has read events of these subjects, from place 1."""
    lane = Lane()
    for sequence, subject in enumerate(subjects, start=1):
        lane.add(sequence, subject, sequence)
        lane.read(sequence)
    return lane


def taken(lane: Lane, now_us: int) -> list[int]:
    """All that may go at a time."""
    found = []
    while (waiting := lane.take(now_us)) is not None:
        found.append(waiting.sequence)
    return found


def test_one_event_of_each_subject_goes_at_a_time() -> None:
    lane = lane_of("a", "a", "b", "a", "c")

    assert taken(lane, 10) == [1, 3, 5]
    lane.done(1)
    assert taken(lane, 10) == [2]


def test_a_failing_event_holds_back_its_own_subject_only() -> None:
    lane = lane_of("a", "b", "a", "b")
    assert taken(lane, 10) == [1, 2]

    lane.failed(1, due_us=100)
    lane.done(2)

    assert taken(lane, 10) == [4]
    assert lane.due_us() == 100
    assert taken(lane, 99) == []
    assert taken(lane, 100) == [1]
    lane.done(1)
    assert taken(lane, 100) == [3]


def test_what_is_begun_again_from_a_snapshot_goes_in_order_and_leaves_nothing_out() -> None:
    lane = lane_of("a", "a", "b")
    assert taken(lane, 10) == [1, 3]
    lane.failed(1, due_us=50)

    again = Lane()
    again.restore(webhook_state_pb2.Lane.FromString(lane.snapshot().SerializeToString()))

    assert again.through == 3
    assert [(one.sequence, one.failures) for one in again.waiting()] == [(1, 1), (2, 0), (3, 0)]
    assert taken(again, 49) == [3], "what was being sent is sent again"
    assert taken(again, 50) == [1]


def test_an_endpoint_in_trouble_is_asked_by_what_failed_least() -> None:
    lane = lane_of("a", "b", "c", "c")
    assert taken(lane, 10) == [1, 2, 3]
    lane.failed(1, due_us=20)
    lane.failed(2, due_us=30)
    lane.done(3)
    assert lane.has_untried(), "the second of an order, after the first"

    probe = lane.least_failed(50)
    assert probe is not None
    lane.begin(probe)

    assert (probe.sequence, lane.has_untried()) == (4, True)
    assert taken(lane, 50) == [1, 2], "it is not sent twice"
    lane.done(4)
    assert not lane.has_untried()
    assert lane.least_failed(50) is None


def test_what_failed_most_is_found() -> None:
    lane = lane_of("a", "b", "c", "d")
    assert lane.most_failed() is None
    for now_us in (10, 20):
        assert taken(lane, now_us)[:3] == [1, 2, 3]
        for sequence in (1, 2, 3):
            lane.failed(sequence, now_us + 5)
    assert lane.take(30) is not None, "the first is being sent"

    most = lane.most_failed()

    assert most is not None
    assert most.sequence == 2


def test_what_is_hurried_keeps_the_time_that_it_would_have_had() -> None:
    lane = lane_of("a")
    assert taken(lane, 10) == [1]
    lane.failed(1, due_us=100)
    lane.hurry(20)

    hurried = lane.take(20)

    assert hurried is not None
    assert (hurried.due_us, hurried.scheduled_us) == (20, 100)
    lane.failed(1, due_us=200)
    assert hurried.scheduled_us == 0


def test_an_endpoint_that_is_back_gets_all_at_once() -> None:
    lane = lane_of("a", "b")
    for sequence in taken(lane, 10):
        lane.failed(sequence, due_us=1_000_000)

    lane.hurry(20)

    assert sorted(taken(lane, 20)) == [1, 2]


def test_a_lane_with_an_end_is_done_when_all_of_it_is() -> None:
    lane = Lane("re_1", through=4, end=5)
    assert not lane.is_done
    lane.add(5, "a", 5)
    lane.read(5)

    assert (lane.is_read, lane.is_done) == (True, False)
    assert taken(lane, 1) == [5]
    lane.done(5)
    assert lane.is_done


def test_what_was_not_tried_after_all_counts_no_failure() -> None:
    lane = lane_of("a")
    assert taken(lane, 1) == [1]

    lane.put_back(1, due_us=5)

    assert taken(lane, 4) == []
    waiting = lane.take(5)
    assert waiting is not None
    assert waiting.failures == 0


def test_what_is_not_done_or_not_read_comes_before_what_is_sent_once_more() -> None:
    """Else an order's later event arrived before its earlier one, which still failed."""
    ordinary = lane_of("a", "b", "a")
    assert taken(ordinary, 10) == [1, 2]
    ordinary.failed(1, due_us=1_000)
    ordinary.done(2)

    assert not ordinary.comes_first(Waiting(1, "a", 1)), "nothing of it stands before"
    assert ordinary.comes_first(Waiting(3, "a", 3))
    assert not ordinary.comes_first(Waiting(2, "b", 2))
    assert ordinary.comes_first(Waiting(4, "c", 4)), "it is not read yet"
    ordinary.done(1)
    assert not ordinary.comes_first(Waiting(3, "a", 3))
