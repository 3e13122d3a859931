"""What every `Log` does."""

from __future__ import annotations

import asyncio
import itertools
import os

import pytest

from ordermesh.admin.repartition import KeptLog
from ordermesh.runtime.ports import Fenced, Kind, Log, LogError, LogFull, LogState, LogUnavailable, PartitionId, Stored
from tests.contract.conftest import LOG_BYTES_MAX, PARTITION, PatientLog
from tests.waiting import eventually

ALL: tuple[Kind, ...] = ("commands", "messages", "decisions")


async def append(log: Log, kind: Kind, name: str) -> int:
    """Appends a small message of that name."""
    return await log.append(PARTITION, kind, name.encode(), frame_id=name, dedupe=kind != "decisions")


async def test_sequences_count_from_one_over_all_kinds(log: Log) -> None:
    assert [await append(log, kind, kind) for kind in ALL] == [1, 2, 3]


async def test_creating_a_log_again_keeps_what_is_there(log: Log) -> None:
    await append(log, "commands", "a")
    await log.create(PARTITION, LOG_BYTES_MAX)
    await log.create(PARTITION, 2 * LOG_BYTES_MAX)
    assert (await log.state(PARTITION)).last_sequence == 1


async def is_refused(log: Log, kind: Kind) -> None:
    """An append is not even tried again by who waits for elections."""
    append_once = super(PatientLog, log).append if isinstance(log, PatientLog) else log.append
    with pytest.raises(LogUnavailable):
        await append_once(PARTITION, kind, b"", frame_id=f"refused {kind}", dedupe=kind != "decisions")


async def test_a_log_takes_only_what_it_is_told_to_and_gives_all_that_it_has(log: KeptLog) -> None:
    for kind in ALL:
        await append(log, kind, kind)
    await log.restrict(PARTITION, ("messages", "decisions"))
    await is_refused(log, "commands")
    assert await append(log, "messages", "more messages") == 4
    with pytest.raises(LogError, match="a repartition was begun"):
        await log.create(PARTITION, LOG_BYTES_MAX)
    await log.restrict(PARTITION, ())
    for kind in ALL:
        await is_refused(log, kind)
    assert [stored.sequence for stored in await log.fetch(PARTITION, ("commands", "messages"), 0, 10)] == [1, 2, 4]
    read: list[int] = []
    reader = await log.read(PARTITION, ("commands", "messages"), 0, lambda stored: read.append(stored.sequence))
    await eventually(lambda: read == [1, 2, 4], "what is there is read")
    await reader.close()
    await log.restrict(PARTITION, ALL)
    assert await append(log, "commands", "commands again") == 5


async def test_logs_are_found_and_removed(log: KeptLog) -> None:
    other = PartitionId("orders", 1007)
    await log.create(other, LOG_BYTES_MAX)
    assert await log.existing("orders") == [PARTITION, other]
    assert await log.existing("stock") == []
    for _ in range(2):
        await log.remove(other)
    assert await log.existing("orders") == [PARTITION]


async def test_partitions_do_not_share_sequences(log: Log) -> None:
    other = PartitionId("stock", 7)
    await log.create(other, LOG_BYTES_MAX)
    await append(log, "commands", "a")
    assert await log.append(other, "commands", b"b", frame_id="a", dedupe=True) == 1
    assert [stored.data for stored in await log.fetch(other, ALL, 0, 10)] == [b"b"]


async def test_a_log_that_was_never_created_is_unavailable(log: Log) -> None:
    nowhere = PartitionId("orders", 99)
    with pytest.raises(LogUnavailable):
        await log.append(nowhere, "commands", b"", frame_id="a", dedupe=True)
    with pytest.raises(LogUnavailable):
        await log.fetch(nowhere, ALL, 0, 1)
    with pytest.raises(LogUnavailable):
        await log.last(nowhere, "commands")
    with pytest.raises(LogUnavailable):
        await log.state(nowhere)
    with pytest.raises(LogUnavailable):
        await log.trim(nowhere, 1)


async def test_a_frame_sent_again_is_not_appended_again(log: Log) -> None:
    first = await append(log, "commands", "a")
    await append(log, "commands", "b")
    assert await append(log, "commands", "a") == first
    assert (await log.state(PARTITION)).last_sequence == 2


