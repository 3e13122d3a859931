"""A small disk of its own: an ext4 image mounted by a loop device, that can be filled and freed. Needs root."""

from __future__ import annotations

import os
import subprocess
from contextlib import suppress
from pathlib import Path

BLOCK_BYTES = 1 << 20
COMMAND_S = 30.0
_FILLER = "filler"


class NoDisk(Exception):
    """There can be no such disk here; says why."""


class SmallDisk:
    """A file system of `size_bytes`, mounted at `mount`; the image lies beside it."""

    def __init__(self, mount: Path, size_bytes: int) -> None:
        self.mount = mount
        self._image = mount.with_name(mount.name + ".img")
        self._size_bytes = size_bytes

    def make(self) -> None:
        """Makes and mounts it. Raises NoDisk."""
        self.mount.mkdir(parents=True, exist_ok=True)
        with self._image.open("wb") as image:
            image.truncate(self._size_bytes)
        _run("mkfs.ext4", "-q", "-m", "0", str(self._image))
        _run("mount", "-o", "loop", str(self._image), str(self.mount))

    def fill(self) -> None:
        """Takes all room that is left, to the last byte."""
        descriptor = os.open(self.mount / _FILLER, os.O_WRONLY | os.O_CREAT, 0o600)
        try:
            free = os.statvfs(self.mount)
            with suppress(OSError):
                os.posix_fallocate(descriptor, 0, max(1, free.f_bavail * free.f_bsize - BLOCK_BYTES))
            with suppress(OSError):
                end = os.lseek(descriptor, 0, os.SEEK_END)
                while True:
                    end += os.pwrite(descriptor, bytes(BLOCK_BYTES), end)
        finally:
            os.close(descriptor)

    def free(self) -> None:
        """Gives the room back."""
        (self.mount / _FILLER).unlink(missing_ok=True)

    def remove(self) -> None:
        """Unmounts it and deletes the image; idempotent."""
        unmount(self.mount)
        self._image.unlink(missing_ok=True)


def unmount(mount: Path) -> None:
    """Unmounts what is mounted there, also while somebody still has a file open; idempotent."""
    if mount.is_mount():
        _run("umount", "--lazy", str(mount))


def _run(*arguments: str) -> None:
    try:
        done = subprocess.run(arguments, capture_output=True, text=True, timeout=COMMAND_S, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise NoDisk(f"{arguments[0]}: {error}") from error
    if done.returncode != 0:
        raise NoDisk(f"{' '.join(arguments)}: {done.stderr.strip()}")
