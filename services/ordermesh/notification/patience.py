"""When a webhook is tried again, and when an endpoint is left alone. PURE.

An event has its own schedule, that of Standard Webhooks: about three days. Besides, an endpoint at which one event
after another fails, whatever it is about, is in trouble: it is asked seldom and by one event at a time until it
answers, so that an endpoint that is down costs little, and the attempts of what waits for it are not used up.
"""

from __future__ import annotations

from dataclasses import dataclass, field

SCHEDULE_S = (5.0, 300.0, 1_800.0, 7_200.0, 18_000.0, 36_000.0, 50_400.0, 72_000.0, 86_400.0)
"""From the end of an attempt to the next; with the first attempt ten, over a little more than three days."""
JITTER_SHARE = 0.2
"""A pause is longer by up to so much, so that what failed together does not come again together."""
TROUBLE_SUBJECTS = 3
"""Subjects (orders) that fail in a row before the endpoint is in trouble: fewer may be the events' own fault."""
TROUBLE_PAUSE_S = 5.0
"""The first pause of an endpoint in trouble; each is twice the one before."""
TROUBLE_PAUSE_MAX_S = 300.0
"""The longest: how late an endpoint that is back is found, at most."""
RETRY_AFTER_MAX_S = 3_600.0
"""What Retry-After may ask for."""
DISABLE_FAILURES_MIN = 8
"""Attempts that have to fail before an endpoint counts as dead, however long ago the first was."""


@dataclass(slots=True)
class Trouble:
    """How an endpoint has failed since it last succeeded. Times are microseconds since 1970."""

    consecutive_failures: int = 0
    failing_since_us: int = 0
    resume_us: int = 0
    last_error: str = ""
    _subjects: set[str] = field(default_factory=set, init=False)
    _pauses: int = field(default=0, init=False)

    @property
    def is_serious(self) -> bool:
        """Whether it is the endpoint that fails, and not some events."""
        return len(self._subjects) >= TROUBLE_SUBJECTS

    def succeeded(self) -> bool:
        """An attempt succeeded: all is well. Returns whether the endpoint had been in trouble."""
        was_serious = self.is_serious
        self.consecutive_failures = self.failing_since_us = self._pauses = 0
        self._subjects.clear()
        self.last_error = ""
        if was_serious:
            self.resume_us = 0
        return was_serious

    def failed(
        self, subject: str, error: str, now_us: int, chance: float, scale: float = 1.0, began_us: int | None = None
    ) -> None:  # fmt: skip
        """An attempt failed. `chance` is uniform in 0 to 1, `scale` shortens or lengthens pauses. One that began
        (`began_us`; now where it is not said) before a pause lengthens it no further: what is under way together is one
        failure."""
        self.consecutive_failures += 1
        self.failing_since_us = self.failing_since_us or now_us
        self.last_error = error
        if not self.is_serious:
            self._subjects.add(subject)
        if self.is_serious and (now_us if began_us is None else began_us) >= self.resume_us:
            pause_s = min(TROUBLE_PAUSE_S * 2**self._pauses, TROUBLE_PAUSE_MAX_S) * scale
            self._pauses = min(self._pauses + 1, 30)
            self.wait_until(now_us + jittered_us(pause_s, chance))

    def wait_until(self, resume_us: int) -> None:
        """Nothing is sent before then."""
        self.resume_us = max(self.resume_us, resume_us)

    def is_dead(self, now_us: int, disable_after_s: float) -> bool:
        """Whether it has failed for so long, and often enough, that nobody can be expected to be there."""
        return (
            self.consecutive_failures >= DISABLE_FAILURES_MIN
            and now_us - self.failing_since_us >= disable_after_s * 1_000_000
        )


def jittered_us(pause_s: float, chance: float) -> int:
    """A pause in microseconds, longer by up to `JITTER_SHARE`; `chance` is uniform in 0 to 1."""
    return round(pause_s * (1 + JITTER_SHARE * chance) * 1_000_000)


def pause_us(failures: int, chance: float, scale: float = 1.0) -> int | None:
    """From the end of an attempt to the next, after so many have failed; None where that was the last."""
    if failures > len(SCHEDULE_S):
        return None
    return jittered_us(SCHEDULE_S[failures - 1] * scale, chance)
