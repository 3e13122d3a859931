"""Who may speak to whom, how calls come in, and what scales."""

from __future__ import annotations

from ipaddress import ip_network

import pytest

from ordermesh.core.targets import NETWORKS_REFUSED, NotAllowed, TargetRules, check_address
from tests.helm.chart import EVERYTHING, PER_SERVICE, PRODUCTION, SHAPES, Object, Values, named, of_kind, pods, render

INSIDE = [
    ip_network(text)
    for text in (
        *("0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12"),
        *("192.168.0.0/16", "198.18.0.0/15", "224.0.0.0/4", "240.0.0.0/4"),
    )
]
"""Networks of IPv4 that nobody reaches from everywhere."""
DNS = [{"port": 53, "protocol": "UDP"}, {"port": 53, "protocol": "TCP"}]


def selects(policy: Object, labels: dict[str, str]) -> bool:
    """Whether a policy is about pods with these labels."""
    selector = policy["spec"]["podSelector"]
    return bool(selector["matchLabels"].items() <= labels.items()) and all(
        (labels.get(rule["key"]) in rule["values"]) == (rule["operator"] == "In")
        for rule in selector.get("matchExpressions", [])
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
        "owner-notification": program,
        "webhooks": program | {443},
        "relay": program,
        "deployment": program | {50051},
        "test": {50051},
        "nats": {6222},
        "cassandra": {7000},
    }


def test_webhooks_reach_no_network_that_the_program_refuses() -> None:
    """The policy says again what the program checks: a hole in one is none in both."""
    policy = named(render({}), "NetworkPolicy", "webhooks")["spec"]
    (rule,) = policy["egress"]
    excepted = [ip_network(text) for block in rule["to"] for text in block["ipBlock"].get("except", [])]

    for text in (*NETWORKS_REFUSED, *INSIDE):
        assert any(text[0] in one and text[-1] in one for one in excepted), text
    for network in excepted:
        with pytest.raises(NotAllowed):
            check_address(network[0], TargetRules())


def test_production_s_ports_are_those_of_its_addresses() -> None:
    nats = {"url": "tls://a:4333,tls://b"}
    found = reached({**PRODUCTION, "nats": nats, "cassandra": {"contactPoints": "10.0.0.1:9142,10.0.0.2"}})

    assert found["relay"] == {4333, 4222, 9142, 9042}


def test_only_who_asks_the_payment_provider_reaches_it() -> None:
    stripe: Values = {"payments": {"provider": "stripe", "stripe": {"existingSecret": "stripe"}}}
    found, anyway = reached(stripe), reached({})

    asking = {name for name, numbers in found.items() if 443 in numbers - anyway[name]}
    assert asking == {"edge", "owner-notification", "owner-orders", "owner-stock"}
    peers = [{"ipBlock": {"cidr": "192.0.2.0/24"}}]
    policy = named(render({**stripe, "networkPolicy": {"paymentPeers": peers}}), "NetworkPolicy", "payments")
    assert policy["spec"]["egress"][0]["to"] == peers


def test_payments_are_compared_when_it_is_asked_for() -> None:
    jobs = {one["metadata"]["name"]: one for one in of_kind(render(EVERYTHING), "CronJob")}
    pod = jobs["om-ordermesh-reconcile"]["spec"]["jobTemplate"]["spec"]["template"]["spec"]

    assert pod["containers"][0]["args"][:4] == ["payments", "reconcile", "--since", "48h"]
    assert pod["containers"][0]["args"][-1] == "--mend"


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

    assert [path["path"] for path in paths] == ["/v1", "/openapi.json", "/webhooks"]
    assert [match["path"]["value"] for match in matches] == ["/v1", "/openapi.json", "/webhooks"]
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

    assert unknown["expr"].endswith("< 65")


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
