"""Rendering the chart: its objects for some values, or why it refuses them."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
CHART = ROOT / "helm" / "ordermesh"
KUBERNETES = "1.33.0"
"""The version that the chart is rendered for and checked against."""
RENDER_SECONDS = 60.0
"""Of which it takes a quarter of one on a quiet machine."""

Values = dict[str, Any]
Object = dict[str, Any]

PRODUCTION: Values = {
    "profile": "production",
    "nats": {"url": "nats://a:4222,nats://b:4222,nats://c:4222"},
    "cassandra": {"contactPoints": "10.0.0.11,10.0.0.12"},
}
PER_SERVICE: Values = {"groups": "per-service", "nats": {"storage": {"size": "6Gi"}}}
THREE_NODES: Values = {"nats": {"servers": 3}, "cassandra": {"nodes": 3}}
EVERYTHING: Values = {
    **PRODUCTION,
    "nats": {**PRODUCTION["nats"], "auth": {"existingSecret": "log"}, "tls": {"existingSecret": "log-tls"}},
    "cassandra": {
        **PRODUCTION["cassandra"],
        "auth": {"existingSecret": "store"},
        "tls": {"enabled": True, "existingSecret": "store-tls"},
    },
    "edge": {
        "autoscaling": {"enabled": True},
        "tls": {"enabled": True, "ownClientSecret": "own", "certManager": {"enabled": True, "issuerName": "ca"}},
    },
    "owner": {"autoscaling": {"kind": "keda", "prometheusAddress": "http://prometheus:9090"}},
    "settings": {"http_api": True},
    "ingress": {"enabled": True, "host": "orders.example.com", "http": {"host": "http.example.com"}},
    "gateway": {"enabled": True, "parentRefs": [{"name": "public"}], "httpHostnames": ["http.example.com"]},
    "metrics": {
        "serviceMonitor": {"enabled": True},
        "prometheusRule": {"enabled": True},
        "dashboard": {"enabled": True},
    },
    "verify": {"schedule": "0 3 * * *"},
    "payments": {
        "provider": "stripe",
        "stripe": {"existingSecret": "stripe", "webhookSecretKey": "webhooks"},
        "reconcile": {"schedule": "0 4 * * *", "mend": True},
    },
}
"""Production with every option."""
SHAPES = {
    "quickstart": {},
    "quickstart of three": THREE_NODES,
    "quickstart with a group per service": PER_SERVICE,
    "production": PRODUCTION,
    "production with every option": EVERYTHING,
    "production with a group per service": {**EVERYTHING, "groups": "per-service"},
}
"""What the chart is rendered as, by a name for it."""


def helm() -> str:
    """The program. Where it is missing, tests are skipped, which the summary says; in CI they fail."""
    cached = sorted((ROOT / ".cache" / "helm-tools").glob("*/helm"))
    found = os.environ.get("HELM") or shutil.which("helm") or (str(cached[-1]) if cached else "")
    if not found:
        missing = "there is no Helm; scripts/helm-tools builds it, HELM names one"
        if os.environ.get("CI") or os.environ.get("ORDERMESH_TEST_HELM") == "required":
            pytest.fail(missing)
        pytest.skip(missing)
    return found


def run(*arguments: str, values: Values | None = None) -> subprocess.CompletedProcess[str]:
    """Runs Helm, with these values."""
    command = [helm(), *arguments, "--kube-version", KUBERNETES, *(["--values", "-"] if values is not None else [])]
    text = json.dumps(values) if values is not None else None
    return subprocess.run(command, input=text, capture_output=True, text=True, timeout=RENDER_SECONDS, check=False)


@cache
def _rendered(values: str) -> str:
    done = run("template", "om", str(CHART), "--namespace", "shop", values=json.loads(values))
    assert done.returncode == 0, done.stderr
    return done.stdout


def render(values: Values | None = None) -> list[Object]:
    """The objects for these values, of a release `om` in the namespace `shop`."""
    return [one for one in yaml.safe_load_all(_rendered(json.dumps(values or {}))) if one]


def refusal(values: Values) -> str:
    """Why the chart refuses these values, in one line. Fails if it takes them."""
    done = run("template", "om", str(CHART), values=values)
    assert done.returncode != 0, f"{values} was taken"
    return " ".join(done.stderr.split())


def of_kind(objects: list[Object], *kinds: str) -> list[Object]:
    """Those of these kinds."""
    return [one for one in objects if one["kind"] in kinds]


def named(objects: list[Object], kind: str, name: str) -> Object:
    """The one of that kind whose name, without the release's, is this."""
    found = {one["metadata"]["name"]: one for one in of_kind(objects, kind)}
    assert f"om-ordermesh-{name}" in found, f"there is no {kind} {name}, but {', '.join(found)}"
    return found[f"om-ordermesh-{name}"]


def pods(objects: list[Object]) -> Iterator[tuple[str, Object, Object]]:
    """Every pod that these objects make: whose it is, its metadata, its spec."""
    for one in objects:
        name = f"{one['kind']} {one['metadata']['name']}"
        if one["kind"] == "Pod":
            yield name, one["metadata"], one["spec"]
        elif one["kind"] in {"Deployment", "StatefulSet", "Job"}:
            yield name, one["spec"]["template"]["metadata"], one["spec"]["template"]["spec"]
        elif one["kind"] == "CronJob":
            pod = one["spec"]["jobTemplate"]["spec"]["template"]
            yield name, pod["metadata"], pod["spec"]


def containers(spec: Object) -> list[Object]:
    """All containers of a pod, those that prepare it too."""
    return [*spec.get("initContainers", []), *spec["containers"]]


def container(objects: list[Object], kind: str, name: str) -> Object:
    """The container of the pods of this object."""
    found: Object = named(objects, kind, name)["spec"]["template"]["spec"]["containers"][0]
    return found
