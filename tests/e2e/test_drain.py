"""An owner process is drained and resumed under load, by the commands that an operator has; each pause is told."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.engine import Engine, environment, until

ORDERMESH = (sys.executable, "-m", "ordermesh")
PARTITIONS = 4
FAILED, NOT_FOUND = 1, 4
WATCHED_S = 600


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    """Two owner processes."""
    with Engine(tmp_path / "data", "--workers", "2", "--partitions", str(PARTITIONS)) as running:
        yield running


def owners(engine: Engine) -> Counter[str]:
    """How many partitions each owner says that it has."""
    return Counter(each["owner"] for each in engine.json("partitions")["partitions"])


def epochs(engine: Engine) -> list[int]:
    """The taking that each partition is at."""
    return [int(each["epoch"]) for each in engine.json("partitions")["partitions"]]


def watch(engine: Engine, *, seconds: int) -> subprocess.Popen[str]:
    """Asks for the pauses of that time."""
    return subprocess.Popen(
        [*ORDERMESH, "partitions", "pauses", "--seconds", str(seconds), "--server", engine.grpc, "--output", "json"],
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def test_an_owner_is_drained_and_resumed_under_load_and_nothing_is_lost(engine: Engine) -> None:
    until(lambda: len(owners(engine)) == 2 and "" not in owners(engine), "both have partitions")
    before = owners(engine)
    first, second = sorted(before)
    bench = subprocess.Popen(
        [*ORDERMESH, "bench", "--orders", "1500", "--mode", "unary", "--rate", "100", "--server", engine.grpc],
        env=environment(),
        stdout=subprocess.PIPE,
        text=True,
    )
    watching = watch(engine, seconds=8)

    member = engine.json("partitions", "drain", first)["member"]
    assert (member["instance"], member["drained"]) == (first, True)
    assert owners(engine) == {second: sum(before.values())}
    last = engine.call("partitions", "drain", second)
    assert (last.returncode, "is the only owner at work" in last.stderr) == (FAILED, True)
    assert engine.call("partitions", "drain", "nobody").returncode == NOT_FOUND
    assert owners(engine) == {second: sum(before.values())}

    assert engine.json("partitions", "resume", first)["member"]["drained"] is False
    until(lambda: owners(engine) == before, "each has what it had")
    told, _ = bench.communicate(timeout=WATCHED_S)
    assert bench.returncode == 0
    assert json.loads(told)["orders"] == 1500
    pauses = json.loads(watching.communicate(timeout=WATCHED_S)[0])["pauses"]
    assert {each["partition"] for each in pauses} == {
        f"{group}/{number:03d}" for group in ("orders", "stock") for number in range(PARTITIONS)
    }
    assert all(each["answers"] > 0 and 0 < each["longest_pause_s"] < WATCHED_S for each in pauses)
    assert engine.call("verify").returncode == 0


def test_pauses_tell_how_long_nobody_answered(engine: Engine) -> None:
    watching = watch(engine, seconds=WATCHED_S)
    assert watching.stderr is not None
    assert "longest" in watching.stderr.readline(), "it asks"
    before = epochs(engine)
    engine.kill("owner")
    until(lambda: all(epoch > old for epoch, old in zip(epochs(engine), before, strict=True)), "all are taken anew")
    watching.send_signal(signal.SIGINT)
    told, _ = watching.communicate(timeout=WATCHED_S)
    pauses = json.loads(told)["pauses"]
    assert len(pauses) == 2 * PARTITIONS
    assert all(each["longest_pause_s"] > 0.5 for each in pauses), pauses
