"""The pipelines: the Snakemake workflow is run; of the Nextflow module the command line is."""

import csv
import json
import re
import shlex
import shutil
import subprocess
import tomllib
from pathlib import Path

import pandas as pd
import pytest
from container_pins import EXTRAS
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from pipelines.nextflow.make_test_data import TEST_DATA, write_test_data
from stand_ins.aneuploid_file import write_aneuploid

from spacrd_cli.main import run
from spacrd_core._version import __version__

TOOLS = Path(__file__).parents[2] / "tools"
SNAKEFILE = TOOLS / "pipelines/snakemake/Snakefile"
MODULE = TOOLS / "pipelines/nextflow/modules/spacrd/call/main.nf"


needs_snakemake = pytest.mark.skipif(not shutil.which("snakemake"), reason="snakemake is not installed")


@needs_snakemake
def test_the_workflow_calls_every_row_of_a_sheet_and_takes_up_what_is_missing(tmp_path: Path) -> None:
    for name in ("S1", "S2"):
        write_aneuploid(tmp_path / f"{name}.h5ad", {})
    sheet = pd.DataFrame({"name": ["S1", "S2"], "path": ["S1.h5ad", "S2.h5ad"], "reader": ["anndata", ""]})
    sheet.to_csv(tmp_path / "samples.csv", index=False)
    command = ["snakemake", "-s", str(SNAKEFILE), "--cores", "2", "--directory", str(tmp_path), "--config"]
    command += [f"samples={tmp_path}/samples.csv", "options=--um-per-px 1 --no-image"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    results = tmp_path / "results"
    with (results / "summary.tsv").open(newline="") as stream:
        rows = list(csv.DictReader(stream, delimiter="\t"))
    assert [row["section"] for row in rows] == ["S1", "S2"]
    for row in rows:
        spots = pd.read_csv(results / row["section"] / f"{row['section']}.spots.csv")
        assert len(spots) == int(row["spots"])
        assert (tmp_path / row["report"]).is_file()
    shutil.rmtree(results / "S2")
    again = subprocess.run(command, capture_output=True, text=True, check=False)
    assert again.returncode == 0, again.stderr
    assert (results / "S2" / "report.html").is_file()
    assert len(re.findall(r"^rule call:|^localrule call:", again.stderr, re.MULTILINE)) == 1, "S1 is not called again"


@needs_snakemake
@pytest.mark.parametrize(
    ("sheet", "sentence"),
    [
        ("path,sample\nS1.h5ad,S1\n", "needs the columns path and name; name not found among: path, sample"),
        ("path,name\nS1.h5ad,S1\nS2.h5ad,\n", "needs a path and a name in every row; row 2 lacks one"),
        ("path,name\nS1.h5ad,S1\nS2.h5ad,S1\n", "names a section twice"),
    ],
)
def test_a_sheet_that_cannot_be_used_ends_with_what_is_wanted(tmp_path: Path, sheet: str, sentence: str) -> None:
    (tmp_path / "samples.csv").write_text(sheet)
    command = ["snakemake", "-s", str(SNAKEFILE), "-n", "--cores", "1", "--directory", str(tmp_path), "--config"]
    done = subprocess.run([*command, f"samples={tmp_path}/samples.csv"], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    printed = done.stdout + done.stderr  # a dry run of Snakemake prints errors to stdout
    assert sentence in printed
    assert "KeyError" not in printed


def test_the_command_of_the_nextflow_module_is_understood(tmp_path: Path) -> None:
    """Nextflow itself is not run: its script is, with the variables as Nextflow fills them in."""
    script = re.search(r'script:.*?"""\n(.*?)"""', MODULE.read_text(), re.DOTALL)
    assert script
    section = write_test_data(tmp_path)
    assert str(TEST_DATA) in (MODULE.parent / "tests/main.nf.test").read_text()
    values = {"section": section, "prefix": "S1", "image_option": "", "alignment_option": ""}
    text = script[1].split("cat <<")[0].replace("\\\\", "\\").replace("\\$", "$")
    text = text.replace("${detector ?: 'prior'}", "prior").replace("${args}", "")
    for name, value in values.items():
        text = text.replace(f"${{{name}}}", str(value))
    text = text.replace("--output S1", f"--output {tmp_path}/S1")
    command = text[text.index("spacrd call") :].replace("\\\n", " ")
    arguments, _, _ = command.partition(">")
    assert "$" not in arguments
    assert run(shlex.split(arguments)[1:]) == 0
    patterns = re.findall(r'path\("\$\{prefix\}/([^"]+)"\)', MODULE.read_text())
    assert len(patterns) == 3
    for pattern in patterns:
        assert len(list((tmp_path / "S1").glob(pattern))) == 1, pattern


@pytest.mark.parametrize(
    "file", ["pipelines/nextflow/modules/spacrd/call/environment.yml", "pipelines/nextflow/modules/spacrd/call/main.nf"]
)
def test_the_pipelines_name_this_version(file: str) -> None:
    assert __version__ in (TOOLS / file).read_text()


def test_the_containers_pin_every_dependency() -> None:
    pinned = (TOOLS / "containers/requirements.txt").read_text().splitlines()
    assert all(re.fullmatch(r"[a-z0-9.-]+==[\w.]+", line) for line in pinned)
    names = {line.partition("==")[0] for line in pinned}
    assert {"torch", "timm", "zarr", "anndata", "openslide-bin", "distributed", "spatialdata"} <= names
    for recipe in ("Dockerfile", "spacrd.def"):
        text = (TOOLS / "containers" / recipe).read_text()
        assert "requirements.txt" in text
        assert re.search(r"python:3\.\d+\.\d+-slim", text), "a base image of a stated version"


def test_the_pinned_versions_are_those_that_the_project_accepts() -> None:
    pinned = dict(line.split("==") for line in (TOOLS / "containers/requirements.txt").read_text().splitlines())
    project = tomllib.loads((TOOLS.parent / "pyproject.toml").read_text())["project"]
    extras = [project["optional-dependencies"][extra] for extra in EXTRAS]
    needed = [Requirement(text) for texts in (project["dependencies"], *extras) for text in texts]
    assert len(needed) > 30
    for requirement in needed:
        version = pinned[canonicalize_name(requirement.name)]
        assert requirement.specifier.contains(version), f"{requirement}, pinned {version}"


def test_the_summary_has_what_the_workflow_reads(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_aneuploid(tmp_path / "S1.h5ad", {})
    capsys.readouterr()
    options = ["--um-per-px", "1", "--no-image", "--json", "-q"]
    assert run(["call", f"{tmp_path}/S1.h5ad", "-o", f"{tmp_path}/out", *options]) == 0
    section = json.loads(capsys.readouterr().out)["sections"]["S1"]
    used = re.search(r"columns = \((.*?)\)", SNAKEFILE.read_text())
    assert used
    columns = re.findall(r'"(\w+)"', used[1])
    assert set(columns) <= set(section)
