"""Objects of several sections: one is read, and which one is never guessed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import anndata as ad
import numpy as np
import pytest
from bundles.anndata_file import Measured, tissue_object, write_anndata
from bundles.tissue import Pose

from spacrd_core.errors import ConfigError, UnrecognisedSection
from spacrd_core.section.section import Given, Section
from spacrd_readers.anndata.reader import AnnData

if TYPE_CHECKING:
    from pathlib import Path

POSES = {"A": Pose(1.0), "B": Pose(0.5, degrees=30.0)}


def section(name: str) -> ad.AnnData:
    return tissue_object(Measured(pose=POSES[name], hires=0.1, library=name))


def joined(label: str | None = "library_id") -> ad.AnnData:
    """Return two sections in one object, as ``anndata.concat(..., uns_merge="unique")`` joins them."""
    parts = {name: section(name) for name in POSES}
    return ad.concat(parts, label=label, index_unique="-", uns_merge="unique", merge="same")


def read(path: Path, library: str = "", **given: Any) -> Section:
    return AnnData(AnnData.Options(library=library)).read(path, Given(**given))


@pytest.mark.parametrize("label", ["library_id", "sample"])
def test_several_sections_are_refused_until_one_is_named(tmp_path: Path, label: str) -> None:
    adata = joined(label)
    path = write_anndata(adata, tmp_path / "all.h5ad")
    with pytest.raises(UnrecognisedSection) as caught:
        read(path)
    assert str(caught.value) == f"{path} holds 2 sections (A, B: obs['{label}']), one is wanted"
    assert caught.value.hint == "--set reader.library=A, or write one section a file"
    for name, pose in POSES.items():
        found = read(path, name)
        alone = section(name)
        assert list(found.counts.obs_names) == [f"{spot}-{name}" for spot in alone.obs_names]
        assert (found.counts.X != alone.X).nnz == 0
        assert found.um_per_px == pytest.approx(pose.um_per_px)
        assert found.slide
        np.testing.assert_array_equal(found.slide.pixels, alone.uns["spatial"][name]["images"]["hires"])


def test_a_section_that_is_not_there_is_answered_with_those_that_are(tmp_path: Path) -> None:
    path = write_anndata(joined(), tmp_path / "all.h5ad")
    with pytest.raises(ConfigError) as caught:
        read(path, "C")
    assert str(caught.value) == f"{path} has no section 'C', but A, B"
    assert caught.value.hint == "--set reader.library=NAME"


def test_one_section_cut_from_many_needs_no_name(tmp_path: Path) -> None:
    adata = joined()
    path = write_anndata(adata[adata.obs["library_id"] == "B"].copy(), tmp_path / "B.h5ad")
    found = read(path)
    assert found.um_per_px == pytest.approx(POSES["B"].um_per_px)
    assert found.slide
    assert found.notes == read(path, "B").notes


def test_pictures_of_several_sections_without_a_column_to_tell_spots_apart_need_a_name(tmp_path: Path) -> None:
    adata = section("A")
    adata.uns["spatial"]["B"] = section("B").uns["spatial"]["B"]
    path = write_anndata(adata, tmp_path / "all.h5ad")
    with pytest.raises(UnrecognisedSection) as caught:
        read(path)
    assert str(caught.value) == f"{path} holds 2 sections (A, B: uns['spatial']), one is wanted"
    found = read(path, "A")
    assert len(found.counts) == adata.n_obs
    assert found.notes[0] == "obs does not say of which section a spot is: all are taken for 'A'"


def test_sections_joined_without_a_trace_are_found_by_their_shared_places_on_the_array(tmp_path: Path) -> None:
    adata = joined(label=None)
    del adata.uns["spatial"]
    path = write_anndata(adata, tmp_path / "all.h5ad")
    first = adata.obs_names[0].removesuffix("-A")
    with pytest.raises(UnrecognisedSection) as caught:
        read(path)
    assert str(caught.value) == (
        f"{path} holds more than one section: spots {first}-A and {first}-B are both at array column 1, row 1"
    )
    assert caught.value.hint == "write one section a file, or choose one by --set reader.library=NAME"


def test_a_lone_section_has_its_picture_whatever_the_column_calls_it(tmp_path: Path) -> None:
    adata = tissue_object()
    adata.obs["library_id"] = "slide 7"
    assert read(write_anndata(adata, tmp_path / "S1.h5ad")).slide
    found = read(write_anndata(adata, tmp_path / "S2.h5ad"), "slide 7")
    assert found.slide


def test_sections_without_pictures_of_their_own_get_none(tmp_path: Path) -> None:
    adata = joined()
    adata.uns["spatial"] = {"whole": adata.uns["spatial"]["A"]}
    found = read(write_anndata(adata, tmp_path / "all.h5ad"), "B")
    assert found.slide is None
    assert found.um_per_px == pytest.approx(POSES["B"].um_per_px)
    assert found.notes == ("no image was found; --image FILE gives one",)


def test_names_shared_between_sections_do_not_matter_within_one(tmp_path: Path) -> None:
    adata = joined()
    adata.obs_names = adata.obs_names.str.removesuffix("-A").str.removesuffix("-B")
    path = write_anndata(adata, tmp_path / "all.h5ad")
    assert len(read(path, "B").counts) == adata.n_obs // 2
