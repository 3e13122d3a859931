"""This build redoes what earlier releases recorded to the same states, and refuses what a later one would write.

Each folder RELEASE/SHAPE is a recording: `services/ordermesh/testing/golden` says what is in it and made it. That of
0.1.0.dev1 is older than orders in parts, holds, returns step by step and counts.
"""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from oms.log.v1 import log_pb2
from ordermesh import bootstrap
from ordermesh.adapters.memory import MemoryBus, MemoryLog, MemoryStore
from ordermesh.adapters.system_clock import SystemClock
from ordermesh.core.decider import Key
from ordermesh.runtime import subjects
from ordermesh.runtime.cache import Contradiction
from ordermesh.runtime.host import OwnerHost
from ordermesh.runtime.options import SCHEMA_VERSION, OwnerOptions
from ordermesh.runtime.ports import PartitionId
from ordermesh.runtime.settings import Settings
from ordermesh.testing.golden.meaning import AGENDA, MARK, Meaning, Recovery
from ordermesh.testing.golden.record import registry, tables
from ordermesh.testing.golden.recording import Recording, load
from tests.waiting import eventually

GOLDEN = Path(__file__).parent
RECORDINGS = sorted(path.parent for path in GOLDEN.glob("*/*/logs.jsonl.xz"))
REGISTRY = registry()
NOT_RECORDED = {
    # The sandbox declines authorisations alone.
    "oms.order.v1.CaptureDeclined", "oms.order.v1.OrderRefundDeclined", "oms.payment.v1.CaptureDeclined",
    "oms.payment.v1.RefundDeclined", "oms.payment.v1.VoidDeclined",
    # They need two things to happen at the same moment.
    "oms.order.v1.CancelRefused", "oms.payment.v1.PaymentClosed",
    # They need a provider that holds what nobody asked for.
    "oms.payment.v1.HoldReleaseStarted", "oms.payment.v1.HoldReleased",
    # They need a provider that lost what it gave back.
    "oms.payment.v1.RefundReissueStarted", "oms.payment.v1.RefundReissued", "oms.payment.v1.RefundReissueDeclined",
    # It needs a log that lost its tail.
    "oms.inventory.v1.StockRecounted",
}  # fmt: skip
"""Events that no recording has, and why."""
STOP_S = 30.0


def name_of(folder: Path) -> str:
    """Release and shape."""
    return "-".join(folder.parts[-2:])


@pytest.fixture(scope="module", params=RECORDINGS, ids=name_of)
def recording(request: pytest.FixtureRequest) -> Recording:
    """Each recording there is."""
    return load(request.param)


def frames(recording: Recording, partition: PartitionId) -> list[log_pb2.DecisionFrame]:
    """The decision frames of a log."""
    messages = [message for message in recording.logs[partition] if message.kind == "decisions"]
    return [log_pb2.DecisionFrame.FromString(message.data) for message in messages]


def assert_same(found: Meaning, recorded: Meaning) -> None:
    """The same things, decided last at the same places, to the byte; says what is not, and in what way."""
    now = {(each["kind"], *each["key"]): each for each in found}
    then = {(each["kind"], *each["key"]): each for each in recorded}
    assert now.keys() == then.keys()
    offenders = {name: difference(now[name], then[name]) for name in then if now[name] != then[name]}
    assert offenders == {}


def difference(now: dict[str, Any], then: dict[str, Any]) -> str:
    """In which way two states of one thing differ."""
    if (now["position"], now["write_time"]) != (then["position"], then["write_time"]):
        return "another place in the log"
    kind: Any = log_pb2.AgendaEntry if then["kind"] == AGENDA else REGISTRY.kinds[then["kind"]].state
    is_same = kind.FromString(now["data"]) == kind.FromString(then["data"])
    return "the same state in other bytes" if is_same else "another state"


def test_the_release_that_this_will_be_is_recorded_in_both_shapes() -> None:
    shapes = {path.name for path in RECORDINGS if path.parent.name == bootstrap.build()}

    assert shapes == {"shared", "separate"}, "python -m ordermesh.testing.golden record tests/golden"


