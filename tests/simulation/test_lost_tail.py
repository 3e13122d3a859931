"""A log that has lost what it had acknowledged: the partition stops, and makes nothing worse."""

from __future__ import annotations

import asyncio

from oms.log.v1 import log_pb2
from ordermesh.runtime.options import OwnerOptions
from ordermesh.runtime.ports import PartitionId
from ordermesh.testing.simulation.check import unfinished
from ordermesh.testing.simulation.listen import listening, silence
from ordermesh.testing.simulation.profile import draw_profile
from ordermesh.testing.simulation.run import Run

PARTITION = PartitionId("orders", 0)


async def _lose_the_tail(run: Run) -> tuple[int, int]:
    """A quiet run; then the owners die, and the log ends before the checkpoint. How long the log is, then and later."""
    world = run.world
    await world.start()
    run.workload.start()
    while not run.workload.is_done() or unfinished(world):
        await asyncio.sleep(0.5)
    await asyncio.sleep(5.0)
    for entry in world.owners:
        assert entry is not None
        world.crash(entry[0])
    stream = world.servers.log.stream(PARTITION)
    checkpoint = log_pb2.Checkpoint.FromString(world.servers.store.checkpoints[PARTITION][1])
    del stream._messages[checkpoint.sequence - stream.first_sequence :]
    stream._last_by_kind["decisions"] = max(
        message.sequence for message in stream._messages if message.kind == "decisions"
    )
    before = stream.last_sequence
    await asyncio.sleep(20.0)
    return before, stream.last_sequence


def test_a_partition_whose_log_lost_its_tail_is_stopped() -> None:
    profile = draw_profile(1)
    profile.rates, profile.separate_groups, profile.duration_s = {}, False, 3.0
    profile.options = OwnerOptions()
    run = Run(1, profile, None)
    with listening(run.world.findings, is_traced=False):
        before, after = run.world.loop.run_until_complete(_lose_the_tail(run))
    with silence():
        run.world.loop.end()
    told = [finding.text for finding in run.world.findings.all]
    assert any(f"{PARTITION}: stopped" in text and "lost" in text for text in told), told
    assert after == before
