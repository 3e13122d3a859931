"""What a pod may do, and where secrets are."""

from __future__ import annotations

import pytest

from tests.helm.chart import EVERYTHING, SHAPES, containers, named, of_kind, pods, render


@pytest.mark.parametrize("shape", SHAPES)
def test_nothing_runs_as_root_or_gets_more_than_it_has(shape: str) -> None:
    """As the restricted Pod Security Standard asks, and a read-only root besides."""
    for name, _, spec in pods(render(SHAPES[shape])):
        assert spec["securityContext"]["runAsNonRoot"] is True, name
        assert spec["securityContext"]["runAsUser"] > 0, name
        assert spec["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}, name
        assert not {"hostNetwork", "hostPID", "hostIPC"} & set(spec), name
        for one in containers(spec):
            expected = {
                "allowPrivilegeEscalation": False,
                "readOnlyRootFilesystem": True,
                "capabilities": {"drop": ["ALL"]},
            }
            assert one["securityContext"] == expected, name


@pytest.mark.parametrize("shape", SHAPES)
def test_no_pod_gets_a_token_for_kubernetes(shape: str) -> None:
    objects = render(SHAPES[shape])

    assert all(account["automountServiceAccountToken"] is False for account in of_kind(objects, "ServiceAccount"))
    for name, _, spec in pods(objects):
        assert spec["automountServiceAccountToken"] is False, name
        assert spec["serviceAccountName"] == "om-ordermesh", name


@pytest.mark.parametrize("shape", SHAPES)
def test_volumes_are_of_kinds_that_are_allowed(shape: str) -> None:
    for name, _, spec in pods(render(SHAPES[shape])):
        for volume in spec.get("volumes", []):
            assert set(volume) <= {"name", "emptyDir", "secret", "configMap"}, name


@pytest.mark.parametrize("shape", SHAPES)
def test_every_container_says_what_it_needs_and_where_it_ends(shape: str) -> None:
    for name, _, spec in pods(render(SHAPES[shape])):
        for one in containers(spec):
            assert {"cpu", "memory"} <= set(one["resources"]["requests"]), name
            assert "memory" in one["resources"]["limits"], name


def test_the_chart_has_no_secret_of_its_own() -> None:
    assert not of_kind(render(EVERYTHING), "Secret")


def test_passwords_come_as_files_and_names_by_reference() -> None:
    objects = render(EVERYTHING)
    settings = named(objects, "ConfigMap", "settings")["data"]
    owner = named(objects, "Deployment", "owner-orders")["spec"]["template"]["spec"]
    secrets = {volume["secret"]["secretName"] for volume in owner["volumes"] if "secret" in volume}
    references = {
        variable["name"]: variable["valueFrom"]["secretKeyRef"]["name"]
        for variable in owner["containers"][0]["env"]
        if "secretKeyRef" in variable.get("valueFrom", {})
    }

    assert settings["ORDERMESH_NATS_PASSWORD_FILE"] == "/secrets/nats/password"
    assert settings["ORDERMESH_CASSANDRA_PASSWORD_FILE"] == "/secrets/cassandra/password"
    assert secrets == {"log", "log-tls", "store", "store-tls", "stripe"}
    assert references == {"ORDERMESH_NATS_USER": "log", "ORDERMESH_CASSANDRA_USER": "store"}


def test_stripe_s_key_is_a_file_of_owners_and_edges_alone() -> None:
    objects = render(EVERYTHING)
    settings = named(objects, "ConfigMap", "settings")["data"]
    having = {
        metadata["labels"]["app.kubernetes.io/component"]
        for _, metadata, spec in pods(objects)
        for volume in spec.get("volumes", [])
        if volume.get("secret", {}).get("secretName") == "stripe"
    }

    assert settings["ORDERMESH_STRIPE_API_KEY_FILE"] == "/secrets/stripe/api-key"
    assert settings["ORDERMESH_STRIPE_WEBHOOK_SECRET_FILE"] == "/secrets/stripe/webhooks"
    assert having == {"edge", "owner-notification", "owner-orders", "owner-stock"}


def test_a_credentials_file_counts_instead_of_user_and_password() -> None:
    auth = {"existingSecret": "log", "credentialsKey": "nats.creds"}
    objects = render({**EVERYTHING, "nats": {**EVERYTHING["nats"], "auth": auth}})
    settings = named(objects, "ConfigMap", "settings")["data"]
    variables = named(objects, "Deployment", "relay")["spec"]["template"]["spec"]["containers"][0]["env"]

    assert settings["ORDERMESH_NATS_CREDS"] == "/secrets/nats/nats.creds"
    assert "ORDERMESH_NATS_PASSWORD_FILE" not in settings
    assert "ORDERMESH_NATS_USER" not in {variable["name"] for variable in variables}


def test_only_edges_have_the_key_of_the_api() -> None:
    holders = {
        name
        for name, _, spec in pods(render(EVERYTHING))
        for volume in spec.get("volumes", [])
        if volume.get("secret", {}).get("secretName") == "om-ordermesh-edge-tls"
    }

    assert holders == {"Deployment om-ordermesh-edge"}


def test_images_are_named_by_digest_where_one_is_given() -> None:
    digest = "sha256:" + "a" * 64
    objects = render({"image": {"digest": digest}, "nats": {"image": {"digest": digest}}})

    assert {one["image"] for _, _, spec in pods(objects) for one in spec["containers"]} == {
        f"ordermesh@{digest}",
        f"nats@{digest}",
        "cassandra:5.0.9",
    }
