"""Progress on stderr: a bar on a terminal, else a line every few seconds."""

from __future__ import annotations

import sys
import time
from types import TracebackType
from typing import Any, Self

from ordermesh.cli.output import say

LINE_INTERVAL_S = 5.0
"""Between two lines of progress where the output is no terminal."""


class Progress:
    """The progress of one piece of work; use it as a context manager."""

    def __init__(self, title: str, total: int) -> None:
        self._title = title
        self._total = total
        self._done = 0
        self._note = ""
        self._said_at = time.monotonic()
        self._bar: Any = None
        self._task: Any = None

    def __enter__(self) -> Self:
        """Shows it."""
        if sys.stderr.isatty():
            from rich.console import Console  # noqa: PLC0415 # only a terminal needs it
            from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn  # noqa: PLC0415 # as above
            from rich.progress import Progress as Bar  # noqa: PLC0415 # as above

            columns = ("{task.description}", BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
            self._bar = Bar(*columns, TextColumn("{task.fields[note]}"), console=Console(stderr=True))
            self._task = self._bar.add_task(self._title, total=self._total, note="")
            self._bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Leaves it as it is."""
        if self._bar is not None:
            self._bar.stop()
        elif kind is None:
            self._say()

    def advance(self, by: int = 1) -> None:
        """So much more is done."""
        self._done += by
        self._show()

    def note(self, sentence: str) -> None:
        """Something to know beside the count, until it is changed; empty for nothing."""
        if sentence and not self._note:
            self._said_at -= LINE_INTERVAL_S
        self._note = sentence
        self._show()

    def _show(self) -> None:
        if self._bar is not None:
            self._bar.update(self._task, completed=self._done, note=self._note)
        elif time.monotonic() - self._said_at >= LINE_INTERVAL_S:
            self._say()

    def _say(self) -> None:
        self._said_at = time.monotonic()
        say(f"{self._title}: {self._done:,} of {self._total:,}" + (f"; {self._note}" if self._note else ""))
