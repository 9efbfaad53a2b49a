"""The workflow of a release: its bill of materials is made by a pinned tool, is valid, and is attached."""

import json
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[2]
needs_cyclonedx = pytest.mark.skipif(not shutil.which("cyclonedx-py"), reason="cyclonedx-bom is not installed")


@pytest.fixture(scope="module")
def jobs() -> dict[str, Any]:
    jobs: dict[str, Any] = yaml.safe_load((ROOT / ".github/workflows/release.yml").read_text())["jobs"]
    return jobs


def lines(job: dict[str, Any]) -> list[str]:
    return [line.strip() for step in job["steps"] for line in step.get("run", "").splitlines()]


def test_the_bill_lists_what_the_built_wheel_installs_by_a_pinned_tool(jobs: dict[str, Any]) -> None:
    bill = jobs["bill"]
    assert bill["needs"] == "build"
    assert {"name": "dist", "path": "dist"} in [step.get("with") for step in bill["steps"]]
    commands = lines(bill)
    assert "installed/bin/python -m pip install dist/*.whl" in commands
    assert any(re.fullmatch(r"python -m pip install cyclonedx-bom==\d+\.\d+\.\d+", command) for command in commands)
    (command,) = [command for command in commands if command.startswith("cyclonedx-py environment ")]
    assert shlex.split(command)[-1] == "installed/bin/python"
    assert "--no-validate" not in command


def test_the_bill_is_attached_to_the_release_and_nothing_else_may_be_written(jobs: dict[str, Any]) -> None:
    assert jobs["bill"]["permissions"] == {"contents": "write"}
    (name,) = set(re.findall(r'"(spacrd-[^"]*\.cdx\.json)"', " ".join(lines(jobs["bill"]))))
    assert any(command.startswith(f'gh release upload "$TAG" "{name}"') for command in lines(jobs["bill"]))
    others = [job.get("permissions") for name, job in jobs.items() if name not in {"bill", "publish"}]
    assert "write" not in json.dumps(others)


@needs_cyclonedx
def test_the_command_makes_a_bill_of_this_environment(jobs: dict[str, Any], tmp_path: Path) -> None:
    (command,) = [command for command in lines(jobs["bill"]) if command.startswith("cyclonedx-py environment ")]
    arguments = shlex.split(command.replace("installed/bin/python", sys.executable))
    arguments[arguments.index("--output-file") + 1] = str(tmp_path / "bill.json")
    subprocess.run(arguments, cwd=ROOT, check=True)
    bill = json.loads((tmp_path / "bill.json").read_text())
    assert (bill["bomFormat"], bill["specVersion"]) == ("CycloneDX", "1.6")
    assert bill["metadata"]["component"]["name"] == "spacrd"
    assert {"torch", "zarr"} <= {component["name"] for component in bill["components"]}
