"""Everything speaks TLS and shows who it is: to the nats-server by user and password, to the engine by certificate."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.e2e.certificates import Authority
from tests.e2e.engine import environment, until
from tests.e2e.nats import Nats
from tests.e2e.roles import Role, running

SECRET = "s3cret-of-nobody"
READY = 200

pytestmark = pytest.mark.skipif(shutil.which("openssl") is None, reason="NOT TESTED: TLS; there is no openssl")


def call(variables: dict[str, str], *arguments: str) -> subprocess.CompletedProcess[str]:
    """Runs a command with these variables."""
    command = [sys.executable, "-m", "ordermesh", *arguments]
    variables = {**environment(), **variables}
    return subprocess.run(command, env=variables, capture_output=True, text=True, timeout=300, check=False)


def test_an_engine_that_shows_who_it_is_serves_those_who_do_and_nobody_else(tmp_path: Path) -> None:
    authority, stranger = Authority(tmp_path / "ca", "authority"), Authority(tmp_path / "other", "stranger")
    server, client = authority.sign("server"), authority.sign("client")
    secured = {
        "authorization": {"user": "engine", "password": SECRET},
        "tls": {
            "cert_file": str(server.certificate), "key_file": str(server.key), "ca_file": str(authority.certificate),
            "verify": True,
        },
    }  # fmt: skip
    password = tmp_path / "password"
    password.write_text(f"{SECRET}\n")
    with Nats(tmp_path / "nats", secured) as nats:
        settings = {
            "ORDERMESH_NATS": f"tls://127.0.0.1:{nats.port}",
            "ORDERMESH_NATS_USER": "engine",
            "ORDERMESH_NATS_PASSWORD_FILE": str(password),
            "ORDERMESH_NATS_CA": str(authority.certificate),
            "ORDERMESH_NATS_CERT": str(client.certificate),
            "ORDERMESH_NATS_KEY": str(client.key),
            "ORDERMESH_SANDBOX_LEDGER": "nats",
            "ORDERMESH_DATA": str(tmp_path / "data"),
            "ORDERMESH_LOG_BYTES": str(32 << 20),
        }
        made = call(settings, "deployment", "create", "--partitions", "1", "--wait-s", "60")
        assert made.returncode == 0, made.stderr
        _is_refused(settings, nats)
        tls = {
            "ORDERMESH_TLS_CERT": str(server.certificate), "ORDERMESH_TLS_KEY": str(server.key),
            "ORDERMESH_TLS_CLIENT_CA": str(authority.certificate),
        }  # fmt: skip
        roles = [Role(role, tmp_path / "data", {**settings, **tls}) for role in ("owner", "relay", "edge")]
        with running(roles):
            edge = roles[-1]
            for role in roles:
                role.until_status("/readyz", READY)
            shown = {
                "ORDERMESH_SERVER": edge.grpc, "ORDERMESH_SERVER_CA": str(authority.certificate),
                "ORDERMESH_SERVER_CERT": str(client.certificate), "ORDERMESH_SERVER_KEY": str(client.key),
            }  # fmt: skip
            received = call(shown, "stock", "receive", "TEA", "5")
            assert received.returncode == 0, received.stderr
            other = stranger.sign("client")
            by_stranger = {"ORDERMESH_SERVER_CERT": str(other.certificate), "ORDERMESH_SERVER_KEY": str(other.key)}
            for refused in ({"ORDERMESH_SERVER": edge.grpc}, {**shown, **by_stranger}):
                assert call(refused, "stock", "get", "TEA", "--timeout", "5").returncode == 5
            assert call(shown, "verify").returncode == 0
            until(lambda: "partition" in edge.get("/metrics")[1], "metrics are told without TLS, to the inside")
    assert SECRET not in "".join(role.said() for role in roles) + made.stdout + made.stderr


def _is_refused(settings: dict[str, str], nats: Nats) -> None:
    """Another password, and none, reach nothing; and none of them is repeated to whoever reads."""
    wrong = {**settings, "ORDERMESH_NATS": f"tls://engine:{SECRET}x@127.0.0.1:{nats.port}"}
    del wrong["ORDERMESH_NATS_USER"]
    del wrong["ORDERMESH_NATS_PASSWORD_FILE"]
    for variables in (wrong, {**wrong, "ORDERMESH_NATS": f"tls://127.0.0.1:{nats.port}"}):
        done = call(variables, "deployment", "create")
        assert done.returncode == 5, done.stderr
        assert f"tls://127.0.0.1:{nats.port}" in done.stderr
        assert SECRET not in done.stderr


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"ORDERMESH_NATS_CERT": "/nowhere.pem"}, "--nats-cert"),
        ({"ORDERMESH_NATS_CA": "/nowhere.pem"}, "--nats-ca"),
        ({"ORDERMESH_NATS_CREDS": "/nowhere.creds"}, "there is no file /nowhere.creds"),
        ({"ORDERMESH_NATS_USER": "a", "ORDERMESH_NATS_CREDS": "/nowhere.creds"}, "not both"),
        ({"ORDERMESH_NATS_PASSWORD": "a", "ORDERMESH_NATS_PASSWORD_FILE": "/b"}, "not both"),
        ({"ORDERMESH_NATS_PASSWORD_FILE": "/nowhere"}, "--nats-password-file"),
    ],
)
def test_what_cannot_be_used_is_told_at_the_start(tmp_path: Path, given: dict[str, str], words: str) -> None:
    variables = {"ORDERMESH_DATA": str(tmp_path), "ORDERMESH_NATS": "nats://127.0.0.1:1", **given}
    done = call(variables, "deployment", "create")
    assert done.returncode == 1
    assert words in done.stderr
