"""A receiver of webhooks that fails at random, and writes down all that arrives before it answers.

A process of its own (`python -m ordermesh.testing.chaos.receiver`). What it answers is drawn from a seed: mostly 204,
else an error, an answer that is late or never comes, or a connection that is cut, before or after the request was
read. SIGUSR1: from now on it takes everything. Signatures are verified here by hand, not by the engine's code.
"""

from __future__ import annotations

import argparse
import asyncio
import base64
import contextlib
import hashlib
import hmac
import json
import random
import signal
import time
from pathlib import Path
from typing import Any, NamedTuple

import h11

REFUSES, CUTS, HANGS, LATE = 0.08, 0.05, 0.01, 0.06
"""Shares of requests that are answered by an error, cut, never answered, answered late."""
LATE_S, HANGS_S = 2.0, 30.0
"""How late, at most; and for how long a connection is left without an answer: longer than anybody waits."""
CLOCKS_DIFFER_S = 300.0
"""A signature is of no older time."""
SPELL_S, SPELL_SHARE = 5.0, 0.1
"""Every so often it is down altogether, for such a share of the time."""
STATUSES = (500, 502, 503, 429, 404, 302)


class Request(NamedTuple):
    """A request as it came."""

    headers: dict[str, str]
    body: bytes


def is_signed(request: Request, secret: str) -> bool:
    """Whether one of its signatures is by that secret, over these very bytes, and of now."""
    message_id, timestamp = (request.headers.get(f"webhook-{name}", "") for name in ("id", "timestamp"))
    if not timestamp.isdecimal() or abs(time.time() - int(timestamp)) > CLOCKS_DIFFER_S:
        return False
    key = base64.b64decode(secret.removeprefix("whsec_"))
    digest = hmac.new(key, f"{message_id}.{timestamp}.".encode() + request.body, hashlib.sha256).digest()
    expected = f"v1,{base64.b64encode(digest).decode()}"
    return expected in request.headers.get("webhook-signature", "").split(" ")


class Receiver:
    """Serves until cancelled; `secret` is a file that may come later than the first request."""

    def __init__(self, secret: Path, journal: Path, seed: int) -> None:
        self._secret = secret
        self._journal = journal.open("a", buffering=1)
        self._chance = random.Random(f"{seed}/receiver")
        self.is_well = False

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection."""
        connection = h11.Connection(h11.SERVER)
        with contextlib.suppress(OSError, h11.RemoteProtocolError):
            while await self._exchange(connection, reader, writer):
                connection.start_next_cycle()
        writer.close()

    async def _exchange(
        self, connection: h11.Connection, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> bool:
        """One request and what becomes of it; whether another may follow."""
        if self._is("cut"):
            writer.transport.abort()
            return False
        request = await _read(connection, reader)
        if request is None:
            return False
        status = 204 if self.is_well or not (self._is("refused") or self._is_down()) else self._chance.choice(STATUSES)
        hangs, is_cut = self._is("hangs"), self._is("cut")
        self._note(request, 0 if hangs or is_cut else status)
        if hangs:
            await asyncio.sleep(HANGS_S)
        if hangs or is_cut:
            writer.transport.abort()
            return False
        if self._is("late"):
            await asyncio.sleep(self._chance.random() * LATE_S)
        headers = [("content-length", "0"), ("location", "http://127.0.0.1:1/")]
        answer = connection.send(h11.Response(status_code=status, headers=headers if status != 204 else []))
        writer.write((answer or b"") + (connection.send(h11.EndOfMessage()) or b""))
        await writer.drain()
        return connection.our_state is h11.DONE and connection.their_state is h11.DONE

    def _is(self, what: str) -> bool:
        share = {"refused": REFUSES, "cut": CUTS / 2, "hangs": HANGS, "late": LATE}[what]
        return not self.is_well and self._chance.random() < share

    def _is_down(self) -> bool:
        return time.monotonic() % (SPELL_S / SPELL_SHARE) < SPELL_S

    def _note(self, request: Request, status: int) -> None:
        secret = self._secret.read_text().strip() if self._secret.exists() else ""
        event: dict[str, Any] = json.loads(request.body)
        line = {
            "id": request.headers.get("webhook-id", ""),
            "type": event["type"],
            "subject": event["subject"],
            "version": int(event["data"]["version"]),
            "part": event["data"].get("shipment_id", ""),
            "signed": not secret or is_signed(request, secret),
            "status": status,
        }
        self._journal.write(json.dumps(line) + "\n")


async def _read(connection: h11.Connection, reader: asyncio.StreamReader) -> Request | None:
    """The next request; None where the connection ends."""
    headers: dict[str, str] = {}
    body = bytearray()
    while True:
        event = connection.next_event()
        if event is h11.NEED_DATA:
            connection.receive_data(await reader.read(65_536))
        elif isinstance(event, h11.Request):
            headers = {name.decode(): value.decode() for name, value in event.headers}
        elif isinstance(event, h11.Data):
            body += event.data
        else:
            return Request(headers, bytes(body)) if isinstance(event, h11.EndOfMessage) else None


async def _main(given: argparse.Namespace) -> None:
    receiver = Receiver(given.secret, given.journal, given.seed)
    asyncio.get_running_loop().add_signal_handler(signal.SIGUSR1, lambda: setattr(receiver, "is_well", True))
    server = await asyncio.start_server(receiver.serve, "127.0.0.1", given.port)
    given.ready.write_text(str(server.sockets[0].getsockname()[1]))
    await server.serve_forever()


def main() -> None:
    """Receives until it is killed."""
    parser = argparse.ArgumentParser(prog="receiver", description=__doc__)
    parser.add_argument("--port", type=int, default=0, help="0 takes any free one")
    parser.add_argument("--ready", type=Path, required=True, help="a file that gets the port when it serves")
    parser.add_argument("--secret", type=Path, required=True, help="a file with the secret; it may come later")
    parser.add_argument("--journal", type=Path, required=True, help="a file that gets a line for each arrival")
    parser.add_argument("--seed", type=int, required=True, help="of what it answers")
    asyncio.run(_main(parser.parse_args()))


if __name__ == "__main__":
    main()
