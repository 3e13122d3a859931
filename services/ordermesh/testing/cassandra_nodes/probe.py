"""Whether nodes serve: a few requests of CQL's native protocol, by hand, so that nothing retries or caches.

The protocol is native_protocol_v4.spec of Cassandra's documentation; opcodes and layouts are named as there.
"""

from __future__ import annotations

import socket
import struct
from collections.abc import Iterable

PROTOCOL_VERSION = 4
STARTUP, READY, AUTHENTICATE, OPTIONS, SUPPORTED, QUERY, RESULT = 0x01, 0x02, 0x03, 0x05, 0x06, 0x07, 0x08
AUTH_RESPONSE, AUTH_SUCCESS = 0x0F, 0x10
CONSISTENCY_ONE, CONSISTENCY_ALL = 0x0001, 0x0005
FIRST_USER = "cassandra"
"""Name and password of the user that Cassandra makes by itself."""

SCHEMA_VERSION = "SELECT schema_version FROM system.local"
OF_EVERY_REPLICA = (
    "SELECT status FROM system_distributed.view_build_status WHERE keyspace_name = 'none' AND view_name = 'none'"
)
"""Reads nothing, from a table that every node has a replica of: at ALL it succeeds if the coordinator sees them all."""

_HEADER = struct.Struct("!BBhBi")
_UUID_BYTES = 16


class Refused(Exception):
    """The node answered something else than was asked for."""


class PasswordRefused(Exception):
    """The first user does not get in: it does not exist yet, or somebody gave it another password."""


def answers(address: str, port: int, timeout_s: float = 1.0) -> bool:
    """Whether somebody there answers in the native protocol within the time."""
    try:
        with socket.create_connection((address, port), timeout=timeout_s) as connection:
            _ask(connection, OPTIONS, b"", SUPPORTED)
    except (OSError, Refused):
        return False
    return True


def agree(addresses: Iterable[str], port: int, timeout_s: float = 5.0) -> bool:
    """Whether each node sees all others alive and all have the same schema. Raises PasswordRefused."""
    schemas = set()
    for address in addresses:
        try:
            with socket.create_connection((address, port), timeout=timeout_s) as connection:
                _log_in(connection)
                _query(connection, OF_EVERY_REPLICA, CONSISTENCY_ALL)
                # One row of one column: the value is what the answer ends with.
                schemas.add(_query(connection, SCHEMA_VERSION, CONSISTENCY_ONE)[-_UUID_BYTES:])
        except (OSError, Refused):
            return False
    return len(schemas) == 1


def _log_in(connection: socket.socket) -> None:
    """Starts a session, with the first user if one is asked for. Raises PasswordRefused, Refused, OSError."""
    opcode, _ = _exchange(connection, STARTUP, struct.pack("!H", 1) + _string("CQL_VERSION") + _string("3.0.0"))
    if opcode == AUTHENTICATE:
        token = f"\0{FIRST_USER}\0{FIRST_USER}".encode()
        opcode, _ = _exchange(connection, AUTH_RESPONSE, struct.pack("!i", len(token)) + token)
        if opcode != AUTH_SUCCESS:
            raise PasswordRefused
    elif opcode != READY:
        raise Refused(f"opcode {opcode}")


def _query(connection: socket.socket, statement: str, consistency: int) -> bytes:
    text = statement.encode()
    return _ask(connection, QUERY, struct.pack("!i", len(text)) + text + struct.pack("!HB", consistency, 0), RESULT)


def _ask(connection: socket.socket, opcode: int, body: bytes, expected: int) -> bytes:
    answer, content = _exchange(connection, opcode, body)
    if answer != expected:
        raise Refused(f"opcode {answer}: {content[:200]!r}")
    return content


def _exchange(connection: socket.socket, opcode: int, body: bytes) -> tuple[int, bytes]:
    """One request and its answer: opcode and body."""
    connection.sendall(_HEADER.pack(PROTOCOL_VERSION, 0, 0, opcode, len(body)) + body)
    _, _, _, answer, length = _HEADER.unpack(_receive(connection, _HEADER.size))
    return answer, _receive(connection, length)


def _receive(connection: socket.socket, length: int) -> bytes:
    data = b""
    while len(data) < length:
        part = connection.recv(length - len(data))
        if not part:
            raise Refused("the connection was closed")
        data += part
    return data


def _string(text: str) -> bytes:
    data = text.encode()
    return struct.pack("!H", len(data)) + data
