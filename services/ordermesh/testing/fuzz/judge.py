"""Whether a refusal is one that the contract allows: its code, its reason, its details, its words, its size."""

from __future__ import annotations

import re
from typing import NamedTuple

import grpc
from google.protobuf.message import DecodeError
from google.rpc import error_details_pb2, status_pb2

from ordermesh.runtime.problems import CODES, DOMAIN

MESSAGE_BYTES_MAX = 1_024
"""Size of a message: it travels in a header, percent-encoded, so three times that at worst."""
DETAILS_BYTES_MAX = 4_096
"""Size of the details: with the message below the 8 KiB of headers that every client takes."""
FORBIDDEN = frozenset({"UNKNOWN", "INTERNAL", "UNIMPLEMENTED", "DATA_LOSS", "CANCELLED"})
"""Codes that no input may lead to: a defect, or no code at all."""
RETRIED = frozenset({"RESOURCE_EXHAUSTED", "UNAVAILABLE"})
"""Codes that say when to try again."""

_NUMBER = re.compile(r"[0-9a-f]*[0-9][0-9a-f]*")
_LEAK = re.compile(r"Traceback|File \"|\.py\b|site-packages|/home/|/usr/lib|object at 0x|int_max_str|Error\(|_pb2")


class Refusal(NamedTuple):
    """How a call ended that failed, or one item of a batch: the code's name, the message, the details as bytes."""

    code: str
    message: str
    details: bytes


def wrong_with(refusal: Refusal) -> str:
    """What is wrong with it, in a few words that are the same for the same fault; empty if nothing is."""
    told = _NUMBER.sub("0", refusal.message[:200])
    if refusal.code in FORBIDDEN:
        return f"code {refusal.code}: {told}"
    if len(refusal.message.encode()) > MESSAGE_BYTES_MAX:
        return "a message that is too long"
    if _LEAK.search(refusal.message) is not None:
        return f"a message that tells of the server: {told}"
    if not refusal.details:
        return f"{refusal.code} without details: {told}"
    if len(refusal.details) > DETAILS_BYTES_MAX:
        return "details that are too long"
    try:
        status = status_pb2.Status.FromString(refusal.details)
    except DecodeError:
        return "details that are no status"
    return _wrong_status(refusal, status)


def refusal_of(status: status_pb2.Status) -> Refusal:
    """An item's status as a refusal."""
    return Refusal(_NAMES.get(status.code, "UNKNOWN"), status.message, status.SerializeToString())


_NAMES = {code.value[0]: code.name for code in grpc.StatusCode}


def _wrong_status(refusal: Refusal, status: status_pb2.Status) -> str:
    if _NAMES.get(status.code) != refusal.code or status.message != refusal.message:
        return f"details that contradict the status {refusal.code}"
    info, found = (
        error_details_pb2.ErrorInfo(),
        {packed.type_url.rpartition(".")[2]: packed for packed in status.details},
    )
    if "ErrorInfo" not in found or not found["ErrorInfo"].Unpack(info):
        return f"{refusal.code} without ErrorInfo"
    if info.domain != DOMAIN or info.reason not in CODES:
        return f"ErrorInfo of {info.domain!r} with reason {info.reason!r}"
    if CODES[info.reason].name != refusal.code:
        return f"{info.reason} with code {refusal.code}"
    return _missing_detail(refusal.code, info.reason, found)


def _missing_detail(code: str, reason: str, found: dict[str, object]) -> str:
    if code == "INVALID_ARGUMENT" and "BadRequest" not in found:
        return f"{reason} without BadRequest"
    if code == "FAILED_PRECONDITION" and "PreconditionFailure" not in found:
        return f"{reason} without PreconditionFailure"
    if code in RETRIED and "RetryInfo" not in found:
        return f"{reason} without RetryInfo"
    return ""
