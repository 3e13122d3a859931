"""A disk that loses power: an ext4 image on a loop device, which `xfs_io` shuts down without a flush.

After `cut` nothing can be written any more, and what was not synced before is gone after the next mount; what was
synced stays. It takes root, loop devices, mkfs.ext4 and xfs_io (Debian: e2fsprogs, xfsprogs).
"""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from pathlib import Path

IMAGE_BYTES = 3 << 30
"""Size of the file system; the image is sparse."""
UNMOUNT_S = 20.0
"""Until the kernel has let go of what killed processes had open."""
COMMAND_S = 60.0
_TOOLS = {"losetup": "util-linux", "mkfs.ext4": "e2fsprogs", "xfs_io": "xfsprogs"}


class NoPowerToCut(Exception):
    """No power can be cut on this machine; the text says what is missing."""


def check_machine(folder: Path) -> None:
    """Raises NoPowerToCut unless a file system can be made in that folder, mounted, cut and mounted again."""
    if os.geteuid() != 0:
        raise NoPowerToCut("cutting the power of a file system takes root: it mounts a loop device")
    missing = [f"{tool} (Debian: {package})" for tool, package in _TOOLS.items() if shutil.which(tool) is None]
    if missing:
        raise NoPowerToCut(f"cutting the power of a file system takes {', '.join(missing)}")
    disk = CutDisk(folder, image_bytes=64 << 20)
    try:
        disk.make()
        disk.cut()
        disk.mount()
    except (subprocess.CalledProcessError, subprocess.TimeoutExpired) as error:
        told = (error.stderr or b"").decode(errors="replace").strip()
        raise NoPowerToCut(f"the power of a loop device cannot be cut here: {error}: {told}") from error
    finally:
        disk.remove()


class CutDisk:
    """The file system in `folder`: its image `disk.img`, mounted on `disk`."""

    def __init__(self, folder: Path, *, image_bytes: int = IMAGE_BYTES) -> None:
        self.path = folder / "disk"
        self._image = folder / "disk.img"
        self._image_bytes = image_bytes

    def make(self) -> None:
        """Makes it empty and mounts it."""
        self.remove()
        self.path.mkdir(parents=True, exist_ok=True)
        with self._image.open("wb") as image:
            image.truncate(self._image_bytes)
        _run("mkfs.ext4", "-q", "-E", "lazy_itable_init=1,nodiscard", str(self._image))
        self.mount()

    def mount(self) -> None:
        """Mounts it; after a cut this replays its journal, as a machine does that is switched on."""
        self.unmount()
        _run("mount", "-o", "loop", str(self._image), str(self.path))

    def cut(self) -> None:
        """The power is gone: from now on nothing is written."""
        _run("xfs_io", "-x", "-c", "shutdown", str(self.path))

    def unmount(self) -> None:
        """Lets go of it, as soon as no process has it open any more; idempotent."""
        deadline = time.monotonic() + UNMOUNT_S
        while self.path.is_mount():
            try:
                _run("umount", str(self.path))
            except subprocess.CalledProcessError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.05)

    def remove(self) -> None:
        """Unmounts and deletes it; idempotent."""
        self.unmount()
        self._image.unlink(missing_ok=True)
        if self.path.is_dir():
            self.path.rmdir()


def _run(*command: str) -> None:
    subprocess.run(command, check=True, capture_output=True, timeout=COMMAND_S)
