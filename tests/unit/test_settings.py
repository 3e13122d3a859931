"""Settings that are wrong are told in words: each by its name, with what it should be and how it is given."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import get_args, get_type_hints

import pytest
from typer.testing import CliRunner

from ordermesh.cli.app import app
from ordermesh.cli.serve import serve_plainly
from ordermesh.runtime.options import OwnerOptions
from ordermesh.runtime.settings import KERNEL_DEFAULTS, SettingsError, load_settings

PYDANTIC_WORDS = ("Input should", "validation error", "pydantic", "not permitted", "keyword argument", "parse")


@pytest.fixture(autouse=True)
def _no_settings_of_the_caller(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith("ORDERMESH_")]:
        monkeypatch.delenv(name)


@pytest.fixture
def with_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], Path]:
    """Writes a TOML file, and has it read."""

    def write(text: str) -> Path:
        path = tmp_path / "ordermesh.toml"
        path.write_text(text)
        monkeypatch.setenv("ORDERMESH_CONFIG", str(path))
        return path

    return write


def said() -> list[str]:
    """What loading the settings says, by line."""
    with pytest.raises(SettingsError) as raised:
        load_settings()
    lines = str(raised.value).splitlines()
    assert not [line for line in lines for word in PYDANTIC_WORDS if word in line]
    return lines


@pytest.mark.parametrize(
    ("text", "name", "expected"),
    [
        ("workers = 'many'", "workers", "is 'many', expected a whole number at least 1 and at most 64"),
        ("edges = 0", "edges", "is 0, expected a whole number at least 1 and at most 64"),
        ("log_bytes = 5", "log_bytes", "is 5, expected a whole number at least 16777216"),
        ("stop_timeout_s = 'nan'", "stop_timeout_s", "expected a number more than 0.0 and at most 600.0"),
        ("reflection = 'perhaps'", "reflection", "is 'perhaps', expected true or false"),
        ("log_level = 'loud'", "log_level", "is 'loud', expected debug or info or warning or error"),
        ("grpc = '50051'", "grpc", "is '50051', expected HOST:PORT, as in 127.0.0.1:50051"),
        ("data = 5", "data", "is 5, expected a path"),
        ("nats = 5", "nats", "is 5, expected text"),
        ("[workers]\na = 1", "workers", "is a table, expected a whole number"),
    ],
)
def test_a_wrong_setting_is_one_line_with_its_name_what_it_should_be_and_how_to_give_it(
    with_file: Callable[[str], Path], text: str, name: str, expected: str
) -> None:
    with_file(text)

    (line,) = said()

    assert line.startswith(f"{name}: ")
    assert expected in line
    flag, variable = "--" + name.replace("_", "-"), f"ORDERMESH_{name.upper()}"
    assert line.endswith(f"Give it by {flag}, {variable}, or {name} in the TOML file")


def test_every_wrong_setting_has_a_line(with_file: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch) -> None:
    with_file("workers = 'many'\nwokers = 3\n[kernel]\ntick_s = 'fast'\ntik_s = 1\n")
    monkeypatch.setenv("ORDERMESH_EDGES", "none")

    lines = said()

    assert sorted(line.partition(":")[0] for line in lines) == [
        "edges",
        "kernel.tick_s",
        "kernel.tik_s",
        "wokers",
        "workers",
    ]
    by_name = {line.partition(":")[0]: line for line in lines}
    assert "there is no such setting; did you mean workers?" in by_name["wokers"]
    assert "there is no such setting; did you mean kernel.tick_s?" in by_name["kernel.tik_s"]
    assert "is 'fast', expected a number" in by_name["kernel.tick_s"]
    ways = "--kernel-tick-s, ORDERMESH_KERNEL__TICK_S, or tick_s under [kernel] in the TOML file"
    assert by_name["kernel.tick_s"].endswith(f"Give it by {ways}")


def test_a_file_that_is_no_toml_is_named_with_the_place(with_file: Callable[[str], Path]) -> None:
    path = with_file("workers =\n")

    (line,) = said()

    assert line.startswith(f"{path}: ")
    assert "line 1" in line


def test_the_kernel_is_a_table_and_no_json(with_file: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch) -> None:
    with_file("kernel = 3\n")
    (line,) = said()
    assert line.startswith("kernel: is 3, expected a table of settings")
    assert "--kernel-..., ORDERMESH_KERNEL__..., or under [kernel]" in line

    monkeypatch.setenv("ORDERMESH_KERNEL", "{bad")
    (line,) = said()
    assert line.startswith("ORDERMESH_KERNEL: ")
    assert "ORDERMESH_KERNEL__" in line


def test_a_long_value_is_cut(with_file: Callable[[str], Path]) -> None:
    with_file(f"workers = '{'9' * 500}x'")

    (line,) = said()

    assert len(line) < 300


def test_wrong_settings_end_the_command_with_exit_status_2(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("ORDERMESH_WORKERS", "many")
    monkeypatch.setenv("ORDERMESH_EDGES", "none")

    done = CliRunner().invoke(app, ["up", "--data", str(tmp_path / "data")])

    assert done.exit_code == 2
    lines = done.stderr.splitlines()
    assert [line.partition(": is")[0] for line in lines] == ["Error: workers", "Error: edges"]
    assert not (tmp_path / "data").exists()


def test_a_child_with_wrong_settings_ends_with_exit_status_2(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("ORDERMESH_WORKERS", "many")

    with pytest.raises(SystemExit) as ended:
        serve_plainly("owner")

    assert ended.value.code == 2
    assert "workers: is 'many'" in capsys.readouterr().err


def test_one_setting_of_the_kernel_leaves_the_others_as_a_deployment_has_them(with_file: Callable[[str], Path]) -> None:
    """A relay is there, whatever else is said: its backlog must not be trimmed."""
    with_file("[kernel]\ntick_s = 1\n")

    kernel = load_settings().kernel

    assert kernel == replace(KERNEL_DEFAULTS, tick_s=1.0)


@pytest.mark.parametrize(
    ("text", "name", "expected"),
    [
        ("tick_s = -1", "tick_s", "is -1, expected a number more than 0 and at most 86400"),
        ("heartbeat_s = 0", "heartbeat_s", "is 0, expected a number more than 0 and at most 86400"),
        ("retry_max_s = 'nan'", "retry_max_s", "is 'nan', expected a number more than 0 and at most 86400"),
        ("lag_target_s = inf", "lag_target_s", "is inf, expected a number more than 0 and at most 86400"),
        ("pacing_s = -0.1", "pacing_s", "is -0.1, expected a number at least 0 and at most 60"),
        ("intake_share = 1.5", "intake_share", "is 1.5, expected a number more than 0 and at most 1"),
        ("frame_items_max = 0", "frame_items_max", "is 0, expected a whole number at least 1"),
        ("cache_bytes_max = -5", "cache_bytes_max", "is -5, expected a whole number at least 1"),
        ("give_up_s = 120", "give_up_s", "is 120, expected a number more than 0 and at most 100"),
        ("heartbeat_s = 3", "heartbeat_s", "is 3.0, has to be below member_timeout_s, which is 2.5"),
        ("intake_share = 0.86", "intake_share", "is 0.86, has to be below tight_share, which is 0.85"),
        ("retry_min_s = 2", "retry_min_s", "is 2.0, has to be below retry_max_s, which is 2.0"),
    ],
)
def test_a_setting_of_the_kernel_out_of_its_range_is_refused(
    with_file: Callable[[str], Path], text: str, name: str, expected: str
) -> None:
    with_file(f"[kernel]\n{text}\n")

    (line,) = said()

    assert line.startswith(f"kernel.{name}: {expected}")
    flag, variable = "--kernel-" + name.replace("_", "-"), f"ORDERMESH_KERNEL__{name.upper()}"
    assert line.endswith(f"Give it by {flag}, {variable}, or {name} under [kernel] in the TOML file")


def test_every_number_of_the_kernel_has_a_range() -> None:
    """A flag without one takes anything, and something breaks far from it."""
    hints = get_type_hints(OwnerOptions, include_extras=True)

    assert [name for name, hint in hints.items() if hint is not bool and not get_args(hint)[1:]] == []
