"""The log as a person reads it: every envelope, event, message, timer and refusal as one record, payloads as JSON."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from google.protobuf import json_format, symbol_database
from google.protobuf.message import DecodeError

from oms.admin.v1 import admin_pb2
from oms.log.v1 import log_pb2
from ordermesh.runtime.ports import PartitionId, Stored

SECRETS = frozenset({"payment_token", "secret"})
"""Members of payloads that are not shown: whoever reads logs need not be able to charge, or to sign."""
REDACTED = "[redacted]"


def payload_json(type_name: str, payload: bytes) -> str:
    """A payload as JSON with proto field names, secrets left out; what cannot be read is said so."""
    try:
        message = symbol_database.Default().GetSymbol(type_name).FromString(payload)
        members = json_format.MessageToDict(message, preserving_proto_field_name=True)
    except (KeyError, DecodeError, json_format.SerializeToJsonError):  # the last for a time that JSON cannot hold
        return json.dumps({"unreadable": type_name, "bytes": len(payload)})
    return json.dumps(_redacted(members), ensure_ascii=False)


def _redacted(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: REDACTED if name in SECRETS else _redacted(each) for name, each in value.items()}
    if isinstance(value, list):
        return [_redacted(each) for each in value]
    return value


def records_of(partition: PartitionId, stored: Stored) -> Iterator[admin_pb2.LogRecord]:
    """The records of one message of a log."""
    try:
        if stored.kind == "decisions":
            yield from _decided(partition, stored)
        else:
            yield from _asked(partition, stored)
    except DecodeError:
        kind = admin_pb2.LOG_RECORD_KIND_EVENT if stored.kind == "decisions" else admin_pb2.LOG_RECORD_KIND_COMMAND
        text = json.dumps({"unreadable": stored.kind, "bytes": len(stored.data)})
        yield _record(partition, stored, 0, kind, payload_json=text)


def _record(
    partition: PartitionId, stored: Stored, index: int, kind: admin_pb2.LogRecordKind, **values: Any
) -> admin_pb2.LogRecord:
    return admin_pb2.LogRecord(
        group=partition.group, partition=partition.number, sequence=stored.sequence, index=index, kind=kind, **values
    )


def _envelope(
    partition: PartitionId, stored: Stored, index: int, kind: admin_pb2.LogRecordKind, envelope: log_pb2.Envelope
) -> admin_pb2.LogRecord:
    return _record(
        partition,
        stored,
        index,
        kind,
        type=envelope.type,
        tenant=envelope.tenant,
        key=envelope.key,
        payload_json=payload_json(envelope.type, envelope.payload),
    )


def _asked(partition: PartitionId, stored: Stored) -> Iterator[admin_pb2.LogRecord]:
    is_command = stored.kind == "commands"
    kind = admin_pb2.LOG_RECORD_KIND_COMMAND if is_command else admin_pb2.LOG_RECORD_KIND_MESSAGE
    for index, envelope in enumerate(log_pb2.CommandFrame.FromString(stored.data).envelopes):
        yield _envelope(partition, stored, index, kind, envelope)


def _decided(partition: PartitionId, stored: Stored) -> Iterator[admin_pb2.LogRecord]:
    frame = log_pb2.DecisionFrame.FromString(stored.data)
    records = [] if not frame.HasField("taken") else [_taken(partition, stored, frame.taken)]
    for index, decision in enumerate(frame.decisions):
        records.extend(_decision(partition, stored, index, decision))
    for record in records:
        record.time.FromMicroseconds(frame.clock_us)
        yield record


def _taken(partition: PartitionId, stored: Stored, taken: log_pb2.Taken) -> admin_pb2.LogRecord:
    name = taken.DESCRIPTOR.full_name
    text = payload_json(name, taken.SerializeToString())
    return _record(partition, stored, 0, admin_pb2.LOG_RECORD_KIND_TAKEN, type=name, payload_json=text)


def _decision(
    partition: PartitionId, stored: Stored, index: int, decision: log_pb2.Decision
) -> Iterator[admin_pb2.LogRecord]:
    for event in decision.events:
        yield _record(
            partition,
            stored,
            index,
            admin_pb2.LOG_RECORD_KIND_EVENT,
            type=event.type,
            tenant=event.tenant,
            key=event.key,
            sub_key=event.sub_key,
            version=event.version,
            payload_json=payload_json(event.type, event.payload),
        )
    for message in decision.messages:
        yield _envelope(partition, stored, index, admin_pb2.LOG_RECORD_KIND_SENT, message.envelope)
    for entry in decision.opened:
        yield _opened(partition, stored, index, entry)
    if decision.HasField("refusal"):
        text = json.dumps({"reason": decision.refusal.reason, "message": decision.refusal.message})
        name = decision.refusal.DESCRIPTOR.full_name
        yield _record(partition, stored, index, admin_pb2.LOG_RECORD_KIND_REFUSAL, type=name, payload_json=text)
    if decision.HasField("dead_letter"):
        yield _envelope(partition, stored, index, admin_pb2.LOG_RECORD_KIND_DEAD_LETTER, decision.dead_letter.envelope)


def _opened(partition: PartitionId, stored: Stored, index: int, entry: log_pb2.AgendaEntry) -> admin_pb2.LogRecord:
    """A timer, an effect or a parked command; an entry of a timer that was set twice has nothing left."""
    kind = admin_pb2.LOG_RECORD_KIND_OPENED
    which = entry.WhichOneof("entry")
    if which is None:
        return _record(partition, stored, index, kind)
    inner = entry.effect if which == "effect" else getattr(entry, which).envelope
    return _record(
        partition,
        stored,
        index,
        kind,
        type=inner.type,
        tenant=inner.tenant,
        key=inner.key,
        payload_json=payload_json(inner.type, inner.payload),
    )
