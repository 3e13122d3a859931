"""What Linux tells of processes: whether one still runs, its CPU time, its parent, and who listens on a port."""

from __future__ import annotations

import os
import socket
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

PROC = Path("/proc")
LISTEN_STATE = "0A"
"""TCP_LISTEN in /proc/net/tcp."""
TICKS_PER_SECOND = os.sysconf("SC_CLK_TCK")


class ProcessStat(NamedTuple):
    """A process: `cpu_s` is user and system time in seconds, `started` its start in clock ticks since boot."""

    pid: int
    parent: int
    state: str
    cpu_s: float
    started: int


def process_stat(pid: int) -> ProcessStat | None:
    """The process now; None when there is none. See proc_pid_stat(5); the name may hold spaces and brackets."""
    try:
        text = (PROC / str(pid) / "stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return None
    values = text.rpartition(")")[2].split()
    cpu_s = (int(values[11]) + int(values[12])) / TICKS_PER_SECOND
    return ProcessStat(pid, int(values[1]), values[0], cpu_s, int(values[19]))


def start_time(pid: int) -> int:
    """When it started, in clock ticks since boot; 0 when it does not run."""
    stat = process_stat(pid)
    return stat.started if stat else 0


def is_alive(pid: int, started: int) -> bool:
    """Whether that very process runs; a zombie does not."""
    stat = process_stat(pid)
    return stat is not None and stat.started == started and stat.state not in "ZX"


def command_line(pid: int) -> list[str]:
    """Its arguments; empty when it has ended."""
    try:
        return (PROC / str(pid) / "cmdline").read_bytes().decode(errors="replace").split("\0")[:-1]
    except OSError:
        return []


def all_processes() -> Iterator[ProcessStat]:
    """Every process that we may see."""
    for entry in PROC.iterdir():
        if entry.name.isdigit() and (stat := process_stat(int(entry.name))) is not None:
            yield stat


def family(root: int) -> list[ProcessStat]:
    """That process and all its descendants."""
    everybody = list(all_processes())
    found = {root}
    while True:
        more = {stat.pid for stat in everybody if stat.parent in found} - found
        if not more:
            return [stat for stat in everybody if stat.pid in found]
        found |= more


def listeners(port: int, address: str | None = None) -> set[int]:
    """The processes that listen on a TCP port of this machine, as far as we may see; only those of an IPv4 address if
    one is given."""
    inodes = set(_listening_inodes(port, address))
    return {stat.pid for stat in all_processes() if inodes and inodes & set(_sockets_of(stat.pid))}


def _listening_inodes(port: int, address: str | None) -> Iterator[str]:
    """The kernel shows an address as the number that its bytes are on this machine; 0, of IPv6 too, stands for all."""
    number = int.from_bytes(socket.inet_aton(address), sys.byteorder) if address is not None else 0
    for table in ("net/tcp", "net/tcp6"):
        try:
            lines = (PROC / table).read_text().splitlines()[1:]
        except OSError:
            continue
        for line in lines:
            values = line.split()
            local, _, local_port = values[1].rpartition(":")
            is_there = address is None or int(local, 16) in (0, number)
            if values[3] == LISTEN_STATE and int(local_port, 16) == port and is_there:
                yield values[9]


def _sockets_of(pid: int) -> Iterator[str]:
    try:
        for entry in (PROC / str(pid) / "fd").iterdir():
            target = os.readlink(entry)
            if target.startswith("socket:["):
                yield target[8:-1]
    except OSError:
        return
