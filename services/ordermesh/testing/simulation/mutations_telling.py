"""Deliberate breaks of what the world is told: as in `mutations`."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager
from typing import Any
from unittest.mock import patch

from oms.log.v1 import log_pb2
from oms.notification.v1 import webhook_state_pb2
from ordermesh.notification.catalogue import BY_TYPE
from ordermesh.notification.cloud_event import CloudEvents
from ordermesh.notification.lane import Lane
from ordermesh.runtime.care import Care
from ordermesh.runtime.ports import LogError
from ordermesh.runtime.relay import IntegrationEvent, Relay
from ordermesh.runtime.relay_feed import Feed
from ordermesh.testing.simulation.breaks import mutation


@mutation("every milestone of a frame is told")
def skip_an_event() -> AbstractContextManager[Any]:
    """Of a decision with several milestones only the first is told."""
    translate = CloudEvents.translate

    def first_of_each(self: CloudEvents, partition: Any, frame: log_pb2.DecisionFrame) -> list[IntegrationEvent]:
        told: dict[str, IntegrationEvent] = {}
        for event in translate(self, partition, frame):
            told.setdefault(event.id.rpartition(".")[0], event)
        return list(told.values())

    return patch.object(CloudEvents, "translate", first_of_each)


@mutation("what is not acknowledged is published again")
def publish_at_most_once() -> AbstractContextManager[Any]:
    """One attempt, and on it goes."""

    async def once(self: Relay, events: Sequence[IntegrationEvent]) -> bool:
        try:
            if events:
                await self._publisher.publish(events)
        except LogError:
            pass
        return True

    return patch.object(Relay, "_publish", once)


@mutation("a relay's place is that of what is published")
def keep_the_place_of_what_is_read() -> AbstractContextManager[Any]:
    """The place moves as soon as a frame is taken, and is stored and told like that."""
    take = Feed.take

    def moved(self: Feed) -> Any:
        taken = take(self)
        if taken is not None:
            self.place = taken[0]
        return taken

    return patch.object(Feed, "take", moved)


@mutation("a log is trimmed no further than a relay has read it")
def trim_without_the_relay() -> AbstractContextManager[Any]:
    """Owners believe that all is relayed."""
    make = Care.__init__

    def trusting(self: Care, owner: Any) -> None:
        make(self, owner)
        self.relay_through = 1 << 62

    return patch.object(Care, "__init__", trusting)


@mutation("nothing is told that did not happen")
def tell_of_what_did_not_happen() -> AbstractContextManager[Any]:
    """The last milestone of a frame is told once more under a name of its own."""
    translate = CloudEvents.translate

    def one_more(self: CloudEvents, partition: Any, frame: log_pb2.DecisionFrame) -> list[IntegrationEvent]:
        told = translate(self, partition, frame)
        for last in told[-1:]:
            name, headers = f"{last.id}0", last.headers.replace(f"{last.id}\r".encode(), f"{last.id}0\r".encode())
            told.append(last._replace(id=name, headers=headers))
        return told

    return patch.object(CloudEvents, "translate", one_more)


@mutation("events of one subject are delivered one after another")
def deliver_a_subject_side_by_side() -> AbstractContextManager[Any]:
    """Each event is a subject of its own."""
    add = Lane.add

    def alone(self: Lane, sequence: int, subject: str, publish_us: int, **more: Any) -> None:
        add(self, sequence, f"{subject}%20{sequence}", publish_us, **more)

    return patch.object(Lane, "add", alone)


@mutation("what was read and not delivered is kept beside how far was read")
def forget_what_waits() -> AbstractContextManager[Any]:
    """Only how far was read is kept."""

    def bare(self: Lane) -> webhook_state_pb2.Lane:
        return webhook_state_pb2.Lane(redelivery_id=self.redelivery_id, through_sequence=self.through)

    return patch.object(Lane, "snapshot", bare)


@mutation("a milestone is told of what it happened to")
def tell_of_another_version() -> AbstractContextManager[Any]:
    """Events are told as of the version before."""
    tell = CloudEvents._tell

    def older(self: CloudEvents, milestone: Any, name: str, time: str, trace: str, event: Any) -> IntegrationEvent:
        before = log_pb2.Event()
        before.CopyFrom(event)
        before.version -= milestone is BY_TYPE[event.type]
        return tell(self, milestone, name, time, trace, before)

    return patch.object(CloudEvents, "_tell", older)


@mutation("what is sent once more does not overtake what was not sent yet")
def let_a_redelivery_overtake() -> AbstractContextManager[Any]:
    """The ways of an endpoint know nothing of each other."""
    return patch.object(Lane, "comes_first", lambda _lane, _waiting: False)
