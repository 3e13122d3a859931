"""An image as a file that every engine takes: an OCI layout that also says what `docker load` asks for."""

from __future__ import annotations

import hashlib
import io
import json
import tarfile
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

from scripts.images.tree import Tree

EPOCH = "1970-01-01T00:00:00Z"
ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64"}
"""What machines are called by images."""
COPY_BYTES = 1 << 20
OCI = "application/vnd.oci.image"


@dataclass(frozen=True, slots=True, kw_only=True)
class Image:
    """What is made: `name` is REPOSITORY:TAG, `layers` the root file system, the rest is how it runs."""

    name: str
    architecture: str
    layers: Sequence[Tree]
    entrypoint: Sequence[str]
    user: str
    labels: Mapping[str, str]
    command: Sequence[str] = ()
    environment: Mapping[str, str] = field(default_factory=dict)

    @property
    def full_name(self) -> str:
        """With the registry that a name without one stands for, as containerd keeps it."""
        return self.name if "/" in self.name else f"docker.io/library/{self.name}"


def write_archive(image: Image, path: Path) -> str:
    """Writes it, whole or not at all, and returns the digest of its manifest."""
    temporary = path.with_name(f".{path.name}")
    with tempfile.TemporaryDirectory(dir=path.parent) as scratch, tarfile.open(temporary, "w") as archive:
        blobs = Path(scratch)
        layers = [_blob(blobs, tree) for tree in image.layers]
        config = _json(_config(image, [digest for digest, _ in layers]))
        manifest = _json(_manifest(config, layers))
        digest = hashlib.sha256(manifest).hexdigest()
        _put(archive, "oci-layout", _json({"imageLayoutVersion": "1.0.0"}))
        _put(archive, "index.json", _json(_index(image, manifest, digest)))
        _put(archive, "manifest.json", _json(_docker(image, config, layers)))
        for data in (config, manifest):
            _put(archive, f"blobs/sha256/{hashlib.sha256(data).hexdigest()}", data)
        for layer, size in layers:
            with (blobs / layer).open("rb") as content:
                _put(archive, f"blobs/sha256/{layer}", content, size)
    temporary.replace(path)
    return f"sha256:{digest}"


def _blob(folder: Path, tree: Tree) -> tuple[str, int]:
    """A layer in a file that is named by its digest; the digest and the size."""
    raw = folder / "layer"
    with raw.open("wb") as out:
        tree.write(out)
    digest = hashlib.sha256()
    with raw.open("rb") as content:
        while part := content.read(COPY_BYTES):
            digest.update(part)
    size = raw.stat().st_size
    raw.replace(folder / digest.hexdigest())
    return digest.hexdigest(), size


def _config(image: Image, layers: Sequence[str]) -> dict[str, Any]:
    variables = {"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", **image.environment}
    return {
        "architecture": image.architecture,
        "os": "linux",
        "created": EPOCH,
        "config": {
            "User": image.user,
            "Env": [f"{name}={value}" for name, value in variables.items()],
            "Entrypoint": list(image.entrypoint),
            "Cmd": list(image.command),
            "WorkingDir": "/",
            "Labels": dict(image.labels),
        },
        "rootfs": {"type": "layers", "diff_ids": [f"sha256:{digest}" for digest in layers]},
        "history": [{"created": EPOCH, "created_by": "scripts/image"} for _ in layers],
    }


def _manifest(config: bytes, layers: Sequence[tuple[str, int]]) -> dict[str, Any]:
    return {
        "schemaVersion": 2,
        "mediaType": f"{OCI}.manifest.v1+json",
        "config": _descriptor(f"{OCI}.config.v1+json", hashlib.sha256(config).hexdigest(), len(config)),
        "layers": [_descriptor(f"{OCI}.layer.v1.tar", digest, size) for digest, size in layers],
    }


def _index(image: Image, manifest: bytes, digest: str) -> dict[str, Any]:
    names = {"io.containerd.image.name": image.full_name, "org.opencontainers.image.ref.name": image.name}
    described = _descriptor(f"{OCI}.manifest.v1+json", digest, len(manifest))
    platform = {"architecture": image.architecture, "os": "linux"}
    described |= {"annotations": names, "platform": platform}
    return {"schemaVersion": 2, "mediaType": f"{OCI}.index.v1+json", "manifests": [described]}


def _docker(image: Image, config: bytes, layers: Sequence[tuple[str, int]]) -> list[dict[str, Any]]:
    blobs = [f"blobs/sha256/{digest}" for digest, _ in layers]
    name = f"blobs/sha256/{hashlib.sha256(config).hexdigest()}"
    return [{"Config": name, "RepoTags": [image.name], "Layers": blobs}]


def _descriptor(media_type: str, digest: str, size: int) -> dict[str, Any]:
    return {"mediaType": media_type, "digest": f"sha256:{digest}", "size": size}


def _json(document: object) -> bytes:
    return json.dumps(document, sort_keys=True, separators=(",", ":")).encode()


def _put(archive: tarfile.TarFile, name: str, content: bytes | IO[bytes], size: int = 0) -> None:
    info = tarfile.TarInfo(name)
    stream = io.BytesIO(content) if isinstance(content, bytes) else content
    info.size = len(content) if isinstance(content, bytes) else size
    archive.addfile(info, stream)
