"""Who is not let in is told so in the time given, whatever the client library was doing when it ended."""

from __future__ import annotations

import asyncio
import random
import shutil
from pathlib import Path

import pytest

from ordermesh.adapters.nats_access import NatsAccess
from ordermesh.adapters.nats_connection import Connection
from ordermesh.runtime.ports import LogUnavailable
from tests.e2e.certificates import Authority
from tests.e2e.nats import Nats

TRIES = 60
AT_ONCE = 8
ENDED_SECONDS = 20
"""For a try that is given a hundredth of a second; a bound on a hang, not on speed."""


@pytest.mark.skipif(shutil.which("openssl") is None, reason="NOT TESTED: TLS; there is no openssl")
async def test_a_wrong_password_is_told_and_the_try_ends(tmp_path: Path) -> None:
    authority = Authority(tmp_path / "ca", "authority")
    server, client = authority.sign("server"), authority.sign("client")
    tls = {
        "cert_file": str(server.certificate), "key_file": str(server.key), "ca_file": str(authority.certificate),
        "verify": True,
    }  # fmt: skip
    chance = random.Random(1)
    with Nats(tmp_path / "nats", {"authorization": {"user": "engine", "password": "right"}, "tls": tls}) as nats:
        access = NatsAccess(
            user="engine", password="wrong", ca=authority.certificate, certificate=client.certificate, key=client.key
        )
        place = asyncio.Semaphore(AT_ONCE)

        async def refused(timeout_s: float) -> str:
            async with place:
                connection = Connection([f"tls://127.0.0.1:{nats.port}"], "a stranger", access)
                with pytest.raises(LogUnavailable) as told:
                    await asyncio.wait_for(connection.open(timeout_s), ENDED_SECONDS)
                return str(told.value)

        await asyncio.gather(*(refused(chance.uniform(0.001, 0.01)) for _ in range(TRIES)))
        assert "Authorization Violation" in await refused(2.0)
