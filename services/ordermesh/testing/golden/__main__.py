"""`python -m ordermesh.testing.golden record FOLDER`: keeps what this build writes, for the builds after it."""

from __future__ import annotations

import asyncio
import sys
import tempfile
from pathlib import Path

from ordermesh import bootstrap
from ordermesh.runtime.topology import DEFAULT_GROUPS, SEPARATE_GROUPS
from ordermesh.testing.golden.record import record

SHAPES = {"shared": DEFAULT_GROUPS, "separate": SEPARATE_GROUPS}
"""The supported shapes of groups, by the folder that each is kept in."""


def main(arguments: list[str]) -> int:
    """Records both shapes in FOLDER/RELEASE/SHAPE; exit status 2 for anything but `record FOLDER`."""
    if len(arguments) != 2 or arguments[0] != "record":
        sys.stderr.write("Usage: python -m ordermesh.testing.golden record FOLDER\n")
        return 2
    for shape, groups in SHAPES.items():
        folder = Path(arguments[1]) / bootstrap.build() / shape
        with tempfile.TemporaryDirectory(prefix="ordermesh-golden-") as scratch:
            said = asyncio.run(record(folder, Path(scratch), groups))
        sys.stdout.write(f"{folder}: {said}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
