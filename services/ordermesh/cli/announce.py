"""How a child process tells its supervisor that it serves: a line into the pipe that it was given."""

from __future__ import annotations

import os
from contextlib import suppress

READY_VARIABLE = "ORDERMESH_READY_FD"
"""The number of the pipe."""


def announce_serving() -> None:
    """Tells it; does nothing in a process that has no supervisor, or has told it before."""
    descriptor = os.environ.pop(READY_VARIABLE, "")
    if descriptor:
        with suppress(OSError):
            os.write(int(descriptor), b"serving\n")
            os.close(int(descriptor))
