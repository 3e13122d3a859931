"""The receiver of docs/examples, asked for what nobody should ask for: it says so, and goes no further."""

from __future__ import annotations

import runpy
import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http.server import ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

EXAMPLE = Path(__file__).resolve().parents[2] / "docs" / "examples" / "webhook_receiver.py"
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
ANSWER_S = 10.0


@contextmanager
def listening() -> Iterator[int]:
    """The example on a port of this machine."""
    example: dict[str, Any] = runpy.run_path(str(EXAMPLE))
    with ThreadingHTTPServer(("127.0.0.1", 0), example["handler_of"](example["Inbox"]([SECRET]))) as server:
        serving = Thread(target=server.serve_forever, daemon=True)
        serving.start()
        try:
            yield server.server_address[1]
        finally:
            server.shutdown()
            serving.join()


def answers(port: int, request: bytes) -> bytes:
    """All that is answered until the connection is closed."""
    found = b""
    with socket.create_connection(("127.0.0.1", port), ANSWER_S) as connection:
        connection.sendall(request)
        with suppress(ConnectionResetError):  # it need not read what it does not take
            while data := connection.recv(65_536):
                found += data
    return found


@pytest.mark.parametrize(
    ("length", "status"), [("9999999", b"413"), ("-1", b"411"), ("x", b"411"), ("", b"411"), ("9" * 5_000, b"411")]
)
def test_a_length_that_cannot_be_is_refused_and_the_connection_closed(length: str, status: bytes) -> None:
    smuggled = b"POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 0\r\n\r\n"
    with listening() as port:
        found = answers(port, f"POST / HTTP/1.1\r\nhost: x\r\ncontent-length: {length}\r\n\r\n".encode() + smuggled)

    assert found.startswith(b"HTTP/1.1 " + status)
    assert found.count(b"HTTP/1.1 ") == 1, "what follows is no request"
