"""What the chart makes are objects that Kubernetes takes, and each is of this release alone."""

from __future__ import annotations

import kubernetes_validate
import pytest

from tests.helm.chart import EVERYTHING, KUBERNETES, PER_SERVICE, SHAPES, THREE_NODES, containers, of_kind, pods, render

OTHERS = {"Certificate", "GRPCRoute", "HTTPRoute", "PrometheusRule", "ScaledObject", "ServiceMonitor"}
"""Kinds that something else brings to a cluster; their schemas are not Kubernetes'."""
ALWAYS = ("owner-notification", "webhooks", "relay")
"""What there is in every shape."""


@pytest.mark.parametrize("shape", SHAPES)
def test_kubernetes_knows_every_field(shape: str) -> None:
    for one in render(SHAPES[shape]):
        if one["kind"] not in OTHERS:
            kubernetes_validate.validate(one, KUBERNETES, strict=True)


def test_a_field_that_does_not_exist_would_be_found() -> None:
    service = of_kind(render(), "Service")[0]
    wrong = {**service, "spec": {**service["spec"], "ports": [{"port": 1, "prot": "TCP"}]}}

    with pytest.raises(kubernetes_validate.ValidationError):
        kubernetes_validate.validate(wrong, KUBERNETES, strict=True)


@pytest.mark.parametrize("shape", SHAPES)
def test_no_two_objects_share_a_name(shape: str) -> None:
    names = [(one["kind"], one["metadata"]["name"]) for one in render(SHAPES[shape])]

    assert len(names) == len(set(names))


@pytest.mark.parametrize("shape", SHAPES)
def test_every_object_is_in_the_release_s_namespace(shape: str) -> None:
    assert {one["metadata"].get("namespace") for one in render(SHAPES[shape])} == {"shop"}


def test_the_default_shape_has_an_owner_for_each_group_and_one_edge() -> None:
    names = {one["metadata"]["name"] for one in of_kind(render(), "Deployment")}

    assert names == {f"om-ordermesh-{name}" for name in ("edge", "owner-orders", "owner-stock", *ALWAYS)}


def test_with_a_group_per_service_each_has_an_edge_and_an_owner() -> None:
    names = {one["metadata"]["name"] for one in of_kind(render(PER_SERVICE), "Deployment")}
    services = ("order", "payment", "shipping", "inventory")

    own = {f"om-ordermesh-{role}-{service}" for role in ("edge", "owner") for service in services}
    assert names == own | {f"om-ordermesh-{name}" for name in ALWAYS}


def test_each_process_is_told_its_role_and_its_group() -> None:
    told = {
        one["metadata"]["name"]: one["spec"]["template"]["spec"]["containers"][0]["args"]
        for one in of_kind(render(PER_SERVICE), "Deployment")
    }

    assert told["om-ordermesh-owner-payment"] == ["serve", "--role", "owner", "--group", "payment"]
    assert told["om-ordermesh-edge-payment"] == ["serve", "--role", "edge", "--group", "payment"]
    assert told["om-ordermesh-relay"] == ["serve", "--role", "relay"]
    assert told["om-ordermesh-webhooks"] == ["serve", "--role", "webhooks"]
    assert told["om-ordermesh-owner-notification"] == ["serve", "--role", "owner", "--group", "notification"]


def test_a_team_releases_and_scales_its_service_alone() -> None:
    own = {"image": {"tag": "1.2.3"}, "owner": {"replicas": 3}, "edge": {"replicas": 2}}
    deployments = {
        one["metadata"]["name"]: one["spec"]
        for one in of_kind(render({**PER_SERVICE, "perGroup": {"payment": own}}), "Deployment")
    }
    images = {name: spec["template"]["spec"]["containers"][0]["image"] for name, spec in deployments.items()}

    assert {name for name, image in images.items() if image == "ordermesh:1.2.3"} == {
        "om-ordermesh-edge-payment",
        "om-ordermesh-owner-payment",
    }
    assert deployments["om-ordermesh-owner-payment"]["replicas"] == 3
    assert deployments["om-ordermesh-edge-payment"]["replicas"] == 2
    assert deployments["om-ordermesh-owner-order"]["replicas"] == 1


def test_production_brings_neither_nats_nor_cassandra() -> None:
    assert not of_kind(render(EVERYTHING), "StatefulSet", "PersistentVolumeClaim")


def test_three_of_each_are_three() -> None:
    assert {one["spec"]["replicas"] for one in of_kind(render(THREE_NODES), "StatefulSet")} == {3}


@pytest.mark.parametrize("shape", SHAPES)
def test_services_select_pods_that_exist_and_ports_that_these_have(shape: str) -> None:
    objects = render(SHAPES[shape])
    found = [
        (metadata["labels"], {port["name"] for one in spec["containers"] for port in one.get("ports", [])})
        for _, metadata, spec in pods(objects)
    ]
    for service in of_kind(objects, "Service"):
        selected = [ports for labels, ports in found if service["spec"]["selector"].items() <= labels.items()]
        assert selected, service["metadata"]["name"]
        for port in service["spec"]["ports"]:
            name = port.get("targetPort", port["name"])
            assert all(name in ports for ports in selected), service["metadata"]["name"]


@pytest.mark.parametrize("shape", SHAPES)
def test_every_mount_has_its_volume(shape: str) -> None:
    objects = render(SHAPES[shape])
    claims = {
        one["metadata"]["name"]: {claim["metadata"]["name"] for claim in one["spec"]["volumeClaimTemplates"]}
        for one in of_kind(objects, "StatefulSet")
    }
    for name, _, spec in pods(objects):
        volumes = {volume["name"] for volume in spec.get("volumes", [])} | claims.get(name.split()[1], set())
        mounted = {mount["name"] for one in containers(spec) for mount in one.get("volumeMounts", [])}
        assert mounted == volumes, name


def test_a_new_chart_alone_starts_no_pod_anew() -> None:
    """Labels with a version in them would roll Cassandra with each release of the chart."""
    for name, metadata, _ in pods(render()):
        assert not {"helm.sh/chart", "app.kubernetes.io/version"} & set(metadata["labels"]), name
