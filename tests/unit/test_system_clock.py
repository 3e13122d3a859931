"""The clock of a real process."""

from __future__ import annotations

import time

from ordermesh.adapters.system_clock import SAMPLE_SECONDS, SystemClock


def test_the_wall_clock_is_in_microseconds() -> None:
    assert abs(SystemClock().now_us() - time.time() * 1_000_000) < 1_000_000


def test_a_process_that_computes_is_busy_and_one_that_sleeps_is_not() -> None:
    clock = SystemClock()
    end = time.monotonic() + 4 * SAMPLE_SECONDS
    while time.monotonic() < end:
        pass
    assert clock.busy() > 0.9
    time.sleep(4 * SAMPLE_SECONDS)
    assert clock.busy() < 0.3


def test_between_two_samples_the_last_value_stands() -> None:
    clock = SystemClock()
    assert clock.busy() == 0.0


def test_tokens_have_the_length_asked_for_and_differ() -> None:
    clock = SystemClock()
    assert len(clock.token(16)) == 16
    assert clock.token(16) != clock.token(16)
    assert 0 <= clock.random() < 1
