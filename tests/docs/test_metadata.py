"""What pyproject.toml states agrees with the other files that must state it too."""

import re
import tomllib

from documentation.blocks import ROOT

from spacrd_core import __version__

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
SECURITY = (ROOT / "SECURITY.md").read_text()


def test_the_citation_has_the_version() -> None:
    assert f"\nversion: {__version__}\n" in (ROOT / "CITATION.cff").read_text()


def test_the_workflow_tests_the_versions_of_python_that_are_declared() -> None:
    declared = [name.rpartition(" ")[2] for name in PROJECT["classifiers"] if re.search(r":: 3\.\d+$", name)]
    workflow = (ROOT / ".github/workflows/tests.yml").read_text()
    matrix = re.search(r"python: \[(.*)\]", workflow)
    assert matrix is not None
    assert re.findall(r'"(3\.\d+)"', matrix[1]) == declared
    assert PROJECT["requires-python"] == f">={declared[0]}"


def test_the_page_on_security_has_the_minimum_versions() -> None:
    needs = [need.partition(",")[0].partition(">=") for need in PROJECT["dependencies"]]
    lowest = {name: version for name, _, version in needs}
    table = dict(re.findall(r"^\| (\w+) \| ([\d.]+) \|", SECURITY, re.MULTILINE))
    assert {name.lower(): version for name, version in table.items()} == {
        name: lowest[name] for name in ("torch", "pillow", "jinja2", "numcodecs")
    }
    assert f"h5py {lowest['h5py']} and later" in SECURITY
