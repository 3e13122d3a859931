"""What a run tells of itself: its journal, numbers, report and picture."""

from __future__ import annotations

import json
from pathlib import Path
from xml.etree import ElementTree

from ordermesh.testing.chaos.checks import judge
from ordermesh.testing.chaos.faults import Happened
from ordermesh.testing.chaos.journal import JournalWriter, Told, read_journal
from ordermesh.testing.chaos.picture import picture
from ordermesh.testing.chaos.report import Outcome, last_line, markdown, results_line, states_of
from ordermesh.testing.chaos.run import JournalTail
from ordermesh.testing.chaos.statistics import creates, numbers
from tests.chaos import truth

FAULTS = [
    Happened("nats-kill", "nats-2", "", 10.0, 20.0),
    Happened("link-to-nats", "owner-1 nats-1", "one-way", 15.0, 18.0),
]


def placed(number: int, begin: float, end: float, outcome: str = "OK") -> Told:
    """An attempt to place an order."""
    return Told(
        call="create", key=f"order-{number}", request="create", begin=begin, end=end, outcome=outcome,
        persistence="STORED" if outcome == "OK" else "",
    )  # fmt: skip


JOURNAL = [
    placed(1, 1.0, 1.1),
    placed(2, 12.0, 12.5, "UNAVAILABLE"),
    placed(2, 13.0, 14.0),
    placed(3, 30.0, 30.2),
]


def outcome() -> Outcome:
    """A run with a violation."""
    evidence = truth.evidence()
    evidence.audit = ["I3: a cup is missing"]
    return Outcome(
        seed=7,
        minutes=1.0,
        revision="abc",
        begin=0.0,
        numbers=numbers(JOURNAL, FAULTS, 0.0, 40.0),
        faults=FAULTS,
        verdict=judge(evidence),
        states=states_of(evidence),
        trouble=["nats-3 was slow"],
    )


def test_a_journal_is_read_as_it_was_written_without_its_torn_end(tmp_path: Path) -> None:
    path = tmp_path / "journal.jsonl"
    writer = JournalWriter(path)
    for told in truth.journal():
        writer.add(told)
    writer.close()
    with path.open("a") as file:
        file.write('{"call": "create", "key": "torn')
    assert list(read_journal(path)) == truth.journal()


def test_a_growing_journal_is_counted_line_by_line(tmp_path: Path) -> None:
    path = tmp_path / "journal.jsonl"
    writer = JournalWriter(path)
    tail = JournalTail(path)
    assert tail.count() == (0, 0)
    for told in JOURNAL[:3]:
        writer.add(told)
    assert tail.count() == (2, 2)
    writer.add(JOURNAL[3])
    assert tail.count() == (3, 1)
    writer.close()


def test_a_call_lasts_from_its_first_attempt_to_its_answer() -> None:
    assert [(call.begin, round(call.seconds, 3)) for call in creates(JOURNAL)] == [(1.0, 0.1), (12.0, 2.0), (30.0, 0.2)]


def test_latencies_in_fault_and_out_are_told_apart_and_the_longest_gap_is_found() -> None:
    found = numbers(JOURNAL, FAULTS, 0.0, 40.0)
    assert found.in_fault == {"count": 1, "p50": 2000.0, "p99": 2000.0}
    assert found.out_of_fault["count"] == 2
    assert round(found.unavailable_s, 1) == 16.2
    assert found.acknowledged == {"create": 3}
    assert found.errors == {"UNAVAILABLE": 1}
    assert found.faults == {"nats-kill": 1, "link-to-nats": 1}


def test_nothing_acknowledged_is_a_gap_as_long_as_the_run() -> None:
    assert numbers([], [], 5.0, 25.0).unavailable_s == 20.0


def test_the_last_line_counts_calls_faults_and_violations() -> None:
    assert last_line(outcome()) == (
        "3 calls acknowledged (create 3); 2 faults (link-to-nats 1, nats-kill 1); 1 violations"
    )


def test_the_results_line_is_json_with_all_figures() -> None:
    line = json.loads(json.dumps(results_line(outcome())))
    assert line["seed"] == 7
    assert line["violations"] == ["I6: ordermesh verify: I3: a cup is missing"]
    assert line["orders"] == {"CANCELLED": 1, "COMPLETED": 2, "NOT_FOUND": 1, "REJECTED": 1}
    assert line["longest_unavailable_s"] == 16.2


def test_the_report_has_every_fault_and_violation() -> None:
    text = markdown(outcome(), "chaos.svg")
    assert "| 10.0 s | 10.0 s | nats-kill  | nats-2 |" in text
    assert "| 15.0 s | 3.0 s | link-to-nats one-way | owner-1 nats-1 |" in text
    assert "* I6: ordermesh verify: I3: a cup is missing" in text
    assert "nats-3 was slow" in text
    assert "engine-kill-all" in text.partition("Kinds that did not get their turn")[2]


def test_the_picture_is_svg_with_a_bar_for_each_fault() -> None:
    svg = picture(creates(JOURNAL), FAULTS, 0.0, 40.0, "a & b")
    root = ElementTree.fromstring(svg)
    titles = [title.text for title in root.iter("{http://www.w3.org/2000/svg}title")]
    assert titles == ["nats-kill nats-2, 10.0 s", "link-to-nats one-way owner-1 nats-1, 3.0 s"]
