"""Run the steps of all pages one after the other in one Python process, and write the result of each.

It is a separate process, because imported modules read the settings of the Hub at start.
"""

import contextlib
import importlib
import io
import json
import os
import shlex
import shutil
import sys
import time
import tomllib
import traceback
from pathlib import Path
from typing import Any

import pytest

from spacrd_cli.main import run

Namespace = dict[str, Any]
START = ("README.md", "tutorial.md")  # they share a folder, of which each other page gets a copy


def main(world: Path) -> None:
    """Run all steps; each other page starts with the files that the tutorial leaves."""
    namespaces: dict[str, Namespace] = {}
    with (world / "results.jsonl").open("w") as stream:
        for step in json.loads((world / "orders.json").read_text()):
            folder = world / ("start" if step["page"] in START else step["page"].removesuffix(".md"))
            if not folder.exists():
                _begin(folder, world)
            os.chdir(folder)
            done = _do(step, folder, namespaces.setdefault(step["page"], {"__name__": "page"}))
            stream.write(json.dumps(done) + "\n")


def _begin(folder: Path, world: Path) -> None:
    """Create a page's folder, with the files of the tutorial and files that only other pages name."""
    shutil.copytree(world / "start", folder)
    shutil.copytree(world / "beside", folder, dirs_exist_ok=True)
    _forget_plugins()


def _do(step: dict[str, Any], folder: Path, namespace: Namespace) -> dict[str, Any]:
    out, err, began = io.StringIO(), io.StringIO(), time.perf_counter()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        try:
            code = DO[step["kind"]](step, folder, namespace)
        except Exception:  # noqa: BLE001 - any error of a page's code is its result
            traceback.print_exc()
            code = 1
    said = {"out": out.getvalue(), "err": err.getvalue(), "seconds": time.perf_counter() - began}
    return {"place": f"{step['page']}:{step['line']}", "text": step["text"], "code": code, **said}


def _command(step: dict[str, Any], folder: Path, namespace: Namespace) -> int:
    return run(shlex.split(step["text"])[1:])


def _file(step: dict[str, Any], folder: Path, namespace: Namespace) -> int:
    file = folder / step["file"]
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(step["text"])
    if file.name == "pyproject.toml":
        _install(folder, tomllib.loads(step["text"])["project"]["entry-points"]["spacrd"])
    return 0


def _install(folder: Path, points: dict[str, str]) -> None:
    """Make the folder a distribution with these entry points, like an editable installation."""
    name = f"page_{next(iter(points))}"
    metadata = folder / f"{name}-1.0.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
    (metadata / "entry_points.txt").write_text("\n".join(["[spacrd]", *(f"{k} = {v}" for k, v in points.items())]))
    if str(folder) not in sys.path:
        sys.path.insert(0, str(folder))
    importlib.invalidate_caches()


def _forget_plugins() -> None:
    """Remove the plugins of the previous page."""
    sys.path[:] = [path for path in sys.path if not any(Path(path).glob("page_*-1.0.dist-info"))]
    importlib.invalidate_caches()


def _python(step: dict[str, Any], folder: Path, namespace: Namespace) -> int:
    exec(compile(step["text"], step["page"], "exec"), namespace)  # noqa: S102 - the pages' own code
    return 0


def _tests(step: dict[str, Any], folder: Path, namespace: Namespace) -> int:
    file = folder / f"test_of_line_{step['line']}.py"
    file.write_text(step["text"])
    return int(pytest.main(["-q", "-p", "no:cacheprovider", "--rootdir", str(folder), str(file)]))


DO = {"command": _command, "file": _file, "python": _python, "tests": _tests}

if __name__ == "__main__":
    main(Path(sys.argv[1]))
