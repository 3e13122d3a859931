"""Logs that lose or garble what they had acknowledged, and whether the engine notices.

No engine can keep its promises then, so I1 is excepted, and something else is asked: the partition stops, in the words
of what happened, before anything is decided on the hole; the other partitions go on.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

from oms.log.v1 import log_pb2
from ordermesh.adapters.memory import MESSAGE_OVERHEAD_BYTES, MemoryStream
from ordermesh.core.decider import Key
from ordermesh.runtime.ports import PartitionId, Stored
from ordermesh.testing.simulation.client import Client

if TYPE_CHECKING:
    from ordermesh.testing.simulation.run import Run

NOTICE_S = 60.0
"""Within how long a damage must be noticed, in virtual seconds: owners come up, take the partition and read it."""

POLL_S = 0.02
"""How often it is looked whether a damage can be done."""

CORRUPT = b"\xff\xff\xff\xff"
"""What no protobuf message looks like."""


SERVICES = {"order": "order", "stock": "inventory"}
"""The kinds of aggregates that are asked for, and their services."""


def cut(stream: MemoryStream, first: int) -> int:
    """The log loses everything from that sequence on; what comes next takes the numbers again. How many decision frames
    are lost."""
    lost = stream._messages[first - stream.first_sequence :]
    del stream._messages[first - stream.first_sequence :]
    stream.bytes_used -= sum(len(message.data) + MESSAGE_OVERHEAD_BYTES for message in lost)
    stream._last_by_kind = {message.kind: message.sequence for message in stream._messages}
    stream.forget_window()
    return sum(message.kind == "decisions" for message in lost)


def garble(stream: MemoryStream, sequence: int) -> int:
    """A decision frame comes back as something else: one is lost."""
    place = sequence - stream.first_sequence
    stream._messages[place] = stream._messages[place]._replace(data=CORRUPT)
    return 1


class Damage(NamedTuple):
    """Which partition, what is done to its log (it gives how many decision frames are lost), and an aggregate that
    shows it, where only that does."""

    partition: PartitionId
    apply: Callable[[], int]
    shown_by: Key | None = None


WORDS = {
    "tail_lost": ("lost",),
    "rows_ahead": ("was stored by frame", "lost"),
    "frame_corrupt": ("cannot be read",),
}
"""What the engine says of each kind when it stops the partition. Rows ahead may be passed by a checkpoint that was on
its way."""


async def run_damaged(run: Run, kind: str) -> None:
    """The rest of a run: damages a log under load, and sees what comes of it."""
    world = run.world
    await asyncio.sleep(world.chance.between(0.2, 1.0) * world.profile.duration_s)
    damage = await _possible(run, kind)
    run.storms.heal()
    if damage is None:
        damage, kind = await _sure(run), "tail_lost"
    watch = Watch(run, damage.partition, WORDS[kind])
    world.findings.is_muted = damage.shown_by is not None
    world.chance.faults[kind] += 1
    world.findings.note("fault", kind, damage.partition)
    for entry in world.owners:
        if entry is not None:
            world.crash(entry[0])
    world.chance.faults["decision_frames_lost"] += damage.apply()
    ends_s = world.loop.time() + NOTICE_S
    asking = None if damage.shown_by is None else world.spawn(_ask(run, damage.shown_by))
    await asyncio.sleep(NOTICE_S / 2)
    while not watch.noticed and world.loop.time() < ends_s:
        await asyncio.sleep(POLL_S)
    world.findings.is_muted = False
    world.findings.require(bool(watch.noticed), "damage", "{}: {} is not noticed", damage.partition, kind)
    if asking is not None:
        asking.cancel()
    else:
        await _others_go_on(run, damage.partition)


class Watch:
    """Sees who stops the partition, and that nothing is decided in it after that."""

    def __init__(self, run: Run, partition: PartitionId, words: tuple[str, ...]) -> None:
        self.noticed = False
        self._world = run.world
        self._partition = partition
        self._words = words
        self._epoch = getattr(run.world.truth.partitions[partition].newest, "epoch", 0)
        self._appended = run.world.truth.appended
        run.world.truth.appended = self.appended  # type: ignore[method-assign]  # from here on a partition is apart
        run.world.stops_rightly = self.stopped

    def stopped(self, text: str) -> bool:
        """Whether a partition had to be stopped in these words."""
        is_right = text.startswith(f"{self._partition}: stopped") and any(words in text for words in self._words)
        self.noticed |= is_right
        return is_right

    def appended(self, partition: PartitionId, stored: Stored) -> None:
        """What is decided in the damaged partition by whoever took it since is a finding, and no part of the truth."""
        if partition != self._partition or stored.kind != "decisions":
            self._appended(partition, stored)
            return
        frame = log_pb2.DecisionFrame.FromString(stored.data)
        on_a_hole = bool(frame.decisions) and frame.epoch > self._epoch
        self._world.findings.require(not on_a_hole, "damage", "{} goes on deciding on a hole", partition)


async def _possible(run: Run, kind: str) -> Damage | None:
    """Waits until there is a log on which this can be done; None when there is none while the storm lasts."""
    world = run.world
    while world.loop.time() < 2 * world.profile.duration_s:
        partitions = list(world.truth.partitions)
        world.chance.random.shuffle(partitions)
        for partition in partitions:
            found = _FINDERS[kind](run, partition)
            if found is not None:
                return found
        await asyncio.sleep(POLL_S)
    return None


async def _sure(run: Run) -> Damage:
    """A tail to lose: every partition has a checkpoint before long."""
    while True:
        for partition in run.world.truth.partitions:
            found = _tail(run, partition)
            if found is not None:
                return found
        await asyncio.sleep(POLL_S)


def _checkpoint(run: Run, partition: PartitionId) -> log_pb2.Checkpoint:
    """The one that the store has."""
    return _read(run.world.servers.store.checkpoints.get(partition))


def _read(checkpoint: tuple[int, bytes] | None) -> log_pb2.Checkpoint:
    return log_pb2.Checkpoint() if checkpoint is None else log_pb2.Checkpoint.FromString(checkpoint[1])


def _tail(run: Run, partition: PartitionId) -> Damage | None:
    """The log ends somewhere before what its checkpoint names."""
    stream, checkpoint = run.world.servers.log.stream(partition), _checkpoint(run, partition)
    if checkpoint.sequence < stream.first_sequence:
        return None
    first = run.world.chance.random.randint(stream.first_sequence, checkpoint.sequence)
    return Damage(partition, partial(cut, stream, first))


def _rows(run: Run, partition: PartitionId) -> Damage | None:
    """The log ends behind its checkpoint, but before a frame of which the store has a row."""
    world, true = run.world, run.world.truth.partitions[partition]
    stream, checkpoint = world.servers.log.stream(partition), _checkpoint(run, partition)
    for frame in true.frames[checkpoint.frame :] if checkpoint.frame else ():
        for event in (event for decision in frame.decisions for event in decision.events):
            key = Key(event.kind, event.tenant, event.key, event.sub_key)
            if key.kind not in SERVICES or frame.epoch != true.frames[-1].epoch:
                continue
            found = world.servers.store.tables[world.registry.kinds[key.kind].table.name].aggregate(key)
            if found is not None and (found[1].epoch, found[1].frame) >= (frame.epoch, frame.number):
                sequence = true.sequences[frame.number - 1]
                return Damage(partition, partial(cut, stream, sequence), key)
    return None


def _frame(run: Run, partition: PartitionId) -> Damage | None:
    """A decision frame that the next owner has to read is garbage, whichever checkpoint on its way arrives."""
    servers = run.world.servers
    stream, checkpoint = servers.log.stream(partition), _read(servers.offered_checkpoints.get(partition))
    frames = stream.after(("decisions",), max(0, checkpoint.sequence - 1), 1_000)
    if not frames:
        return None
    sequence = run.world.chance.random.choice(frames).sequence
    return Damage(partition, partial(garble, stream, sequence))


_FINDERS: dict[str, Callable[[Run, PartitionId], Damage | None]] = {
    "tail_lost": _tail,
    "rows_ahead": _rows,
    "frame_corrupt": _frame,
}


async def _ask(run: Run, key: Key) -> None:
    """Asks for the aggregate that shows the damage, until there is none to answer."""
    client = Client(run.world, run.history)
    while True:
        await client.query(SERVICES[key.kind], key)


async def _others_go_on(run: Run, damaged: PartitionId) -> None:
    """Every other partition answers."""
    client = Client(run.world, run.history)
    asked = {damaged}
    for kind, service in SERVICES.items():
        for key in list(run.world.truth.of_kind(kind)):
            partition = run.world.audit.partition_of(key)
            if partition not in asked:
                asked.add(partition)
                await client.query(service, key)
