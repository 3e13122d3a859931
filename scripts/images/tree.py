"""A root file system in memory: paths with their contents, written as a layer that is the same bytes every time.

Nothing is unpacked on the way, so it needs no root, and no file has the owner or the time of the machine it is made on.
"""

from __future__ import annotations

import io
import tarfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import IO

MERGED = ("bin", "sbin", "lib", "lib64")
"""Directories that are links into /usr, as on every Debian since 12."""
LEFT_OUT = (
    "usr/share/doc/", "usr/share/man/", "usr/share/locale/", "usr/share/lintian/", "usr/share/info/",
    "usr/share/menu/", "usr/share/bug/",
)  # fmt: skip
"""What nobody reads in a container; copyright files stay."""
BLOCK = 512


@dataclass(frozen=True, slots=True)
class Entry:
    """A file with its content, a directory, or a link to `target`."""

    kind: bytes
    mode: int
    content: bytes = b""
    target: str = ""
    owner: int = 0


class Tree:
    """Entries by path, without a slash at the beginning."""

    def __init__(self) -> None:
        self.entries: dict[str, Entry] = {}

    def directory(self, path: str, mode: int = 0o755, owner: int = 0) -> None:
        """An empty directory, or another mode for one that is there."""
        self._put(path, Entry(tarfile.DIRTYPE, mode, owner=owner))

    def file(self, path: str, content: bytes | str, mode: int = 0o644) -> None:
        """A file; replaces what is there."""
        data = content.encode() if isinstance(content, str) else content
        self._put(path, Entry(tarfile.REGTYPE, mode, data))

    def link(self, path: str, target: str) -> None:
        """A symbolic link."""
        self._put(path, Entry(tarfile.SYMTYPE, 0o777, target=target))

    def folder(self, source: Path, prefix: str) -> None:
        """All files below a folder of this machine."""
        for path in sorted(source.rglob("*")):
            if path.is_file():
                mode = 0o755 if path.stat().st_mode & 0o100 else 0o644
                self.file(f"{prefix}/{path.relative_to(source)}", path.read_bytes(), mode)

    def tar(self, stream: IO[bytes]) -> None:
        """What is in a tar archive; directories of /usr are merged."""
        with tarfile.open(fileobj=stream, mode="r|") as archive:
            for member in archive:
                self._member(archive, member)

    def _member(self, archive: tarfile.TarFile, member: tarfile.TarInfo) -> None:
        path = _merged(member.name)
        if not path or ((path + "/").startswith(LEFT_OUT) and not path.endswith("/copyright")):
            return
        if member.isfile():
            content = archive.extractfile(member)
            assert content is not None, "a file has content"
            self._put(path, Entry(tarfile.REGTYPE, member.mode & 0o755, content.read()))
        elif member.islnk():
            self._put(path, self.entries[_merged(member.linkname)])
        elif member.issym():
            self._put(path, Entry(tarfile.SYMTYPE, 0o777, target=member.linkname))
        elif member.isdir() and path not in MERGED:
            self._put(path, Entry(tarfile.DIRTYPE, member.mode & 0o755))

    def _put(self, path: str, entry: Entry) -> None:
        name = path.strip("/")
        for parent in PurePosixPath(name).parents:
            if str(parent) != ".":
                self.entries.setdefault(str(parent), Entry(tarfile.DIRTYPE, 0o755))
        self.entries[name] = entry

    def files(self, suffix: str) -> Iterator[tuple[str, bytes]]:
        """The files whose names end so, in order."""
        for path, entry in sorted(self.entries.items()):
            if entry.kind == tarfile.REGTYPE and path.endswith(suffix):
                yield path, entry.content

    def write(self, out: IO[bytes]) -> None:
        """As a layer: sorted, all of time 0."""
        with tarfile.open(fileobj=out, mode="w|", format=tarfile.PAX_FORMAT) as archive:
            for path, entry in sorted(self.entries.items()):
                info = tarfile.TarInfo(path)
                info.type, info.mode, info.linkname = entry.kind, entry.mode, entry.target
                info.uid = info.gid = entry.owner
                info.size = len(entry.content)
                archive.addfile(info, io.BytesIO(entry.content))


def _merged(name: str) -> str:
    """A path of a package as it is once directories are merged into /usr."""
    path = name.removeprefix("./").strip("/")
    return f"usr/{path}" if path.split("/")[0] in MERGED and "/" in path else path
