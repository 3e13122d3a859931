"""Processes that are placed one by one: they wait for what they need, tell of themselves, and share one provider."""

from __future__ import annotations

import json
import re
import signal
from collections.abc import Mapping
from pathlib import Path

from ordermesh.adapters.stores import STORE_FILE
from tests.e2e.engine import ordermesh, until
from tests.e2e.nats import Nats
from tests.e2e.roles import Role, running

PARTITIONS = 2
ORDERS = 12
NAMES = ("owner-0", "owner-1", "relay-0", "webhooks-0", "edge-0")
GROUPS = [("orders", PARTITIONS), ("stock", PARTITIONS), ("notification", 1)]
NOT_READY, READY = 503, 200


def settings_of(nats: Nats) -> dict[str, str]:
    """Of all processes."""
    return {
        "ORDERMESH_NATS": f"nats://127.0.0.1:{nats.port}",
        "ORDERMESH_SANDBOX_LEDGER": "nats",
        "ORDERMESH_START_WAIT_S": "120",
    }


def processes(folder: Path, settings: Mapping[str, str]) -> list[Role]:
    """A process or two of each role, each with an empty directory of its own; only the store's file is shared."""
    found = []
    for name in NAMES:
        data = folder / name
        data.mkdir()
        (data / STORE_FILE).symlink_to(folder / "shared" / STORE_FILE)
        found.append(Role(name.partition("-")[0], data, {**settings, "ORDERMESH_INSTANCE": name}))
    return found


def create_deployment(folder: Path, nats: Nats, *options: str) -> tuple[int, str, str]:
    """Exit status, answer and words of `ordermesh deployment create`."""
    given = ("--nats", f"nats://127.0.0.1:{nats.port}", "--sandbox-ledger", "nats", "--log-bytes", str(32 << 20))
    done = ordermesh("deployment", "create", "--data", folder / "shared", *given, "--output", "json", *options)
    return done.returncode, done.stdout, done.stderr


def figure(metrics: str, name: str) -> float:
    """The sum of a metric over its labels."""
    return sum(float(each) for each in re.findall(rf"^{name}(?:\{{[^}}]*\}})? (\S+)$", metrics, re.MULTILINE))


def complete(edge: Role, sku: str, *options: str) -> str:
    """Has an order created, and returns its state when nothing is open any more."""
    line = ("--customer", "ada", "--line", f"{sku}:1:4.99", *options)
    done = ordermesh("order", "create", *line, "--server", edge.grpc, "--output", "json")
    assert done.returncode == 0, done.stderr
    order_id = json.loads(done.stdout)["order"]["order_id"]
    watched = ordermesh("order", "watch", order_id, "--until-ended", "--server", edge.grpc)
    assert watched.returncode == 0, watched.stderr
    given = ("--consistency", "linearizable", "--server", edge.grpc, "--output", "json")
    return str(json.loads(ordermesh("order", "get", order_id, *given).stdout)["order"]["order_state"])


def test_processes_wait_for_nats_and_the_record_then_serve_and_tell_of_themselves(tmp_path: Path) -> None:
    (tmp_path / "shared").mkdir()
    nats = Nats(tmp_path / "nats")
    roles = processes(tmp_path, settings_of(nats))
    edge = roles[-1]
    with running(roles):
        for role in roles:
            waiting = role.until_status("/startupz", NOT_READY)
            assert waiting["reasons"], "it says for what it waits"
        assert "no NATS server" in until(lambda: [r for r in roles[0].until_status("/readyz", NOT_READY)["reasons"]
                                                 if "NATS" in r], "the reason")[0]  # fmt: skip
        assert all(role.get("/livez") == (READY, "ok\n") for role in roles), "a process that waits is not restarted"
        with nats:
            until(lambda: "no deployment yet" in str(edge.get("/readyz")), "the record is missed")
            status, answer, words = create_deployment(tmp_path, nats, "--partitions", str(PARTITIONS), "--wait-s", "60")
            assert status == 0, words
            made = json.loads(answer)
            assert [(group["name"], group["partitions"]) for group in made["groups"]] == GROUPS
            for role in roles:
                assert role.until_status("/startupz", READY)["ready"]

            _orders_are_completed(edge)
            _owners_tell(roles[:2])
            _webhooks_tell(roles[3], edge)
            assert create_deployment(tmp_path, nats)[:2] == (status, answer), "done again, it does nothing"
            _other_partitions_are_refused(tmp_path, nats)
            assert [role.end() for role in (edge, *roles[:4])] == [0] * 5


