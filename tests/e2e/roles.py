"""Single processes of a deployment by `ordermesh serve`, as something that places processes on machines runs them."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from ordermesh.adapters.nats_cluster import free_ports
from ordermesh.adapters.nats_server import die_with_parent
from tests.e2e.engine import STOP_S, environment, until


class Role:
    """One process; its ports stay the same when it is started again."""

    def __init__(self, role: str, data: Path, variables: Mapping[str, str]) -> None:
        self.role = role
        self.data = data
        http, grpc = free_ports(2)
        self.http, self.grpc = f"127.0.0.1:{http}", f"127.0.0.1:{grpc}"
        own = {"ORDERMESH_HTTP": self.http, "ORDERMESH_GRPC": self.grpc, "ORDERMESH_DATA": str(data)}
        self._variables = {**environment(), **variables, **own}
        self._log = data.with_name(f"{data.name}.log")
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Starts it, and does not wait."""
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "ordermesh", "serve", "--role", self.role],
                env=self._variables,
                stderr=log,
                preexec_fn=die_with_parent(),  # noqa: PLW1509 # no thread of a test holds a lock
            )

    def end(self, number: signal.Signals = signal.SIGTERM) -> int:
        """Ends it by a signal, and returns its exit status."""
        assert self._process is not None
        if self._process.poll() is None:
            os.kill(self._process.pid, number)
        return self._process.wait(STOP_S)

    def said(self) -> str:
        """Its log."""
        return self._log.read_text() if self._log.exists() else ""

    def get(self, path: str) -> tuple[int, str]:
        """The status and the text that its HTTP port answers; 0 while nobody does."""
        try:
            with urllib.request.urlopen(f"http://{self.http}{path}", timeout=5) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode()
        except OSError:
            return 0, ""

    def until_status(self, path: str, status: int) -> Any:
        """Waits for that status of a probe, and returns what is told with it."""
        assert self._process is not None
        process = self._process
        until(lambda: self.get(path)[0] == status or process.poll() is not None, f"{self.role}: {path} is {status}")
        assert process.poll() is None, self.said()
        text = self.get(path)[1]
        return json.loads(text) if text.startswith("{") else text


@contextmanager
def running(roles: Sequence[Role]) -> Iterator[None]:
    """Starts them, and ends them however the test ends."""
    try:
        for role in roles:
            role.start()
        yield
    finally:
        for role in roles:
            role.end(signal.SIGKILL)
