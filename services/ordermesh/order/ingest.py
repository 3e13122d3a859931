"""IngestOrders: reading, posting and answering at once, in the requests' order, with a bound on what is under way.

Orders that arrive together are waited for together, as a group. While as many groups are under way as may be, what
arrives gathers into the next: so a slow log or owner makes groups larger, not more numerous. The reader stops at the
bound, and gRPC's flow control then stops the caller.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Generic, TypeVar

GROUPS_MAX = 8
"""Groups that are waited for at once."""
IN_FLIGHT_MAX = 2048
"""Requests read and not yet answered, per stream: four full frames."""

Request = TypeVar("Request")
Posted = TypeVar("Posted")
Response = TypeVar("Response")


class Pipeline(Generic[Request, Posted, Response]):
    """Posts each request with `post` (which must not wait long) and answers groups of them with `settle`."""

    def __init__(
        self,
        post: Callable[[Request], Awaitable[Posted]],
        settle: Callable[[list[Posted]], Awaitable[list[Response]]],
    ) -> None:
        self._post = post
        self._settle = settle
        self._gathering: list[Posted] = []
        self._cut_is_due = False
        self._abandoned = False
        self._groups: asyncio.Queue[asyncio.Task[list[Response]] | None] = asyncio.Queue()
        self._under_way: set[asyncio.Task[list[Response]]] = set()
        self._room = asyncio.Semaphore(IN_FLIGHT_MAX)

    async def run(self, requests: AsyncIterator[Request]) -> AsyncIterator[Response]:
        """The responses, in the requests' order. What reading raises is raised after the answers of what was read."""
        reading = asyncio.create_task(self._read(requests), name="ingest reader")
        try:
            while (group := await self._groups.get()) is not None:
                for response in await group:
                    yield response
                    self._room.release()
            await reading
        finally:
            self._abandoned = True
            for task in (reading, *self._under_way):
                task.cancel()

    async def _read(self, requests: AsyncIterator[Request]) -> None:
        try:
            async for request in requests:
                await self._room.acquire()
                self._gathering.append(await self._post(request))
                if not self._cut_is_due:
                    self._cut_is_due = True
                    asyncio.get_running_loop().call_soon(self._cut)
        finally:
            if not self._abandoned:
                self._start_group()
                self._groups.put_nowait(None)

    def _cut(self) -> None:
        """Makes a group of what has gathered, unless enough are under way: then the next that ends does."""
        self._cut_is_due = False
        if len(self._under_way) < GROUPS_MAX and not self._abandoned:
            self._start_group()

    def _start_group(self) -> None:
        if self._gathering:
            posted, self._gathering = self._gathering, []
            group = asyncio.ensure_future(self._settle(posted))
            self._under_way.add(group)
            group.add_done_callback(self._ended)
            self._groups.put_nowait(group)

    def _ended(self, group: asyncio.Task[list[Response]]) -> None:
        self._under_way.discard(group)
        if not self._cut_is_due:
            self._cut()
