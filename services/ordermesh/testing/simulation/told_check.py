"""I9: every milestone is told at least once, in order for each key, with no gap, and nothing that did not happen.

What has to be told is read from the truth's frames by itself, not by what translates them for the stream. Of what is
told counts where it was first: again is allowed.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator
from typing import NamedTuple
from urllib.parse import unquote

from oms.log.v1 import log_pb2
from oms.notification.v1.webhook_pb2 import ENDPOINT_STATE_ACTIVE
from oms.notification.v1.webhook_state_pb2 import StoredEndpoint
from ordermesh.core.decider import Key
from ordermesh.notification.catalogue import BY_CLOUD_TYPE, BY_TYPE, TEST_TYPE, Milestone
from ordermesh.notification.courier import START_SLACK_US
from ordermesh.notification.model import ENDPOINT, wants
from ordermesh.runtime.event_stream import StreamEvent
from ordermesh.runtime.ports import PartitionId
from ordermesh.testing.simulation.world import World


class Milestones(NamedTuple):
    """What a partition has to tell: the events' ids in their order, the same for each key, and by id what happened."""

    names: list[str]
    by_key: dict[str, list[str]]
    by_id: dict[str, tuple[Milestone, log_pb2.Event]]
    through: list[int]
    """How many ids there are after each frame."""


class ToldCheck:
    """Watches what is told, in one run."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._stream = world.tellers.stream
        self._require = world.findings.require
        self._read = 0
        self._events: list[StreamEvent] = []
        self._first: dict[str, int] = {}
        self._partitions = {
            partition: Milestones([], defaultdict(list), {}, []) for partition in world.truth.partitions
        }
        self._trimmed = dict.fromkeys(self._partitions, 0)

    def trimmed(self, partition: PartitionId, through: int) -> None:
        """What a log lets go of is told already."""
        if not self._world.profile.relays:
            return
        known, sequences = self._follow(partition), self._world.truth.partitions[partition].sequences
        self._catch_up()
        while (at := self._trimmed[partition]) < len(sequences) and sequences[at] <= through:
            for name in known.names[known.through[at - 1] if at else 0 : known.through[at]]:
                self._require(name in self._first, "I9", "{} is trimmed through {}, and {} is not told", partition,
                              through, name)  # fmt: skip
            self._trimmed[partition] = at + 1

    def missing(self) -> str:
        """What is still to be told; empty when nothing is."""
        if not self._world.profile.relays:
            return ""
        self._catch_up()
        for partition in self._partitions:
            for name in self._follow(partition).names:
                if name not in self._first:
                    return f"{name} is not published"
        if self._world.profile.couriers:
            for state in self._endpoints():
                if state.endpoint.redeliveries:
                    return f"{state.endpoint.endpoint_id} is still told again"
                got = Counter(one.event_id for one in self._world.tellers.receiver.got[_host(state)])
                for event in self._wanted(state):
                    if got[event.headers["ce-id"]] < (2 if self._is_again(state, event) else 1):
                        return f"{event.headers['ce-id']} has not come to {state.endpoint.endpoint_id}"
        return ""

    def check(self) -> None:
        """All of it, at the end."""
        if not self._world.profile.relays:
            return
        self._catch_up()
        for known in self._partitions.values():
            for key, names in known.by_key.items():
                places = [self._first.get(name, 0) for name in names]
                good = all(places) and places == sorted(places)
                self._require(good, "I9", "{} is told as {} at {}", key, names, places)
        for event in self._events:
            self._happened(event)
        for state in self._endpoints() if self._world.profile.couriers else ():
            self._delivered(state)

    def _catch_up(self) -> None:
        """Reads on in the stream."""
        for event in self._stream.read(self._read, 1_000_000):
            self._events.append(event)
            self._first.setdefault(event.headers["ce-id"], event.sequence)
            self._read = event.sequence

    def _follow(self, partition: PartitionId) -> Milestones:
        """Reads on in the truth."""
        known, frames = self._partitions[partition], self._world.truth.partitions[partition].frames
        for frame in frames[len(known.through) :]:
            for name, milestone, event in _milestones(self._world.deployment.deployment_id, partition, frame):
                known.names.append(name)
                known.by_id[name] = (milestone, event)
                known.by_key[milestone.key(event)].append(name)
            known.through.append(len(known.names))
        return known

    def _happened(self, event: StreamEvent) -> None:
        """What is told happened, and is told of what it happened to."""
        headers = event.headers
        name = headers["ce-id"]
        found = next((known.by_id[name] for known in self._partitions.values() if name in known.by_id), None)
        if not self._require(found is not None, "I9", "{} is told and did not happen", name) or found is None:
            return
        milestone, happened = found
        told = BY_CLOUD_TYPE[headers["ce-type"]].data.FromString(event.data)
        same = headers["ce-type"] == milestone.type and told.version == happened.version  # type: ignore[attr-defined]  # all have it
        same = same and unquote(headers["ce-subject"]) == milestone.key(happened)
        self._require(same, "I9", "{} is told as {} of {}: {}", name, headers["ce-type"], headers["ce-subject"], told)

    def _endpoints(self) -> Iterator[StoredEndpoint]:
        for true in self._world.truth.of_kind(ENDPOINT).values():
            if true.state.endpoint.state == ENDPOINT_STATE_ACTIVE:
                yield true.state

    def _wanted(self, state: StoredEndpoint) -> Iterator[StreamEvent]:
        """What an endpoint has to get, each event once, in the order of the stream."""
        endpoint = state.endpoint
        since_us = endpoint.create_time.ToMicroseconds() - START_SLACK_US
        seen = set()
        for event in self._events:
            headers = event.headers
            is_test = headers["ce-type"] == TEST_TYPE
            own = (
                headers["ce-subject"] == endpoint.endpoint_id
                if is_test
                else wants(endpoint.event_types, headers["ce-type"])
            )
            if own and event.time_us >= since_us and headers["ce-id"] not in seen:
                seen.add(headers["ce-id"])
                yield event

    def _is_again(self, state: StoredEndpoint, event: StreamEvent) -> bool:
        """Whether an event was asked for once more."""
        asked = self._world.tellers.redelivered.get(Key(ENDPOINT, "default", "endpoints", state.endpoint.endpoint_id))
        if asked is None:
            return False
        return asked.start_time.ToMicroseconds() <= event.time_us < asked.end_time.ToMicroseconds()

    def _delivered(self, state: StoredEndpoint) -> None:
        """An endpoint got everything, for each subject in order; more only of what it was asked to be told again."""
        got = defaultdict(list)
        for one in self._world.tellers.receiver.got[_host(state)]:
            got[one.subject].append(one.event_id)
        wanted = defaultdict(list)
        for event in self._wanted(state):
            wanted[unquote(event.headers["ce-subject"])].append(event.headers["ce-id"])
        for subject, names in wanted.items():
            came = [name for name in dict.fromkeys(got[subject]) if name in names]
            self._require(came == names, "I9", "{} got {} of {}, not {}", _host(state), came, subject, names)


def _milestones(
    deployment_id: str, partition: PartitionId, frame: log_pb2.DecisionFrame
) -> Iterator[tuple[str, Milestone, log_pb2.Event]]:
    """What a frame has to tell, each under its name."""
    for index, decision in enumerate(frame.decisions):
        for n, event in enumerate(decision.events):
            milestone = BY_TYPE.get(event.type)
            if milestone is not None:
                yield f"{deployment_id}/{partition}/{frame.epoch}.{frame.number}.{index}.{n}", milestone, event


def _host(state: StoredEndpoint) -> str:
    return state.endpoint.url.split("/")[2]
