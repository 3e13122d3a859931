"""How pods begin and end: no call is cut off, nothing is left to redo, and a drain never takes too much at once."""

from __future__ import annotations

import pytest

from ordermesh.runtime.options import OwnerOptions
from tests.helm.chart import EVERYTHING, SHAPES, THREE_NODES, container, named, of_kind, pods, render


def grace(values: dict[str, object] | None = None) -> int:
    """Seconds that an owner has until it is killed."""
    seconds: int = named(render(values), "Deployment", "owner-orders")["spec"]["template"]["spec"][
        "terminationGracePeriodSeconds"
    ]
    return seconds


def test_owners_get_long_enough_to_hand_over() -> None:
    """Their own waiting for all partitions is `hand_over_s` and five seconds; connections are closed after that."""
    assert grace() >= OwnerOptions().hand_over_s + 15


def test_owners_that_may_hand_over_longer_get_longer() -> None:
    assert grace({"settings": {"kernel": {"hand_over_s": 60}}}) >= 60 + 15


def test_an_edge_leaves_its_service_before_it_ends() -> None:
    edge = named(render({"edge": {"leaveSeconds": 15}}), "Deployment", "edge")["spec"]["template"]["spec"]

    assert edge["containers"][0]["lifecycle"]["preStop"] == {"sleep": {"seconds": 15}}
    assert edge["terminationGracePeriodSeconds"] >= 15 + 28 * 0.2 + 2


def test_a_new_pod_is_there_before_an_old_one_leaves() -> None:
    for one in of_kind(render(), "Deployment"):
        assert one["spec"]["strategy"]["rollingUpdate"] == {"maxSurge": 1, "maxUnavailable": 0}


def test_with_a_node_for_each_a_roll_out_needs_no_node_more() -> None:
    for one in of_kind(render({"antiAffinity": "hard"}), "Deployment"):
        assert one["spec"]["strategy"]["rollingUpdate"] == {"maxSurge": 0, "maxUnavailable": 1}
        assert (
            "requiredDuringSchedulingIgnoredDuringExecution"
            in one["spec"]["template"]["spec"]["affinity"]["podAntiAffinity"]
        )


@pytest.mark.parametrize("shape", SHAPES)
def test_every_serving_container_is_asked_whether_it_started_lives_and_is_ready(shape: str) -> None:
    for name, _, spec in pods(of_kind(render(SHAPES[shape]), "Deployment", "StatefulSet")):
        assert {"startupProbe", "livenessProbe", "readinessProbe"} <= set(spec["containers"][0]), name


def test_edges_are_asked_by_grpc_where_kubernetes_can() -> None:
    """Its probe speaks no TLS."""
    assert container(render(), "Deployment", "edge")["readinessProbe"]["grpc"] == {"port": 50051}
    assert container(render(EVERYTHING), "Deployment", "edge")["readinessProbe"]["httpGet"]["path"] == "/readyz"


def test_a_process_may_wait_as_long_as_the_job_before_it_is_restarted() -> None:
    probe = container(render({"deployment": {"waitSeconds": 900}}), "Deployment", "relay")["startupProbe"]

    assert probe["periodSeconds"] * probe["failureThreshold"] >= 900


@pytest.mark.parametrize("shape", SHAPES)
def test_a_drain_takes_one_pod_of_a_kind_at_a_time(shape: str) -> None:
    """And a kind of one pod can be drained at all: a budget of a minimum would forbid it."""
    objects = render(SHAPES[shape])
    budgets = [one["spec"] for one in of_kind(objects, "PodDisruptionBudget")]
    for name, metadata, _ in pods(of_kind(objects, "Deployment", "StatefulSet")):
        own = [budget for budget in budgets if budget["selector"]["matchLabels"].items() <= metadata["labels"].items()]
        assert [budget["maxUnavailable"] for budget in own] == [1], name


@pytest.mark.parametrize("shape", SHAPES)
def test_pods_of_a_kind_keep_apart(shape: str) -> None:
    for name, metadata, spec in pods(of_kind(render(SHAPES[shape]), "Deployment", "StatefulSet")):
        soft = spec["affinity"]["podAntiAffinity"]["preferredDuringSchedulingIgnoredDuringExecution"][0]
        term = soft["podAffinityTerm"]
        assert term["topologyKey"] == "kubernetes.io/hostname", name
        assert term["labelSelector"]["matchLabels"].items() <= metadata["labels"].items(), name
        assert spec["topologySpreadConstraints"][0]["topologyKey"] == "topology.kubernetes.io/zone", name


def test_pods_of_a_lost_node_are_soon_started_elsewhere() -> None:
    for name, _, spec in pods(of_kind(render(), "Deployment")):
        seconds = {one["key"]: one["tolerationSeconds"] for one in spec["tolerations"]}
        assert seconds == {"node.kubernetes.io/unreachable": 30, "node.kubernetes.io/not-ready": 30}, name


def test_the_job_is_no_hook_because_nothing_gets_ready_before_it() -> None:
    """`helm install --wait` runs hooks of after the installation when everything is ready."""
    job = of_kind(render(), "Job")[0]

    assert not any(name.startswith("helm.sh/hook") for name in job["metadata"].get("annotations", {}))
    assert job["spec"]["template"]["spec"]["containers"][0]["args"][:2] == ["deployment", "create"]


def test_the_job_is_another_when_it_would_do_something_else() -> None:
    """A job cannot be changed: an upgrade that tried to would fail."""

    def name(**values: object) -> str:
        text: str = of_kind(render(dict(values)), "Job")[0]["metadata"]["name"]
        return text

    names = [
        name(),
        name(image={"tag": "2"}),
        name(settings={"log_level": "debug"}),
        name(deployment={"logBytes": 1 << 27}),
        name(commonLabels={"team": "shop"}),
    ]

    assert name() == name(edge={"replicas": 3})
    assert len(set(names[:4])) == 4


def test_changed_settings_start_pods_anew() -> None:
    def checksum(**values: object) -> str:
        pod = named(render(dict(values)), "Deployment", "owner-stock")["spec"]["template"]
        text: str = pod["metadata"]["annotations"]["checksum/settings"]
        return text

    assert checksum() != checksum(settings={"log_level": "debug"})
    assert checksum() == checksum(edge={"replicas": 3})


def test_several_nats_servers_hand_over_before_they_end_and_one_ends_at_once() -> None:
    assert "lifecycle" not in container(render(), "StatefulSet", "nats")
    stop = container(render(THREE_NODES), "StatefulSet", "nats")["lifecycle"]["preStop"]["exec"]["command"]
    assert stop == ["nats-server", "-sl=ldm=/tmp/nats.pid"]


def test_volumes_outlive_the_release() -> None:
    for one in of_kind(render(), "StatefulSet"):
        assert one["spec"]["persistentVolumeClaimRetentionPolicy"] == {"whenDeleted": "Retain", "whenScaled": "Retain"}
