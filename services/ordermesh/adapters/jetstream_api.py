"""JetStream's API as JSON over requests: calls, errors, and how a stream and its messages are named.

A stream `OM_<GROUP>_<PPP>` holds one partition; its subjects are `om.<group>.<ppp>.<kind>`. Error numbers are those of
the server's `errors.json`.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from typing import Any, cast

from nats.aio.msg import Msg

from ordermesh.adapters.nats_connection import Requests
from ordermesh.runtime.ports import (
    Fenced,
    Kind,
    LogError,
    LogFull,
    LogUnavailable,
    OutcomeUnknown,
    PartitionId,
    Stored,
)

KINDS: tuple[Kind, ...] = ("commands", "messages", "decisions")
"""The kinds of message in a partition's stream."""

FRAME_ID_HEADER = "Om-Frame-Id"
MESSAGE_ID_HEADER = "Nats-Msg-Id"
EXPECTED_HEADER = "Nats-Expected-Last-Subject-Sequence"

MESSAGE_BYTES_MAX = 8 * 1024 * 1024
"""What a stream and the embedded server take as one message, headers included."""

HEADER_BYTES_MAX = 1024
"""Room left for headers in a message."""

NO_MESSAGE = 10037
NO_PEERS = 10005
NAME_IN_USE = 10058
_NO_STREAM = 10059
_UNAVAILABLE = 10008
_FENCED = 10071
NO_ROOM = frozenset({NO_PEERS, 10023, 10047})
_STORE_FAILED = 10077
_DUPLICATE_UNDER_WAY = 10158
_ANOTHER_UNDER_WAY = 10164


class ApiError(LogError):
    """An answer of JetStream that says what is wrong; `code` is its error number."""

    def __init__(self, error: Mapping[str, Any]) -> None:
        """`error` is the member of that name of an answer."""
        self.status = int(error.get("code", 500))
        self.code = int(error.get("err_code", 0))
        self.description = str(error.get("description", ""))
        super().__init__(f"{self.description} ({self.status}/{self.code})")


class StreamMissing(LogUnavailable):
    """There is no such stream: it was not created, or its server has not recovered it yet."""


def stream_name(partition: PartitionId) -> str:
    """The stream of a partition."""
    return f"OM_{partition.group.upper()}_{partition.number:03d}"


def partition_named(stream: str) -> PartitionId | None:
    """The partition whose stream bears that name; None for another stream."""
    prefix, _, rest = stream.partition("_")
    group, _, number = rest.rpartition("_")
    return PartitionId(group.lower(), int(number)) if prefix == "OM" and group and number.isdecimal() else None


def subject(partition: PartitionId, kind: Kind) -> str:
    """The subject of one kind in a partition's stream."""
    return f"om.{partition.group}.{partition.number:03d}.{kind}"


def kind_of(subject_text: str) -> Kind:
    """The kind that a message's subject names."""
    return cast(Kind, subject_text[subject_text.rindex(".") + 1 :])


def stored(message: Msg, sequence: int) -> Stored:
    """What a consumer delivered."""
    headers = message.headers or {}
    return Stored(sequence, kind_of(message.subject), message.data, headers.get(FRAME_ID_HEADER, ""))


def stored_from_json(document: Mapping[str, Any]) -> Stored:
    """What the leader gave as the member `message` of an answer."""
    frame_id = ""
    for line in base64.b64decode(document.get("hdrs", "")).split(b"\r\n"):
        name, _, value = line.partition(b":")
        if name.decode("ascii", "replace") == FRAME_ID_HEADER:
            frame_id = value.strip().decode()
    data = base64.b64decode(document.get("data", ""))
    return Stored(int(document["seq"]), kind_of(document["subject"]), data, frame_id)


def consumer_sequences(reply: str) -> tuple[int, int]:
    """The stream's and the consumer's sequence of a delivered message, from its reply subject.

    `$JS.ACK.<stream>.<consumer>.<delivered>.<stream sequence>.<consumer sequence>.<time>.<pending>`; newer servers may
    put a domain and an account hash after `ACK`, and a token at the end.
    """
    tokens = reply.split(".")
    first = 5 if len(tokens) == 9 else 7
    return int(tokens[first]), int(tokens[first + 1])


def append_error(error: Mapping[str, Any]) -> LogError:
    """What an acknowledgement's error means for the append.

    The leader of a cluster also refuses an append behind the fence while it still works at the subject's last one, in
    words of a wrong sequence too. It does so for a moment after that one is acknowledged, hence to its own owner: only
    the refusal that names the last sequence says that there is another owner.
    """
    failure = ApiError(error)
    text = str(failure)
    if failure.code == _FENCED:
        return Fenced(text)
    if failure.code in NO_ROOM or "maximum" in failure.description:
        return LogFull(text)
    if failure.code in (_STORE_FAILED, _DUPLICATE_UNDER_WAY):
        return OutcomeUnknown(text)
    if failure.status in (429, 503) or failure.code == _ANOTHER_UNDER_WAY:
        return LogUnavailable(text)
    return failure


async def call(requests: Requests, operation: str, body: Mapping[str, Any], timeout_s: float) -> dict[str, Any]:
    """Asks JetStream for something that may be asked again. Raises ApiError, StreamMissing or LogUnavailable."""
    try:
        answer = await requests.ask("$JS.API." + operation, json.dumps(body).encode() if body else b"", timeout_s)
    except OutcomeUnknown as error:
        raise LogUnavailable(f"{operation}: {error}") from error
    document: dict[str, Any] = json.loads(answer.data)
    error_document = document.get("error")
    if error_document is None:
        return document
    failure = ApiError(error_document)
    if failure.code == _NO_STREAM:
        raise StreamMissing(f"{operation}: {failure}")
    if failure.status in (429, 503) or failure.code == _UNAVAILABLE:
        raise LogUnavailable(f"{operation}: {failure}")
    raise failure


def stream_config(name: str, subjects: list[str], bytes_max: int, replicas: int) -> dict[str, Any]:
    """The stream of a partition: kept until trimmed, never more than `bytes_max`."""
    return {
        "name": name,
        "subjects": subjects,
        "retention": "limits",
        "storage": "file",
        "discard": "new",
        "max_bytes": bytes_max,
        "max_msg_size": MESSAGE_BYTES_MAX,
        "num_replicas": replicas,
        "duplicate_window": 120_000_000_000,
        "deny_delete": True,
        "allow_direct": False,
    }
