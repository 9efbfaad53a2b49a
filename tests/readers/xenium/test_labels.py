"""Published cell types become a share of cancer in every spot; single-cell spots take their own type."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from bundles.xenium import SMALL, XeniumBundle

from spacrd_cli.main import run
from spacrd_core.store.store import SpotStore

TUMOUR, OTHER = "Invasive_Tumor", "Stromal"
TISSUE = replace(SMALL, square_um=(300.0, 200.0, 830.0, 700.0))  # the last column of squares is dark in part


@pytest.mark.ci_cases(2)
@pytest.mark.parametrize("ids", ["int", "str", "bytes"])
@pytest.mark.parametrize("unit", ["spot", "cell"])
def test_labels_by_cell_id_come_to_their_spots_by_the_command(tmp_path: Path, ids: Any, unit: str) -> None:
    bundle = XeniumBundle(tissue=TISSUE, ids=ids, shuffled=True)
    dark = TISSUE.dark(bundle.centroids)
    types = pd.DataFrame({"Barcode": bundle.names, "Cluster": np.where(dark, TUMOUR, OTHER)})
    types.to_csv(tmp_path / "types.csv", index=False)
    words = ["--labels", str(tmp_path / "types.csv"), "--positive", TUMOUR, "--set", f"reader.unit={unit}"]
    store, path = tmp_path / "store", bundle.write(tmp_path / "T1")
    assert run(["ingest", str(store), str(path), *words, "-q"]) == 0
    obs = SpotStore.open(store).section("T1").obs
    if unit == "cell":
        assert ((obs["label"] == "cancer").to_numpy() == dark[pd.Index(bundle.names).get_indexer(obs.index)]).all()
        return
    squares = [f"x{int(x // 100):05d}_y{int(y // 100):05d}" for x, y in bundle.centroids]
    share = pd.Series(dark.astype(float)).groupby(squares).mean().loc[obs.index]
    np.testing.assert_allclose(obs["label_fraction"], share)
    assert 0 < share["x00008_y00004"] < 1
    assert (obs["n_labelled"] == obs["n_cells"]).all()
    assert ((obs["label"] == "cancer") == (share >= 0.5)).all()
