"""What processes are told, and what the quickstart's NATS and Cassandra are."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path

import pytest

from ordermesh.adapters.nats_server import find_nats_server
from ordermesh.runtime.settings import PREFIX, load_settings
from tests.helm.chart import EVERYTHING, PER_SERVICE, SHAPES, THREE_NODES, Values, container, named, of_kind, render


def told(values: Values | None = None) -> dict[str, str]:
    """The settings of every process."""
    data: dict[str, str] = named(render(values), "ConfigMap", "settings")["data"]
    return data


@pytest.mark.parametrize("shape", SHAPES)
def test_the_program_takes_what_the_chart_tells_it(shape: str, monkeypatch: pytest.MonkeyPatch) -> None:
    job = of_kind(render(SHAPES[shape]), "Job")[0]["spec"]["template"]["spec"]["containers"][0]
    plain = {one["name"]: one["value"] for one in job["env"] if "value" in one}
    for name, value in {**told(SHAPES[shape]), **plain}.items():
        monkeypatch.setenv(name, value)

    settings = load_settings()

    assert settings.store == "cassandra"
    assert settings.sandbox_ledger == "nats"
    assert settings.groups == SHAPES[shape].get("groups", "default")


def test_every_variable_is_one_of_the_program_s() -> None:
    assert all(name.startswith(PREFIX) for name in told(EVERYTHING))


def test_any_setting_can_be_given_by_its_name() -> None:
    given = told(
        {"settings": {"dispatch_delay_s": 1.5, "reflection": False, "kernel": {"unflushed_bytes_max": 536870912}}}
    )

    assert given["ORDERMESH_DISPATCH_DELAY_S"] == "1.5"
    assert given["ORDERMESH_REFLECTION"] == "false"
    assert given["ORDERMESH_KERNEL__UNFLUSHED_BYTES_MAX"] == "536870912"


def test_every_process_has_a_name_of_its_own() -> None:
    for one in of_kind(render(), "Deployment"):
        variables = one["spec"]["template"]["spec"]["containers"][0]["env"]
        assert {"name": "ORDERMESH_INSTANCE", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}} in variables


def test_clients_of_three_nats_servers_know_all_of_them() -> None:
    assert told(THREE_NODES)["ORDERMESH_NATS"] == ",".join(
        f"nats://om-ordermesh-nats-{number}.om-ordermesh-nats:4222" for number in range(3)
    )


def nats(values: Values | None = None) -> str:
    """The configuration of the quickstart's NATS."""
    text: str = named(render(values), "ConfigMap", "nats")["data"]["nats.conf"]
    return text


@pytest.mark.parametrize("values", [{}, THREE_NODES], ids=["one server", "three servers"])
def test_nats_syncs_before_it_acknowledges(values: Values) -> None:
    assert "sync_interval: always" in nats(values)
    assert "server_name: $POD_NAME" in nats(values)
    assert "max_payload: 8MB" in nats(values)


@pytest.mark.parametrize("values", [{}, THREE_NODES], ids=["one server", "three servers"])
def test_a_nats_server_takes_its_configuration(values: Values, tmp_path: Path) -> None:
    (tmp_path / "nats.conf").write_text(nats(values))
    command = [str(find_nats_server()), "-t", "--config", str(tmp_path / "nats.conf")]
    done = subprocess.run(command, env={"POD_NAME": "nats-0"}, capture_output=True, text=True, check=False, timeout=30)

    assert done.returncode == 0, done.stderr


def test_three_nats_servers_are_a_cluster_and_one_is_none() -> None:
    assert "cluster" not in nats()
    assert len(re.findall(r"nats-route://om-ordermesh-nats-\d\.om-ordermesh-nats:6222", nats(THREE_NODES))) == 3


@pytest.mark.parametrize(("values", "groups"), [({}, 2), (PER_SERVICE, 4)], ids=["two groups", "four groups"])
def test_nats_has_room_for_every_log(values: Values, groups: int) -> None:
    room = re.search(r"max_file_store: (\d+)", nats(values))

    assert room
    assert int(room[1]) == (groups * 4 + 1) * 256 * 1024**2 + 1024**3


def test_cassandra_syncs_before_it_acknowledges() -> None:
    options = {one["name"]: one["value"] for one in container(render(), "StatefulSet", "cassandra")["env"]}[
        "JVM_EXTRA_OPTS"
    ]

    assert "-Dcassandra.settings.commitlog_sync=group" in options
    assert "-Dcassandra.config.allow_system_properties=true" in options


def test_nodes_of_cassandra_join_one_after_the_other_and_nats_servers_all_at_once() -> None:
    sets = {
        one["metadata"]["name"]: one["spec"]["podManagementPolicy"]
        for one in of_kind(render(THREE_NODES), "StatefulSet")
    }

    assert sets == {"om-ordermesh-cassandra": "OrderedReady", "om-ordermesh-nats": "Parallel"}


def test_what_is_replicated_follows_the_number_of_servers() -> None:
    def made(values: Values | None = None) -> tuple[str, str]:
        env = {
            one["name"]: one.get("value", "")
            for one in of_kind(render(values), "Job")[0]["spec"]["template"]["spec"]["containers"][0]["env"]
        }
        return env["ORDERMESH_REPLICAS"], env["ORDERMESH_CASSANDRA_REPLICATION"]

    assert made() == ("1", "1")
    assert made(THREE_NODES) == ("3", "3")
    assert made(EVERYTHING) == ("3", "3")


def test_clients_find_how_to_spread_and_to_repeat_their_calls() -> None:
    client = named(render(), "ConfigMap", "client")["data"]
    service = json.loads(client["service-config.json"])

    assert client["edge.target"] == "dns:///om-ordermesh-edge-headless.shop:50051"
    assert service["loadBalancingConfig"] == [{"round_robin": {}}]
    assert service["methodConfig"][0]["retryPolicy"]["retryableStatusCodes"] == ["UNAVAILABLE", "RESOURCE_EXHAUSTED"]


def test_the_quickstart_fits_on_a_small_node() -> None:
    """What it requests, all pods together: less than one core and 3 GiB."""
    cpu = memory = 0
    for one in of_kind(render(), "Deployment", "StatefulSet"):
        requests = one["spec"]["template"]["spec"]["containers"][0]["resources"]["requests"]
        cpu += int(requests["cpu"].removesuffix("m"))
        size = requests["memory"]
        memory += int(size[:-2]) * (1024 if size.endswith("Gi") else 1)

    assert cpu < 1000
    assert memory < 3 * 1024