async def test_logs_redone_from_their_start_give_the_recorded_states(recording: Recording) -> None:
    recovery, nothing = Recovery(recording.deployment, REGISTRY), Recording(recording.deployment)
    for partition, recorded in recording.meanings.items():
        assert_same(await recovery.meaning(partition, await recording.log(), await nothing.store(tables())), recorded)


async def test_logs_redone_from_their_checkpoint_give_the_recorded_states(recording: Recording) -> None:
    recovery = Recovery(recording.deployment, REGISTRY)
    for partition, recorded in recording.meanings.items():
        taking = await recovery.take(partition, await recording.log(), await recording.store(tables()))
        assert taking.checkpoint.frame, "without a checkpoint this is the test before it"
        assert_same(await recovery.meaning(partition, await recording.log(), await recording.store(tables())), recorded)


async def test_rows_that_owners_wrote_are_the_states_of_their_logs(recording: Recording) -> None:
    """What an owner of that release had in memory, against what this build's recovery makes of the log."""
    recovery, nothing, states = Recovery(recording.deployment, REGISTRY), Recording(recording.deployment), {}
    for partition in recording.logs:
        redone = await recovery.meaning(partition, await recording.log(), await nothing.store(tables()))
        states.update({tuple(each["key"]): each for each in redone if each["kind"] in REGISTRY.kinds})
    store = await recording.store(tables())
    current = 0
    for kind in REGISTRY.kinds.values():
        keys = [Key(*key) for key in states if key[0] == kind.kind]
        for key, row in (await store.load(kind.table, keys)).items():
            state = states[key]
            assert row.version <= state["position"][0]
            if row.version == state["position"][0]:
                current += 1
                assert (row.write_time, row.state) == (state["write_time"], state["data"]), key
    assert current > len(states) / 2


def test_a_recording_has_what_an_upgrade_can_stumble_over(recording: Recording) -> None:
    """Open effects and timers, dead letters, decisions after checkpoints, undecided commands."""
    logs = {partition: frames(recording, partition) for partition in recording.logs}
    decisions = [decision for log in logs.values() for frame in log for decision in frame.decisions]
    undecided = [
        message
        for partition, messages in recording.logs.items()
        for message in messages
        if message.kind != "decisions" and message.sequence > logs[partition][-1].decided_sequence
    ]
    kept = [each for meaning in recording.meanings.values() for each in meaning]
    agenda = [log_pb2.AgendaEntry.FromString(each["data"]) for each in kept if each["kind"] == AGENDA]

    assert {entry.WhichOneof("entry") for entry in agenda} >= {"effect", "timer"}
    assert any(decision.HasField("dead_letter") for decision in decisions)
    assert any(each["kind"] == MARK for each in kept)
    assert undecided
    for partition, log in logs.items():
        checkpoint = log_pb2.Checkpoint.FromString(recording.checkpoints[partition])
        assert log[-1].number > checkpoint.frame + 1
        assert sum(frame.HasField("taken") for frame in log) == 2


@pytest.mark.parametrize("shape", ["shared", "separate"])
def test_this_release_is_recorded_with_every_event_that_can_be_had(shape: str) -> None:
    recording = load(GOLDEN / bootstrap.build() / shape)
    every_frame = [frame for partition in recording.logs for frame in frames(recording, partition)]
    events = {event.type for frame in every_frame for decision in frame.decisions for event in decision.events}

    assert events >= set(REGISTRY.events) - NOT_RECORDED
    assert not events & NOT_RECORDED


def ahead(recording: Recording, partition: PartitionId) -> log_pb2.DecisionFrame:
    """The frame that would come next, of the release after this one."""
    last = frames(recording, partition)[-1]
    return log_pb2.DecisionFrame(
        schema=SCHEMA_VERSION + 1, id=b"n" * 16, previous_id=last.id, epoch=last.epoch, number=last.number + 1,
        clock_us=last.clock_us + 1, decided_sequence=last.decided_sequence, decided_index=last.decided_index,
    )  # fmt: skip


async def append(log: MemoryLog, partition: PartitionId, frame: log_pb2.DecisionFrame) -> int:
    """Puts a decision frame behind the last one, whoever wrote it."""
    return await log.append(partition, "decisions", frame.SerializeToString(), frame_id=frame.id.hex(), dedupe=False)


