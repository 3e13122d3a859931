"""The data directory: one holder at a time, who says who it is, and leftovers of a killed holder are ended."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from ordermesh.cli.data_directory import DataDirectory, DirectoryHeld, ProcessRecord, Status
from ordermesh.cli.processes import family, is_alive, process_stat, start_time


def sleeper() -> subprocess.Popen[bytes]:
    return subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])


def record(process: subprocess.Popen[bytes], started: int | None = None) -> ProcessRecord:
    return ProcessRecord("owner-0", "owner", process.pid, start_time(process.pid) if started is None else started)


def test_a_second_holder_is_told_who_holds_it_and_where_it_listens(tmp_path: Path) -> None:
    first = DataDirectory(tmp_path)
    first.hold()
    first.write_status(Status(os.getpid(), "127.0.0.1:1", "127.0.0.1:2", "nats://127.0.0.1:3"))

    with pytest.raises(DirectoryHeld, match=rf"held by process {os.getpid()} \(gRPC 127.0.0.1:1, HTTP 127.0.0.1:2"):
        DataDirectory(tmp_path).hold()

    first.release()
    DataDirectory(tmp_path).hold()


def test_a_directory_that_nobody_holds_says_so(tmp_path: Path) -> None:
    directory = DataDirectory(tmp_path)

    assert directory.held_by() is None
    directory.hold()
    assert DataDirectory(tmp_path).held_by() == os.getpid()
    directory.release()
    assert directory.held_by() is None


def test_the_lock_ends_with_a_killed_holder(tmp_path: Path) -> None:
    code = (
        "import sys, time; from pathlib import Path; from ordermesh.cli.data_directory import DataDirectory;"
        "DataDirectory(Path(sys.argv[1])).hold(); print('held', flush=True); time.sleep(60)"
    )
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    with subprocess.Popen([sys.executable, "-c", code, tmp_path], stdout=subprocess.PIPE, env=environment) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"held\n"
        assert DataDirectory(tmp_path).held_by() == holder.pid
        holder.kill()

    assert DataDirectory(tmp_path).held_by() is None


def test_what_a_killed_holder_left_running_is_ended(tmp_path: Path) -> None:
    directory = DataDirectory(tmp_path)
    with sleeper() as left:
        directory.write_status(Status(1, processes=[record(left)]))

        assert [process.pid for process in directory.end_leftovers()] == [left.pid]
        assert left.wait(10) < 0


def test_a_process_that_only_has_the_same_number_is_left_alone(tmp_path: Path) -> None:
    directory = DataDirectory(tmp_path)
    with sleeper() as other:
        directory.write_status(Status(1, processes=[record(other, started=1)]))

        assert directory.end_leftovers() == []
        assert is_alive(other.pid, start_time(other.pid))
        other.kill()


def test_a_process_says_its_cpu_time_and_belongs_to_its_parent() -> None:
    begun = time.process_time()
    while time.process_time() - begun < 0.05:
        pass
    with sleeper() as child:
        own = process_stat(os.getpid())

        assert own is not None
        assert own.cpu_s >= 0.05
        assert {os.getpid(), child.pid} <= {member.pid for member in family(os.getpid())}
        child.kill()
