"""A copy of the deployment beside the data: so that a process can start while its store is down.

What was fixed at creation is needed to find partitions, and it never changes; the store's is the one that counts.
"""

from __future__ import annotations

import os
from pathlib import Path

from google.protobuf.message import DecodeError

from oms.log.v1 import log_pb2

NAME = "deployment.pb"


class DeploymentFile:
    """The copy in a data directory."""

    def __init__(self, directory: Path) -> None:
        self._path = directory / NAME

    def read(self) -> log_pb2.Deployment | None:
        """The copy; None where there is none that can be read. One without an id is what lost power left of it."""
        try:
            found = log_pb2.Deployment.FromString(self._path.read_bytes())
        except (OSError, DecodeError):
            return None
        return found if found.deployment_id else None

    def write(self, deployment: log_pb2.Deployment) -> None:
        """Replaces the copy, whole, if it is another one. Raises OSError."""
        data = deployment.SerializeToString(deterministic=True)
        known = self.read()
        if known is not None and known.SerializeToString(deterministic=True) == data:
            return
        self._path.parent.mkdir(parents=True, exist_ok=True)
        temporary = self._path.with_name(f".{NAME}.{os.getpid()}")
        with temporary.open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())  # else the name may outlive lost power, and the content not
        temporary.replace(self._path)
