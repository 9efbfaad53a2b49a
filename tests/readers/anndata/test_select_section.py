"""Files of several sections: one is read, and never guessed."""

from pathlib import Path
from typing import Any

import anndata as ad
import numpy as np
import pytest
from bundles.anndata_file import Measured, tissue_object, write_anndata
from bundles.tissue import Pose

from spacrd_core.errors import ConfigError, UnrecognisedSection
from spacrd_core.section.section import ImageInputs, Section
from spacrd_readers.anndata.reader import AnnData

POSES = {"A": Pose(1.0), "B": Pose(0.5, degrees=30.0)}


def section(name: str) -> ad.AnnData:
    return tissue_object(Measured(pose=POSES[name], hires=0.1, library=name))


def joined(label: str | None = "library_id") -> ad.AnnData:
    """Return two sections in one object, as ``anndata.concat(..., uns_merge="unique")`` joins them."""
    parts = {name: section(name) for name in POSES}
    return ad.concat(parts, label=label, index_unique="-", uns_merge="unique", merge="same")


def read(path: Path, library: str = "", **inputs: Any) -> Section:
    return AnnData(AnnData.Options(library=library)).read(path, ImageInputs(**inputs))


@pytest.mark.parametrize("label", ["library_id", "sample"])
def test_several_sections_are_refused_until_one_is_named(tmp_path: Path, label: str) -> None:
    adata = joined(label)
    path = write_anndata(adata, tmp_path / "all.h5ad")
    with pytest.raises(UnrecognisedSection) as caught:
        read(path)
    assert f"{path} holds 2 sections (A, B, from obs['{label}'])" in str(caught.value)
    assert "--set reader.library=A" in caught.value.hint
    for name, pose in POSES.items():
        selected = read(path, name)
        alone = section(name)
        assert list(selected.counts.obs_names) == [f"{spot}-{name}" for spot in alone.obs_names]
        assert (selected.counts.X != alone.X).nnz == 0
        assert selected.um_per_px == pytest.approx(pose.um_per_px)
        assert selected.slide
        np.testing.assert_array_equal(selected.slide.pixels, alone.uns["spatial"][name]["images"]["hires"])


def test_an_unknown_section_is_refused_with_the_names_of_the_others(tmp_path: Path) -> None:
    path = write_anndata(joined(), tmp_path / "all.h5ad")
    with pytest.raises(ConfigError) as caught:
        read(path, "C")
    assert f"{path} has no section 'C'" in str(caught.value)
    assert "A, B" in str(caught.value)
    assert "--set reader.library=NAME" in caught.value.hint


def test_one_section_cut_from_many_needs_no_name(tmp_path: Path) -> None:
    adata = joined()
    path = write_anndata(adata[adata.obs["library_id"] == "B"].copy(), tmp_path / "B.h5ad")
    selected = read(path)
    assert selected.um_per_px == pytest.approx(POSES["B"].um_per_px)
    assert selected.slide
    assert selected.notes == read(path, "B").notes


def test_images_of_several_sections_without_a_column_for_the_spots_need_a_name(tmp_path: Path) -> None:
    adata = section("A")
    adata.uns["spatial"]["B"] = section("B").uns["spatial"]["B"]
    path = write_anndata(adata, tmp_path / "all.h5ad")
    with pytest.raises(UnrecognisedSection) as caught:
        read(path)
    assert f"{path} holds 2 sections (A, B, from uns['spatial'])" in str(caught.value)
    selected = read(path, "A")
    assert len(selected.counts) == adata.n_obs
    assert "all were assigned to 'A'" in selected.notes[0]


def test_sections_joined_without_a_column_are_told_by_their_spot_names(tmp_path: Path) -> None:
    adata = joined(label=None)
    del adata.uns["spatial"]
    path = write_anndata(adata, tmp_path / "all.h5ad")
    with pytest.raises(UnrecognisedSection) as caught:
        read(path)
    assert f"{path} holds 2 sections (A, B, from the ends of the spot names)" in str(caught.value)
    assert list(read(path, "B").counts.obs_names) == [f"{name}-B" for name in section("B").obs_names]


def test_sections_that_nothing_tells_apart_are_refused_by_their_shared_array_positions(tmp_path: Path) -> None:
    adata = joined(label=None)
    del adata.uns["spatial"]
    adata.obs_names = [f"spot {number}" for number in range(adata.n_obs)]
    path = write_anndata(adata, tmp_path / "all.h5ad")
    with pytest.raises(UnrecognisedSection) as caught:
        read(path)
    assert f"{path} holds more than one section" in str(caught.value)
    assert f"spots spot 0 and spot {adata.n_obs // 2} are both at array column 1, row 1" in str(caught.value)
    assert "obs['library_id']" in caught.value.hint
    assert "--set reader.library=NAME" in caught.value.hint


def test_a_lone_section_has_its_picture_whatever_the_column_calls_it(tmp_path: Path) -> None:
    adata = tissue_object()
    adata.obs["library_id"] = "slide 7"
    assert read(write_anndata(adata, tmp_path / "S1.h5ad")).slide
    selected = read(write_anndata(adata, tmp_path / "S2.h5ad"), "slide 7")
    assert selected.slide


def test_sections_without_pictures_of_their_own_get_none(tmp_path: Path) -> None:
    adata = joined()
    adata.uns["spatial"] = {"whole": adata.uns["spatial"]["A"]}
    selected = read(write_anndata(adata, tmp_path / "all.h5ad"), "B")
    assert selected.slide is None
    assert selected.um_per_px == pytest.approx(POSES["B"].um_per_px)
    assert len(selected.notes) == 1
    assert "no image was found" in selected.notes[0]


def test_names_shared_between_sections_do_not_matter_within_one(tmp_path: Path) -> None:
    adata = joined()
    adata.obs_names = adata.obs_names.str.removesuffix("-A").str.removesuffix("-B")
    path = write_anndata(adata, tmp_path / "all.h5ad")
    assert len(read(path, "B").counts) == adata.n_obs // 2
