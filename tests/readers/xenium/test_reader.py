"""A Xenium section (cells, spots, genes and controls) is the same for every version of the bundle."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from bundles.tissue import Pose
from bundles.xenium import SMALL, He, XeniumBundle

from spacrd_core.errors import ConfigError
from spacrd_core.plugins import Plugins
from spacrd_core.section.section import ImageInputs, Reader, Section
from spacrd_core.testing import ReaderContract
from spacrd_readers.xenium.reader import Xenium

BUNDLE = XeniumBundle()
NO_HE = "no H&E was found; give one with --image FILE and --alignment FILE, or --align auto"


def read(path: Path, *, options: dict[str, Any] | None = None, **inputs: Any) -> Section:
    return Xenium(Xenium.Options(**(options or {}))).read(path, ImageInputs(**inputs))


def brute_force(bundle: XeniumBundle, spot_um: float) -> dict[str, Any]:
    """Return the counts of every square with a cell, summed cell by cell."""
    sums: dict[str, Any] = {}
    for (x, y), counts in zip(bundle.centroids, bundle.genes, strict=True):
        name = f"x{int(x // spot_um):05d}_y{int(y // spot_um):05d}"
        sums[name] = sums.get(name, 0) + counts
    return sums


@pytest.mark.ci_cases(4)
class TestXenium(ReaderContract):
    @pytest.fixture(params=["spot", "cell"])
    def reader(self, request: pytest.FixtureRequest) -> Reader:
        return Xenium(Xenium.Options(unit=request.param))  # type: ignore[return-value]

    @pytest.fixture(params=[None, He(Pose(um_per_px=10.0))], ids=["genes", "he"])
    def example(self, tmp_path: Path, request: pytest.FixtureRequest) -> Path:
        return replace(BUNDLE, he=request.param).write(tmp_path)


def test_cells_are_summed_into_squares_anchored_at_the_origin(tmp_path: Path) -> None:
    section = read(BUNDLE.write(tmp_path))
    obs, expected = section.counts.obs, brute_force(BUNDLE, 100.0)
    assert (section.platform, section.spot_um, section.spot_shape, section.pitch_um) == ("xenium", 100, "square", 100)
    assert sorted(obs.index) == sorted(expected)
    np.testing.assert_array_equal(section.counts.X.toarray(), [expected[name] for name in obs.index])
    assert list(section.counts.var["symbol"]) == list(SMALL.symbols)
    assert list(section.counts.var["gene_id"]) == list(SMALL.ids)
    spot = obs.loc["x00003_y00002"]
    assert spot[["x_um", "y_um", "array_x", "array_y"]].tolist() == [350.0, 250.0, 3.0, 2.0]
    np.testing.assert_allclose(obs[["x_px", "y_px"]] * 0.2125, obs[["x_um", "y_um"]])
    assert obs["n_cells"].sum() == len(BUNDLE.centroids)
    assert [source.role for source in section.sources] == ["counts", "cells", "experiment"]


def test_squares_without_cells_are_absent(tmp_path: Path) -> None:
    sparse = replace(BUNDLE, step_um=150.0)
    obs = read(sparse.write(tmp_path)).counts.obs
    assert len(obs) == len(brute_force(sparse, 100.0)) < 108
    assert (obs["n_cells"] > 0).all()


def test_the_side_of_a_spot_is_an_option(tmp_path: Path) -> None:
    section = read(BUNDLE.write(tmp_path), options={"spot_um": 55.0})
    assert (section.spot_um, section.pitch_um) == (55.0, 55.0)
    assert set(section.counts.obs_names) == set(brute_force(BUNDLE, 55.0))


def test_the_cells_of_every_spot_are_known_so_that_their_labels_can_be_summed(tmp_path: Path) -> None:
    section = read(replace(BUNDLE, shuffled=True).write(tmp_path))
    sub_spots, places = section.sub_spots, dict(zip(BUNDLE.names, BUNDLE.centroids, strict=True))
    assert sub_spots
    assert sub_spots.kind == "cell"
    assert sorted(sub_spots.ids) == sorted(name.encode() for name in BUNDLE.names)
    for name, spot in zip(sub_spots.ids, sub_spots.spots, strict=True):
        x, y = places[name.decode()] // 100
        assert section.counts.obs_names[spot] == f"x{int(x):05d}_y{int(y):05d}"


def test_cells_as_they_are_keep_their_ids_places_and_counts(tmp_path: Path) -> None:
    bundle = replace(BUNDLE, shuffled=True)
    section = read(bundle.write(tmp_path), options={"unit": "cell"})
    of = section.counts.obs_names.get_indexer(bundle.names)
    np.testing.assert_allclose(section.counts.obs[["x_um", "y_um"]].to_numpy()[of], bundle.centroids)
    np.testing.assert_array_equal(section.counts.X.toarray()[of], bundle.genes)
    assert section.sub_spots is None
    assert section.spot_shape == "disc"
    assert section.spot_um == pytest.approx(10.0, abs=0.01)  # a disc of 78.54 um2
    assert 15 < section.pitch_um < 30


def test_cells_without_areas_are_assumed_to_be_10_um_wide_with_a_note(tmp_path: Path) -> None:
    section = read(replace(BUNDLE, columns="least").write(tmp_path), options={"unit": "cell"})
    assert section.spot_um == 10.0
    assert any("cells are assumed to be 10 um wide" in note for note in section.notes)


VARIANTS: dict[str, dict[str, Any]] = {
    "XOA 1.0: whole numbers for ids": {"ids": "int", "columns": "v1", "software": "xenium-1.0.2"},
    "the same as csv and zarr": {"ids": "int", "columns": "v1", "cells": "csv.gz", "matrix": "zarr.zip"},
    "XOA 1.3: bytes for ids": {"ids": "bytes", "columns": "v1", "software": "xenium-1.4.0.6", "matrix": "mex"},
    "XOA 2: csv": {"columns": "v2", "cells": "csv.gz", "software": "xenium-2.0.0.6"},
    "XOA 3: zarr": {"columns": "v3", "matrix": "zarr.zip"},
    "XOA 4: proteins": {"proteins": True, "software": "xenium-4.0.1.1"},
    "XOA 4: proteins, real numbers": {"proteins": True, "matrix": "mex"},
    "XOA 4: proteins, zarr": {"proteins": True, "matrix": "zarr.zip"},
    "all features of one kind": {"kinds": False},
    "no controls": {"controls": False},
    "other orders": {"shuffled": True},
    "other orders in zarr": {"shuffled": True, "matrix": "zarr.zip"},
    "least columns": {"columns": "least"},
    "least columns and proteins": {"columns": "least", "proteins": True, "kinds": False},
    "least columns in zarr": {"columns": "least", "proteins": True, "matrix": "zarr.zip"},
    "downloaded": {"prefix": "Xenium_V1_Breast_"},
}


@pytest.mark.ci_cases(8)
@pytest.mark.parametrize("variant", VARIANTS)
def test_every_version_and_format_gives_the_same_section(tmp_path: Path, variant: str) -> None:
    plain, varied = read(BUNDLE.write(tmp_path / "a")), read(replace(BUNDLE, **VARIANTS[variant]).write(tmp_path / "b"))
    order = varied.counts.obs_names.get_indexer(plain.counts.obs_names)
    np.testing.assert_array_equal(varied.counts.X.toarray()[order], plain.counts.X.toarray())
    assert varied.counts.var.equals(plain.counts.var)
    columns = ["x_um", "y_um", "x_px", "y_px", "n_cells"]
    assert varied.counts.obs.iloc[order][columns].equals(plain.counts.obs[columns])
    lasting = plain.counts.obs["control_counts"] if VARIANTS[variant].get("controls", True) else 0
    assert (varied.counts.obs["control_counts"].iloc[order] == lasting).all()
    assert varied.sub_spots
    assert plain.sub_spots
    if "ids" not in VARIANTS[variant]:
        assert sorted(varied.sub_spots.ids) == sorted(plain.sub_spots.ids)


def test_controls_are_not_genes_and_their_share_is_reported(tmp_path: Path) -> None:
    section = read(BUNDLE.write(tmp_path))
    controls = int(BUNDLE.control_counts.sum())
    everything = controls + int(BUNDLE.genes.sum())
    assert section.counts.obs["control_counts"].sum() == controls > 0
    kinds = (
        "Negative Control Probe (2), Negative Control Codeword (1), Blank Codeword (1), "
        "Unassigned Codeword (1), Deprecated Codeword (1), Genomic Control (1)"
    )
    assert section.notes == (
        f"features that are not genes, left out: {kinds}",
        f"counts of controls, left out: {controls} of {everything} ({controls / everything:.2%})",
        NO_HE,
    )


def test_controls_are_known_by_their_names_where_early_bundles_call_all_features_genes(tmp_path: Path) -> None:
    section = read(replace(BUNDLE, kinds=False, columns="least", ids="int").write(tmp_path))
    assert "features that are not genes, left out: control (7)" in section.notes
    assert section.counts.obs["control_counts"].sum() == BUNDLE.control_counts.sum()


def test_proteins_are_left_out_and_count_neither_as_genes_nor_as_controls(tmp_path: Path) -> None:
    section = read(replace(BUNDLE, proteins=True, columns="least").write(tmp_path))
    assert "Protein Expression (1)" in section.notes[0]
    assert section.counts.obs["control_counts"].sum() == BUNDLE.control_counts.sum()


@pytest.mark.parametrize("unit", ["spot", "cell"])
def test_um_per_px_is_the_pixel_size_of_the_bundle(tmp_path: Path, unit: str) -> None:
    section = read(replace(BUNDLE, pixel_size=0.17).write(tmp_path), options={"unit": unit})
    assert section.um_per_px == 0.17
    np.testing.assert_allclose(section.counts.obs[["x_px", "y_px"]] * 0.17, section.counts.obs[["x_um", "y_um"]])


def test_the_reader_comes_by_its_card(plugins: Plugins) -> None:
    assert isinstance(plugins.readers.create("xenium", {"unit": "cell", "spot_um": 55}), Xenium)
    for wrong in ({"unit": "nucleus"}, {"spot_um": 0}, {"pixel_size": 0.2}):
        with pytest.raises(ConfigError, match=next(iter(wrong))):
            plugins.readers.create("xenium", wrong)
