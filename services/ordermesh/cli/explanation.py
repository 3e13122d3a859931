"""An order's explanation as people read it: what it waits for, since when, what comes then, and what is in the way."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

from google.protobuf.timestamp_pb2 import Timestamp

from oms.order.v1 import order_explanation_pb2
from oms.order.v1.order_explanation_pb2 import OrderExplanation


def explanation_rows(explanation: OrderExplanation, now: datetime) -> list[tuple[str, str]]:
    """A table of two columns."""
    return list(_rows(explanation, now))


def _rows(explanation: OrderExplanation, now: datetime) -> Iterator[tuple[str, str]]:
    waiting = order_explanation_pb2.WaitingFor.Name(explanation.waiting_for).removeprefix("WAITING_FOR_")
    yield "order", f"{explanation.order_id} in partition {explanation.partition}"
    yield "waits for", waiting
    yield "why", explanation.text
    yield "since", _moment(explanation.since, now)
    if explanation.HasField("asked_again_at"):
        yield "asked again", _moment(explanation.asked_again_at, now)
    if explanation.HasField("gives_up_at"):
        yield "gives up", _moment(explanation.gives_up_at, now)
    elif explanation.HasField("asked_again_at"):
        yield "gives up", "never: it is asked until there is an answer"
    for outcome in explanation.outcomes:
        yield "then", outcome
    for part in explanation.parts:
        state = f" ({part.state})" if part.state else ""
        yield part.service, f"{part.key}: {part.text}{state}"
    for remedy in explanation.remedies:
        party = order_explanation_pb2.Party.Name(remedy.party).removeprefix("PARTY_").replace("_", " ").lower()
        method = f" {remedy.method.rpartition('.')[2]}." if remedy.method else ""
        yield f"{party} can", f"{remedy.text}{method}"
    for obstacle in explanation.obstacles:
        kind = order_explanation_pb2.ObstacleKind.Name(obstacle.kind).removeprefix("OBSTACLE_KIND_")
        yield "in the way", f"{kind}: {obstacle.text}"
    if not explanation.obstacles:
        yield "in the way", "nothing that is known"


def _duration(seconds: float) -> str:
    """A time span for a person: its two largest units."""
    left = round(seconds)
    words: list[str] = []
    for name, size in (("d", 86_400), ("h", 3_600), ("min", 60), ("s", 1)):
        count, left = divmod(left, size)
        if count or (name == "s" and not words):
            words.append(f"{count} {name}")
    return " ".join(words[:2])


def _moment(time: Timestamp, now: datetime) -> str:
    """A time, and how far from now it is."""
    moment = time.ToDatetime(UTC)
    distance_s = (now - moment).total_seconds()
    told = f"{_duration(abs(distance_s))} ago" if distance_s >= 0 else f"in {_duration(-distance_s)}"
    return f"{moment:%Y-%m-%d %H:%M:%S} UTC ({told})"
