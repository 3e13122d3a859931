"""The command line against a running engine: starting, stopping, orders, stock, operating, and its exit statuses."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from ordermesh.cli.data_directory import DataDirectory
from ordermesh.cli.processes import listeners, process_stat
from tests.e2e.engine import STOP_S, Engine, ordermesh, until


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    with Engine(tmp_path_factory.mktemp("cli") / "data") as running:
        yield running


def order_of(engine: Engine, *options: str) -> dict[str, object]:
    """Creates an order, and returns it once it has ended."""
    order_id = engine.json("order", "create", "--customer", "ada", *options)["order"]["order_id"]
    watched = engine.call("order", "watch", order_id, "--until-ended", "--output", "json")
    assert watched.returncode == 0, watched.stderr
    order: dict[str, object] = engine.json("order", "get", order_id, "--consistency", "linearizable")["order"]
    return order


def test_an_order_goes_from_creation_to_completion(engine: Engine) -> None:
    engine.json("stock", "receive", "TEA", "100")

    order = order_of(engine, "--line", "TEA:2:4.99", "--label", "basket=7")

    assert order["order_state"] == "ORDER_STATE_COMPLETED"
    assert order["total"] == {"currency_code": "GBP", "units": "9", "nanos": 980000000}
    assert order["labels"] == {"basket": "7"}
    assert engine.json("stock", "get", "TEA")["stock"]["on_hand"] == "98"


def test_a_declined_order_ends_cancelled(engine: Engine) -> None:
    engine.json("stock", "receive", "MUG", "5")

    order = order_of(engine, "--line", "MUG:1:3", "--token", "tok_decline")

    assert (order["order_state"], order["payment_state"]) == ("ORDER_STATE_CANCELLED", "PAYMENT_STATE_DECLINED")


def test_returns_and_refunds_add_up(engine: Engine) -> None:
    engine.json("stock", "receive", "CUP", "10")
    order_id = str(order_of(engine, "--line", "CUP:4:2.50")["order_id"])

    engine.json("order", "return", order_id, "--line", "1:2", "--restock")
    engine.json("order", "refund", order_id, "--amount", "1.25")

    def refunded() -> bool:
        order = engine.json("order", "get", order_id)["order"]
        return bool(order["refunded"] == {"currency_code": "GBP", "units": "6", "nanos": 250000000})

    until(refunded, "6.25 are refunded")
    assert engine.json("stock", "get", "CUP")["stock"]["on_hand"] == "8"


def test_an_order_is_held_reviewed_and_paid_otherwise(engine: Engine) -> None:
    engine.json("stock", "receive", "VASE", "5")
    created = ("order", "create", "--customer", "ada", "--line", "VASE:1:3")
    reviewed = engine.json(*created, "--token", "tok_fraud_review")["order"]["order_id"]
    until(lambda: engine.json("order", "get", reviewed)["order"]["holds"], "the order is held")
    engine.json("order", "hold", reviewed, "--reason", "VIP", "--detail", "a good customer")
    table = engine.call("order", "get", reviewed).stdout
    assert "FRAUD_REVIEW, rule sandbox" in table
    assert "VIP, a good customer" in table
    engine.json("order", "release", reviewed, "--hold", "2")
    engine.json("order", "release", reviewed, "--reason", "FRAUD_REVIEW", "--detail", "looked at")
    assert engine.call("order", "release", reviewed, "--hold", "2").returncode == 4
    assert engine.call("order", "release", reviewed).returncode == 2

    declined = engine.json(*created, "--token", "tok_decline", "--payment-retry", "600")["order"]["order_id"]
    until(lambda: "RETRY" in engine.call("order", "get", declined).stdout, "another token is waited for")
    engine.json("order", "update-payment", declined, "--token", "tok_ok")
    for order_id in (reviewed, declined):
        watched = engine.call("order", "watch", order_id, "--until-ended", "--output", "json")
        assert watched.returncode == 0, watched.stderr
        assert engine.json("order", "get", order_id)["order"]["order_state"] == "ORDER_STATE_COMPLETED"


def test_orders_that_wait_for_people_are_at_rest_for_the_audit(engine: Engine) -> None:
    engine.json("stock", "receive", "BOWL", "5")
    created = ("order", "create", "--customer", "ada", "--line", "BOWL:1:3")
    held = engine.json(*created, "--token", "tok_fraud_review")["order"]["order_id"]
    declined = engine.json(*created, "--token", "tok_decline", "--payment-retry", "600")["order"]["order_id"]
    until(lambda: "FRAUD_REVIEW" in engine.call("order", "get", held).stdout, "the order is held")
    until(lambda: "RETRY" in engine.call("order", "get", declined).stdout, "another token is waited for")

    done = engine.call("verify")
    assert done.returncode == 0, done.stdout

    for order_id in (held, declined):
        engine.json("order", "cancel", order_id)
        assert engine.call("order", "watch", order_id, "--until-ended", "--output", "json").returncode == 0
    assert engine.json("stock", "get", "BOWL")["stock"]["reserved"] == "0"


def test_a_return_goes_step_by_step_and_an_order_is_exchanged(engine: Engine) -> None:
    engine.json("stock", "receive", "LAMP", "10")
    order_id = str(order_of(engine, "--line", "LAMP:3:2.50")["order_id"])
    engine.json("order", "authorize-return", order_id, "--line", "1:2", "--reason", "too dim")
    engine.json("order", "receive-return", order_id, "1", "--line", "1:2")
    assert engine.call("order", "inspect-return", order_id, "1", "--line", "1:1").returncode == 2
    engine.json("order", "inspect-return", order_id, "1", "--line", "1:1:1", "--include-shipping")
    assert "COMPLETED, came: 2 of 2 of line 1" in engine.call("order", "get", order_id).stdout
    assert engine.call("order", "cancel-return", order_id, "1").returncode == 1

    swap = ("order", "exchange", order_id, "--back", "1:1", "--customer", "ada", "--line", "LAMP:1:4")
    answer = engine.json(*swap, "--request-id", "swap")
    assert engine.json(*swap, "--request-id", "swap")["replacement"]["order_id"] == answer["replacement"]["order_id"]
    assert answer["order"]["exchanged_by"] == [answer["replacement"]["order_id"]]
    assert order_id in engine.call("order", "get", answer["replacement"]["order_id"]).stdout
    engine.json("order", "refund", order_id, "--amount", "0.50", "--goodwill")
    until(lambda: "5.50 GBP" in engine.call("order", "get", order_id).stdout, "5.50 are refunded")


def test_a_completed_order_cannot_be_cancelled(engine: Engine) -> None:
    engine.json("stock", "receive", "JAR", "1")
    order_id = str(order_of(engine, "--line", "JAR:1:1")["order_id"])

    done = engine.call("order", "cancel", order_id)

    assert done.returncode == 1
    assert "ORDER_NOT_CANCELLABLE" in done.stderr


def test_an_order_is_explained_to_people_and_programs(engine: Engine) -> None:
    """An order whose provider takes two seconds says so; once it is complete it waits for nothing."""
    engine.json("stock", "receive", "SLOW", "5")
    options = ("--line", "SLOW:1:4.99", "--token", "tok_slow")
    order_id = engine.json("order", "create", "--customer", "ada", *options)["order"]["order_id"]

    done = engine.call("order", "explain", order_id)
    assert done.returncode == 0, done.stderr
    assert order_id in done.stdout
    assert "waits for" in done.stdout

    def waits_for() -> str:
        found: str = engine.json("order", "explain", order_id)["explanation"]["waiting_for"]
        return found

    assert until(lambda: waits_for() == "WAITING_FOR_NOTHING", "the order waits for nothing")
    missing = engine.call("order", "explain", "019a0000-0000-7000-8000-000000000000")
    assert missing.returncode == 4


def test_lists_reservations_partitions_and_logs_can_be_read(engine: Engine) -> None:
    engine.json("stock", "receive", "PAN", "9")
    order_id = str(order_of(engine, "--line", "PAN:3:1")["order_id"])

    assert order_id in [order["order_id"] for order in engine.json("order", "list", "ada")["orders"]]
    assert [r["sku"] for r in engine.json("stock", "reservations", order_id)["reservations"]] == ["PAN"]
    groups = {partition["group"] for partition in engine.json("partitions")["partitions"]}
    assert groups == {"orders", "stock", "notification"}
    assert engine.json("deadletters", "list")["dead_letters"] == []
    tail = engine.call("log", "tail", "orders/0", "--key", order_id, "--kind", "event")
    assert tail.returncode == 0, tail.stderr
    assert order_id in tail.stdout


@pytest.mark.parametrize("output", ["table", "yaml"])
def test_answers_have_other_forms(engine: Engine, output: str) -> None:
    engine.json("stock", "receive", "BOX", "3")

    done = engine.call("stock", "get", "BOX", "--output", output)

    assert done.returncode == 0
    assert ('sku: "BOX"' if output == "yaml" else "AVAILABLE") in done.stdout


def test_what_does_not_exist_has_exit_status_4(engine: Engine) -> None:
    done = engine.call("order", "get", "019a0000-0000-7000-8000-000000000000")

    assert done.returncode == 4
    assert done.stdout == ""


def test_wrong_usage_has_exit_status_2(engine: Engine) -> None:
    for wrong in (["order", "create"], ["order", "create", "--customer", "a", "--line", "TEA"], ["order", "fly"]):
        assert engine.call(*wrong).returncode == 2


def test_what_the_engine_finds_wrong_with_a_request_is_wrong_usage_and_names_each_field(engine: Engine) -> None:
    done = engine.call("order", "create", "--customer", "a" * 257, "--line", "TEA:2:4.99", "--token", "tok_of_mine")

    assert done.returncode == 2
    assert done.stdout == ""
    assert "order.customer_id: has 257 characters" in done.stderr
    assert "order.payment_token: " in done.stderr
    assert "tok_decline, tok_flaky, tok_fraud_review, tok_no_increase, tok_ok, tok_slow" in done.stderr
    assert engine.call("stock", "adjust", "NEVER-SEEN", "--by", "-1").returncode == 4


def test_an_engine_that_is_not_there_has_exit_status_5() -> None:
    done = ordermesh("order", "get", "019a0000-0000-7000-8000-000000000000", "--server", "127.0.0.1:1")

    assert done.returncode == 5
    assert "ordermesh up" in done.stderr


def test_the_audit_holds_and_prints_what_it_counted(engine: Engine) -> None:
    invariants = engine.json("verify")["invariants"]

    assert [invariant["id"] for invariant in invariants] == ["I1", "I2", "I3", "I4", "I5", "I6", "I9"]
    assert all(
        invariant["holds"] and set(invariant) == {"id", "holds", "checked", "violations"} for invariant in invariants
    )
    assert "no oversell" in engine.call("verify").stdout


@pytest.mark.parametrize("mode", ["unary", "batch", "stream"])
def test_a_small_benchmark_completes_what_it_sends(engine: Engine, mode: str) -> None:
    done = engine.call("bench", "--orders", "200", "--mode", mode, "--connections", "2", "--batch-size", "50")

    assert done.returncode == 0, done.stderr
    figures = json.loads(done.stdout)
    assert figures["orders"] == 200
    assert figures["accept_ms"]["p50"] <= figures["accept_ms"]["p99"] <= figures["accept_ms"]["p99_9"]
    assert figures["completed_per_second"] > 0
    assert {"edge", "owner", "relay", "nats", "supervisor"} <= set(figures["cpu_by_process"])
    assert all(invariant["holds"] for invariant in figures["invariants"])


def test_a_second_up_on_the_same_data_says_who_holds_it(engine: Engine) -> None:
    assert engine.process is not None

    done = ordermesh("up", "--data", engine.data, "--grpc", "127.0.0.1:0", "--http", "127.0.0.1:0")

    assert done.returncode == 1
    assert f"held by process {engine.process.pid}" in done.stderr
    assert engine.grpc in done.stderr


def test_a_port_that_is_taken_is_named(engine: Engine, tmp_path: Path) -> None:
    done = ordermesh("up", "--data", tmp_path / "other", "--grpc", engine.grpc, "--http", "127.0.0.1:0")

    assert done.returncode == 1
    assert engine.grpc in done.stderr
    assert "--grpc" in done.stderr


def test_it_listens_on_loopback_and_on_no_port_but_its_own(engine: Engine) -> None:
    assert listeners(int(engine.grpc.rpartition(":")[2])) == set(engine.pids("edge"))
    assert all(
        str(engine.ready[name]).removeprefix("nats://").startswith("127.0.0.1:") for name in ("grpc", "http", "nats")
    )


@pytest.fixture
def fresh(tmp_path: Path) -> Iterator[Engine]:
    """An engine of the test's own."""
    with Engine(tmp_path / "data") as running:
        yield running


