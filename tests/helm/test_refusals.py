"""Values that cannot work are refused before anything is changed, with a sentence that says what to do."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

import pytest

from tests.helm.chart import PRODUCTION, Values, refusal, run

REFUSED: dict[str, tuple[Values, str]] = {
    "a profile that does not exist": ({"profile": "small"}, 'profile: is "small", has to be quickstart or production'),
    "production without NATS": (
        {"profile": "production", "cassandra": {"contactPoints": "a"}},
        "nats.url: production needs the addresses of your NATS servers",
    ),
    "production without Cassandra": (
        {"profile": "production", "nats": {"url": "nats://a:4222"}},
        "cassandra.contactPoints: production needs the addresses",
    ),
    "quickstart with a NATS of yours": (
        {"nats": {"url": "nats://a:4222"}},
        "nats.url: quickstart brings a NATS of its own",
    ),
    "quickstart with a Cassandra of yours": (
        {"cassandra": {"contactPoints": "a"}},
        "cassandra.contactPoints: quickstart brings a Cassandra of its own",
    ),
    "quickstart with accounts at NATS": (
        {"nats": {"auth": {"existingSecret": "s"}}},
        "the quickstart's NATS has neither accounts nor TLS",
    ),
    "quickstart with TLS to Cassandra": (
        {"cassandra": {"tls": {"enabled": True}}},
        "the quickstart's Cassandra has neither accounts nor TLS",
    ),
    "certificates without TLS": (
        {**PRODUCTION, "cassandra": {"contactPoints": "a", "tls": {"existingSecret": "s"}}},
        "cassandra.tls.enabled is false: nothing would be encrypted",
    ),
    "a shape of groups that does not exist": ({"groups": "one"}, 'groups: is "one", has to be default or per-service'),
    "no partitions": ({"deployment": {"partitions": 0}}, "deployment.partitions: is 0, has to be from 1 to 1024"),
    "too many partitions": ({"deployment": {"partitions": 2000}}, "is 2000, has to be from 1 to 1024"),
    "two replicas of logs": ({"deployment": {"logReplicas": 2}}, "deployment.logReplicas: is 2, has to be 1 or 3"),
    "more replicas than servers": ({"deployment": {"logReplicas": 3}}, "is 3, but nats.servers is 1"),
    "logs too small": ({"deployment": {"logBytes": 1000}}, "deployment.logBytes: is 1000, has to be at least 16777216"),
    "no time for Cassandra to start": ({"deployment": {"waitSeconds": 5}}, "waitSeconds: is 5, has to be at least 30"),
    "two NATS servers": ({"nats": {"servers": 2}}, "nats.servers: is 2, has to be 1 or 3: of two, none may be lost"),
    "two Cassandra nodes": ({"cassandra": {"nodes": 2}}, "cassandra.nodes: is 2, has to be 1 or 3"),
    "more replicas than nodes": ({"cassandra": {"replication": 3}}, "is 3, but cassandra.nodes is 1"),
    "a disk too small for the logs": (
        {"nats": {"storage": {"size": "1Gi"}}},
        "nats.storage.size: is 1Gi, but 4 partitions of each group with deployment.logBytes 268435456",
    ),
    "a disk of an unknown unit": ({"nats": {"storage": {"size": "4G"}}}, "has to be a whole number of Mi, Gi or Ti"),
    "a heap too small": (
        {"cassandra": {"heapMebibytes": 64}},
        "cassandra.heapMebibytes: is 64, has to be at least 256",
    ),
    "more owners than partitions": ({"owner": {"replicas": 5}}, "5 owners of 4 partitions"),
    "owners scaled past the partitions": (
        {"owner": {"autoscaling": {"kind": "hpa", "maxReplicas": 9}}},
        "9 owners of 4 partitions",
    ),
    "an unknown scaler": ({"owner": {"autoscaling": {"kind": "cpu"}}}, 'is "cpu", has to be none, hpa or keda'),
    "Stripe without a key": ({"payments": {"provider": "stripe"}}, "existingSecret: Stripe needs a key"),
    "a key of Stripe's for the sandbox": (
        {"payments": {"stripe": {"existingSecret": "s"}}},
        "payments.provider is sandbox: no money would move",
    ),
    "an unknown payment provider": ({"payments": {"provider": "cash"}}, 'is "cash", has to be one of sandbox, stripe'),
    "a comparison of no time": (
        {"payments": {"reconcile": {"sinceHours": 0}}},
        "sinceHours: is 0, has to be at least 1",
    ),
    "keda without Prometheus": (
        {"owner": {"autoscaling": {"kind": "keda"}}},
        "autoscaling.prometheusAddress: keda needs the address of Prometheus",
    ),
    "a minimum above the maximum": (
        {"edge": {"autoscaling": {"enabled": True, "minReplicas": 5, "maxReplicas": 2}}},
        "edge: autoscaling.minReplicas is 5 and maxReplicas 2",
    ),
    "edges scaled by CPU that is not requested": (
        {"edge": {"autoscaling": {"enabled": True}, "resources": {"requests": None}}},
        "resources.requests.cpu is not given",
    ),
    "owners killed while they hand over": (
        {"owner": {"terminationGraceSeconds": 12}},
        "owner.terminationGraceSeconds: is 12, has to be at least 20",
    ),
    "TLS without a certificate": ({"edge": {"tls": {"enabled": True}}}, "edge.tls: is enabled without a certificate"),
    "a certificate without TLS": ({"edge": {"tls": {"existingSecret": "s"}}}, "but edge.tls.enabled is false"),
    "two certificates": (
        {
            "edge": {
                "tls": {"enabled": True, "existingSecret": "s", "certManager": {"enabled": True, "issuerName": "i"}}
            }
        },
        "existingSecret and certManager.enabled exclude each other",
    ),
    "cert-manager without an issuer": (
        {"edge": {"tls": {"enabled": True, "certManager": {"enabled": True}}}},
        "cert-manager needs the name of an issuer",
    ),
    "an audit that cannot call": (
        {"edge": {"tls": {"enabled": True, "existingSecret": "s"}}, "verify": {"schedule": "0 3 * * *"}},
        "verify.schedule: with edge.tls.enabled the audit needs certificates",
    ),
    "an ingress without a host": ({"ingress": {"enabled": True}}, "ingress.host: gRPC needs a host name of its own"),
    "a route without a gateway": ({"gateway": {"enabled": True}}, "gateway.parentRefs: a route belongs to a Gateway"),
    "one host for gRPC and HTTP": (
        {"gateway": {"enabled": True, "parentRefs": [{"name": "g"}], "hostnames": ["a"], "httpHostnames": ["a"]}},
        "a is in gateway.hostnames too",
    ),
    "HTTP from outside to edges that have none": (
        {
            "edge": {"tls": {"enabled": True, "existingSecret": "s"}},
            "ingress": {"enabled": True, "host": "a", "http": {"host": "b"}},
        },
        "HTTP has no API where gRPC speaks TLS; set settings.http_api to true",
    ),
    "a group that does not exist": ({"perGroup": {"shipping": {}}}, "there is no such group; these are orders, stock"),
    "a part that a group does not have": ({"perGroup": {"orders": {"relay": {}}}}, "these are edge, owner, image"),
    "an edge for a group that has none": (
        {"perGroup": {"orders": {"edge": {"replicas": 2}}}},
        "a group has an edge of its own only if groups is per-service",
    ),
    "a misspelt value of a group": (
        {"perGroup": {"orders": {"owner": {"replica": 2}}}},
        "perGroup.orders.owner.replica: there is no such value",
    ),
    "a setting that the chart decides": (
        {"settings": {"partitions": 8}},
        "settings.partitions: the chart decides that; set deployment.partitions",
    ),
    "an image that is another each time": (
        {"image": {"tag": "latest"}},
        "image.tag: latest is another image each time",
    ),
    "a digest that is none": ({"image": {"digest": "abc"}}, 'image.digest: is "abc", has to be sha256:'),
    "a policy that does not exist": ({"image": {"pullPolicy": "Sometimes"}}, "one of Always, IfNotPresent, Never"),
    "an affinity that does not exist": ({"antiAffinity": "some"}, 'antiAffinity: is "some", has to be one of soft'),
    "a password in plain text": (
        {"extraEnv": [{"name": "X_PASSWORD", "value": "secret"}]},
        "extraEnv: X_PASSWORD has its value in plain text",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_work_is_refused_in_words(name: str) -> None:
    values, words = REFUSED[name]

    assert words in refusal(values)


def test_all_that_is_wrong_is_said_at_once() -> None:
    said = refusal({"profile": "production", "nats": {"servers": 2}})

    assert "nats.url:" in said
    assert "cassandra.contactPoints:" in said
    assert "nats.servers:" in said


@pytest.mark.parametrize(
    "path", ["parttions", "edge.replica", "nats.storage.sise", "settings.log_levle", "settings.kernel.tick"]
)
def test_a_key_that_does_not_exist_is_refused(path: str) -> None:
    values: dict[str, Any] = {}
    place = values
    *above, last = path.split(".")
    for part in above:
        place = place.setdefault(part, {})
    place[last] = 1

    assert f"additional properties '{last}' not allowed" in refusal(values)


@pytest.mark.parametrize("path", ["edge.replicas", "image.tag", "networkPolicy.enabled", "deployment.partitions"])
def test_a_value_of_another_kind_is_refused(path: str) -> None:
    above, last = path.split(".")

    assert f"at '/{above}/{last}': got array, want" in refusal({above: {last: ["one"]}})


def test_the_chart_passes_its_own_lint() -> None:
    done = run("lint", "--strict", "helm/ordermesh", values=deepcopy(PRODUCTION))

    assert done.returncode == 0, done.stdout
