"""`ordermesh bench` against an engine that is well, that is away, and that falls silent half way."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator

import pytest

from ordermesh.adapters.nats_server import die_with_parent
from tests.e2e.engine import Engine, environment, ordermesh, until

TIMEOUT_S = 3.0
SLACK_S = 12.0
"""The start of a command on a busy machine, and the end of one."""


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    with Engine(tmp_path_factory.mktemp("bench") / "data") as running:
        yield running


def test_without_an_engine_it_gives_up_in_time_with_exit_status_5() -> None:
    begun = time.monotonic()

    done = ordermesh("bench", "--server", "127.0.0.1:1", "--timeout", "2")

    assert done.returncode == 5
    assert time.monotonic() - begun < 2 + SLACK_S
    assert "127.0.0.1:1 has accepted nothing for 2 s" in done.stderr
    assert "ordermesh up" in done.stderr
    assert "Traceback" not in done.stderr
    assert done.stdout == ""


@pytest.mark.parametrize("mode", ["unary", "batch", "stream"])
def test_when_the_engine_falls_silent_it_gives_up_with_exit_status_5(engine: Engine, mode: str) -> None:
    load = ("--orders", "1000000", "--rate", "200", "--connections", "1", "--mode", mode, "--batch-size", "20")
    command = [sys.executable, "-m", "ordermesh", "bench", "--server", engine.grpc, "--timeout", str(TIMEOUT_S), *load]
    had = order_count(engine)
    running = subprocess.Popen(
        command,
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=die_with_parent(),  # noqa: PLW1509 # no thread of a test holds a lock
    )
    (edge,) = engine.pids("edge")
    try:
        until(lambda: order_count(engine) > had, "orders are sent")
        os.kill(edge, signal.SIGSTOP)
        begun = time.monotonic()
        stdout, stderr = running.communicate(timeout=TIMEOUT_S + SLACK_S)
        took_s = time.monotonic() - begun
    finally:
        os.kill(edge, signal.SIGCONT)
        running.kill()

    assert running.returncode == 5, stderr
    assert took_s >= TIMEOUT_S / 2
    assert f"{engine.grpc} has accepted nothing for 3 s" in stderr
    assert "Traceback" not in stderr
    assert stdout == ""


def order_count(engine: Engine) -> int:
    """Orders whose payment was asked for, by the provider's own truth."""
    return sum(1 for _ in engine.ledger())
