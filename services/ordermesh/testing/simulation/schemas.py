"""Builds that differ in the schema of what they write, for upgrades that are under way.

There is one engine to simulate, and it has one schema. A process of a newer build is that engine behind a link that
raises the number on what it writes, and takes its own number for the engine's on what it reads: so what is newer than
a process's build looks to its engine just like what is newer than the engine.
"""

from __future__ import annotations

from google.protobuf.message import DecodeError

from oms.log.v1 import log_pb2
from ordermesh.runtime.options import SCHEMA_VERSION

Record = type[log_pb2.DecisionFrame] | type[log_pb2.Checkpoint]
"""What carries the number of a schema."""


def written(record: Record, data: bytes, schema: int) -> bytes:
    """What a build of that schema writes."""
    found = record.FromString(data)
    found.schema = schema
    return found.SerializeToString(deterministic=True)


def read(record: Record, data: bytes, schema: int) -> bytes:
    """What a build of that schema makes of the data."""
    try:
        found = record.FromString(data)
    except DecodeError:
        return data
    found.schema = SCHEMA_VERSION + max(0, found.schema - schema)
    return found.SerializeToString(deterministic=True)