async def test_without_dedupe_the_same_frame_id_is_appended_again(log: Log) -> None:
    first = await log.append(PARTITION, "decisions", b"d", frame_id="d", dedupe=False, expected=0)
    assert await log.append(PARTITION, "decisions", b"d", frame_id="d", dedupe=False, expected=first) == first + 1


async def test_an_append_that_expects_another_last_sequence_is_fenced_and_changes_nothing(log: Log) -> None:
    await append(log, "commands", "a")
    first = await log.append(PARTITION, "decisions", b"d", frame_id="d", dedupe=False, expected=0)
    await append(log, "commands", "b")
    for expected in (0, 1, first + 1, 99):
        with pytest.raises(Fenced):
            await log.append(PARTITION, "decisions", b"x", frame_id="x", dedupe=False, expected=expected)
    assert (await log.state(PARTITION)).last_sequence == 3
    assert await log.append(PARTITION, "decisions", b"e", frame_id="e", dedupe=False, expected=first) == 4


async def test_of_two_that_expect_the_same_last_sequence_one_is_fenced(log: Log) -> None:
    appends = [log.append(PARTITION, "decisions", b"d", frame_id=f"d{i}", dedupe=False, expected=0) for i in range(10)]
    results = await asyncio.gather(*appends, return_exceptions=True)
    assert [result for result in results if not isinstance(result, Fenced)] == [1]


async def test_a_full_log_says_so_and_keeps_what_it_has(log: Log) -> None:
    small = PartitionId("orders", 1)
    await log.create(small, 1024 * 1024)

    async def fill() -> None:
        for i in itertools.count():
            await log.append(small, "commands", bytes(100_000), frame_id=str(i), dedupe=True)

    with pytest.raises(LogFull):
        await fill()
    count = (await log.state(small)).last_sequence
    assert 5 < count < 11
    assert [stored.frame_id for stored in await log.fetch(small, ALL, 0, 100)] == [str(i) for i in range(count)]
    await log.trim(small, 5)
    assert await log.append(small, "commands", bytes(100_000), frame_id="again", dedupe=True) == count + 1


async def test_seven_megabytes_come_back_as_they_were(log: Log) -> None:
    data = os.urandom(7 * 1024 * 1024)
    await log.append(PARTITION, "commands", data, frame_id="big", dedupe=True)
    wanted = Stored(1, "commands", data, "big")
    assert await log.last(PARTITION, "commands") == wanted
    assert await log.fetch(PARTITION, ["commands"], 0, 1) == [wanted]


async def test_a_reader_gets_what_is_there_and_what_comes_in_order(log: Log) -> None:
    got: list[Stored] = []
    for i in range(50):
        await append(log, "commands", f"a{i}")
    reader = await log.read(PARTITION, ALL, 0, got.append)
    await asyncio.gather(*(append(log, "messages", f"b{i}") for i in range(50)))
    await eventually(lambda: len(got) >= 100, "100 messages")
    assert [stored.sequence for stored in got] == list(range(1, 101))
    assert got[0] == Stored(1, "commands", b"a0", "a0")
    assert {stored.kind for stored in got[50:]} == {"messages"}
    await reader.close()


async def test_a_reader_gets_only_its_kinds_after_its_position(log: Log) -> None:
    got: list[Stored] = []
    for kind in (*ALL, *ALL, *ALL):
        await append(log, kind, f"{kind}{(await log.state(PARTITION)).last_sequence}")
    reader = await log.read(PARTITION, ["commands", "decisions"], 3, got.append)
    await append(log, "commands", "end")
    await eventually(lambda: bool(got) and got[-1].frame_id == "end", "the last message")
    assert [stored.sequence for stored in got] == [4, 6, 7, 9, 10]
    await reader.close()


async def test_a_reader_of_headers_gets_frame_ids_without_data(log: Log) -> None:
    got: list[Stored] = []
    reader = await log.read(PARTITION, ["decisions"], 0, got.append, headers_only=True)
    await append(log, "commands", "c")
    await append(log, "decisions", "d")
    await eventually(lambda: bool(got), "a message")
    assert got == [Stored(2, "decisions", b"", "d")]
    await reader.close()


