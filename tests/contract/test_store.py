"""What every `Store` does."""

from __future__ import annotations

import asyncio
import random

import pytest

from ordermesh.core.decider import Key, Row
from ordermesh.runtime.ports import PartitionId, Store, StoredAggregate, Written
from tests.contract.conftest import THINGS, THINGS_BY_ID, THINGS_BY_OWNER, THINGS_BY_PART

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


async def test_a_table_may_be_partitioned_by_the_sub_key(store: Store) -> None:
    names = [("b", "x"), ("a", "x"), ("a", "y")]
    await store.write([Row("things_by_part", ("default", *name, 1, 7, 1, 0, b"state"), 1) for name in names])
    page = await store.query(THINGS_BY_PART, ("default", "x"), count_max=5)
    assert [row["key"] for row in page.rows] == ["a", "b"]
    keys = [key(*name) for name in names]
    assert set(await store.load(THINGS_BY_PART, [*keys, key("b", "y"), key("x", "b")])) == set(keys)


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


async def test_a_token_of_another_table_is_an_error_of_the_caller(store: Store) -> None:
    await store.write([owned("anna", 1, f"t{i}") for i in range(3)])
    page = await store.query(THINGS_BY_OWNER, ("default", "anna"), count_max=1)
    with pytest.raises(ValueError, match="page token"):
        await store.query(THINGS, ("default", "a"), after=page.next_token, count_max=1)
    with pytest.raises(ValueError, match="page token"):
        await store.scan(THINGS_BY_OWNER, after=page.next_token, count_max=1)
    scanned = await store.scan(THINGS_BY_OWNER, count_max=1)
    with pytest.raises(ValueError, match="page token"):
        await store.query(THINGS_BY_OWNER, ("default", "anna"), after=scanned.next_token, count_max=1)


async def test_a_token_of_other_types_is_an_error_of_the_caller(store: Store) -> None:
    with pytest.raises(ValueError, match="page token"):
        await store.query(THINGS_BY_OWNER, ("default", "anna"), after=b'["twelve", "t1"]', count_max=4)


async def test_of_rows_with_one_key_in_one_write_the_newest_wins(store: Store) -> None:
    await store.write([thing("a", version, version) for version in (3, 7, 1, 5)])
    assert (await store.load(THINGS, [key("a")]))[key("a")].version == 7


async def test_empty_values_are_values(store: Store) -> None:
    row = Row("things", ("", "a", "", 0, 0, 0, 0, b"", ""), 5)
    await store.write([row])
    page = await store.query(THINGS, ("", "a"), count_max=1)
    assert tuple(page.rows[0].values()) == row.values
    assert await store.load(THINGS, [Key("thing", "", "a")]) == {
        Key("thing", "", "a"): StoredAggregate(0, 0, 0, 0, 5, b"")
    }


async def test_a_large_row_is_written_beside_small_ones(store: Store) -> None:
    large = Row("things", ("default", "large", "", 1, 7, 10, 2, b"x" * 600_000, "red"), 1)
    assert await store.write([*(thing(f"k{i}", 1, 1) for i in range(60)), large]) is Written.QUORUM
    found = await store.load(THINGS, [key("large"), key("k0"), key("k59")])
    assert {one.key: len(row.state) for one, row in found.items()} == {"large": 600_000, "k0": 7, "k59": 7}


async def test_a_table_without_sub_keys_has_its_rows_by_their_own_names(store: Store) -> None:
    values = [("default", f"k{i}", "", i, 7, 8, 9, b"state", "blue") for i in range(3)]
    await store.write([Row("things_by_id", row, 100 + row[3]) for row in values])
    wanted = [Key("thing", "default", f"k{i}") for i in (0, 2, 5)]
    found = await store.load(THINGS_BY_ID, [*wanted, Key("thing", "default", "k1", "x")])
    assert {one.key: (row.version, row.write_time) for one, row in found.items()} == {"k0": (0, 100), "k2": (2, 102)}
    page = await store.query(THINGS_BY_ID, ("default", "k1"), count_max=5)
    assert [tuple(row.values()) for row in page.rows] == [values[1]]
    assert page.next_token == b""
    rows = (await store.scan(THINGS_BY_ID, count_max=5)).rows
    assert sorted(tuple(row.values()) for row in rows) == values


async def test_of_many_partitions_with_keys_of_their_own_only_what_is_asked_for_is_found(store: Store) -> None:
    rows = {(f"p{i}", f"k{j}"): i * 100 + j for i in range(40) for j in range(30) if (i + j) % 3}
    await store.write(
        [Row("things_by_part", ("default", k, part, version, 1, 1, 1, b"s"), 1) for (part, k), version in rows.items()]
    )
    wanted = [(f"p{i}", f"k{(7 * i + j) % 30}") for i in range(40) for j in range(4)]
    found = await store.load(THINGS_BY_PART, [Key("thing", "default", k, part) for part, k in wanted])
    assert {(one.sub_key, one.key): row.version for one, row in found.items()} == {
        pair: rows[pair] for pair in wanted if pair in rows
    }


async def test_a_scan_goes_on_within_a_partition(store: Store) -> None:
    rows = [owned(owner, month, f"t{i}") for owner in ("anna", "bert", "cora") for month in (1, 2) for i in range(7)]
    await store.write(rows)
    got: list[tuple[object, ...]] = []
    token = b""
    while True:
        page = await store.scan(THINGS_BY_OWNER, after=token, count_max=4)
        assert len(page.rows) <= 4
        got += [tuple(row.values()) for row in page.rows]
        token = page.next_token
        if not token:
            break
    assert sorted(map(repr, got)) == sorted(repr(row.values) for row in rows)


async def test_the_newest_checkpoint_of_each_partition_counts(store: Store) -> None:
    assert await store.load_checkpoint(HERE) is None
    await store.save_checkpoint(HERE, b"two", 2)
    await store.save_checkpoint(HERE, b"one", 1)
    await store.save_checkpoint(PartitionId("stock", 3), b"other", 9)
    assert await store.load_checkpoint(HERE) == b"two"
    await store.save_checkpoint(HERE, b"three", 3)
    assert await store.load_checkpoint(HERE) == b"three"


async def test_a_checkpoint_of_megabytes_is_kept_whole(store: Store) -> None:
    first, second = (bytes([number]) * (1_300_000 + number) for number in (1, 2))
    await store.save_checkpoint(HERE, first, 1)
    assert await store.load_checkpoint(HERE) == first
    await store.save_checkpoint(HERE, second, 5)
    await store.save_checkpoint(HERE, first, 3)
    assert await store.load_checkpoint(HERE) == second
    await store.save_checkpoint(HERE, b"small", 9)
    assert await store.load_checkpoint(HERE) == b"small"


async def test_the_first_deployment_counts(store: Store) -> None:
    assert await store.load_deployment() is None
    assert await store.create_deployment(b"first") == b"first"
    assert await store.create_deployment(b"second") == b"first"
    assert await store.load_deployment() == b"first"


async def test_a_deployment_is_replaced_only_by_who_knows_it(store: Store) -> None:
    await store.create_deployment(b"first")
    assert await store.replace_deployment(b"another", b"second") == b"first"
    assert await store.replace_deployment(b"first", b"first") == b"first"
    assert await store.replace_deployment(b"first", b"second") == b"second"
    assert await store.replace_deployment(b"first", b"third") == b"second"
    assert await store.load_deployment() == b"second"
    assert await store.create_deployment(b"fourth") == b"second"


async def test_closing_twice_is_fine(store: Store) -> None:
    await store.close()
    await store.close()
