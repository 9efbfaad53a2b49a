"""What people take away, opened as their tools do: all files of a section must tell one story."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import anndata as ad
import pandas as pd
import pytest
import shapely

from spacrd_core.results.result import CLASSES

if TYPE_CHECKING:
    from pathlib import Path

NAMES = {label: kind.name for label, kind in CLASSES.items()}


@dataclass(frozen=True)
class Taken:
    """The files of one section in a folder."""

    folder: Path
    section: str

    def file(self, suffix: str) -> Path:
        return self.folder / f"{self.section}.{suffix}"

    @property
    def spots(self) -> pd.DataFrame:
        """The table as pandas reads it."""
        return pd.read_csv(self.file("spots.csv"), index_col="spot_id")

    @property
    def adata(self) -> ad.AnnData:
        return ad.read_h5ad(self.file("h5ad"))

    def objects(self, kind: str) -> pd.DataFrame:
        """QuPath's objects of a kind: name, class, measurements and shape, in px of the image it has open."""

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


def agree(taken: Taken) -> None:
    """Hold the table, AnnData and QuPath's objects against each other, spot by spot and region by region."""
    spots, adata, found = taken.spots, taken.adata, taken.objects("detection")
    assert list(found.index) == list(spots.index)
    assert set(spots.index) <= set(adata.obs_names)
    obs = adata.obs.loc[spots.index]
    words = spots["label"].map(NAMES).tolist()
    assert obs["spacrd_label"].tolist() == found["class"].tolist() == words
    for probability in (obs["spacrd_prob"], found["SpaCRD probability"]):
        assert (probability - spots["probability"]).abs().max() < 1e-6
    away = shapely.distance(shapely.points(spots[["x_px", "y_px"]]), shapely.centroid(found["shape"].to_numpy()))
    assert away.max() < 0.05
    assert shapely.is_valid(found["shape"].to_numpy()).all()
    _regions_hold_the_spots_over_the_threshold(taken)


def _regions_hold_the_spots_over_the_threshold(taken: Taken) -> None:
    spots, regions, origin = taken.spots, taken.objects("annotation"), taken.adata.uns["spacrd"]
    assert len(regions)
    assert shapely.is_valid(regions["shape"].to_numpy()).all()
    px_mm2 = (float(origin["um_per_px"]) / 1000) ** 2
    assert (regions["shape"].map(shapely.area) * px_mm2 / regions["Area mm2"] - 1).abs().max() < 1e-3
    within = shapely.contains(
        shapely.union_all(regions["shape"].to_numpy()), shapely.points(spots[["x_px", "y_px"]].to_numpy())
    )
    over = (spots["probability"] >= float(origin["threshold"])).to_numpy()
    assert not (within & ~over).any()
    assert within.sum() == regions["Spots"].sum() > 0.9 * over.sum()  # lone spots make no region


def listed(folder: Path) -> set[str]:
    """Return the names in a folder's manifest, once every file has proved to be what it says, and none is missing."""
    manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    for record in manifest["files"]:
        assert record["sha256"] == hashlib.sha256((folder / record["name"]).read_bytes()).hexdigest()
    names = {record["name"] for record in manifest["files"]}
    assert names == {file.name for file in folder.iterdir()} - {"manifest.json"}
    return names
