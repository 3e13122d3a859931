"""`ordermesh serve`: one process of one role; apart from the rest of the command line so that it starts quickly."""

from __future__ import annotations

import asyncio
import gc
import logging
import os
import signal
import sys
from collections.abc import Sequence
from typing import Literal

import structlog

from ordermesh.cli.announce import announce_serving
from ordermesh.runtime.settings import CannotStart, OutOfReach, Settings, SettingsError, load_settings

Role = Literal["edge", "owner", "relay", "webhooks"]
ROLES: tuple[Role, ...] = ("edge", "owner", "relay", "webhooks")

EXIT_WRONG_SETTINGS, EXIT_OUT_OF_REACH = 2, 5
"""As everywhere in the command line; of its own, because a child loads none of the rest."""

COLLECT_AFTER, COLLECT_OLDER_AFTER, COLLECT_OLDEST_AFTER = 5_000, 25, 200
"""Thresholds of the garbage collector: containers made since the last look, and looks at a generation per older one.

Each look stops the process: a few milliseconds for 5,000 containers, some fifty for the older ones. With 200,000, which
costs a hundredth of an owner's CPU less, every call waited a quarter of a second now and then. The oldest are looked
through after 25 million containers, about half a million orders."""


def is_plain(arguments: Sequence[str]) -> bool:
    """Whether these arguments are those that `up` gives its children: a role, and settings by the environment only."""
    return len(arguments) == 3 and arguments[:2] == ["serve", "--role"] and arguments[2] in ROLES


def serve_plainly(role: str) -> None:
    """Runs a role with the settings of the environment, and ends the process."""
    try:
        settings = load_settings()
    except SettingsError as error:
        print(f"ordermesh serve: {error}", file=sys.stderr)
        sys.exit(EXIT_WRONG_SETTINGS)
    serve(role, settings, ())


def serve(role: str, settings: Settings, groups: Sequence[str]) -> None:
    """Runs a role until SIGTERM or SIGINT, then ends cleanly. Raises SystemExit with the reason if it cannot start."""
    import uvloop  # noqa: PLC0415 # only a serving process needs it

    configure_logging(settings.log_level, role)
    try:
        uvloop.run(_serve(role, settings, groups))
    except (CannotStart, OSError) as error:
        structlog.get_logger().error("cannot serve", error=str(error))
        sys.exit(EXIT_OUT_OF_REACH if isinstance(error, OutOfReach) else 1)


def configure_logging(level: str, role: str) -> None:
    """One JSON object a line on stderr, with the process and its role in each; also from libraries."""
    shared: list[structlog.types.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        # Never with local variables: these hold payment tokens and customers' data.
        structlog.processors.ExceptionRenderer(structlog.tracebacks.ExceptionDictTransformer(show_locals=False)),
    ]
    number = logging.getLevelNamesMapping()[level.upper()]
    structlog.configure(
        processors=[*shared, structlog.processors.JSONRenderer()],
        wrapper_class=structlog.make_filtering_bound_logger(number),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )
    structlog.contextvars.bind_contextvars(role=role, pid=os.getpid())
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[structlog.stdlib.add_logger_name, structlog.stdlib.ExtraAdder(), *shared],
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.JSONRenderer(),
            ],
        )
    )
    logging.basicConfig(level=number, handlers=[handler])
    for library in ("uvicorn", "asyncio", "grpc"):
        logging.getLogger(library).setLevel(max(number, logging.WARNING))


async def _serve(role: str, settings: Settings, groups: Sequence[str]) -> None:
    from ordermesh import roles  # noqa: PLC0415 # after logging is configured: modules take their loggers then

    _spare_the_collector()
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    await roles.run_role(role, settings, groups, serving=announce_serving, stop=stop)


def _spare_the_collector() -> None:
    """Lets the cyclic collector look at what is new, and seldom at the rest.

    What lives long here (modules, the cache of aggregates) holds no cycles; looking through it again and again was 15 %
    of an owner's CPU.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(COLLECT_AFTER, COLLECT_OLDER_AFTER, COLLECT_OLDEST_AFTER)
