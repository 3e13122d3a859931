"""`ordermesh up` where it cannot start, or starts with other settings than before: words, and exit status."""

from __future__ import annotations

import json
import time
from pathlib import Path

from tests.e2e.engine import Engine, ordermesh

MIB = 1 << 20
ADDRESSES = ("--grpc", "127.0.0.1:0", "--http", "127.0.0.1:0")


def log_sizes(engine: Engine) -> set[int]:
    """The bytes that are reserved for each partition's log, by the file that the nats-server keeps of each."""
    metas = (engine.data / "nats").rglob("OM_*/meta.inf")
    return {int(json.loads(meta.read_text())["max_bytes"]) for meta in metas if "OM_EVENTS" not in str(meta)}


def test_without_its_nats_server_it_says_so_and_has_exit_status_5(tmp_path: Path) -> None:
    begun = time.monotonic()

    done = ordermesh("up", "--data", tmp_path / "data", "--nats", "nats://127.0.0.1:1", *ADDRESSES)

    assert done.returncode == 5
    assert time.monotonic() - begun < 30
    assert done.stdout == ""
    (line,) = done.stderr.splitlines()
    assert line.startswith("Error: no NATS server at nats://127.0.0.1:1: ")
    assert "--nats" in line


def test_a_single_process_without_its_nats_server_has_exit_status_5_too(tmp_path: Path) -> None:
    given = ("--data", tmp_path, "--nats", "nats://127.0.0.1:1", "--http", "", "--start-wait-s", "0")
    done = ordermesh("serve", "--role", "owner", *given)

    assert done.returncode == 5
    assert done.stdout == ""
    assert "no NATS server at nats://127.0.0.1:1" in done.stderr


def test_logs_grow_when_asked_to_never_shrink_and_else_stay_as_they_are(tmp_path: Path) -> None:
    engine = Engine(tmp_path / "data", "--partitions", "1", "--log-bytes", str(64 * MIB))
    with engine:
        engine.json("stock", "receive", "TEA", "5")
        assert log_sizes(engine) == {64 * MIB}
        engine.stop()

        engine.options = ("--log-bytes", str(96 * MIB))
        engine.start()
        assert log_sizes(engine) == {96 * MIB}
        assert engine.json("stock", "receive", "TEA", "5")["stock"]["on_hand"] == "10"
        engine.stop()

        engine.options = ()
        engine.start()
        assert log_sizes(engine) == {96 * MIB}
        assert all(finding["holds"] for finding in engine.json("verify")["invariants"])
        engine.stop()

    done = ordermesh("up", "--data", engine.data, *ADDRESSES, "--log-bytes", str(64 * MIB))
    assert done.returncode == 1
    assert f"{96 * MIB:,}" in done.stderr
    assert "--log-bytes" in done.stderr
    assert log_sizes(engine) == {96 * MIB}


def test_logs_that_the_disk_has_no_room_for_are_refused(tmp_path: Path) -> None:
    with Engine(tmp_path / "data", "--partitions", "1", "--log-bytes", str(16 * MIB)) as engine:
        engine.stop()

    done = ordermesh("up", "--data", engine.data, *ADDRESSES, "--log-bytes", str(1 << 50))

    assert done.returncode == 1
    assert "bytes free" in done.stderr
    assert log_sizes(engine) == {16 * MIB}
