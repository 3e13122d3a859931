"""When a webhook is tried again, and when its endpoint is left alone."""

from __future__ import annotations

import pytest

from ordermesh.notification.patience import (
    JITTER_SHARE,
    SCHEDULE_S,
    TROUBLE_PAUSE_MAX_S,
    TROUBLE_PAUSE_S,
    TROUBLE_SUBJECTS,
    Trouble,
    pause_us,
)

NOW_US = 1_700_000_000_000_000
DAY_S = 86_400.0


def test_ten_attempts_are_made_over_three_days() -> None:
    pauses = [pause_us(failures, chance=0.0) for failures in range(1, len(SCHEDULE_S) + 1)]

    assert [round(pause / 1e6) for pause in pauses if pause is not None] == [round(each) for each in SCHEDULE_S]
    assert 3.0 <= sum(SCHEDULE_S) / DAY_S < 3.5
    assert pause_us(len(SCHEDULE_S) + 1, chance=0.0) is None


@pytest.mark.parametrize("chance", [0.0, 0.5, 1.0])
def test_a_pause_is_never_shorter_than_it_should_be(chance: float) -> None:
    assert pause_us(2, chance) == round(SCHEDULE_S[1] * (1 + JITTER_SHARE * chance) * 1e6)


def test_one_order_that_fails_again_and_again_is_no_trouble_of_the_endpoint() -> None:
    trouble = Trouble()
    for _ in range(20):
        trouble.failed("order-1", "it answered 500", NOW_US, 0.0)

    assert (trouble.is_serious, trouble.resume_us, trouble.consecutive_failures) == (False, 0, 20)


def test_an_endpoint_where_all_fails_is_asked_ever_less_often_until_it_answers() -> None:
    trouble, pauses, now_us = Trouble(), [], NOW_US
    for number in range(TROUBLE_SUBJECTS + 12):
        trouble.failed(f"order-{number}", "no connection", now_us, 0.0)
        pauses.append((trouble.resume_us - now_us) / 1e6 if trouble.resume_us else 0.0)
        now_us = max(now_us, trouble.resume_us)

    first = TROUBLE_SUBJECTS - 1
    assert pauses[:first] == [0.0] * first
    assert pauses[first : first + 3] == [TROUBLE_PAUSE_S, 2 * TROUBLE_PAUSE_S, 4 * TROUBLE_PAUSE_S]
    assert pauses[-1] == TROUBLE_PAUSE_MAX_S
    assert trouble.succeeded(), "it had been in trouble"
    assert (trouble.is_serious, trouble.resume_us, trouble.failing_since_us) == (False, 0, 0)
    assert not trouble.succeeded()


def test_what_was_under_way_when_an_endpoint_failed_is_one_failure_with_it() -> None:
    """Eight time out one after the other, long after the first pause has ended that the third of them began."""
    trouble = Trouble()
    for number in range(8):
        began_us = NOW_US + number * 1_000
        trouble.failed(f"order-{number}", "no answer", began_us + number * 10_000_000, 0.0, began_us=began_us)

    third_us = NOW_US + 2 * 10_001_000
    assert trouble.resume_us - third_us == TROUBLE_PAUSE_S * 1e6
    trouble.failed("order-9", "no answer", third_us + 20_000_000, 0.0, began_us=trouble.resume_us)
    assert trouble.resume_us - third_us == 20_000_000 + 2 * TROUBLE_PAUSE_S * 1e6, "it was asked again"


def test_a_success_does_not_undo_what_retry_after_asked_for() -> None:
    trouble = Trouble()
    trouble.failed("order-1", "it answered 429", NOW_US, 0.0)
    trouble.wait_until(NOW_US + 5)

    trouble.succeeded()

    assert trouble.resume_us == NOW_US + 5


def test_an_endpoint_is_dead_after_days_of_nothing_but_failures_and_not_of_few() -> None:
    trouble = Trouble()
    trouble.failed("order-1", "no", NOW_US, 0.0)
    late_us = NOW_US + round(4 * DAY_S * 1e6)
    assert not trouble.is_dead(late_us, 3 * DAY_S), "one failure is no proof"
    for _ in range(10):
        trouble.failed("order-1", "no", NOW_US + 1, 0.0)
    assert not trouble.is_dead(NOW_US + round(2 * DAY_S * 1e6), 3 * DAY_S)
    assert trouble.is_dead(late_us, 3 * DAY_S)
    trouble.succeeded()
    trouble.failed("order-1", "no", late_us, 0.0)
    assert not trouble.is_dead(late_us, 3 * DAY_S)
