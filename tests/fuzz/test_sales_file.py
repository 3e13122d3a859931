"""The reader of sales files: whatever is in a file, it gives invoices or says in one sentence why not."""

from __future__ import annotations

import gzip
import lzma
from pathlib import Path

from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from ordermesh.cli.replay_file import COLUMNS, FileError, Invoice, read_sales

MONEY_UNITS_END = 2**63
QUANTITY_END = 2**63
HOSTILE_CELLS = (
    "", "536365", "C536379", "A563185", "1", "-1", "0", "2.55", "NaN", "Infinity", "-Infinity", "sNaN", "1e999", "-0",
    "1e99999999", "1e-99999999", "9" * 30, "9" * 5_000, "0x10", "1_000", "\u0663", "12/1/2010 8:26", "9999-12-31",
    "2010-12-01T08:26:00", "2010-12-01T08:26:00+99:99", "0000-00-00", "99/99/9999 99:99", "\x00", '"', "\r",
)  # fmt: skip
CELLS = st.one_of(st.text(max_size=12), st.sampled_from(HOSTILE_CELLS))
ROWS = st.lists(st.lists(CELLS, max_size=10), max_size=6)
SETTINGS = settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


def read(path: Path, data: bytes) -> tuple[Invoice, ...]:
    """The invoices of a file; none if it says why not. Anything else that it raises fails the test."""
    path.write_bytes(data)
    try:
        return read_sales(path).invoices
    except FileError:
        return ()


@given(ROWS)
@example([["536365"]])
@example([["1", "TEA", "1", "2010-12-01", "Infinity", "7", "UK"]])
@example([["1", "TEA", "1", "2010-12-01", "1e99999999", "7", "UK"]])
@example([["1", "TEA", "9" * 30, "2010-12-01", "1", "7", "UK"]])
@example([["1", "TEA", "1", "2010-12-01", "9" * 30, "7", "UK"]])
@SETTINGS
def test_whatever_the_cells_the_reader_gives_invoices_or_a_sentence(tmp_path: Path, rows: list[list[str]]) -> None:
    text = "\n".join([",".join(COLUMNS), *(",".join(row) for row in rows)])
    for invoice in read(tmp_path / "sales.csv", text.encode(errors="replace")):
        assert all(0 < line.quantity < QUANTITY_END for line in invoice.lines)
        assert all(0 < line.price_nanos < MONEY_UNITS_END * 10**9 for line in invoice.lines)


@given(st.binary(max_size=400), st.sampled_from([".csv", ".gz", ".xz"]))
@SETTINGS
def test_whatever_the_bytes_the_reader_gives_invoices_or_a_sentence(tmp_path: Path, data: bytes, kind: str) -> None:
    read(tmp_path / f"sales{kind}", data)


@given(st.integers(0, 10**6), st.integers(0, 7), st.sampled_from([gzip.compress, lzma.compress]))
@SETTINGS
def test_a_packed_file_with_a_wrong_bit_is_read_or_refused(tmp_path: Path, place: int, bit: int, pack: object) -> None:
    text = ",".join(COLUMNS) + "\n" + "536365,TEA,1,2010-12-01T08:26:00,2.55,7,UK\n" * 50
    data = bytearray(pack(text.encode()))  # type: ignore[operator]  # either of the two
    data[place % len(data)] ^= 1 << bit
    read(tmp_path / ("sales.gz" if pack is gzip.compress else "sales.xz"), bytes(data))
