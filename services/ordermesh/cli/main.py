"""The entry point of the command `ordermesh`."""

from __future__ import annotations

import sys

from ordermesh.cli import serve


def main() -> None:
    """Runs the command line. A child of `up` is served without loading the rest of it."""
    arguments = sys.argv[1:]
    if serve.is_plain(arguments):
        serve.serve_plainly(arguments[2])
        return
    from ordermesh.cli.app import run  # noqa: PLC0415 # typer and rich cost a serving process 0.2 s of its start

    run()
