"""A disk that is filled to the last byte, and freed. Where there can be no such disk the tests are skipped."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from ordermesh.testing.chaos.disk import NoDisk, SmallDisk

SIZE = 16 << 20


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[SmallDisk]:
    """A mounted one."""
    disk = SmallDisk(tmp_path / "disk", SIZE)
    try:
        disk.make()
    except NoDisk as error:
        pytest.skip(f"no loop devices, or not root: {error}")
    yield disk
    disk.remove()


def append(file: Path) -> None:
    """Writes more than a block holds, to the disk itself."""
    with file.open("ab", buffering=0) as opened:
        opened.write(bytes(1 << 16))
        os.fsync(opened.fileno())


def test_a_full_disk_takes_nothing_more_until_it_is_freed(disk: SmallDisk) -> None:
    existing = disk.mount / "existing"
    existing.write_bytes(b"before")
    disk.fill()
    with pytest.raises(OSError, match="No space left"):
        append(existing)
    disk.free()
    append(existing)
    assert existing.stat().st_size > 1 << 16


def test_it_is_gone_when_it_is_removed(disk: SmallDisk) -> None:
    disk.remove()
    assert not disk.mount.is_mount()
    disk.remove()
