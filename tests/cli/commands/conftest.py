"""Sections with and without gained chromosome arms, called once for all tests of this folder."""

from pathlib import Path

import pytest
from conftest import made_once
from stand_ins.aneuploid_file import write_aneuploid

from spacrd_cli.main import run

GAINS = {"1q": 2.0, "8q": 2.0, "17q": 2.0, "20q": 2.0}


@pytest.fixture(scope="session")
def aneuploid(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store of three sections called by ``prior``, and what detect wrote; tests must not change it.

    GAIN has gained arms, EVEN has none, and FEW measures too few genes.
    """

    def make(folder: Path) -> None:
        files = [
            write_aneuploid(folder / "GAIN.h5ad", GAINS),
            write_aneuploid(folder / "EVEN.h5ad", {}),
            write_aneuploid(folder / "FEW.h5ad", GAINS, genes=250),
        ]
        for file in files:
            options = ["--um-per-px", "1", "--no-image", "--patient", file.stem, "-q"]
            assert run(["ingest", f"{folder}/store", str(file), *options]) == 0
        assert run(["detect", f"{folder}/store", "prior", "-o", f"{folder}/out", "-q"]) == 0

    return made_once(tmp_path_factory, "aneuploid", make)
