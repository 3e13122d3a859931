"""How long a run waits for what is left to arrive."""

from __future__ import annotations

from ordermesh.notification.patience import JITTER_SHARE, SCHEDULE_S
from ordermesh.testing.chaos import webhooks


def test_a_run_waits_until_the_last_attempt_of_an_event_was_made() -> None:
    longest_s = SCHEDULE_S[-1] * float(str(webhooks.SETTINGS["webhook_retry_scale"])) * (1 + JITTER_SHARE)
    assert longest_s + 15.0 < webhooks.REST_S
