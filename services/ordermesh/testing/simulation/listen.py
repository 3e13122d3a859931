"""Hears what the engine logs: an error that nobody expected is a finding, and everything is part of the trace."""

from __future__ import annotations

import logging
import sys
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import structlog

from ordermesh.testing.simulation.findings import Findings


class _Listener(logging.Handler):
    """Takes the records of the engine's loggers."""

    def __init__(self, findings: Findings, is_traced: bool, is_right: Callable[[str], bool]) -> None:
        super().__init__(logging.DEBUG if is_traced else logging.ERROR)
        self._findings = findings
        self._is_right = is_right

    def emit(self, record: logging.LogRecord) -> None:
        """An exception, or a partition stopped without a right to, is a finding."""
        message = record.getMessage()
        error = record.exc_info[1] if record.exc_info else None
        if record.levelno >= logging.CRITICAL:
            self._findings.note("critical", message)
        is_critical = record.levelno >= logging.CRITICAL and not self._is_right(message)
        if error is not None or is_critical:
            place = traceback.extract_tb(error.__traceback__)[-1] if error is not None and error.__traceback__ else None
            where = f" ({place.filename.rsplit('/', 1)[-1]}:{place.lineno})" if place is not None else ""
            self._findings.report("I5", f"{message}: {error!r}{where}" if error is not None else message)
        else:
            self._findings.note("log", message)


@contextmanager
def listening(
    findings: Findings, is_traced: bool, is_right: Callable[[str], bool] = lambda _text: False
) -> Iterator[None]:
    """While it lasts, what the engine logs is heard here and nowhere else. `is_right` says of a stopped partition that
    it had to be stopped."""
    logger = logging.getLogger("ordermesh")
    listener = _Listener(findings, is_traced, is_right)
    level, propagate = logger.level, logger.propagate
    logger.addHandler(listener)
    logger.propagate = False
    logger.setLevel(logging.DEBUG if is_traced else logging.ERROR)
    configured = structlog.get_config()
    structlog.configure(
        processors=[structlog.stdlib.filter_by_level, structlog.stdlib.render_to_log_kwargs],
        wrapper_class=structlog.stdlib.BoundLogger,
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=False,
    )
    try:
        yield
    finally:
        structlog.configure(**configured)
        logger.removeHandler(listener)
        logger.setLevel(level)
        logger.propagate = propagate


@contextmanager
def silence() -> Iterator[None]:
    """While it lasts, nothing is heard: for what dead processes say when they are thrown away."""
    unraisable = sys.unraisablehook
    sys.unraisablehook = lambda _: None
    logging.disable(logging.CRITICAL)
    try:
        yield
    finally:
        logging.disable(logging.NOTSET)
        sys.unraisablehook = unraisable
