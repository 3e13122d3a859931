"""The webhook endpoint of a run: its receiver, and what arrived there."""

from __future__ import annotations

import asyncio
import json
import signal
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import grpc

from oms.notification.v1 import webhook_service_pb2, webhook_service_pb2_grpc
from ordermesh.adapters.nats_server import die_with_parent
from ordermesh.testing.chaos.evidence import Arrived, Published

SETTINGS = {
    "webhook_allow_http": True,
    "webhook_allow_private": True,
    "webhook_ports": "1-65535",
    "webhook_retry_scale": 0.002,
    "webhook_disable_after_s": 604_800.0,
}
"""Of the engine: the receiver is on this machine, and what failed five times comes again within a minute."""
CALL_S, START_S = 30.0, 20.0
REST_S = 240.0
"""Without a further arrival, for what is left to arrive: what failed nine times comes again within so long."""
TAKEN = 204


class Webhooks:
    """Call `start` once edges serve, `heal` with everything else, `stop` in the end."""

    def __init__(self, folder: Path, seed: int) -> None:
        self._folder = folder
        self._seed = seed
        self._process: asyncio.subprocess.Process | None = None

    @property
    def journal(self) -> Path:
        """What arrived, a line each."""
        return self._folder / "arrived.jsonl"

    async def start(self, address: str) -> None:
        """Starts the receiver and makes its endpoint. Raises TimeoutError, grpc.aio.AioRpcError."""
        ready, secret = self._folder / "receiver.port", self._folder / "receiver.secret"
        arguments = {"--ready": ready, "--secret": secret, "--journal": self.journal, "--seed": self._seed}
        with (self._folder / "receiver.log").open("wb") as log:
            self._process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", "ordermesh.testing.chaos.receiver"),
                *(str(word) for pair in arguments.items() for word in pair),
                stdin=asyncio.subprocess.DEVNULL, stdout=log, stderr=log, preexec_fn=die_with_parent(),
                start_new_session=True,
            )  # fmt: skip
        async with asyncio.timeout(START_S):
            while not ready.exists() or not (port := ready.read_text()):
                await asyncio.sleep(0.05)
        request = webhook_service_pb2.CreateEndpointRequest(url=f"http://127.0.0.1:{port}/", request_id="chaos")
        async with grpc.aio.insecure_channel(address) as channel:
            stub = webhook_service_pb2_grpc.WebhookServiceStub(channel)
            response = await stub.CreateEndpoint(request, timeout=CALL_S, wait_for_ready=True)
        secret.write_text(response.secret)

    def heal(self) -> None:
        """From now on the receiver takes everything."""
        if self._process is not None and self._process.returncode is None:
            self._process.send_signal(signal.SIGUSR1)

    async def stop(self) -> None:
        """Ends the receiver."""
        if self._process is not None and self._process.returncode is None:
            self._process.kill()
            await self._process.wait()

    async def arrived(self, events: Sequence[Published], say: Callable[[str], None]) -> list[Arrived]:
        """All that arrived, once everything was taken, or nothing has come for long enough."""
        deadline, before = time.monotonic() + REST_S, -1
        while True:
            found = read_arrived(self.journal)
            left = set(events) - {one.event for one in found if one.is_taken}
            if not left or time.monotonic() > deadline:
                return found
            if len(found) != before:
                say(f"{len(left)} events have not arrived yet")
                deadline, before = time.monotonic() + REST_S, len(found)
            await asyncio.sleep(1.0)


def read_arrived(journal: Path) -> list[Arrived]:
    """What a receiver's journal has; a line that is torn off at its end is left out."""
    if not journal.exists():
        return []
    whole = journal.read_text().rpartition("\n")[0]
    return [_arrived(json.loads(line)) for line in whole.splitlines()]


def _arrived(line: dict[str, object]) -> Arrived:
    _oms, service, name, _v1 = str(line["type"]).split(".")
    event = Published(service, name, str(line["subject"]), int(str(line["version"])), str(line["part"]))
    return Arrived(str(line["id"]), event, is_signed=bool(line["signed"]), is_taken=line["status"] == TAKEN)
