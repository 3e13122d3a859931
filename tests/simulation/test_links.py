"""The ways to the servers: what a fault leaves behind is what it would leave in the real thing."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

import pytest

from oms.log.v1 import log_pb2
from ordermesh.core.decider import AGGREGATE_COLUMNS, Key, Row, Table
from ordermesh.runtime.options import SCHEMA_VERSION
from ordermesh.runtime.ports import Fenced, LogUnavailable, OutcomeUnknown, PartitionId, StoreUnavailable, Written
from ordermesh.testing.simulation.chance import Chance
from ordermesh.testing.simulation.links import BusLink, LogLink, StoreLink
from ordermesh.testing.simulation.loop import Process, VirtualLoop
from ordermesh.testing.simulation.servers import Servers

T = TypeVar("T")
PARTITION = PartitionId("things", 0)
THINGS = Table(name="things", columns=AGGREGATE_COLUMNS, partition=("tenant", "key"), clustering=("sub_key",))
KEY = Key("thing", "t", "a")


class _Watcher:
    """Sees nothing."""

    def __getattr__(self, _name: str) -> Callable[..., None]:
        return lambda *_arguments: None


def _servers(rates: dict[str, float]) -> Servers:
    loop = VirtualLoop()
    servers = Servers(loop, Chance(1, rates), [THINGS], 0.001)
    servers.watcher = _Watcher()
    servers.crash = lambda process: process.kill()
    servers.note = lambda *_what: None
    servers.report = lambda _invariant, text: pytest.fail(text)
    loop.run_until_complete(servers.log.create(PARTITION, 1_000_000))
    return servers


def _run(servers: Servers, work: Awaitable[T]) -> T:
    async def wait() -> T:
        return await work

    return servers.loop.run_until_complete(wait())


def _row(version: int) -> Row:
    return Row("things", ("t", "a", "", version, 1, version, 0, b"state"), version)


def test_a_lost_append_is_not_done_and_an_unknown_one_is() -> None:
    for kind, count in (("append_lost", 0), ("append_unknown", 1)):
        servers = _servers({kind: 1.0})
        log = LogLink(servers, Process("a", servers.loop))
        with pytest.raises(OutcomeUnknown):
            _run(servers, log.append(PARTITION, "commands", b"x", frame_id="1", dedupe=True))
        _run(servers, asyncio.sleep(5.0))
        assert servers.log.stream(PARTITION).last_sequence == count
        servers.loop.end()


def test_a_late_append_is_done_after_its_caller_gave_up() -> None:
    servers = _servers({"append_late": 1.0})
    log = LogLink(servers, Process("a", servers.loop))
    with pytest.raises(OutcomeUnknown):
        _run(servers, log.append(PARTITION, "commands", b"x", frame_id="1", dedupe=True))
    _run(servers, asyncio.sleep(60.0))
    assert servers.log.stream(PARTITION).last_sequence == 1
    servers.loop.end()


def test_decisions_that_a_deposed_leader_refuses_are_appended_by_the_new_one() -> None:
    servers = _servers({"append_by_two": 1.0})
    log = LogLink(servers, Process("a", servers.loop))
    with pytest.raises((Fenced, LogUnavailable)):
        _run(servers, log.append(PARTITION, "decisions", b"x", frame_id="1", dedupe=False, expected=0))
    _run(servers, asyncio.sleep(5.0))
    assert servers.log.stream(PARTITION).last_sequence == 1
    _run(servers, log.append(PARTITION, "commands", b"x", frame_id="2", dedupe=True))
    servers.loop.end()


def test_a_log_without_a_leader_takes_nothing_and_shows_what_it_has() -> None:
    servers = _servers({})
    log = LogLink(servers, Process("a", servers.loop))
    _run(servers, log.append(PARTITION, "commands", b"x", frame_id="1", dedupe=True))
    servers.leaderless.add(PARTITION)
    for number in range(20):
        with pytest.raises((OutcomeUnknown, LogUnavailable)):
            _run(servers, log.append(PARTITION, "commands", b"y", frame_id=f"y{number}", dedupe=True))
    with pytest.raises(LogUnavailable):
        _run(servers, log.last(PARTITION, "commands"))
    assert [stored.data for stored in _run(servers, log.fetch(PARTITION, ("commands",), 0, 9))] == [b"x"]
    servers.leaderless.clear()
    assert _run(servers, log.append(PARTITION, "commands", b"z", frame_id="z", dedupe=True)) == 2
    servers.loop.end()


def test_what_a_newer_build_writes_looks_newer_to_an_older_build_and_to_no_other() -> None:
    servers = _servers({})
    older, newer = Process("older", servers.loop), Process("newer", servers.loop)
    newer.schema = servers.schema_newest = 2
    frame = log_pb2.DecisionFrame(schema=SCHEMA_VERSION, number=1).SerializeToString()
    _run(servers, LogLink(servers, newer).append(PARTITION, "decisions", frame, frame_id="1", dedupe=False))
    for process, seen in ((older, SCHEMA_VERSION + 1), (newer, SCHEMA_VERSION)):
        last = _run(servers, LogLink(servers, process).last(PARTITION, "decisions"))
        assert last is not None
        assert log_pb2.DecisionFrame.FromString(last.data).schema == seen
    servers.loop.end()


def test_a_late_write_does_not_undo_a_newer_one() -> None:
    servers = _servers({"store_late": 1.0})
    store = StoreLink(servers, Process("a", servers.loop))
    with pytest.raises(StoreUnavailable):
        _run(servers, store.write([_row(1)]))
    servers.chance.healed = True
    assert _run(servers, store.write([_row(2)])) is Written.QUORUM
    _run(servers, asyncio.sleep(60.0))
    assert _run(servers, store.load(THINGS, [KEY]))[KEY].version == 2
    servers.loop.end()


def test_a_weak_row_is_seen_by_some_loads_and_may_be_lost() -> None:
    servers = _servers({"store_weak": 1.0})
    store = StoreLink(servers, Process("a", servers.loop))
    assert _run(servers, store.write([_row(1)])) is Written.WEAK
    seen = [bool(_run(servers, store.load(THINGS, [KEY]))) for _ in range(50)]
    assert set(seen) == {False, True}
    for _ in range(50):
        servers.lose_weak()
    assert not servers.weak_rows
    servers.loop.end()


def test_a_killed_process_publishes_nothing() -> None:
    servers = _servers({})
    speaker, listener = Process("a", servers.loop), Process("b", servers.loop)
    heard: list[bytes] = []
    _run(servers, BusLink(servers, listener).subscribe("news", heard.append))
    bus = BusLink(servers, speaker)
    bus.publish("news", b"1")
    speaker.kill()
    bus.publish("news", b"2")
    _run(servers, asyncio.sleep(1.0))
    assert heard == [b"1"]
    servers.loop.end()
