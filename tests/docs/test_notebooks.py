"""Every notebook of the documentation runs in an empty folder, and its cells show the kinds of output that are stored.

Run as a script, this file runs the notebooks, or those that are named, and stores what they show.
"""

import os
import sys
import tempfile
from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbclient import NotebookClient

FOLDER = Path(__file__).parents[2] / "docs/notebooks"
NOTEBOOKS = sorted(FOLDER.glob("*.ipynb"))


def executed(path: Path, folder: Path) -> Any:
    """Return a notebook after running it in a folder; what it installs stays in that folder."""
    work, installed = folder / "work", folder / "installed"
    work.mkdir()
    installed.mkdir()
    paths = {"PATH": Path(sys.executable).parent, "PYTHONPATH": installed}
    environment = dict(os.environ) | {
        name: os.pathsep.join([str(first), *filter(None, [os.environ.get(name)])]) for name, first in paths.items()
    }
    environment |= {"PIP_TARGET": str(installed), "PIP_NO_DEPS": "1"}
    environment |= {"PIP_NO_BUILD_ISOLATION": "0"}  # pip reads this as "no isolation"
    environment |= {"IPYTHONDIR": str(folder / "ipython"), "COLUMNS": "100"}
    notebook = nbformat.read(path, as_version=4)
    options: dict[str, Any] = {"timeout": 300, "record_timing": False, "coalesce_streams": True}
    client = NotebookClient(notebook, **options, resources={"metadata": {"path": str(work)}})
    return client.execute(env=environment)


def shown(notebook: Any) -> list[list[list[str]]]:
    """Return the kinds of every output of every cell of code."""
    return [
        [sorted(output.get("data", [output.get("name", "error")])) for output in cell.outputs]
        for cell in notebook.cells
        if cell.cell_type == "code"
    ]


@pytest.mark.slow  # the workflow that builds the site runs them
@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_runs_and_shows_the_kinds_of_output_that_are_stored(path: Path, tmp_path: Path) -> None:
    stored = nbformat.read(path, as_version=4)
    assert shown(executed(path, tmp_path)) == shown(stored)


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_what_is_stored_is_small_and_names_no_place_of_a_machine(path: Path) -> None:
    assert path.stat().st_size < 400_000
    assert not any(place in path.read_text() for place in ("/home/", "/root/", tempfile.gettempdir(), "/Users/"))


def test_every_notebook_is_on_the_page() -> None:
    page = (FOLDER.parent / "notebooks.md").read_text()
    assert NOTEBOOKS
    assert all(f"(notebooks/{path.name})" in page for path in NOTEBOOKS)


if __name__ == "__main__":
    for path in [FOLDER / f"{name}.ipynb" for name in sys.argv[1:]] or NOTEBOOKS:
        with tempfile.TemporaryDirectory() as folder:
            nbformat.write(executed(path, Path(folder)), path)
