"""Who may speak to whom, how calls come in, and what scales."""

from __future__ import annotations

import pytest

from tests.helm.chart import EVERYTHING, PER_SERVICE, PRODUCTION, SHAPES, Object, Values, named, of_kind, pods, render

DNS = [{"port": 53, "protocol": "UDP"}, {"port": 53, "protocol": "TCP"}]


def selects(policy: Object, labels: dict[str, str]) -> bool:
    """Whether a policy is about pods with these labels."""
    selector = policy["spec"]["podSelector"]
    excluded = {rule["key"]: rule["values"] for rule in selector.get("matchExpressions", [])}
    return bool(selector["matchLabels"].items() <= labels.items()) and not any(
        labels.get(key) in names for key, names in excluded.items()
    )


def ports(objects: list[Object], labels: dict[str, str], direction: str) -> set[int]:
    """The ports that policies allow pods with these labels."""
    return {
        port["port"]
        for policy in of_kind(objects, "NetworkPolicy")
        if selects(policy, labels)
        for rule in policy["spec"].get(direction, [])
        for port in rule["ports"]
    }


@pytest.mark.parametrize("shape", SHAPES)
def test_what_is_not_allowed_is_denied(shape: str) -> None:
    objects = render(SHAPES[shape])
    default = named(objects, "NetworkPolicy", "default")["spec"]

    assert default["policyTypes"] == ["Ingress", "Egress"]
    assert default["egress"] == [{"ports": DNS}]
    assert "ingress" not in default
    for name, metadata, _ in pods(objects):
        assert default["podSelector"]["matchLabels"].items() <= metadata["labels"].items(), name


@pytest.mark.parametrize("shape", SHAPES)
def test_every_port_that_is_served_may_be_reached(shape: str) -> None:
    """That of NATS' monitoring aside: only the node asks it, for probes."""
    objects = render(SHAPES[shape])
    for name, metadata, spec in pods(objects):
        served = {port["containerPort"] for one in spec["containers"] for port in one.get("ports", [])} - {8222}
        assert ports(objects, metadata["labels"], "ingress") == served, name


def reached(values: Values) -> dict[str, set[int]]:
    """The ports that each pod may call, names' look-up aside."""
    objects = render(values)
    return {
        metadata["labels"]["app.kubernetes.io/component"]: ports(objects, metadata["labels"], "egress") - {53}
        for _, metadata, _ in pods(objects)
    }


def test_processes_reach_log_and_store_and_nothing_else() -> None:
    program = {4222, 9042}

    assert reached({}) == {
        "edge": program,
        "owner-orders": program,
        "owner-stock": program,
        "relay": program,
        "deployment": program | {50051},
        "test": {50051},
        "nats": {6222},
        "cassandra": {7000},
    }


def test_production_s_ports_are_those_of_its_addresses() -> None:
    nats = {"url": "tls://a:4333,tls://b"}
    found = reached({**PRODUCTION, "nats": nats, "cassandra": {"contactPoints": "10.0.0.1:9142,10.0.0.2"}})

    assert found["relay"] == {4333, 4222, 9142, 9042}


def test_only_named_clients_may_call_where_some_are_named() -> None:
    clients = [{"namespaceSelector": {"matchLabels": {"team": "checkout"}}}]
    rule = named(render({"networkPolicy": {"clients": clients}}), "NetworkPolicy", "api")["spec"]["ingress"][0]

    assert rule["from"][:1] == clients
    assert rule["from"][1]["podSelector"]["matchLabels"]["ordermesh/client"] == "true"


def test_without_network_policies_there_are_none() -> None:
    assert not of_kind(render({"networkPolicy": {"enabled": False}}), "NetworkPolicy")


def test_a_client_can_see_every_edge_by_name() -> None:
    assert named(render(), "Service", "edge-headless")["spec"]["clusterIP"] == "None"