def _orders_are_completed(edge: Role) -> None:
    """Also those whose payment fails at first; the audit reads what took effect from NATS."""
    done = ordermesh("stock", "receive", "TEA", "100", "--server", edge.grpc)
    assert done.returncode == 0, done.stderr
    states = [complete(edge, "TEA", *(("--token", "tok_flaky") if number % 2 else ())) for number in range(4)]
    assert states == ["ORDER_STATE_COMPLETED"] * 4
    verified = ordermesh("verify", "--server", edge.grpc, "--output", "json")
    assert verified.returncode == 0, verified.stdout + verified.stderr
    checked = {each["id"]: int(each["checked"]) for each in json.loads(verified.stdout)["invariants"]}
    assert checked["I4"] >= 4, "it compared the orders with what took effect"


def _owners_tell(owners: list[Role]) -> None:
    """Together they own every partition, and what they decided is in their figures."""
    metrics = [owner.get("/metrics")[1] for owner in owners]
    owned = [set(re.findall(r"^ordermesh_partition_lag_seconds\{(.*)\}", text, re.MULTILINE)) for text in metrics]
    assert len(owned[0] | owned[1]) == 2 * PARTITIONS + 1
    assert not owned[0] & owned[1]
    text = "\n".join(metrics)
    assert figure(text, "ordermesh_frame_items_count") > 0
    assert figure(text, "ordermesh_log_append_seconds_count") > 0
    assert figure(text, "ordermesh_store_write_seconds_count") > 0
    assert figure(text, "ordermesh_log_bytes_max") > 0


def _webhooks_tell(webhooks: Role, edge: Role) -> None:
    """An endpoint that is nowhere is tried, and that is in the figures."""
    made = ordermesh("webhooks", "create", "https://shop.invalid/", "--server", edge.grpc, "--output", "json")
    assert made.returncode == 0, made.stderr
    endpoint_id = json.loads(made.stdout)["endpoint"]["endpoint_id"]
    assert ordermesh("webhooks", "test", endpoint_id, "--server", edge.grpc).returncode == 0
    until(lambda: 'attempts_total{outcome="failed"} 0.0' not in webhooks.get("/metrics")[1], "an attempt is counted")
    text = webhooks.get("/metrics")[1]
    assert 'ordermesh_webhook_endpoints{state="active"} 1.0' in text
    assert figure(text, "ordermesh_webhook_waiting") >= 1
    assert figure(text, "ordermesh_webhook_oldest_age_seconds") > 0


def _other_partitions_are_refused(folder: Path, nats: Nats) -> None:
    for wrong, word in (
        (("--partitions", "4"), "ordermesh repartition"),
        (("--groups", "per-service"), "other groups"),
    ):
        status, _, words = create_deployment(folder, nats, *wrong)
        assert status == 1
        assert word in words


def test_an_owner_that_is_killed_is_replaced_by_the_other_and_its_probe_says_so(tmp_path: Path) -> None:
    (tmp_path / "shared").mkdir()
    with Nats(tmp_path / "nats") as nats:
        assert create_deployment(tmp_path, nats, "--partitions", "1")[0] == 0
        roles = processes(tmp_path, settings_of(nats))
        first, second, *_, edge = roles
        with running(roles):
            edge.until_status("/readyz", READY)
            assert ordermesh("stock", "receive", "TEA", "100", "--server", edge.grpc).returncode == 0
            first.end(signal.SIGKILL)
            until(lambda: figure(second.get("/metrics")[1], "ordermesh_partition_epoch") > 0, "the other owns")
            assert complete(edge, "TEA") == "ORDER_STATE_COMPLETED"
            first.start()
            assert first.until_status("/startupz", READY)["ready"]


def test_a_single_process_without_deployment_gives_up_after_its_time(tmp_path: Path) -> None:
    with Nats(tmp_path / "nats") as nats:
        given = ("--data", tmp_path, "--nats", f"nats://127.0.0.1:{nats.port}", "--http", "", "--start-wait-s", "1")
        done = ordermesh("serve", "--role", "owner", *given)

    assert done.returncode == 5
    assert "no deployment yet" in done.stderr


def test_the_record_is_shown_and_where_there_is_none_that_is_said(tmp_path: Path) -> None:
    (tmp_path / "shared").mkdir()
    missing = ordermesh("deployment", "show", "--data", tmp_path / "shared")
    assert missing.returncode == 4
    assert "ordermesh deployment create" in missing.stderr
    with Nats(tmp_path / "nats") as nats:
        status, made, _ = create_deployment(tmp_path, nats, "--partitions", "1", "--groups", "per-service")
    assert status == 0
    shown = ordermesh("deployment", "show", "--data", tmp_path / "shared", "--output", "json")
    assert shown.stdout == made
    names = [group["name"] for group in json.loads(made)["groups"]]
    assert names == ["order", "payment", "shipping", "inventory", "notification"]
