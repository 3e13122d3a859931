"""Idempotency keys as Stripe keeps them: the first answer under a key is that to all other calls for 24 hours."""

from __future__ import annotations

import copy
from typing import Any, NamedTuple

from ordermesh.testing.stripe_fake.account import Object, Refused

LIFETIME_S = 24 * 3600.0


class Answer(NamedTuple):
    """An HTTP status and a body."""

    status: int
    body: Object


class _Saved(NamedTuple):
    asked: Any
    answer: Answer
    time_s: float


class Keys:
    """The keys of an account."""

    def __init__(self) -> None:
        self._saved: dict[str, _Saved] = {}
        self._in_progress: set[str] = set()
        self.replays = 0

    def begin(self, key: str, asked: Any, now_s: float) -> Answer | None:
        """The answer of before; None where this is the first call. Raises Refused for a key that is in use, or was used
        for something else."""
        if key in self._in_progress:
            message = "There is currently another in-progress request using this idempotency key."
            raise Refused(409, type="idempotency_error", code="idempotency_key_in_use", message=message)
        saved = self._saved.get(key)
        if saved is None or now_s - saved.time_s > LIFETIME_S:
            self._in_progress.add(key)
            return None
        if saved.asked != asked:
            message = (
                "Keys for idempotent requests can only be used with the same parameters they were first used with."
            )
            raise Refused(400, type="idempotency_error", message=message)
        self.replays += 1
        return saved.answer

    def end(self, key: str, asked: Any, answer: Answer | None, now_s: float) -> None:
        """Keeps the answer; without one nothing was begun, and the key is as new."""
        self._in_progress.discard(key)
        if answer is not None:
            self._saved[key] = _Saved(asked, Answer(answer.status, copy.deepcopy(answer.body)), now_s)
