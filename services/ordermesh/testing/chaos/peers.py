"""Which process is at the other end of a connection on this machine.

A proxy of the test stands between many processes and one server at one address, and cuts off some of them: it has to
know who is calling. Linux tells whose socket it is.
"""

from __future__ import annotations

import os
import socket
import sys
from collections.abc import Iterable
from pathlib import Path

from ordermesh.cli.processes import PROC

TCP_TABLE = PROC / "net" / "tcp"
Address = tuple[str, int]


def owner_of(connection_end: Address, other_end: Address, candidates: Iterable[int]) -> int | None:
    """The one of these processes that has the socket which is bound to `connection_end`; None if none has."""
    inode = _inode(connection_end, other_end)
    if inode is None:
        return None
    wanted = f"socket:[{inode}]"
    return next((pid for pid in candidates if wanted in _descriptors(pid)), None)


def _inode(local: Address, remote: Address) -> str | None:
    wanted = [_in_table(local), _in_table(remote)]
    for line in TCP_TABLE.read_text().splitlines()[1:]:
        values = line.split()
        if values[1:3] == wanted:
            return values[9]
    return None


def _in_table(address: Address) -> str:
    """The kernel shows an address as the number that its bytes are on this machine."""
    host, port = address
    return f"{int.from_bytes(socket.inet_aton(host), sys.byteorder):08X}:{port:04X}"


def _descriptors(pid: int) -> set[str]:
    found = set()
    folder = Path(PROC / str(pid) / "fd")
    try:
        for entry in os.listdir(folder):
            found.add(os.readlink(folder / entry))
    except OSError:
        return found
    return found
