"""Requests that an aggregate remembers by their ids, so that each is done once. PURE.

A record is two hashes, not the texts: 25 bytes for each of the last 64 requests of an aggregate.
"""

from __future__ import annotations

from collections.abc import MutableSequence, Sequence
from hashlib import blake2b

from google.protobuf.message import Message

from oms.common.v1.request_record_pb2 import (
    REQUEST_OUTCOME_DONE,
    REQUEST_OUTCOME_PENDING,
    RequestOutcome,
    RequestRecord,
)
from ordermesh.core import errors
from ordermesh.core.decider import Decision
from ordermesh.core.limits import REQUESTS_REMEMBERED_MAX


def _hash(data: bytes) -> int:
    return int.from_bytes(blake2b(data, digest_size=8).digest(), "big")


def hash_of(request_id: str) -> int:
    """What a request id is remembered as."""
    return _hash(request_id.encode())


def content_hash(message: Message) -> int:
    """Stands for a message; equal for equal ones."""
    return _hash(message.SerializeToString(deterministic=True))


def record_of(
    request_id: str, command: Message, outcome: RequestOutcome = REQUEST_OUTCOME_DONE
) -> RequestRecord | None:
    """The record of a request and what it asks; None where it has no id."""
    if not request_id:
        return None
    content = command.DESCRIPTOR.full_name.encode() + command.SerializeToString(deterministic=True)
    return RequestRecord(request_hash=hash_of(request_id), content_hash=_hash(content), outcome=outcome)


def find(records: Sequence[RequestRecord], request_id: str) -> RequestRecord | None:
    """What is remembered of a request; None where it is unknown."""
    if not records or not request_id:
        return None
    wanted = hash_of(request_id)
    return next((record for record in records if record.request_hash == wanted), None)


def seen_before(records: Sequence[RequestRecord], record: RequestRecord | None) -> Decision | None:
    """None: the request is new. Else what to decide: nothing (it was done), or the refusal of an id used twice."""
    if record is None:
        return None
    for known in records:
        if known.request_hash == record.request_hash:
            if known.content_hash == record.content_hash:
                return Decision()
            return errors.refuse(
                errors.REQUEST_ID_REUSED,
                "This request id was used for another request; take a new one.",
                field="request_id",
            )
    return None


def etag_mismatch(etag: str, version: int) -> Decision | None:
    """The refusal of a request that was made for another version; None where it may go on."""
    if not etag or etag == str(version):
        return None
    return errors.refuse(
        errors.ETAG_MISMATCH,
        f"It is at version {version}, not at {etag}; read it again and decide anew.",
        etag=etag,
        version=version,
    )


def remember(records: MutableSequence[RequestRecord], record: RequestRecord) -> None:
    """Adds a record and forgets the oldest past the limit, of those that are decided as long as there are any: whoever
    asked for what is open hears of it later."""
    records.append(record)
    if len(records) > REQUESTS_REMEMBERED_MAX:
        older = enumerate(records[:-1])
        del records[next((number for number, each in older if each.outcome != REQUEST_OUTCOME_PENDING), 0)]
