"""What is checked without running SpaCRD: style, types, imports between packages, and that its site can be built."""

import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
CHECKS = (
    "ruff check",
    "ruff format --check",
    "lint-imports",
    "mypy",
    "sphinx-build -q -W --keep-going -b html docs build/docs",
)


@pytest.mark.parametrize("command", CHECKS)
def test_it_finds_nothing(command: str) -> None:
    program, *arguments = command.split()
    if not (path := shutil.which(program)):
        pytest.skip(f"{program} is not installed (pip install '.[lint,docs]')")
    done = subprocess.run([path, *arguments], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
