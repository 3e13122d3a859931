"""`scripts/chaos`: runs, judges, reports. Exit status 0 only without a violation; 1 with one; 2 for wrong usage."""

from __future__ import annotations

import argparse
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

import uvloop

from ordermesh.adapters.nats_server import NatsServerError
from ordermesh.runtime.settings import PREFIX, CannotStart
from ordermesh.testing.cassandra_nodes import ClusterError, ToolMissing
from ordermesh.testing.chaos.guard import Guard
from ordermesh.testing.chaos.picture import picture
from ordermesh.testing.chaos.report import Outcome, last_line, markdown, results_line, states_of
from ordermesh.testing.chaos.run import DidNotStart, Ran, Run, sayer
from ordermesh.testing.chaos.statistics import creates, numbers

ROOT = Path(__file__).parents[4]
JARS = ROOT / ".cassandra" / "jars"
"""Shared with scripts/cassandra."""
RATE_DEFAULT = 15.0
"""Orders a second: three Cassandra nodes, three nats-servers and the engine have two cores to share."""
PICTURE = "chaos.svg"


def main(arguments: Sequence[str] | None = None) -> None:
    """The command."""
    options = _parser().parse_args(arguments)
    for name in [name for name in os.environ if name.startswith(PREFIX)]:
        del os.environ[name]
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.default_int_handler)
    if options.work is not None:
        options.work.mkdir(parents=True, exist_ok=True)
    folder = Path(tempfile.mkdtemp(prefix="chaos-", dir=options.work))
    guard = Guard(folder)
    say = sayer(sys.stderr.write)
    say(f"seed {options.seed}, everything in {folder}")
    violated, keep = True, True
    try:
        run = Run(folder, JARS, seed=options.seed, rate=options.rate, say=say)
        ran = uvloop.run(run.run(options.minutes * 60))
        violated = _tell(options, ran)
        keep = violated or options.keep
    except (DidNotStart, CannotStart, NatsServerError, ClusterError, ToolMissing, OSError, TimeoutError) as error:
        print(f"scripts/chaos: {error!r}", file=sys.stderr)
    except KeyboardInterrupt:
        print("scripts/chaos: interrupted", file=sys.stderr)
        keep = options.keep
    finally:
        guard.clean()
        if keep:
            say(f"everything is kept in {folder}")
        else:
            shutil.rmtree(folder, ignore_errors=True)
    sys.exit(1 if violated else 0)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="scripts/chaos", description=__doc__)
    parser.add_argument("--minutes", type=float, default=5.0, help="of faults; starting and judging comes on top")
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(1_000_000), help="of the faults")
    parser.add_argument("--rate", type=float, default=RATE_DEFAULT, help="orders a second (default %(default)s)")
    parser.add_argument("--report", type=Path, help="a folder for the report and its picture")
    parser.add_argument("--results", type=Path, help="a file that gets one more line, in JSON")
    parser.add_argument("--work", type=Path, help="where the run's folder is made; else where temporary files are")
    parser.add_argument("--keep", action="store_true", help="keep logs, journal and data also without a violation")
    return parser


def _tell(options: argparse.Namespace, ran: Ran) -> bool:
    """Writes what is asked for and prints the last line; whether anything was violated."""
    outcome = Outcome(
        seed=options.seed,
        minutes=options.minutes,
        revision=_revision(),
        begin=ran.begin,
        numbers=numbers(ran.journal, ran.faults, ran.begin, ran.end),
        faults=ran.faults,
        verdict=ran.verdict,
        states={} if ran.evidence is None else states_of(ran.evidence),
        trouble=ran.trouble,
    )
    if options.report is not None:
        options.report.mkdir(parents=True, exist_ok=True)
        title = f"Chaos, seed {options.seed}: {len(ran.verdict.violations)} violations"
        svg = picture(creates(ran.journal), ran.faults, ran.begin, ran.end, title)
        (options.report / PICTURE).write_text(svg)
        (options.report / "chaos.md").write_text(markdown(outcome, PICTURE))
    if options.results is not None:
        with options.results.open("a") as file:
            file.write(json.dumps(results_line(outcome), sort_keys=True) + "\n")
    for violation in ran.verdict.violations:
        print(f"VIOLATED {violation.invariant}: {violation.text}", file=sys.stderr)
    print(last_line(outcome), flush=True)
    return bool(ran.verdict.violations)


def _revision() -> str:
    """The commit, marked where the code differs from it."""
    done = subprocess.run(
        ["git", "describe", "--always", "--abbrev=12", "--dirty", "--exclude=*"],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    return done.stdout.strip() or "unknown"