def test_calls_from_outside_reach_the_edge_of_their_service() -> None:
    objects = render({**EVERYTHING, "groups": "per-service"})
    route = of_kind(objects, "GRPCRoute")[0]["spec"]
    routed = {
        rule["matches"][0]["method"]["service"] if "matches" in rule else "": rule["backendRefs"][0]["name"]
        for rule in route["rules"]
    }
    paths = {
        path["path"]: path["backend"]["service"]["name"]
        for path in of_kind(objects, "Ingress")[0]["spec"]["rules"][0]["http"]["paths"]
    }

    assert routed == {
        "oms.order.v1.OrderService": "om-ordermesh-edge-order",
        "oms.payment.v1.PaymentService": "om-ordermesh-edge-payment",
        "oms.shipping.v1.ShippingService": "om-ordermesh-edge-shipping",
        "oms.inventory.v1.InventoryService": "om-ordermesh-edge-inventory",
        "": "om-ordermesh-edge-order",
    }
    assert paths == {f"/{name}/" if name else "/": edge for name, edge in routed.items()}


def test_http_from_outside_reaches_the_api_and_not_metrics_or_probes() -> None:
    objects = render(EVERYTHING)
    paths = named(objects, "Ingress", "http")["spec"]["rules"][0]["http"]["paths"]
    matches = of_kind(objects, "HTTPRoute")[0]["spec"]["rules"][0]["matches"]

    assert [path["path"] for path in paths] == ["/v1", "/openapi.json"]
    assert [match["path"]["value"] for match in matches] == ["/v1", "/openapi.json"]
    assert {path["backend"]["service"]["name"] for path in paths} == {"om-ordermesh-edge"}


def test_edges_are_scaled_by_cpu_and_owners_never() -> None:
    edge = named(render(EVERYTHING), "HorizontalPodAutoscaler", "edge")["spec"]["metrics"][0]
    owners = named(
        render({"owner": {"autoscaling": {"kind": "hpa", "maxReplicas": 4}}}), "HorizontalPodAutoscaler", "owner-orders"
    )["spec"]["metrics"]

    assert edge["resource"]["name"] == "cpu"
    assert {metric["type"] for metric in owners} == {"External"}
    assert {metric["external"]["metric"]["name"] for metric in owners} == {
        "ordermesh_partition_lag_seconds",
        "ordermesh_frame_items_average",
    }


def test_keda_asks_prometheus_for_the_lag_and_the_fill_of_the_group() -> None:
    triggers = named(render(EVERYTHING), "ScaledObject", "owner-stock")["spec"]["triggers"]
    queries = [trigger["metadata"]["query"] for trigger in triggers]

    assert all('namespace="shop",group="stock"' in query for query in queries)
    assert "ordermesh_partition_lag_seconds" in queries[0]
    assert "ordermesh_frame_items_sum" in queries[1]


def test_what_is_scaled_has_no_fixed_number() -> None:
    objects = render(EVERYTHING)

    assert "replicas" not in named(objects, "Deployment", "edge")["spec"]
    assert "replicas" not in named(objects, "Deployment", "owner-orders")["spec"]
    assert "replicas" in named(objects, "Deployment", "relay")["spec"]


def test_alerts_expect_every_partition_to_have_an_owner() -> None:
    rules = of_kind(render(EVERYTHING), "PrometheusRule")[0]["spec"]["groups"][0]["rules"]
    unknown = next(rule for rule in rules if rule.get("alert") == "OrdermeshPartitionUnknown")

    assert unknown["expr"].endswith("< 64")


def test_the_certificate_names_every_service_of_the_api() -> None:
    names = of_kind(render(EVERYTHING), "Certificate")[0]["spec"]["dnsNames"]

    assert {"om-ordermesh-edge.shop.svc", "om-ordermesh-edge-headless.shop.svc"} <= set(names)
    assert len(of_kind(render({**EVERYTHING, "groups": "per-service"}), "Certificate")[0]["spec"]["dnsNames"]) == 4 * 6


def test_the_test_orders_where_the_service_is() -> None:
    script = next(spec for name, _, spec in pods(render(PER_SERVICE)) if name.startswith("Pod "))["containers"][0][
        "args"
    ][0]

    assert "stock receive HELM-TEST 1 --server om-ordermesh-edge-inventory:50051" in script
    assert "--server om-ordermesh-edge-order:50051" in script
