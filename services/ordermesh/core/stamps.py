"""How an event's time and version get into a resource. PURE."""

from __future__ import annotations

from google.protobuf.timestamp_pb2 import Timestamp

_US_PER_SECOND = 1_000_000


def write_time(target: Timestamp, time_us: int) -> None:
    """Sets a timestamp to a time in microseconds since 1970."""
    target.seconds = time_us // _US_PER_SECOND
    target.nanos = time_us % _US_PER_SECOND * 1_000
