"""A TCP proxy before one server: it knows who calls, and lets pass what the link between the two lets pass.

While a link is cut, what was read stays here and is sent when it is mended, also if its sender has given up or died: a
real network does the same to packets on their way.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable

from ordermesh.testing.chaos.links import Link, Links
from ordermesh.testing.chaos.peers import Address

READ_BYTES = 256 * 1024
WATCH_S = 0.05
"""Between two looks whether a connection is to be broken."""

Identify = Callable[[Address, Address], str]
"""Names the process that has the first of these two ends of a connection; "" if it is nobody's."""


class Proxy:
    """Listens for the server called `server`, which is at `upstream`."""

    def __init__(self, server: str, upstream: Address, links: Links, identify: Identify) -> None:
        self.server = server
        self._upstream = upstream
        self._links = links
        self._identify = identify
        self._listener: asyncio.Server | None = None
        self._connections: set[asyncio.Task[None]] = set()

    async def start(self, address: Address) -> None:
        """Listens there. Raises OSError."""
        self._listener = await asyncio.start_server(self._accepted, *address)

    @property
    def port(self) -> int:
        """Where it listens."""
        assert self._listener is not None
        return int(self._listener.sockets[0].getsockname()[1])

    async def stop(self) -> None:
        """Ends every connection, and listens no more."""
        if self._listener is not None:
            self._listener.close()
        for task in list(self._connections):
            task.cancel()
        await asyncio.gather(*self._connections, return_exceptions=True)

    def _accepted(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.create_task(self._serve(reader, writer))
        self._connections.add(task)
        task.add_done_callback(self._connections.discard)
        task.add_done_callback(lambda _task: _break(writer))  # a task cancelled before it began closes nothing

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection, until either end closes it."""
        try:
            caller = self._identify(writer.get_extra_info("peername"), writer.get_extra_info("sockname"))
            if caller:
                await self._join(caller, reader, writer)
        except OSError:
            return
        finally:
            _break(writer)

    async def _join(self, caller: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Joins a caller's connection with one to the server. Raises OSError if that cannot be reached."""
        link, forward = self._links.between(caller, self.server)
        if link.is_broken:
            return
        await link.open[forward].wait()
        there_reader, there_writer = await asyncio.open_connection(*self._upstream)
        ways = {
            asyncio.create_task(_pass(reader, there_writer, link, forward)),
            asyncio.create_task(_pass(there_reader, writer, link, 1 - forward)),
            asyncio.create_task(_until_broken(link)),
        }
        try:
            await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for way in ways:
                way.cancel()
            await asyncio.gather(*ways, return_exceptions=True)
            _break(there_writer)


async def _pass(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, link: Link, direction: int) -> None:
    """Copies one way until either end is closed."""
    with contextlib.suppress(OSError):
        while data := await reader.read(READ_BYTES):
            await link.open[direction].wait()
            if link.delay_s:
                await asyncio.sleep(link.delay_s)
            writer.write(data)
            await writer.drain()


async def _until_broken(link: Link) -> None:
    while not link.is_broken:
        await asyncio.sleep(WATCH_S)


def _break(writer: asyncio.StreamWriter) -> None:
    """Closes it as it is: what was not sent is lost."""
    with contextlib.suppress(OSError, RuntimeError):
        writer.transport.abort()
