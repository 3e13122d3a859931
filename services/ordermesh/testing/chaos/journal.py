"""What the customers were told: one JSON line for every call that ended, written by the customers themselves.

It is the only witness of what the engine promised, so it knows nothing of the engine's inside.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TextIO

OK = "OK"
"""The outcome of a call that was answered."""
ACKNOWLEDGED = ("ACCEPTED", "LOGGED", "STORED_ONE", "STORED")
"""Persistence of an answer to a write, the weakest first."""
DECIDED = ACKNOWLEDGED[1:]
"""Those that say that the engine has decided."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """The answer to one attempt of a call; `begin` and `end` by the machine's monotonic clock, in seconds."""

    call: str
    """create, cancel, return, refund, get; amend, cut (some pieces are cancelled), hold, release, renew (by another
    payment token); or receive (of stock)."""
    key: str
    """The order's id, or the SKU."""
    request: str
    """Names the call over its attempts."""
    begin: float
    end: float
    outcome: str
    """OK, or the name of the status code."""
    reason: str = ""
    """Of an error, by the engine."""
    persistence: str = ""
    version: int = 0
    event: str = ""
    """What the answer's timeline ends with: what made this version."""
    state: str = ""
    asked: str = ""
    """Of a read: the consistency asked for."""
    given: str = ""
    """Of a read: the consistency that the answer says it has."""
    version_min: int = 0
    content: str = ""
    """Of a create: what was ordered, by whom. Of an amendment: what it is to be. Of an answer to get: what it is."""
    quantity: int = 0
    """Of receive: how many pieces."""

    @property
    def is_ok(self) -> bool:
        """Whether it was answered."""
        return self.outcome == OK

    @property
    def is_decided(self) -> bool:
        """Whether it was answered as decided."""
        return self.is_ok and (self.call == "get" or self.persistence in DECIDED)


class JournalWriter:
    """Appends to the file; what was written survives the death of the writer."""

    def __init__(self, path: Path) -> None:
        self._file: TextIO = path.open("a", buffering=1)

    def add(self, told: Told) -> None:
        """Writes one line."""
        values = {name: value for name, value in asdict(told).items() if value or name in ("begin", "end")}
        self._file.write(json.dumps(values) + "\n")

    def close(self) -> None:
        """Closes the file."""
        self._file.close()


def read_journal(path: Path) -> Iterator[Told]:
    """Every call that ended, in the order of their ends; a last line that is torn is left out."""
    with path.open() as file:
        for line in file:
            if line.endswith("\n"):
                values = {"key": "", "request": "", **json.loads(line)}
                yield Told(**values)