async def test_a_reader_from_before_the_head_begins_at_the_head(log: Log) -> None:
    got: list[Stored] = []
    for i in range(10):
        await append(log, "commands", f"a{i}")
    await log.trim(PARTITION, 4)
    reader = await log.read(PARTITION, ["commands"], 0, got.append)
    await eventually(lambda: len(got) == 6, "six messages")
    assert got[0].sequence == 5
    await reader.close()


async def test_a_closed_reader_delivers_nothing_more(log: Log) -> None:
    got: list[Stored] = []
    other: list[Stored] = []
    reader = await log.read(PARTITION, ALL, 0, got.append)
    await append(log, "commands", "a")
    await eventually(lambda: len(got) == 1, "the first message")
    await reader.close()
    await reader.close()
    second = await log.read(PARTITION, ALL, 0, other.append)
    await append(log, "commands", "b")
    await eventually(lambda: len(other) == 2, "both messages at the other reader")
    assert len(got) == 1
    await second.close()


async def test_pages_follow_each_other_to_the_end(log: Log) -> None:
    for i in range(25):
        await append(log, ("commands", "decisions")[i % 2 == 0], f"a{i}")
    got: list[Stored] = []
    while page := await log.fetch(PARTITION, ["decisions"], got[-1].sequence if got else 0, 5):
        assert len(page) <= 5
        got += page
    assert [stored.sequence for stored in got] == list(range(1, 26, 2))
    assert [stored.sequence for stored in await log.fetch(PARTITION, ALL, 20, 100)] == [21, 22, 23, 24, 25]


async def test_a_page_has_every_append_acknowledged_before_it_was_asked_for(log: Log) -> None:
    for i in range(1, 51):
        await append(log, "commands", f"a{i}")
        assert [stored.sequence for stored in await log.fetch(PARTITION, ["commands"], i - 1, 10)] == [i]
    assert await log.fetch(PARTITION, ["messages"], 0, 10) == []
    assert await log.fetch(PARTITION, ["commands"], 50, 10) == []
    assert await log.fetch(PARTITION, ["commands"], 99, 10) == []


async def test_the_last_of_a_kind_is_the_newest_that_is_not_trimmed(log: Log) -> None:
    assert await log.last(PARTITION, "decisions") is None
    await append(log, "decisions", "d1")
    await append(log, "decisions", "d2")
    await append(log, "commands", "c")
    assert await log.last(PARTITION, "decisions") == Stored(2, "decisions", b"d2", "d2")
    await log.trim(PARTITION, 2)
    assert await log.last(PARTITION, "decisions") is None
    assert await log.last(PARTITION, "commands") == Stored(3, "commands", b"c", "c")
    with pytest.raises(Fenced):
        await log.append(PARTITION, "decisions", b"d3", frame_id="d3", dedupe=False, expected=2)
    assert await log.append(PARTITION, "decisions", b"d3", frame_id="d3", dedupe=False, expected=0) == 4


async def test_the_state_tells_the_extent_of_the_log(log: Log) -> None:
    assert await log.state(PARTITION) == LogState(1, 0, 0, LOG_BYTES_MAX)
    for i in range(5):
        await append(log, "commands", f"a{i}")
    state = await log.state(PARTITION)
    assert (state.first_sequence, state.last_sequence) == (1, 5)
    assert state.bytes_used > 10


async def test_trimming_frees_room_and_never_moves_the_end(log: Log) -> None:
    for i in range(5):
        await append(log, "commands", f"a{i}")
    before = await log.state(PARTITION)
    await log.trim(PARTITION, 3)
    state = await log.state(PARTITION)
    assert (state.first_sequence, state.last_sequence) == (4, 5)
    assert state.bytes_used < before.bytes_used
    await log.trim(PARTITION, 2)
    await log.trim(PARTITION, 0)
    assert (await log.state(PARTITION)).first_sequence == 4
    await log.trim(PARTITION, 99)
    assert await log.state(PARTITION) == LogState(6, 5, 0, LOG_BYTES_MAX)
    assert await append(log, "commands", "b") == 6
