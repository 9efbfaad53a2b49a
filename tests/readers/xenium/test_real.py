"""Four bundles in the real format, with matrices of other cells."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from bundles.tenx import Matrix, write_h5

from spacrd_cli.main import run
from spacrd_core.errors import CountsError
from spacrd_core.section.section import ImageInputs
from spacrd_readers.xenium.reader import Xenium

FACTS = {1: (30, "lnbjnnhh-1"), 2: (25, "lnjlpdml-1"), 3: (20, "lohbaggm-1"), 4: (35, "lnbjnnhh-1")}


@pytest.fixture(params=FACTS)
def sample(request: pytest.FixtureRequest, xenium_format: Path) -> Path:
    return xenium_format / f"sample{request.param}"


def phrase(sample: Path) -> str:
    barcodes, cell = FACTS[int(sample.name[-1])]
    return (
        f"the matrix and cells of {sample} are from different bundles: {barcodes} of the {barcodes} barcodes of "
        f"cell_feature_matrix.h5 (CELL_000-1, ...) have no cell, and 10000 of the 10000 cells of cells.parquet "
        f"({cell}, ...) have no counts"
    )


def test_a_matrix_of_other_cells_is_refused(sample: Path) -> None:
    reader = Xenium(Xenium.Options())
    assert reader.recognises(sample)
    with pytest.raises(CountsError) as caught:
        reader.read(sample, ImageInputs())
    assert phrase(sample) in str(caught.value)
    assert "take both from one bundle" in caught.value.hint


def test_the_command_reports_the_error_and_fails(
    sample: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["ingest", str(tmp_path / "store"), str(sample), "-q"]) == 1
    assert f"error: {phrase(sample)}" in capsys.readouterr().err


def test_the_real_cells_are_read_with_a_matrix_of_their_own(sample: Path, tmp_path: Path) -> None:
    cells = pd.read_parquet(sample / "cells.parquet")
    for file in ("experiment.xenium", "cells.parquet"):
        (tmp_path / file).write_bytes((sample / file).read_bytes())
    ones = np.ones((len(cells), 1), dtype=np.int32)
    write_h5(tmp_path / "cell_feature_matrix.h5", Matrix(ones, list(cells["cell_id"]), ["ERBB2"], ["ENSG00000141736"]))
    section = Xenium(Xenium.Options()).read(tmp_path, ImageInputs())
    obs = section.counts.obs
    assert section.um_per_px == json.loads((sample / "experiment.xenium").read_text())["pixel_size"]
    assert section.counts.X.sum() == obs["n_cells"].sum() == 10_000
    controls = cells.filter(regex="control|unassigned|deprecated").to_numpy().sum()
    assert obs["control_counts"].sum() == controls
    assert obs["x_um"].between(cells["x_centroid"].min() - 50, cells["x_centroid"].max() + 50).all()
