"""What was decided, in words, for the trace."""

from __future__ import annotations

from oms.log.v1 import log_pb2


def told(partition: object, position: tuple[int, int, int], envelope: log_pb2.Envelope | None,
         decision: log_pb2.Decision) -> str:  # fmt: skip
    """One line: where, which command about what, and what came of it."""
    command = "an unreadable frame" if envelope is None else f"{_short(envelope.type)} {envelope.key}"
    return f"decided {partition} {position[1]}.{position[2]} {command}: {', '.join(_outcomes(decision)) or 'nothing'}"


def _outcomes(decision: log_pb2.Decision) -> list[str]:
    """Everything that a decision did."""
    found = [f"{_short(event.type)} (version {event.version})" for event in decision.events]
    found += [f"{_short(one.envelope.type)} to {one.group}/{one.partition:03d}" for one in decision.messages]
    found += [f"opens {entry.WhichOneof('entry')}" for entry in decision.opened if entry.WhichOneof("entry")]
    found += ["closes an entry"] * len(decision.closed)
    if decision.HasField("unparked"):
        found.append("was parked")
    if decision.HasField("refusal"):
        found.append(f"refused, {decision.refusal.reason}")
    if decision.HasField("dead_letter"):
        found.append(f"dead letter, {decision.dead_letter.error}")
    return found


def _short(type_name: str) -> str:
    """A type's own name."""
    return type_name.rpartition(".")[2]
