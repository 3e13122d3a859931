"""The journal of a replay: one JSON line for each acknowledged call, on disk before the next call counts it.

A line: {"invoice", "order_id", "call": "create"|"cancel"|"return", "persistence", "total": {"currency_code", "units",
"nanos"}, "time"}; `total` is the order's. A last line that was cut off by a crash is ignored, and written over.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

from oms.common.v1 import consistency_pb2
from oms.order.v1 import order_pb2
from ordermesh.cli.amounts import NANOS_PER_UNIT


class JournalEntry(NamedTuple):
    """An acknowledged call."""

    invoice: str
    order_id: str
    call: str
    persistence: str
    currency: str
    total_nanos: int


class JournalError(Exception):
    """The file is no journal; the text says where."""


def read_journal(path: Path) -> list[JournalEntry]:
    """The entries of a journal; none if there is no file. Raises JournalError, OSError."""
    if not path.exists():
        return []
    return [_entry(record, path) for _end, record in _records(path)]


def _entry(record: dict[str, Any], path: Path) -> JournalEntry:
    try:
        total = record["total"]
        return JournalEntry(
            invoice=record["invoice"],
            order_id=record["order_id"],
            call=record["call"],
            persistence=record["persistence"],
            currency=total["currency_code"],
            total_nanos=int(total["units"]) * NANOS_PER_UNIT + int(total["nanos"]),
        )
    except (KeyError, TypeError, ValueError) as error:
        raise JournalError(f"{path}: a line lacks {error}; is it the journal of a replay?") from error


def _records(path: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    """The whole lines, each with the offset of its end."""
    end = 0
    with path.open("rb") as file:
        for number, line in enumerate(file, start=1):
            if not line.endswith(b"\n"):
                return
            end += len(line)
            try:
                yield end, json.loads(line)
            except ValueError as error:
                raise JournalError(f"{path}, line {number}: {error}; is it the journal of a replay?") from error


class Journal:
    """A journal that is being written; with no path it keeps nothing."""

    def __init__(self, path: Path | None) -> None:
        self._file = None
        if path is not None:
            end = max((end for end, _record in _records(path)), default=0) if path.exists() else 0
            path.parent.mkdir(parents=True, exist_ok=True)
            self._file = path.open("ab")
            self._file.truncate(end)

    def add(self, invoice: str, call: str, order: order_pb2.Order, persistence: consistency_pb2.Persistence) -> None:
        """Writes an acknowledged call, and has it out of this process when it returns."""
        if self._file is None:
            return
        record = {
            "invoice": invoice,
            "order_id": order.order_id,
            "call": call,
            "persistence": consistency_pb2.Persistence.Name(persistence).removeprefix("PERSISTENCE_"),
            "total": {
                "currency_code": order.total.currency_code,
                "units": order.total.units,
                "nanos": order.total.nanos,
            },
            "time": datetime.now(UTC).isoformat(),
        }
        self._file.write(json.dumps(record).encode() + b"\n")
        self._file.flush()

    def close(self) -> None:
        """Ends it; idempotent."""
        if self._file is not None:
            self._file.close()
            self._file = None
