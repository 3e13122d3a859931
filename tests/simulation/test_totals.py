"""Many seeds in several processes, added up in a file of results."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from ordermesh.testing.simulation import cli


def test_a_run_goes_on_after_what_the_results_file_has(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    results = tmp_path / "results.jsonl"
    assert cli.run(start=1, seeds=2, results=results, processes=1)
    assert cli.run(start=1, seeds=2, results=results, processes=1)
    lines = [json.loads(line) for line in results.read_text().splitlines()]
    assert [(line["start"], line["count"]) for line in lines] == [(1, 2)]
    assert "2 seeds of revision" in capsys.readouterr().out


def test_results_of_another_revision_do_not_count(tmp_path: Path) -> None:
    results = tmp_path / "results.jsonl"
    assert cli.run(start=1, seeds=1, results=results, processes=1)
    other = {**json.loads(results.read_text()), "revision": "another"}
    results.write_text(json.dumps(other) + "\n")
    assert cli.run(start=1, seeds=1, results=results, processes=1)
    assert len(results.read_text().splitlines()) == 2


def test_one_seed_is_run_with_its_trace(capfd: pytest.CaptureFixture[str]) -> None:
    assert cli.run_one(2, {}, trace=True)
    assert "append" in capfd.readouterr().out
