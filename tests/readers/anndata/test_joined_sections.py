"""Several sections in one object are told apart by what is there: a column, or the names of the spots."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import anndata as ad
import numpy as np
import pytest
from bundles.anndata_file import tissue_object, write_anndata

from spacrd_core.errors import ConfigError, UnrecognisedSection
from spacrd_core.section.section import ImageInputs, Section
from spacrd_readers.anndata.reader import AnnData

pytestmark = pytest.mark.filterwarnings("ignore:Observation names are not unique")
LETTERS = np.array(list("ACGT"))


def barcodes(count: int) -> list[str]:
    """Return the barcodes of a slide, the same for all slides of its kind."""
    letters = np.random.default_rng(0).choice(LETTERS, (count, 16))
    return ["".join(row) for row in letters]


def section(*, array: bool = False, skipped: int = 0, shift: float = 0.0) -> ad.AnnData:
    """Return a section without pictures, whose names are barcodes; ``skipped`` of its spots are not in tissue."""
    adata = tissue_object(picture=False)
    adata.uns = {}
    adata.obs_names = [f"{barcode}-1" for barcode in barcodes(adata.n_obs)]
    adata.obsm["spatial"] = adata.obsm["spatial"] + shift
    if not array:
        adata.obs = adata.obs[["in_tissue"]]
    return adata[skipped:].copy()


def joined(rename: Callable[[str, str], str] = lambda name, _: name, *, array: bool = False) -> ad.AnnData:
    """Return two sections in one object, of 767 and 700 spots, with new names by the old name and the section."""
    parts = {"1": section(array=array), "2": section(array=array, skipped=67, shift=40.0)}
    for number, part in parts.items():
        part.obs_names = [rename(name, number) for name in part.obs_names]
    return ad.concat(list(parts.values()), merge="same")


def read(tmp_path: Path, adata: ad.AnnData, library: Any = "", **inputs: Any) -> Section:
    path = write_anndata(adata, tmp_path / "all.h5ad")
    return AnnData(AnnData.Options(library=library)).read(path, ImageInputs(um_per_px=1.0, **inputs))


def refusal(tmp_path: Path, adata: ad.AnnData) -> tuple[str, str]:
    with pytest.raises(UnrecognisedSection) as caught:
        read(tmp_path, adata)
    return str(caught.value), caught.value.hint


@pytest.mark.ci_cases(3)
@pytest.mark.parametrize("array", [True, False])
@pytest.mark.parametrize(
    ("rename", "names", "place"),
    [
        (lambda name, number: f"{name}-{int(number) - 1}", ["0", "1"], "ends"),
        (lambda name, number: f"{name.removesuffix('-1')}-{number}", ["1", "2"], "ends"),
        (lambda name, number: f"{name}_slide{number}", ["slide1", "slide2"], "ends"),
        (lambda name, number: f"P{number}_{name}", ["P1", "P2"], "starts"),
        (lambda name, number: f"breast_P{number}_{name}", ["P1", "P2"], "starts"),
        (lambda name, number: f"P{number}#{name}-{number}", ["P1", "P2"], "starts"),
    ],
    ids=["concat", "aggregated", "concat with keys", "prefix", "long prefix", "both"],
)
def test_repeated_barcodes_name_the_sections_by_what_the_names_add(
    tmp_path: Path, rename: Callable[[str, str], str], names: list[str], place: str, array: Any
) -> None:
    adata = joined(rename, array=array)
    message, hint = refusal(tmp_path, adata)
    assert f"holds 2 sections ({', '.join(names)}, from the {place} of the spot names)" in message
    assert f"--set reader.library={names[0]}" in hint
    assert [read(tmp_path, adata, name).counts.n_obs for name in names] == [767, 700]


@pytest.mark.ci_cases(4)
@pytest.mark.parametrize("column", ["sample", "Sample_ID", "batch", "orig.ident", "slice", "library_id", "donor_id"])
@pytest.mark.parametrize("array", [True, False])
def test_the_same_barcode_twice_is_told_apart_by_a_column_of_samples(tmp_path: Path, column: str, array: Any) -> None:
    adata = joined(array=array)
    adata.obs[column] = ["A"] * 767 + ["B"] * 700
    assert f"holds 2 sections (A, B, from obs['{column}'])" in refusal(tmp_path, adata)[0]
    assert [read(tmp_path, adata, name).counts.n_obs for name in "AB"] == [767, 700]


def test_a_column_of_numbers_names_sections_by_its_numbers(tmp_path: Path) -> None:
    adata = joined()
    adata.obs["batch"] = [0] * 767 + [1] * 700
    assert read(tmp_path, adata, 1).counts.n_obs == 700


def test_the_same_barcode_twice_without_a_column_is_refused(tmp_path: Path) -> None:
    message, hint = refusal(tmp_path, joined())
    assert "more than once" in message
    assert "obs['library_id']" in hint


def test_a_column_that_mixes_sections_is_passed_over(tmp_path: Path) -> None:
    adata = joined(lambda name, number: f"P{number}_{name}")
    adata.obs["library_id"] = "all"
    adata.obs["batch"] = ["x", "y"] * 733 + ["x"]
    assert "holds 2 sections (P1, P2, from the starts of the spot names)" in refusal(tmp_path, adata)[0]
    message = "holds more than one section: spots P1_.* and P2_.* both have barcode"
    with pytest.raises(UnrecognisedSection, match=message):
        read(tmp_path, adata, "x")


def test_names_made_unique_by_chance_name_no_sections(tmp_path: Path) -> None:
    adata = joined()
    order = np.random.default_rng(1).permutation(adata.n_obs)
    adata = adata[order].copy()
    adata.obs_names_make_unique()
    message, _ = refusal(tmp_path, adata)
    assert "holds more than one section" in message
    assert "both have barcode" in message


def test_a_column_of_samples_is_believed_without_repeated_barcodes(tmp_path: Path) -> None:
    adata = section()
    adata.obs["sample"] = np.where(np.arange(adata.n_obs) < 300, "A", "B")
    assert "holds 2 sections (A, B, from obs['sample'])" in refusal(tmp_path, adata)[0]


def test_sections_of_different_barcodes_on_different_frames_are_told_by_their_column(tmp_path: Path) -> None:
    first, second = section(array=True)[:400], section(array=True, skipped=400, shift=500.0)
    adata = ad.concat([first, second], label="batch", keys=["A", "B"])
    assert "holds 2 sections (A, B, from obs['batch'])" in refusal(tmp_path, adata)[0]


def test_an_aggregated_run_of_different_barcodes_is_told_by_their_ends(tmp_path: Path) -> None:
    first, second = section()[:400].copy(), section(skipped=400)
    second.obs_names = [name.replace("-1", "-2") for name in second.obs_names]
    assert "holds 2 sections (1, 2, from the ends of the barcodes)" in refusal(tmp_path, ad.concat([first, second]))[0]


def test_a_column_that_divides_one_lattice_makes_no_sections_and_may_still_select(tmp_path: Path) -> None:
    adata = tissue_object()
    adata.obs["sample"] = np.where(np.arange(adata.n_obs) < 300, "tumour", "border")
    assert read(tmp_path, adata).counts.n_obs == adata.n_obs
    part = read(tmp_path, adata, "tumour")
    assert part.counts.n_obs == 300
    assert part.slide


def test_regions_of_a_spatialdata_table_are_sections(tmp_path: Path) -> None:
    adata = section()
    adata.obs["region"] = np.where(np.arange(adata.n_obs) < 300, "A_spots", "B_spots")
    adata.uns["spatialdata_attrs"] = {"region": ["A_spots", "B_spots"], "region_key": "region"}
    assert "holds 2 sections (A_spots, B_spots, from obs['region'])" in refusal(tmp_path, adata)[0]
    assert read(tmp_path, adata, "A_spots").counts.n_obs == 300


def test_an_unknown_section_is_refused_with_the_choices(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"has no section 'P3'; its sections: P1, P2"):
        read(tmp_path, joined(lambda name, number: f"P{number}_{name}"), "P3")


def test_images_of_other_names_than_the_sections_are_named(tmp_path: Path) -> None:
    adata = joined(lambda name, number: f"P{number}_{name}")
    adata.uns["spatial"] = {name: tissue_object().uns["spatial"]["V1"] for name in ("V1", "V2")}
    (*_, note) = read(tmp_path, adata, "P1").notes
    assert note == "no image was found for this section: uns['spatial'] has V1, V2; give one with --image FILE"


@pytest.mark.parametrize("place", ["uns", "uns/spatial"])
def test_images_and_scale_factors_without_a_name_are_those_of_the_section(tmp_path: Path, place: str) -> None:
    adata = tissue_object()
    library = adata.uns["spatial"]["V1"]
    adata.uns = dict(library) if place == "uns" else {"spatial": library}
    slide = read(tmp_path, adata).slide
    assert slide
    assert slide.scale == 0.25


def test_scale_factors_in_arrays_of_one_number_are_read(tmp_path: Path) -> None:
    adata = tissue_object()
    factors = adata.uns["spatial"]["V1"]["scalefactors"]
    adata.uns["spatial"]["V1"]["scalefactors"] = {name: np.array([value]) for name, value in factors.items()}
    slide = read(tmp_path, adata).slide
    assert slide
    assert slide.scale == 0.25
