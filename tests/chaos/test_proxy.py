"""The proxy lets pass what its link lets pass, and knows whose connection it has."""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
import subprocess
import sys
import time
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from ordermesh.testing.chaos.links import SLOW_S, Links, Trouble
from ordermesh.testing.chaos.peers import Address, owner_of
from ordermesh.testing.chaos.proxy import Proxy
from tests.waiting import eventually

HOST = "127.0.0.1"
HELD_S = 0.3
"""Enough for what is not held to arrive many times."""


class Echo:
    """A server that answers each line with itself, behind a proxy; the caller is called `client`."""

    def __init__(self) -> None:
        self.links = Links()
        self.heard: list[bytes] = []
        self.proxy: Proxy | None = None
        self._served: set[asyncio.Task[None]] = set()
        self._ends: list[asyncio.StreamWriter] = []

    async def start(self) -> None:
        self.server = await asyncio.start_server(self._accepted, HOST, 0)
        upstream = self.server.sockets[0].getsockname()
        self.proxy = Proxy("server", upstream, self.links, lambda _end, _other: "client")
        await self.proxy.start((HOST, 0))

    def _accepted(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._served.add(asyncio.create_task(self._serve(reader, writer)))

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError):
            while line := await reader.readline():
                self.heard.append(line)
                writer.write(line)
        await close(writer)

    async def connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        assert self.proxy is not None
        reader, writer = await asyncio.open_connection(HOST, self.proxy.port)
        self._ends.append(writer)
        return reader, writer

    async def stop(self) -> None:
        assert self.proxy is not None
        await self.proxy.stop()
        self.server.close()
        await asyncio.gather(*self._served, *map(close, self._ends))


async def close(writer: asyncio.StreamWriter) -> None:
    """Closes it, and waits until it is closed."""
    writer.close()
    with contextlib.suppress(ConnectionError):
        await writer.wait_closed()


@pytest_asyncio.fixture
async def echo() -> AsyncIterator[Echo]:
    """Both, running."""
    running = Echo()
    await running.start()
    yield running
    await running.stop()


async def answer(reader: asyncio.StreamReader, timeout_s: float = 10.0) -> bytes:
    """The next line; b"-" if none comes in time."""
    try:
        async with asyncio.timeout(timeout_s):
            return await reader.readline()
    except TimeoutError:
        return b"-"


async def test_a_whole_link_passes_everything(echo: Echo) -> None:
    reader, writer = await echo.connect()
    data = b"".join(b"%099d\n" % number for number in range(20_000))
    writer.write(data)
    received = await reader.readexactly(len(data))
    assert received == data


async def test_a_cut_link_holds_both_ways_until_it_is_mended(echo: Echo) -> None:
    reader, writer = await echo.connect()
    writer.write(b"before\n")
    assert await answer(reader) == b"before\n"
    echo.links.trouble("client", "server", Trouble.CUT)
    writer.write(b"meanwhile\n")
    assert await answer(reader, HELD_S) == b"-"
    assert echo.heard == [b"before\n"]
    echo.links.mend("server", "client")
    assert await answer(reader) == b"meanwhile\n"


async def test_a_cut_link_takes_no_new_connections_either(echo: Echo) -> None:
    echo.links.trouble("client", "server", Trouble.CUT)
    reader, writer = await echo.connect()
    writer.write(b"hello\n")
    assert await answer(reader, HELD_S) == b"-"
    assert echo.heard == []
    echo.links.mend_all()
    assert await answer(reader) == b"hello\n"


@pytest.mark.parametrize(("first", "second", "heard"), [("client", "server", True), ("server", "client", False)])
async def test_a_one_way_link_holds_what_goes_from_the_second(echo: Echo, first: str, second: str, heard: bool) -> None:
    reader, writer = await echo.connect()
    writer.write(b"before\n")
    assert await answer(reader) == b"before\n"
    echo.links.trouble(first, second, Trouble.ONE_WAY)
    writer.write(b"meanwhile\n")
    assert await answer(reader, HELD_S) == b"-"
    assert (b"meanwhile\n" in echo.heard) is heard
    echo.links.mend(first, second)
    assert await answer(reader) == b"meanwhile\n"


async def test_a_slow_link_is_late_each_way(echo: Echo) -> None:
    reader, writer = await echo.connect()
    echo.links.trouble("client", "server", Trouble.SLOW)
    begin = time.monotonic()
    writer.write(b"hello\n")
    assert await answer(reader) == b"hello\n"
    assert time.monotonic() - begin >= 2 * SLOW_S


async def test_a_reset_link_breaks_connections_old_and_new(echo: Echo) -> None:
    reader, writer = await echo.connect()
    writer.write(b"before\n")
    assert await answer(reader) == b"before\n"
    echo.links.trouble("client", "server", Trouble.RESET)
    assert await is_broken(reader)
    again, _writer = await echo.connect()
    assert await is_broken(again)


async def is_broken(reader: asyncio.StreamReader) -> bool:
    """Whether the other end breaks the connection soon."""
    try:
        return await answer(reader) == b""
    except ConnectionError:
        return True


async def test_what_was_held_arrives_though_its_sender_has_gone(echo: Echo) -> None:
    """As packets on their way do: an append may come long after its sender has given it up."""
    reader, writer = await echo.connect()
    writer.write(b"before\n")
    assert await answer(reader) == b"before\n"
    echo.links.trouble("client", "server", Trouble.CUT)
    writer.write(b"late\n")
    assert await answer(reader, HELD_S) == b"-"
    await close(writer)
    echo.links.mend_all()
    await eventually(lambda: b"late\n" in echo.heard, "what was held arrives")


async def test_a_trouble_between_others_changes_nothing(echo: Echo) -> None:
    echo.links.trouble("client", "another", Trouble.CUT)
    echo.links.trouble("another", "server", Trouble.RESET)
    reader, writer = await echo.connect()
    writer.write(b"hello\n")
    assert await answer(reader) == b"hello\n"


async def test_nobody_unknown_is_let_through(echo: Echo) -> None:
    assert echo.proxy is not None
    stranger = Proxy("server", echo.server.sockets[0].getsockname(), echo.links, lambda _end, _other: "")
    await stranger.start((HOST, 0))
    reader, writer = await asyncio.open_connection(HOST, stranger.port)
    assert await is_broken(reader)
    await close(writer)
    await stranger.stop()


def test_the_process_at_the_other_end_is_found() -> None:
    script = "import socket, sys; s = socket.create_connection((sys.argv[1], int(sys.argv[2]))); s.recv(1)"
    with socket.create_server((HOST, 0)) as listener:
        host, port = listener.getsockname()
        with subprocess.Popen([sys.executable, "-c", script, host, str(port)]) as process:
            connection, end = listener.accept()
            with connection:
                other: Address = connection.getsockname()
                assert owner_of(end, other, [1, os.getpid(), process.pid]) == process.pid
                assert owner_of(end, other, [os.getpid()]) is None
                assert owner_of(other, end, [os.getpid(), process.pid]) == os.getpid()
                assert owner_of((HOST, 1), other, [process.pid]) is None
