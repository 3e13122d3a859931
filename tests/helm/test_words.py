"""What is said of the chart is what it is."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from typing import Any

import yaml

from ordermesh.runtime.settings import Settings
from tests.helm.chart import CHART, ROOT, Values


def paths(values: Values, above: str = "") -> set[str]:
    """The keys of values, those in them too; what has keys of anybody's choice counts as one."""
    found = set()
    for name, value in values.items():
        path = f"{above}{name}"
        found |= paths(value, f"{path}.") if isinstance(value, dict) and value else {path}
    return found


def test_readme_and_schema_are_those_of_the_values() -> None:
    """scripts/gen_chart.py makes them."""
    done = subprocess.run(
        [sys.executable, "scripts/gen_chart.py", "--check"], cwd=ROOT, capture_output=True, text=True, check=False
    )

    assert done.returncode == 0, done.stdout + done.stderr


def test_every_value_has_a_sentence() -> None:
    rows = re.findall(r"^\| `([\w.]+)` \| .*? \| (.*) \|$", (CHART / "README.md").read_text(), flags=re.MULTILINE)
    documented = dict(rows)
    values = yaml.safe_load((CHART / "values.yaml").read_text())
    missing = [
        path for path in paths(values) if not any(path == name or path.startswith(f"{name}.") for name in documented)
    ]

    assert not missing
    assert [name for name, sentence in rows if not re.search(r"\w.*\.$", sentence)] == []


def test_the_schema_knows_every_setting_of_the_program() -> None:
    schema: dict[str, Any] = json.loads((CHART / "values.schema.json").read_text())

    assert set(schema["properties"]["settings"]["properties"]) == set(Settings.model_fields)


def test_the_chart_s_version_of_the_program_is_the_program_s() -> None:
    chart = yaml.safe_load((CHART / "Chart.yaml").read_text())
    project = (ROOT / "pyproject.toml").read_text()

    assert f'version = "{chart["appVersion"]}"' in project


def test_the_dashboard_is_json() -> None:
    assert json.loads((CHART / "dashboard.json").read_text())["panels"]
