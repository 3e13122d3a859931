"""Checks of request fields that every API needs; each adds what is wrong to a list of violations, by field path."""

from __future__ import annotations

import time
import uuid
from collections.abc import Sequence

from google.protobuf.descriptor import EnumDescriptor

from ordermesh.core import ids, limits
from ordermesh.runtime.problems import Problem, Violation, invalid

VIOLATIONS_MAX = 32
"""What is wrong with a request is looked for up to here: an order of 2,000 lines has room for 8,000 mistakes, a batch
for a thousand times as many, and finding them all would hold up everybody else's calls."""


class Violations(list[Violation]):
    """What is wrong with a request so far."""

    def add(self, field: str, description: str) -> None:
        """One more."""
        self.append(Violation(field, description))

    def is_full(self) -> bool:
        """Whether enough is known to be wrong: what comes after need not be looked at."""
        return len(self) >= VIOLATIONS_MAX

    def text(
        self, field: str, value: str, *, required: bool = True, characters_max: int = limits.TEXT_CHARACTERS_MAX
    ) -> None:
        """A text that becomes a key or stands in a timeline: printable, not too long, not empty if required."""
        if not value:
            if required:
                self.add(field, "is required")
        elif len(value) > characters_max:
            self.add(field, f"has {len(value)} characters; at most {characters_max} are taken")
        elif not value.isprintable():
            self.add(field, "has characters that cannot be printed")

    def order_id(self, field: str, value: str, *, may_lead: bool = False) -> str:
        """The id in its one form, or as it is if it is none. One of the future names nothing, unless it `may_lead`."""
        if not value:
            self.add(field, "is required")
            return value
        try:
            order_id = ids.canonical_order_id(value)
        except ids.InvalidIdentifier as error:
            self.add(field, str(error))
            return value
        if not may_lead and ids.time_ms_of(order_id) - limits.ID_AHEAD_MS_MAX > time.time_ns() // 1_000_000:
            self.add(field, "was made in the future by its time; is the clock right where it was made?")
        return order_id

    def quantity(self, field: str, value: int) -> None:
        """A number of pieces, from 1."""
        if not 1 <= value <= limits.QUANTITY_MAX:
            self.add(field, f"is {value}; it has to be from 1 to {limits.QUANTITY_MAX}")

    def etag(self, field: str, value: str) -> None:
        """A version as text, or nothing."""
        if value and not (value.isascii() and value.isdecimal() and len(value) <= 19):
            self.add(field, "is no etag; take it from the resource")

    def enum(self, field: str, value: int, values: EnumDescriptor) -> None:
        """One of an enum's values; unspecified is one."""
        if value not in values.values_by_number:
            self.add(field, f"{value} is none of the values of {values.name}")

    def page_size(self, field: str, value: int) -> int:
        """The page's size: the default for 0, at most the largest."""
        if value < 0:
            self.add(
                field, f"is {value}; it has to be 0 (the default) or more, and at most {limits.PAGE_SIZE_MAX} are given"
            )
        return min(value or limits.PAGE_SIZE_DEFAULT, limits.PAGE_SIZE_MAX)

    def check(self) -> None:
        """Raises Problem if anything is wrong."""
        if self:
            raise invalid(self)


def limited(field: str, items: Sequence[object], what: str, most: int) -> None:
    """Raises Problem unless there is at least one item and at most `most`."""
    if not items:
        raise invalid([Violation(field, f"has no {what}; at least one is required")])
    if len(items) > most:
        raise too_much(field, what, len(items), most)


def too_much(field: str, what: str, number: int, most: int, **metadata: str) -> Problem:
    """What is larger than a limit; the metadata has both numbers."""
    description = f"has {number} {what}; at most {most} are taken"
    return Problem(
        "LIMIT_EXCEEDED",
        f"{field}: {description}",
        metadata={**metadata, "limit": str(most), "actual": str(number)},
        violations=[Violation(field, description)],
    )


def request_id_or_new(request_id: str) -> str:
    """The caller's id of a request, or one made here: then a repetition by the caller is another request."""
    return request_id or str(uuid.uuid4())
