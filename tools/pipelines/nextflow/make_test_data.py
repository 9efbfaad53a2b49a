"""Write the data of the module's tests: ``python tools/pipelines/nextflow/make_test_data.py tools/pipelines/nextflow``.

A section of the demo, of legacy ST without an image, goes to ``tests/data/S1.tsv.gz`` of that folder.
"""

from __future__ import annotations

import shutil
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from spacrd_core.demo.cohort import write_demo_cohort

TEST_DATA = Path("tests/data/S1.tsv.gz")


def write_test_data(project: Path) -> Path:
    """Write the section into the folder of a project, and return its path."""
    file = project / TEST_DATA
    file.parent.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory() as folder:
        write_demo_cohort(Path(folder), platforms=("st",))
        shutil.copy(Path(folder) / "ST-cnts/S1.tsv.gz", file)
    return file


if __name__ == "__main__":
    print(write_test_data(Path(sys.argv[1])))  # noqa: T201 - where it is
