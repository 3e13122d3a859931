#!/usr/bin/env python3
"""Generates gen/oms from protos/oms, and vendors the google protos that it imports into protos/google.

Everything comes from the locked environment: protoc from grpcio-tools, the google protos from
googleapis-common-protos, so the lock's hashes are their checksums and no network is needed.

    scripts/gen_protos.py            writes what changed, removes what has no source any more
    scripts/gen_protos.py --check    writes nothing; lists what would change and exits 1 if anything would
"""

from __future__ import annotations

import argparse
import importlib.util
import re
import shutil
import sys
import tempfile
from collections.abc import Iterable
from importlib import resources
from pathlib import Path

from grpc_tools import protoc

ROOT = Path(__file__).resolve().parent.parent
PROTOS = ROOT / "protos"
GENERATED = ROOT / "gen" / "oms"
VENDORED = PROTOS / "google"
IMPORT = re.compile(r'^import\s+(?:public\s+|weak\s+)?"(?P<path>[^"]+)";', re.MULTILINE)
PACKAGE_DOCSTRING = '"""Generated from protos/oms by scripts/gen_protos.py."""\n'
VENDOR_README = """# Google's protos that ours import

Copied by `scripts/gen_protos.py` from the package googleapis-common-protos (Apache License 2.0), at the version and
hash that `requirements-dev.lock` names, so that `buf lint` and `buf breaking` need no network. Do not edit.
"""


def google_root() -> Path:
    """The folder that holds the `google` folder of googleapis-common-protos."""
    spec = importlib.util.find_spec("google.rpc.status_pb2")
    if spec is None or spec.origin is None:
        raise SystemExit("googleapis-common-protos is not installed; run scripts/setup")
    return Path(spec.origin).parents[2]


def google_imports(sources: Iterable[Path], google: Path) -> list[str]:
    """The google protos, by import path, that the sources need directly or through others; not the well-known types."""
    found: set[str] = set()
    texts = [source.read_text() for source in sources]
    while texts:
        for match in IMPORT.finditer(texts.pop()):
            path = match["path"]
            if path.startswith("google/") and not path.startswith("google/protobuf/") and path not in found:
                found.add(path)
                texts.append((google / path).read_text())
    return sorted(found)


def vendor(sources: Iterable[Path], target: Path) -> None:
    """Fills `target` (to become protos/google) with what the sources import."""
    google = google_root()
    for path in google_imports(sources, google):
        copy = target / Path(path).relative_to("google")
        copy.parent.mkdir(parents=True, exist_ok=True)
        copy.write_bytes((google / path).read_bytes())
    (target / "README.md").write_text(VENDOR_README)


def compile_protos(sources: list[Path], target: Path) -> None:
    """Fills `target` (to become gen/oms): messages for all, gRPC stubs for the services."""
    out = target.parent / "out"
    out.mkdir()
    names = [str(source.relative_to(PROTOS)) for source in sources]
    # googleapis-common-protos comes before the vendored copies: those may not be written yet.
    include = [f"-I{google_root()}", f"-I{PROTOS}", f"-I{resources.files('grpc_tools') / '_proto'}"]
    run_protoc([*include, f"--python_out={out}", f"--pyi_out={out}", *names])
    services = [name for name in names if name.endswith("_service.proto")]
    if services:
        plugin = Path(sys.executable).parent / "protoc-gen-mypy_grpc"
        grpc = [f"--grpc_python_out={out}", f"--mypy_grpc_out=quiet:{out}"]
        run_protoc([*include, f"--plugin=protoc-gen-mypy_grpc={plugin}", *grpc, *services])
    shutil.move(out / "oms", target)
    for folder in [target, *(path for path in target.rglob("*") if path.is_dir())]:
        (folder / "__init__.py").write_text(PACKAGE_DOCSTRING)
    (target / "py.typed").touch()


def run_protoc(arguments: list[str]) -> None:
    """Runs protoc; it has said what is wrong when it fails."""
    if protoc.main(["protoc", *arguments]) != 0:
        raise SystemExit(1)


def files(folder: Path) -> dict[Path, bytes]:
    """The files below a folder by their relative path, caches aside."""
    paths = (path for path in folder.rglob("*") if path.is_file() and "__pycache__" not in path.parts)
    return {path.relative_to(folder): path.read_bytes() for path in paths}


def synchronise(made: Path, kept: Path, *, write: bool) -> list[str]:
    """Makes `kept` equal to `made`, or only says what differs; a line for each file."""
    new, old = files(made), files(kept)
    differences = []
    for path in sorted(new.keys() | old.keys()):
        if new.get(path) == old.get(path):
            continue
        target = kept / path
        if path not in new:
            differences.append(f"has no source: {target.relative_to(ROOT)}")
            if write:
                target.unlink()
        else:
            word = "differs" if path in old else "is missing"
            differences.append(f"{word}: {target.relative_to(ROOT)}")
            if write:
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_bytes(new[path])
    return differences


def main() -> int:
    """Exit status 0, or 1 when --check found a difference or protoc an error."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true", help="write nothing; exit 1 if something would change")
    check = parser.parse_args().check
    sources = sorted((PROTOS / "oms").rglob("*.proto"))
    with tempfile.TemporaryDirectory() as folder:
        google, generated = Path(folder, "google"), Path(folder, "oms")
        google.mkdir()
        vendor(sources, google)
        compile_protos(sources, generated)
        differences = synchronise(google, VENDORED, write=not check)
        differences += synchronise(generated, GENERATED, write=not check)
    for line in differences:
        print(line if check else line.replace("differs", "updated").replace("is missing", "written"))
    return 1 if check and differences else 0


if __name__ == "__main__":
    sys.exit(main())
