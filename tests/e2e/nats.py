"""A nats-server that belongs to nobody's `up`, with a configuration of the test's own."""

from __future__ import annotations

import json
import socket
import subprocess
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from ordermesh.adapters.jetstream_api import MESSAGE_BYTES_MAX
from ordermesh.adapters.nats_cluster import free_ports
from ordermesh.adapters.nats_server import die_with_parent, find_nats_server
from tests.e2e.engine import STOP_S, until


class Nats:
    """It listens on a free port of the loopback; as a context manager it is started, and ended at once."""

    def __init__(self, folder: Path, members: Mapping[str, Any] | None = None) -> None:
        """`members` are added to its configuration."""
        folder.mkdir()
        (self.port,) = free_ports(1)
        self.log = folder / "nats.log"
        self._config = folder / "nats.conf"
        self._process: subprocess.Popen[bytes] | None = None
        stores = {"store_dir": str(folder), "max_file_store": 8 << 30, "sync_interval": "always"}
        told = {
            "listen": f"127.0.0.1:{self.port}",
            "max_payload": MESSAGE_BYTES_MAX,
            "log_file": str(self.log),
            "jetstream": stores,
            **(members or {}),
        }
        self._config.write_text("".join(f"{name}: {json.dumps(value)}\n" for name, value in told.items()))

    def __enter__(self) -> Self:
        """Starts it."""
        self.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        """Ends it."""
        if self._process is not None:
            self._process.kill()
            self._process.wait(STOP_S)

    def start(self) -> None:
        """Starts it, and waits until it listens."""
        self._process = subprocess.Popen(
            [str(find_nats_server()), "-c", str(self._config)],
            preexec_fn=die_with_parent(),  # noqa: PLW1509 # no thread of a test holds a lock
        )
        until(self._listens, "the nats-server listens")

    def _listens(self) -> bool:
        assert self._process is not None
        assert self._process.poll() is None, self.log.read_text()
        with suppress(OSError), socket.create_connection(("127.0.0.1", self.port), 1.0) as connection:
            return connection.recv(4) == b"INFO"
        return False
