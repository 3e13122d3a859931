"""The parts of the Cassandra store that need no Cassandra: CQL, encoding, pace, lost quorums, settings."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from cassandra.query import SimpleStatement

from ordermesh import bootstrap
from ordermesh.adapters.cassandra_encoding import RowEncoder, routing_key
from ordermesh.adapters.cassandra_options import CassandraOptions, Misfit, TooFewNodes
from ordermesh.adapters.cassandra_pace import (
    SPECULATE_AFTER_MIN_S,
    SPECULATE_AFTER_TIMES,
    SUSPECT_S,
    Pace,
)
from ordermesh.adapters.cassandra_quorum import TIMEOUTS_MAX, Quorum
from ordermesh.adapters.cassandra_schema import Schema
from ordermesh.adapters.cassandra_tables import TableCql
from ordermesh.adapters.cassandra_window import SLOW_S, WINDOW_MIN, WINDOW_START, Window
from ordermesh.adapters.stores import cassandra_options
from ordermesh.core.decider import AGGREGATE_COLUMNS, Row, Table
from ordermesh.inventory.rows import RESERVATIONS
from ordermesh.order.rows import ORDERS, ORDERS_BY_CUSTOMER
from ordermesh.runtime.ports import StoreUnavailable
from ordermesh.runtime.settings import OutOfReach, Settings, SettingsError, load_settings
from ordermesh.runtime.settings_cassandra import addresses, replicas
from tests.waiting import eventually

ORDER = ("default", "an-id", "", 3, 1, 2, 0, b"state", "ada", "PLACED", "NONE", "UNALLOCATED", "9.98 GBP")


def test_an_order_is_found_by_tenant_and_order_id_and_has_no_sub_key() -> None:
    created = TableCql(ORDERS).create("shop")
    assert 'PRIMARY KEY (("tenant", "order_id"))' in created
    assert "sub_key" not in created
    assert '"key"' not in created


def test_a_reservation_is_found_by_its_order_and_within_it_by_sku() -> None:
    cql = TableCql(RESERVATIONS)
    assert 'PRIMARY KEY (("tenant", "order_id"), "sku")' in cql.create("shop")
    assert cql.statements("shop")["load"].endswith('WHERE "tenant" = ? AND "order_id" IN ? AND "sku" IN ?')


def test_a_list_that_begins_with_the_newest_is_kept_that_way_and_read_on_downwards() -> None:
    cql = TableCql(ORDERS_BY_CUSTOMER)
    assert 'CLUSTERING ORDER BY ("order_id" DESC)' in cql.create("shop")
    assert '("order_id") < (?)' in cql.statements("shop")["query_after"]


@pytest.mark.parametrize(
    "table",
    [
        Table(name="t", columns=(("a", "text"),), partition=("a",), names=(("a", ""),)),
        Table(name="t", columns=AGGREGATE_COLUMNS, partition=("tenant",), clustering=("key", "sub_key")),
    ],
)
def test_a_table_that_cassandra_cannot_have_is_an_error(table: Table) -> None:
    with pytest.raises(ValueError, match="t"):
        TableCql(table)


def test_a_row_is_encoded_by_its_columns_with_its_write_time_last() -> None:
    encoded = RowEncoder(TableCql(ORDERS)).encode(Row("orders", ORDER, 77))
    assert encoded.values[:3] == [b"default", b"an-id", (3).to_bytes(8, "big")]
    assert encoded.values[6] == b"state"
    assert encoded.values[-1] == (77).to_bytes(8, "big")
    assert len(encoded.values) == len(ORDER) - 1 + 1


def test_what_has_no_column_must_be_empty() -> None:
    row = Row("orders", (*ORDER[:2], "x", *ORDER[3:]), 77)
    with pytest.raises(ValueError, match="no column"):
        RowEncoder(TableCql(ORDERS)).encode(row)


@pytest.mark.parametrize("parts", [[b"one"], [b"default", b"an-id"], [b"", b"x" * 300, b""]])
def test_the_routing_key_is_the_drivers(parts: list[bytes]) -> None:
    statement = SimpleStatement("SELECT")
    statement.routing_key = parts
    assert routing_key(parts) == statement.routing_key


def test_another_node_is_asked_after_several_times_the_usual_time() -> None:
    pace = Pace()
    assert pace.speculate_after_s == SPECULATE_AFTER_MIN_S
    for _ in range(200):
        pace.answered(0.05)
    assert pace.speculate_after_s == pytest.approx(SPECULATE_AFTER_TIMES * 0.05, rel=0.2)
    for _ in range(200):
        pace.answered(2.0)
    assert pace.speculate_after_s > 5.0, "a cluster that is slow is not asked twice"


def test_one_node_of_three_that_hangs_does_not_change_what_is_usual() -> None:
    pace = Pace()
    for number in range(600):
        pace.answered(0.15 if number % 3 == 0 else 0.01)
    assert pace.speculate_after_s == SPECULATE_AFTER_MIN_S


def test_a_node_that_was_overtaken_is_suspected_for_a_while() -> None:
    pace, now = Pace(), [100.0]
    pace.now = lambda: now[0]
    pace.overtaken("a")
    assert (pace.is_suspected("a"), pace.is_suspected("b")) == (True, False)
    now[0] += SUSPECT_S
    assert not pace.is_suspected("a")


async def test_the_window_closes_when_answers_take_long_and_opens_again() -> None:
    window = Window(64)
    assert window.limit == WINDOW_START
    long_ago = asyncio.get_running_loop().time() - 2 * SLOW_S
    await window.enter()
    await window.enter()
    window.leave(long_ago, is_late=False)
    narrowed = window.limit
    assert narrowed < WINDOW_START
    window.leave(long_ago, is_late=True)
    assert window.limit == narrowed, "what was under way then says the same once more"
    for _ in range(10):
        window.leave(await window.enter(), is_late=True)
    assert window.limit == WINDOW_MIN
    for _ in range(40):
        entered_at = [await window.enter() for _ in range(int(window.limit))]
        for each in entered_at:
            window.leave(each, is_late=False)
    assert window.limit > WINDOW_START


async def test_a_window_lets_in_as_many_as_it_has_places_in_the_order_of_asking() -> None:
    window = Window(2)
    entered: list[int] = []

    async def enter(number: int) -> None:
        await window.enter()
        entered.append(number)

    tasks = [asyncio.create_task(enter(number)) for number in range(5)]
    await asyncio.sleep(0)
    assert (entered, window.in_flight) == ([0, 1], 2)
    tasks[2].cancel()
    await asyncio.sleep(0)
    window.leave(asyncio.get_running_loop().time(), is_late=False)
    await eventually(lambda: entered == [0, 1, 3], "the next one is let in, and not who gave up")
    window.leave(asyncio.get_running_loop().time(), is_late=False)
    tasks[4].cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    window.leave(asyncio.get_running_loop().time(), is_late=False)
    assert window.in_flight == 0, "who gives up just when a place is free gives it on"


async def test_who_gives_up_in_the_moment_in_which_places_are_given_is_only_told_that() -> None:
    window = Window(1)
    await window.enter()
    waiting = [asyncio.create_task(window.enter()) for _ in range(3)]
    await asyncio.sleep(0)
    waiting[0].cancel()
    waiting[1].cancel()
    window.leave(asyncio.get_running_loop().time(), is_late=False)
    first, second, third = await asyncio.gather(*waiting, return_exceptions=True)
    assert isinstance(first, asyncio.CancelledError)
    assert isinstance(second, asyncio.CancelledError)
    assert isinstance(third, float)
    assert window.in_flight == 1


async def refuse() -> None:
    """A request that no quorum answers."""
    raise StoreUnavailable("too few replicas")


async def test_a_quorum_is_lost_at_once_where_a_server_says_so_and_only_of_those_replicas() -> None:
    quorum = Quorum("writes")
    quorum.failed("abc", "one of two", is_certain=True)
    assert (quorum.is_lost("abc"), quorum.is_lost("bcd")) == (True, False)
    assert (quorum.lost_sets, quorum.losses) == (1, 1)


async def test_a_time_out_alone_loses_no_quorum_but_several_in_a_row_do() -> None:
    quorum = Quorum("writes")
    for _ in range(TIMEOUTS_MAX - 1):
        quorum.failed("abc", "late", is_certain=False)
    quorum.answered("abc")
    for _ in range(TIMEOUTS_MAX - 1):
        quorum.failed("abc", "late", is_certain=False)
    assert not quorum.is_lost("abc")
    quorum.failed("abc", "late", is_certain=False)
    assert quorum.is_lost("abc")


async def test_a_lost_quorum_is_found_again_by_what_is_tried_beside() -> None:
    quorum = Quorum("reads")
    tried: list[str] = []

    async def answered() -> None:
        tried.append("answered")

    quorum.failed("abc", "gone", is_certain=True)
    quorum.try_beside("abc", refuse)
    quorum.try_beside("abc", answered)
    await asyncio.sleep(0)
    assert quorum.is_lost("abc"), "one is tried at a time"

    def is_found() -> bool:
        quorum.try_beside("abc", answered)
        return not quorum.is_lost("abc")

    await eventually(is_found, "the quorum is found again")
    assert tried == ["answered"]


async def test_the_longer_a_quorum_is_lost_the_less_often_it_is_tried() -> None:
    quorum = Quorum("reads")
    tries = 0

    async def count() -> None:
        nonlocal tries
        tries += 1
        await refuse()

    quorum.failed("abc", "gone", is_certain=True)
    ends_at = asyncio.get_running_loop().time() + 1.0
    while asyncio.get_running_loop().time() < ends_at:
        quorum.try_beside("abc", count)
        await asyncio.sleep(0.005)
    assert 2 <= tries <= 5
    await quorum.close()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("127.0.0.1", (("127.0.0.1", 9042),)),
        ("a:1, b", (("a", 1), ("b", 9042))),
        ("[::1]:77,fe80::1", (("::1", 77), ("fe80::1", 9042))),
    ],
)
def test_addresses_have_ports_or_get_the_usual_one(text: str, expected: object) -> None:
    assert addresses(text) == expected


@pytest.mark.parametrize("text", ["", "a,", ":9042", "a:x", "a:0", "a:70000"])
def test_what_is_no_address_is_an_error(text: str) -> None:
    with pytest.raises(ValueError, match="expected HOST"):
        addresses(text)


@pytest.mark.parametrize(("text", "expected"), [("", {}), ("3", {"": 3}), ("eu:3, us:2", {"eu": 3, "us": 2})])
def test_replicas_are_a_number_or_one_for_each_data_centre(text: str, expected: dict[str, int]) -> None:
    assert replicas(text) == expected


@pytest.mark.parametrize("text", ["0", "three", "eu:3,3", "eu:", "eu:3,eu:3", "o'hare:3"])
def test_what_is_no_number_of_replicas_is_an_error(text: str) -> None:
    with pytest.raises(ValueError, match="expected a"):
        replicas(text)


def test_a_wrong_address_is_told_with_the_settings_name() -> None:
    with pytest.raises(SettingsError, match="cassandra_contact_points: is 'a:b', expected HOST"):
        load_settings({"cassandra_contact_points": "a:b"})


def test_the_password_comes_from_a_file_and_is_in_no_text_of_the_options(tmp_path: Path) -> None:
    (tmp_path / "password").write_text("secret\n")
    settings = Settings(cassandra_user="me", cassandra_password_file=tmp_path / "password")
    options = cassandra_options(settings)
    assert options.password == "secret"  # the test's own
    assert "secret" not in repr(options)


def test_children_get_the_password_that_the_text_of_the_settings_hides() -> None:
    settings = load_settings({"cassandra_user": "me", "cassandra_password": "hush-hush"})
    assert "hush-hush" not in repr(settings)
    assert settings.environment()["ORDERMESH_CASSANDRA_PASSWORD"] == "hush-hush"  # as above


@pytest.mark.parametrize(
    "given", [{"cassandra_password": "a", "cassandra_password_file": "b"}, {"cassandra_password_file": "nowhere"}]
)
def test_a_password_that_cannot_be_known_is_a_misfit(given: dict[str, str]) -> None:
    with pytest.raises(Misfit, match="password"):
        cassandra_options(load_settings(given))


def test_what_is_written_in_every_region_is_read_in_one() -> None:
    options = CassandraOptions(consistency="EACH_QUORUM")
    assert (options.read_consistency, options.serial_consistency) == ("LOCAL_QUORUM", "SERIAL")


def test_a_cluster_whose_nodes_are_still_joining_is_waited_for(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A fresh cluster has one node for a while; three replicas on it would be refused for good."""
    schema = Schema(CassandraOptions(), [], "test")
    joining, joined = [("eu", "10.0.0.1")], [("eu", f"10.0.0.{number}") for number in (1, 2, 3)]
    with pytest.raises(TooFewNodes, match="3 replicas are wanted in the data centre eu, which has 1 node"):
        schema._replication(joining)
    assert schema._replication(joined) == {"eu": 3}

    async def prepare(*_arguments: object) -> None:
        schema._replication(joining)

    monkeypatch.setattr(bootstrap, "prepare_deployment", prepare)
    with pytest.raises(OutOfReach, match="which has 1 node"):
        asyncio.run(bootstrap.prepare(Settings(data=tmp_path), "nats://127.0.0.1:1"))
