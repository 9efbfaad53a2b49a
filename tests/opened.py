"""Result files, opened as users' tools do; all files of a section must be consistent."""

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import anndata as ad
import pandas as pd
import pytest
import shapely

from spacrd_core.results.result import LABEL_NAMES


@dataclass(frozen=True)
class ResultFiles:
    """The result files of one section in a folder."""

    folder: Path
    section: str

    def file(self, suffix: str) -> Path:
        return self.folder / f"{self.section}.{suffix}"

    @property
    def spots(self) -> pd.DataFrame:
        """The table of spots as read by pandas."""
        return pd.read_csv(self.file("spots.csv"), index_col="spot_id")

    @property
    def adata(self) -> ad.AnnData:
        return ad.read_h5ad(self.file("h5ad"))

    def objects(self, kind: str) -> pd.DataFrame:
        """Return QuPath's objects of a kind: name, class, measurements and shape, in px of the open image."""

        def refuse(constant: str) -> None:
            pytest.fail(f"{constant} is not JSON")

        features = json.loads(self.file("geojson").read_text(encoding="utf-8"), parse_constant=refuse)["features"]
        rows: list[dict[str, Any]] = [
            {
                "name": feature["properties"]["name"],
                "class": feature["properties"]["classification"]["name"],
                "shape": shapely.geometry.shape(feature["geometry"]),
                **feature["properties"]["measurements"],
            }
            for feature in features
            if feature["properties"]["objectType"] == kind
        ]
        return pd.DataFrame(rows, columns=None if rows else ["name", "class", "shape"]).set_index("name")


def assert_consistent(files: ResultFiles) -> None:
    """Check that the table, AnnData and QuPath's objects agree for every spot and region."""
    spots, adata, detections = files.spots, files.adata, files.objects("detection")
    assert list(detections.index) == list(spots.index)
    assert set(spots.index) <= set(adata.obs_names)
    obs = adata.obs.loc[spots.index]
    names = spots["label"].map(LABEL_NAMES).tolist()
    assert obs["spacrd_label"].tolist() == detections["class"].tolist() == names
    for probability in (obs["spacrd_prob"], detections["SpaCRD probability"]):
        assert (probability - spots["probability"]).abs().max() < 1e-6
    distances = shapely.distance(
        shapely.points(spots[["x_px", "y_px"]]), shapely.centroid(detections["shape"].to_numpy())
    )
    assert distances.max() < 0.05
    assert shapely.is_valid(detections["shape"].to_numpy()).all()
    _regions_contain_the_spots_above_the_threshold(files)


def _regions_contain_the_spots_above_the_threshold(files: ResultFiles) -> None:
    spots, regions, origin = files.spots, files.objects("annotation"), files.adata.uns["spacrd"]
    assert len(regions)
    assert shapely.is_valid(regions["shape"].to_numpy()).all()
    px_mm2 = (float(origin["um_per_px"]) / 1000) ** 2
    expected = regions["shape"].map(shapely.area) * px_mm2
    if "tissue_coverage" in files.adata.obs:  # of a square that is partly on tissue, only that part counts
        coverage = files.adata.obs["tissue_coverage"].reindex(spots.index).to_numpy(dtype=float)
        centres = shapely.points(spots[["x_px", "y_px"]].to_numpy(dtype=float))
        expected *= [coverage[shapely.contains(shape, centres)].mean() for shape in regions["shape"]]
    assert (expected / regions["Area mm2"] - 1).abs().max() < 1e-3
    inside = shapely.contains(
        shapely.union_all(regions["shape"].to_numpy()), shapely.points(spots[["x_px", "y_px"]].to_numpy())
    )
    above = (spots["probability"] >= float(origin["threshold"])).to_numpy()
    assert not (inside & ~above).any()
    assert inside.sum() == regions["Spots"].sum() > 0.9 * above.sum()  # isolated spots form no region


def verified_names(folder: Path) -> set[str]:
    """Return the names in a folder's manifest after checking that every checksum matches and no file is missing."""
    manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    for record in manifest["files"]:
        assert record["sha256"] == hashlib.sha256((folder / record["name"]).read_bytes()).hexdigest()
    names = {record["name"] for record in manifest["files"]}
    assert names == {file.name for file in folder.iterdir()} - {"manifest.json"}
    return names
