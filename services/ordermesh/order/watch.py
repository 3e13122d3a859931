"""WatchOrder: one update for each version, consecutive, resumable by the last version that was seen."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from typing import NamedTuple

from oms.common.v1 import consistency_pb2
from oms.order.v1 import order_service_pb2, order_state_pb2
from ordermesh.core.decider import Key, Stamp
from ordermesh.runtime.backend import Backend
from ordermesh.runtime.calls import ANSWER_TIMEOUT_MAX_S
from ordermesh.runtime.ports import LogError
from ordermesh.runtime.problems import Problem, Violation, invalid
from ordermesh.runtime.reads import Readable, Wanted
from ordermesh.runtime.tail import Feed, Happened

_LINEARIZABLE = Wanted(consistency_pb2.READ_CONSISTENCY_LINEARIZABLE, 0, ANSWER_TIMEOUT_MAX_S)


class Watched(NamedTuple):
    """An order that is watched, and what is said when there is none."""

    backend: Backend
    readable: Readable
    key: Key
    missing: Callable[[str], Problem]


async def watch(watched: Watched, after_version: int) -> AsyncIterator[order_service_pb2.OrderUpdate]:
    """The updates, until the caller ends the call. Raises Problem when there is no such order or version, when the log
    cannot be read, and when the process stops: then the caller resumes with the last version that it has."""
    backend = watched.backend
    partition = backend.gate.partition_of(watched.readable.service, watched.key.tenant, watched.key.key)
    try:
        async with backend.tails.follow(partition, watched.key) as feed:
            state = await _state(watched)
            if after_version > state.order.version:
                raise invalid([Violation("after_version", f"is ahead of the order, which is at {state.order.version}")])
            for update in _updates(state, after_version):
                yield update
            while True:
                seen = state.order.version
                state = await _next_state(watched, state, feed)
                for update in _updates(state, seen):
                    yield update
    except LogError as error:
        raise Problem("LOG_UNAVAILABLE", "The order's log cannot be read; resume with the last version.") from error


async def _state(watched: Watched) -> order_state_pb2.StoredOrder:
    """The order after everything that is in the log."""
    found = await watched.backend.reads.read(watched.readable, watched.key, _LINEARIZABLE)
    if found is None:
        raise watched.missing(watched.key.key)
    state: order_state_pb2.StoredOrder = found.state
    state.order.ClearField("payment_token")
    return state


async def _next_state(watched: Watched, state: order_state_pb2.StoredOrder, feed: Feed) -> order_state_pb2.StoredOrder:
    """The order once something more happened to it."""
    happened = await _take(watched.backend.stopping, feed)
    if happened is None:
        return await _state(watched)
    for one in happened:
        if one.event.version > state.order.version + 1:
            return await _state(watched)
        if one.event.version == state.order.version + 1:
            _evolve(watched, state, one)
    return state


async def _take(stopping: asyncio.Event, feed: Feed) -> list[Happened] | None:
    """What the feed has next; raises Problem when the process stops first."""
    taking = asyncio.ensure_future(feed.take())
    ending = asyncio.ensure_future(stopping.wait())
    try:
        await asyncio.wait((taking, ending), return_when=asyncio.FIRST_COMPLETED)
        if taking.done():
            return taking.result()
        message = "The server is about to stop; resume elsewhere with the last version."
        raise Problem("SHUTTING_DOWN", message, retry_after_s=0.1)
    finally:
        taking.cancel()
        ending.cancel()


def _evolve(watched: Watched, state: order_state_pb2.StoredOrder, happened: Happened) -> None:
    event = happened.event
    payload = watched.backend.registry.events[event.type].FromString(event.payload)
    watched.readable.aggregate.evolve(state, payload, Stamp(event.version, happened.clock_us))


def _updates(state: order_state_pb2.StoredOrder, after_version: int) -> Iterator[order_service_pb2.OrderUpdate]:
    """One update for each entry of the timeline after that version, each with the newest state."""
    if state.order.version <= after_version:
        return
    for entry in state.order.timeline:
        if entry.version > after_version:
            yield order_service_pb2.OrderUpdate(
                version=entry.version, event=entry.event, time=entry.time, order=state.order
            )