@pytest.mark.parametrize("way", ["down", "SIGTERM", "SIGINT to the group"])
def test_it_stops_cleanly_and_leaves_no_process(fresh: Engine, way: str) -> None:
    engine = fresh
    assert engine.process is not None
    pids = engine.pids("edge", "owner", "relay", "nats")

    if way == "down":
        done = ordermesh("down", "--data", engine.data)
        assert done.returncode == 0, done.stderr
    elif way == "SIGTERM":
        engine.process.terminate()
    else:
        os.killpg(engine.process.pid, signal.SIGINT)

    assert engine.process.wait(STOP_S) == 0
    assert len(pids) == 4
    assert [pid for pid in pids if process_stat(pid)] == []
    assert DataDirectory(engine.data).held_by() is None


def test_children_die_with_a_killed_supervisor_and_the_next_start_serves(fresh: Engine) -> None:
    engine = fresh
    engine.json("stock", "receive", "TEA", "7")
    pids = engine.pids("edge", "owner", "relay", "nats")

    engine.kill("supervisor")

    until(lambda: not [pid for pid in pids if process_stat(pid)], "the children are gone", STOP_S)
    engine.start()
    assert engine.json("stock", "get", "TEA")["stock"]["available"] == "7"
    assert engine.stop() == 0


def test_the_number_of_partitions_is_fixed_at_the_first_start(tmp_path: Path) -> None:
    with Engine(tmp_path / "data", "--partitions", "2") as engine:
        assert len(engine.json("partitions")["partitions"]) == 5, "two groups of two, and one of one"

    done = ordermesh("up", "--data", engine.data, "--partitions", "3", "--grpc", "127.0.0.1:0", "--http", "127.0.0.1:0")

    assert done.returncode == 1
    assert "orders 2" in done.stderr


def test_settings_come_from_flags_then_environment_then_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from ordermesh.runtime.settings import SettingsError, load_settings  # noqa: PLC0415 # after the environment is set

    (tmp_path / "ordermesh.toml").write_text("workers = 3\nedges = 4\npartitions = 5\n[kernel]\ntick_s = 0.7\n")
    monkeypatch.setenv("ORDERMESH_CONFIG", str(tmp_path / "ordermesh.toml"))
    monkeypatch.setenv("ORDERMESH_EDGES", "6")

    settings = load_settings({"partitions": 7})

    assert (settings.workers, settings.edges, settings.partitions, settings.kernel.tick_s) == (3, 6, 7, 0.7)
    (tmp_path / "ordermesh.toml").write_text("wokers = 3\n")
    with pytest.raises(SettingsError, match="wokers"):
        load_settings()