async def refused(recording: Recording, partition: PartitionId, log: MemoryLog, store: MemoryStore) -> str:
    """What a taking says that must fail."""
    with pytest.raises(Contradiction) as raised:
        await Recovery(recording.deployment, REGISTRY).take(partition, log, store)
    return str(raised.value)


async def test_a_log_that_a_newer_build_wrote_is_refused_and_nothing_is_appended(recording: Recording) -> None:
    partition = next(iter(recording.logs))
    log = await recording.log()
    sequence = await append(log, partition, ahead(recording, partition))

    said = await refused(recording, partition, log, await recording.store(tables()))

    assert f"sequence {sequence} was written by a newer build (schema {SCHEMA_VERSION + 1}" in said
    assert (await log.state(partition)).last_sequence == sequence


async def test_a_checkpoint_that_a_newer_build_wrote_is_refused_and_nothing_is_appended(recording: Recording) -> None:
    partition = next(iter(recording.logs))
    log, store = await recording.log(), await recording.store(tables())
    checkpoint = log_pb2.Checkpoint.FromString(recording.checkpoints[partition])
    checkpoint.schema = SCHEMA_VERSION + 1
    await store.save_checkpoint(partition, checkpoint.SerializeToString(), checkpoint.clock_us + 1)
    before = (await log.state(partition)).last_sequence

    said = await refused(recording, partition, log, store)

    assert f"the checkpoint was written by a newer build (schema {SCHEMA_VERSION + 1}" in said
    assert (await log.state(partition)).last_sequence == before


@pytest.mark.parametrize(
    "event",
    [
        log_pb2.Event(kind="order", tenant="default", key="o", version=1, type="oms.order.v1.OrderGiftWrapped"),
        log_pb2.Event(kind="voucher", tenant="default", key="v", version=1, type="oms.order.v1.OrderPlaced"),
        log_pb2.Event(
            kind="order", tenant="default", key="o", version=1, type="oms.order.v1.OrderPlaced", payload=b"\xff"
        ),
    ],
    ids=["type", "kind", "payload"],
)
async def test_an_event_that_this_build_cannot_read_stops_the_partition(
    recording: Recording, event: log_pb2.Event
) -> None:
    """A build that forgot to raise its schema, or to keep an event that it no longer makes."""
    partition = next(iter(recording.logs))
    log = await recording.log()
    frame = ahead(recording, partition)
    frame.schema = SCHEMA_VERSION
    frame.decisions.add(events=[event])
    await append(log, partition, frame)

    said = await refused(recording, partition, log, await recording.store(tables()))

    assert f"decision frame {frame.number} has the event {event.type}" in said
    assert "start the build that wrote it" in said


async def test_an_owner_says_that_a_newer_build_wrote_its_log_and_serves_the_other_partitions(
    recording: Recording,
) -> None:
    stopped, *others = recording.logs
    log, store, bus = await recording.log(), await recording.store(tables()), MemoryBus()
    await append(log, stopped, ahead(recording, stopped))
    reasons: dict[PartitionId, str] = {}

    def hear(data: bytes) -> None:
        status = log_pb2.PartitionStatus.FromString(data)
        reasons[PartitionId(status.group, status.partition)] = status.stopped_reason

    end = await bus.subscribe(subjects.STATUS, hear)
    host = OwnerHost(
        instance="older", build="older", log=log, store=store, bus=bus, clock=SystemClock(), effects={},
        services=bootstrap.services(Settings()), deployment=recording.deployment,
        options=OwnerOptions(checkpoint_interval_s=0.05, status_interval_s=0.05),
    )  # fmt: skip
    running = asyncio.create_task(host.run())
    try:
        await eventually(lambda: reasons.keys() == {stopped, *others}, "every partition has said how it is")
        await eventually(lambda: host.owners.keys() == set(others), "the other partitions are owned")
    finally:
        host.stop()
        await asyncio.wait_for(running, STOP_S)
        await end()

    assert "was written by a newer build" in reasons.pop(stopped)
    assert set(reasons.values()) == {""}
