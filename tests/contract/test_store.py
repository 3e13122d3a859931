"""What every `Store` does."""

from __future__ import annotations

import asyncio
import random

import pytest

from ordermesh.core.decider import Key, Row
from ordermesh.runtime.ports import PartitionId, Store, StoredAggregate, Written
from tests.contract.conftest import THINGS, THINGS_BY_OWNER

HERE = PartitionId("orders", 3)


def thing(name: str, version: int, write_time: int, *, sub_key: str = "", colour: str = "red") -> Row:
    """A row of an aggregate's own table."""
    state = f"state {version}".encode()
    return Row("things", ("default", name, sub_key, version, 7, 10 * version, 2, state, colour), write_time)


def owned(owner: str, month: int, thing_id: str, part: int = 0, *, write_time: int = 1) -> Row:
    """A row of a query table."""
    return Row("things_by_owner", ("default", owner, month, thing_id, part), write_time)


def key(name: str, sub_key: str = "") -> Key:
    """The key of a thing."""
    return Key("thing", "default", name, sub_key)


async def test_what_is_written_is_loaded_and_the_rest_is_absent(store: Store) -> None:
    assert (
        await store.write([thing("a", 1, 100), thing("b", 2, 200), thing("b", 3, 300, sub_key="x")]) is Written.QUORUM
    )
    found = await store.load(THINGS, [key("a"), key("b"), key("b", "x"), key("c"), Key("thing", "other", "a")])
    assert found == {
        key("a"): StoredAggregate(1, 7, 10, 2, 100, b"state 1"),
        key("b"): StoredAggregate(2, 7, 20, 2, 200, b"state 2"),
        key("b", "x"): StoredAggregate(3, 7, 30, 2, 300, b"state 3"),
    }
    assert await store.load_weakly(THINGS, [key("a")]) == {key("a"): found[key("a")]}


async def test_writing_and_loading_nothing_is_fine(store: Store) -> None:
    assert await store.write([]) is Written.QUORUM
    assert await store.load(THINGS, []) == {}


async def test_the_newest_row_wins_in_whatever_order_they_arrive(store: Store) -> None:
    rows = [thing("a", version, version) for version in range(1, 40)]
    random.Random(1).shuffle(rows)
    await store.write(rows[:20])
    await asyncio.gather(*(store.write([row]) for row in rows[20:]))
    assert (await store.load(THINGS, [key("a")]))[key("a")].version == 39


async def test_a_row_written_again_changes_nothing(store: Store) -> None:
    await store.write([thing("a", 1, 5), thing("a", 1, 5)])
    await store.write([thing("a", 1, 5)])
    assert (await store.load(THINGS, [key("a")]))[key("a")] == StoredAggregate(1, 7, 10, 2, 5, b"state 1")


async def test_five_thousand_rows_are_all_there(store: Store) -> None:
    await store.write([thing(f"k{i}", 1, 1) for i in range(5000)])
    keys = [key(f"k{i}") for i in range(0, 5000, 7)]
    assert set(await store.load(THINGS, keys)) == set(keys)


async def test_a_query_gives_one_partition_newest_first_a_page_at_a_time(store: Store) -> None:
    wanted = [(month, f"t{i}") for month in (12, 11, 9) for i in reversed(range(5))]
    rows = [owned("anna", month, name) for month, name in wanted]
    random.Random(2).shuffle(rows)
    await store.write([*rows, owned("bert", 12, "t9")])
    got: list[tuple[object, object]] = []
    token = b""
    while True:
        page = await store.query(THINGS_BY_OWNER, ("default", "anna"), after=token, count_max=4)
        assert len(page.rows) <= 4
        got += [(row["month"], row["thing_id"]) for row in page.rows]
        token = page.next_token
        if not token:
            break
    assert got == wanted


async def test_a_page_that_ends_with_the_rows_has_no_next(store: Store) -> None:
    await store.write([owned("anna", 1, f"t{i}") for i in range(4)])
    page = await store.query(THINGS_BY_OWNER, ("default", "anna"), count_max=4)
    assert (len(page.rows), page.next_token) == (4, b"")
    assert await store.query(THINGS_BY_OWNER, ("default", "nobody"), count_max=4) == ([], b"")


async def test_a_query_in_the_order_of_the_key_names_every_column(store: Store) -> None:
    await store.write([thing("a", 1, 1, sub_key=name, colour=f"colour {name}") for name in ("z", "m", "b")])
    page = await store.query(THINGS, ("default", "a"), count_max=2)
    assert [row["sub_key"] for row in page.rows] == ["b", "m"]
    assert page.rows[0]["colour"] == "colour b"
    assert page.rows[0]["state"] == b"state 1"
    rest = await store.query(THINGS, ("default", "a"), after=page.next_token, count_max=2, quorum=False)
    assert [row["sub_key"] for row in rest.rows] == ["z"]


async def test_a_scan_gives_every_row_once(store: Store) -> None:
    names = [f"k{i:03}" for i in range(57)]
    await store.write([thing(name, 1, 1) for name in names])
    got: list[object] = []
    token = b""
    while True:
        page = await store.scan(THINGS, after=token, count_max=10)
        got += [row["key"] for row in page.rows]
        token = page.next_token
        if not token:
            break
    assert sorted(map(str, got)) == names


async def test_a_token_that_is_none_is_an_error_of_the_caller(store: Store) -> None:
    with pytest.raises(ValueError, match=r"."):
        await store.query(THINGS_BY_OWNER, ("default", "anna"), after=b"\xff{", count_max=4)


async def test_the_newest_checkpoint_of_each_partition_counts(store: Store) -> None:
    assert await store.load_checkpoint(HERE) is None
    await store.save_checkpoint(HERE, b"two", 2)
    await store.save_checkpoint(HERE, b"one", 1)
    await store.save_checkpoint(PartitionId("stock", 3), b"other", 9)
    assert await store.load_checkpoint(HERE) == b"two"
    await store.save_checkpoint(HERE, b"three", 3)
    assert await store.load_checkpoint(HERE) == b"three"


async def test_the_first_deployment_counts(store: Store) -> None:
    assert await store.load_deployment() is None
    assert await store.create_deployment(b"first") == b"first"
    assert await store.create_deployment(b"second") == b"first"
    assert await store.load_deployment() == b"first"


async def test_closing_twice_is_fine(store: Store) -> None:
    await store.close()
    await store.close()
