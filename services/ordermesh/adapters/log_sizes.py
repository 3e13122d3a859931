"""The bytes reserved for partitions' logs of an earlier start, made to fit what is asked for now: they only grow.

A log that shrinks could lose its head, or have no room for what is not trimmed yet.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from shutil import disk_usage

from ordermesh.adapters.jetstream import JetStreamLog
from ordermesh.runtime.ports import PartitionId


async def grow_logs(
    log: JetStreamLog, partitions: Sequence[PartitionId], bytes_wanted: int, disk: Path | None, replicas: int = 1
) -> int:
    """Reserves so much for each log and returns how many had less; own nats-servers keep all replicas on `disk`.

    Raises ValueError where a log has more already, or the disk has no room; LogFull where the server has none;
    LogUnavailable.
    """
    sizes = {partition: (await log.state(partition)).bytes_max for partition in partitions}
    largest = max(sizes.values())
    if largest > bytes_wanted:
        raise ValueError(
            f"the logs have {largest:,} bytes each and never shrink, so --log-bytes {bytes_wanted:,} is not possible:"
            f" they hold what is not done yet. Leave --log-bytes out, or give at least {largest}"
        )
    small = [partition for partition, size in sizes.items() if size < bytes_wanted]
    needed = replicas * sum(bytes_wanted - sizes[partition] for partition in small)
    if disk is not None and needed > disk_usage(disk).free:
        raise ValueError(
            f"{disk} is on a disk with {disk_usage(disk).free:,} bytes free, and with --log-bytes {bytes_wanted:,} its"
            f" logs would need {needed:,} more. Give --log-bytes smaller, or leave it out"
        )
    for partition in small:
        await log.grow(partition, bytes_wanted)
    return len(small)
