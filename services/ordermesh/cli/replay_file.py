"""Reads an Online Retail CSV (plain, .gz or .xz) into invoices: what is sold, what is cancelled, what is no sale.

PURE but for opening the file. Amounts are whole numbers of 1e-9 pounds (`nanos`), so nothing is ever rounded. Source of
the format: UCI Machine Learning Repository, data set 352.
"""

from __future__ import annotations

import csv
import gzip
import hashlib
import lzma
import zlib
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from fractions import Fraction
from pathlib import Path
from typing import TextIO

COLUMNS = ("InvoiceNo", "StockCode", "Quantity", "InvoiceDate", "UnitPrice", "CustomerID", "Country")
"""The columns that are read; Description is not."""

NANOS_PER_UNIT = 1_000_000_000
NANOS_DIGITS = 9
PRICE_DIGITS_MAX = 18
"""Digits before the point: what an amount can hold, for certain."""
QUANTITY_CHARACTERS_MAX = 18
"""With its sign: what an int64 can hold, for certain."""
SHOWN = 100
"""Characters of a cell that an error shows."""
TIME_FORMATS = ("%m/%d/%Y %H:%M", "%d-%m-%Y %H:%M")


class FileError(Exception):
    """The file is not what it should be; the text says where and what to do."""


@dataclass(frozen=True, slots=True)
class Line:
    """A row of an invoice. `quantity` is positive, also where the invoice cancels; `price_nanos` is of one unit."""

    line_id: str
    sku: str
    quantity: int
    price_nanos: int

    @property
    def amount_nanos(self) -> int:
        """Quantity times price."""
        return self.quantity * self.price_nanos


@dataclass(frozen=True, slots=True)
class Invoice:
    """An invoice in the file's order: `lines` are what it sells, or cancels where `cancels` is set.

    `no_sale` counts its other rows by kind.
    """

    number: str
    time: datetime
    customer_id: str
    country: str
    cancels: bool
    lines: tuple[Line, ...]
    no_sale: Mapping[str, int] = field(default_factory=dict)

    @property
    def is_order(self) -> bool:
        """Whether it becomes an order: it sells at least one line."""
        return not self.cancels and bool(self.lines)

    @property
    def is_guest(self) -> bool:
        """Whether the file names no customer."""
        return self.customer_id == f"guest-{self.number}"

    @property
    def amount_nanos(self) -> int:
        """The sum over its lines."""
        return sum(line.amount_nanos for line in self.lines)


@dataclass(frozen=True, slots=True)
class SalesFile:
    """A whole file: its invoices, and the SHA-256 of its text in hexadecimal, which names it."""

    invoices: tuple[Invoice, ...]
    digest: str


def read_sales(path: Path) -> SalesFile:
    """Reads the file, whole. Raises FileError."""
    digest = hashlib.sha256()
    try:
        with _open(path) as text:
            rows = csv.DictReader(_hashed(text, digest.update))
            missing = [name for name in COLUMNS if name not in (rows.fieldnames or ())]
            if missing:
                raise FileError(
                    f"{path}: the first line has no column {', '.join(missing)}; expected {', '.join(COLUMNS)}"
                )
            invoices = tuple(parse_rows(rows))
    except FileNotFoundError as error:
        raise FileError(f"{path}: cannot be read, there is no such file") from error
    except (OSError, EOFError, lzma.LZMAError, zlib.error, UnicodeDecodeError, csv.Error) as error:
        raise FileError(f"{path}: cannot be read: {error}") from error
    return SalesFile(invoices, digest.hexdigest())


def parse_rows(rows: Iterable[Mapping[str, str]]) -> Iterator[Invoice]:
    """The invoices of the rows, in the order in which they first appear. Raises FileError."""
    grouped: dict[str, list[Mapping[str, str]]] = {}
    for place, row in enumerate(rows, start=1):
        if any(row[name] is None for name in COLUMNS):
            raise FileError(f"row {place} has fewer cells than the first line has columns")
        grouped.setdefault(row["InvoiceNo"].strip(), []).append(row)
    for number, group in grouped.items():
        try:
            yield _invoice(number, group)
        except (ValueError, InvalidOperation) as error:
            raise FileError(f"invoice {number[:SHOWN]}: {str(error)[:SHOWN]}") from error


def _invoice(number: str, rows: list[Mapping[str, str]]) -> Invoice:
    cancels = number.startswith("C")
    no_sale: Counter[str] = Counter()
    lines: list[Line] = []
    for row in rows:
        quantity, price = _quantity(row["Quantity"]), nanos(row["UnitPrice"])
        kind = _no_sale_kind(number, -quantity if cancels else quantity, price)
        if kind:
            no_sale[kind] += 1
        else:
            lines.append(Line(str(len(lines) + 1), row["StockCode"].strip(), abs(quantity), price))
    first = rows[0]
    return Invoice(
        number=number,
        time=parse_time(first["InvoiceDate"]),
        customer_id=first["CustomerID"].strip() or f"guest-{number}",
        country=first["Country"].strip(),
        cancels=cancels,
        lines=tuple(lines),
        no_sale=dict(no_sale),
    )


def _no_sale_kind(number: str, quantity: int, price_nanos: int) -> str:
    """Why a row sells nothing (for a cancellation: cancels nothing); empty if it does."""
    if number.startswith("A"):
        return "adjustment"
    if quantity <= 0:
        return "cancellation of no quantity" if number.startswith("C") else "quantity not positive"
    if price_nanos <= 0:
        return "cancellation without a price" if number.startswith("C") else "price not positive"
    return ""


def _quantity(text: str) -> int:
    """Pieces, of whichever sign. Raises ValueError."""
    text = text.strip()
    if len(text) > QUANTITY_CHARACTERS_MAX:
        raise ValueError(f"quantity {text[:SHOWN]} is more than a line can hold")
    return int(text)


def nanos(price: str) -> int:
    """A price in nanos, exactly. Raises ValueError where it has more than nine decimals, or more than a price can hold,
    and InvalidOperation where it is no number."""
    value = Decimal(price.strip())
    if not value:
        return 0
    if not value.is_finite() or value.adjusted() >= PRICE_DIGITS_MAX:
        raise ValueError(f"price {price[:SHOWN]} is more than a price can hold")
    if value.adjusted() < -NANOS_DIGITS or (scaled := Fraction(value) * NANOS_PER_UNIT).denominator != 1:
        raise ValueError(f"price {price[:SHOWN]} has more than nine decimals")
    return scaled.numerator


def parse_time(text: str) -> datetime:
    """The file's local time, taken as UTC: ISO 8601, or as spreadsheets have it (12/1/2010 8:26). Raises ValueError."""
    try:
        return datetime.fromisoformat(text.strip()).replace(tzinfo=UTC)
    except ValueError:
        pass
    for pattern in TIME_FORMATS:
        try:
            return datetime.strptime(text.strip(), pattern).replace(tzinfo=UTC)
        except ValueError:
            continue
    raise ValueError(f"time {text!r} is neither ISO 8601 nor month/day/year hour:minute")


def _open(path: Path) -> TextIO:
    if path.suffix == ".xz":
        return lzma.open(path, "rt", encoding="utf-8-sig", newline="")
    if path.suffix == ".gz":
        return gzip.open(path, "rt", encoding="utf-8-sig", newline="")
    return path.open(encoding="utf-8-sig", newline="")


def _hashed(lines: Iterable[str], update: Callable[[bytes], None]) -> Iterator[str]:
    for line in lines:
        update(line.encode())
        yield line
