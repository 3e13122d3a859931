"""Debian packages: got by the apt of this machine, which checks their signatures, and read without being installed."""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from scripts.images.tree import Tree

DOWNLOAD_SECONDS_MAX = 900


class ImageError(Exception):
    """An image cannot be made here; the text says why, and what to do."""


@dataclass(frozen=True, slots=True)
class Package:
    """A package in an image: for the list of what is in it."""

    kind: str
    name: str
    version: str
    licence: str = ""
    sha256: str = ""


def add_packages(tree: Tree, names: Sequence[str], cache: Path) -> list[Package]:
    """Adds the files of these packages, of the versions that apt offers now. Raises ImageError."""
    for tool in ("apt-get", "dpkg-deb"):
        if shutil.which(tool) is None:
            raise ImageError(f"there is no {tool}: images are made from packages of Debian 12, on it or one of its kin")
    return [_add(tree, path) for path in _downloaded(names, cache)]


def _downloaded(names: Sequence[str], cache: Path) -> list[Path]:
    """The packages' files, in the order of the names; those that are in the cache are not got again."""
    cache.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as empty:  # apt does not name what lies in the folder already
        said = _run(["apt-get", "download", "--print-uris", *names], Path(empty))
    files = [line.split()[1] for line in said.splitlines() if line.startswith("'")]
    if len(files) != len(names):
        raise ImageError(f"apt knows {len(files)} of {len(names)} packages; apt-get update may help, on Debian 12")
    files = _sorted_like(names, files)
    missing = [name for name, file in zip(names, files, strict=True) if not (cache / file).exists()]
    if missing:
        _run(["apt-get", "download", "--quiet", *missing], cache)
    return [cache / file for file in files]


def _sorted_like(names: Sequence[str], files: Sequence[str]) -> list[str]:
    """The files of packages in the order of their names; apt has its own. Raises ImageError where one is missing."""
    by_name = {file.partition("_")[0]: file for file in files}
    if missing := [name for name in names if name not in by_name]:
        raise ImageError(f"apt has no {', '.join(missing)}")
    return [by_name[name] for name in names]


def _add(tree: Tree, deb: Path) -> Package:
    with subprocess.Popen(["dpkg-deb", "--fsys-tarfile", deb], stdout=subprocess.PIPE) as reading:
        assert reading.stdout is not None, "it is a pipe"
        tree.tar(reading.stdout)
    if reading.returncode:
        raise ImageError(f"{deb} cannot be read")
    control = _run(["dpkg-deb", "--field", str(deb)], deb.parent)
    fields = dict(line.split(": ", 1) for line in control.splitlines() if ": " in line and line[0] != " ")
    # As images without dpkg have it, for those who look for known weaknesses.
    tree.file(f"var/lib/dpkg/status.d/{fields['Package']}", control)
    digest = hashlib.sha256(deb.read_bytes()).hexdigest()
    return Package("deb", fields["Package"], fields["Version"], sha256=digest)


def _run(command: Sequence[str], folder: Path) -> str:
    done = subprocess.run(
        command, cwd=folder, capture_output=True, text=True, timeout=DOWNLOAD_SECONDS_MAX, check=False
    )
    if done.returncode != 0:
        raise ImageError(f"{' '.join(command[:2])} failed: {done.stderr.strip()[-500:]}")
    return done.stdout
