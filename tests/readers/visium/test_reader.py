"""A Visium section (spots, genes and their order) is the same for every version and deposition."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from bundles.tenx import H5Variant, Matrix, write_h5, write_h5_by_genome
from bundles.visium import VisiumBundle

from spacrd_core.errors import ConfigError, CountsError, GeometryError
from spacrd_core.plugins import Plugins
from spacrd_core.section.section import ImageInputs, Reader, Section
from spacrd_core.testing import ReaderContract
from spacrd_readers.visium.reader import Visium

BUNDLE = VisiumBundle(images=())
PLACES = ["array_x", "array_y", "x_px", "y_px", "x_um", "y_um"]


def read(path: Path, *, options: dict[str, Any] | None = None, **inputs: Any) -> Section:
    return Visium(Visium.Options(**(options or {}))).read(path, ImageInputs(**{"with_image": False, **inputs}))


@pytest.mark.ci_cases(4)
class TestVisium(ReaderContract):
    @pytest.fixture
    def reader(self) -> Reader:
        return Visium(Visium.Options())  # type: ignore[return-value]

    @pytest.fixture(params=[(), ("hires",), ("hires", "lowres", "full")], ids=["genes", "hires", "full"])
    def example(self, tmp_path: Path, request: pytest.FixtureRequest) -> Path:
        return replace(BUNDLE, images=request.param).write(tmp_path)


def test_spots_in_tissue_have_counts_places_and_the_sizes_of_visium(tmp_path: Path) -> None:
    section = read(BUNDLE.write(tmp_path))
    obs, kept = section.counts.obs, BUNDLE.in_tissue
    assert (section.platform, section.spot_um, section.spot_shape, section.pitch_um) == ("visium", 55, "disc", 100)
    assert list(obs.index) == [f"{letters}-1" for letters, here in zip(BUNDLE.letters, kept, strict=True) if here]
    np.testing.assert_array_equal(section.counts.X.toarray(), BUNDLE.counts[kept])
    np.testing.assert_array_equal(obs[["array_x", "array_y"]], BUNDLE.array[kept])
    np.testing.assert_allclose(obs[["x_px", "y_px"]], BUNDLE.px[kept])
    np.testing.assert_allclose(obs[["x_um", "y_um"]], obs[["x_px", "y_px"]] * section.um_per_px)
    assert list(section.counts.var["symbol"]) == list(BUNDLE.tissue.symbols)
    assert list(section.counts.var["gene_id"]) == list(BUNDLE.tissue.ids)
    assert [source.role for source in section.sources] == ["counts", "positions", "scalefactors"]
    assert section.notes == ()


VARIANTS: dict[str, dict[str, Any]] = {
    "Space Ranger 1": {"positions": "tissue_positions_list.csv", "header": False, "whole_px": True},
    "Space Ranger 2": {"positions": "tissue_positions.csv"},
    "Space Ranger 4": {"positions": "tissue_positions.parquet", "scalefactors": {"regist_target_img_scalef": 1.0}},
    "a list with a header": {"positions": "tissue_positions_list.csv"},
    "a table without a header": {"header": False},
    "packed positions": {"positions": "tissue_positions_list.csv.gz", "header": False},
    "no attributes": {"variant": H5Variant(attributes="absent")},
    "attributes as bytes": {"variant": H5Variant(attributes="bytes", strings="variable")},
    "attributes as arrays": {"variant": H5Variant(attributes="arrays")},
    "64-bit counts and unsigned indices": {"variant": H5Variant(data="int64", indices="uint32")},
    "counts as floats": {"variant": H5Variant(data="float64", indices="int32")},
    "packed MEX": {"matrix": "mex.gz"},
    "MEX": {"matrix": "mex"},
    "no scale factors": {"scalefactors": None},
    "the run's folder": {"outs": True},
    "a download": {"prefix": "V1_Breast_"},
    "a deposition": {"prefix": "GSM5494475_CID4290_", "spatial": "", "positions": "tissue_positions_list.csv.gz"},
    "matrix without -1": {"counted": "{}"},
    "positions without -1": {"barcode": "{}"},
    "matrix with the sample before": {"counted": "GSM1_A_{}-1"},
    "matrix with the sample after": {"counted": "{}-1_3"},
    "positions of a second gem group": {"barcode": "{}-2"},
    "sample before and none": {"counted": "A_{}", "barcode": "{}"},
}


@pytest.mark.ci_cases(8)
@pytest.mark.parametrize("variant", VARIANTS)
def test_every_version_and_deposition_gives_the_same_section(tmp_path: Path, variant: str) -> None:
    varied = replace(BUNDLE, **VARIANTS[variant])
    section, plain = read(varied.write(tmp_path / "b")), read(BUNDLE.write(tmp_path / "a"))
    np.testing.assert_array_equal(section.counts.X.toarray(), plain.counts.X.toarray())
    assert section.counts.var.equals(plain.counts.var)
    assert list(section.counts.obs_names) == list(plain.counts.obs_names)
    tolerance = 0.5 if varied.whole_px else 1e-6
    np.testing.assert_allclose(section.counts.obs[PLACES[:4]], plain.counts.obs[PLACES[:4]], atol=tolerance)
    assert section.um_per_px == pytest.approx(2.0, rel=1e-3)
    assert section.notes == ()


def test_the_hdf5_matrix_and_the_filtered_one_come_first(tmp_path: Path) -> None:
    BUNDLE.write(tmp_path)
    for other in (replace(BUNDLE, raw=True), replace(BUNDLE, matrix="mex.gz"), replace(BUNDLE, raw=True, matrix="mex")):
        other.write_matrix(tmp_path)
    assert read(tmp_path).sources[0].path.name == "filtered_feature_bc_matrix.h5"
    (tmp_path / "filtered_feature_bc_matrix.h5").unlink()
    assert read(tmp_path).sources[0].path.name == "filtered_feature_bc_matrix"


@pytest.mark.parametrize("matrix", ["h5", "mex"])
def test_spots_out_of_tissue_of_a_raw_matrix_are_left_out_and_named(tmp_path: Path, matrix: Any) -> None:
    raw = replace(BUNDLE, raw=True, matrix=matrix)
    section, plain = read(raw.write(tmp_path / "raw")), read(BUNDLE.write(tmp_path / "plain"))
    np.testing.assert_array_equal(section.counts.X.toarray(), plain.counts.X.toarray())
    assert list(section.counts.obs_names) == list(plain.counts.obs_names)
    out = [f"{letters}-1" for letters, here in zip(BUNDLE.letters, BUNDLE.in_tissue, strict=True) if not here]
    name = section.sources[0].path.name
    assert section.notes == (
        f"spots of {name} that are not in tissue, left out: {len(out)} ({', '.join(out[:5])}, ...)",
    )
    assert "counts_order" not in section.counts.uns


def test_a_matrix_is_a_path_of_its_own(tmp_path: Path) -> None:
    BUNDLE.write(tmp_path)
    replace(BUNDLE, raw=True).write_matrix(tmp_path)
    replace(BUNDLE, matrix="mex").write_matrix(tmp_path)
    for name in ("raw_feature_bc_matrix.h5", "filtered_feature_bc_matrix", "filtered_feature_bc_matrix.h5"):
        section = read(tmp_path / name)
        assert section.sources[0].path == tmp_path / name
        assert section.counts.n_obs == BUNDLE.in_tissue.sum()


def test_antibodies_are_not_genes(tmp_path: Path) -> None:
    section = read(replace(BUNDLE, antibodies=True).write(tmp_path))
    assert list(section.counts.var["symbol"]) == list(BUNDLE.tissue.symbols)
    assert section.notes == ("features that are not genes, left out: Antibody Capture (1)",)


def test_genes_of_one_symbol_stay_apart_and_are_named(tmp_path: Path) -> None:
    section = read(replace(BUNDLE, shared_symbol=True).write(tmp_path))
    twice = section.counts.var[section.counts.var["symbol"] == "ERBB2"]
    assert list(twice.index) == list(twice["gene_id"]) == [BUNDLE.tissue.ids[0], BUNDLE.tissue.ids[-1]]
    (note,) = section.notes
    assert note.endswith(": 1 (ERBB2)")


def test_two_genomes_need_a_choice(tmp_path: Path) -> None:
    replace(BUNDLE, second_genome=True).write(tmp_path)
    path = tmp_path / "filtered_feature_bc_matrix.h5"
    with pytest.raises(CountsError) as caught:
        read(tmp_path)
    assert f"{path} has genes of 2 genomes: GRCh38, mm10" in str(caught.value)
    assert "--set reader.genome=NAME" in caught.value.hint
    assert list(read(tmp_path, options={"genome": "mm10"}).counts.var["symbol"]) == ["Mouse0", "Mouse1"]
    assert read(tmp_path, options={"genome": "GRCh38"}).counts.n_vars == len(BUNDLE.tissue.ids)


def test_the_matrix_of_cell_ranger_2_is_read(tmp_path: Path) -> None:
    BUNDLE.write(tmp_path)
    plain = read(tmp_path)
    path = tmp_path / "filtered_feature_bc_matrix.h5"
    path.unlink()
    write_h5_by_genome(path, {"GRCh38": BUNDLE.whole_matrix})
    old = read(tmp_path).counts[plain.counts.obs_names]
    np.testing.assert_array_equal(old.X.toarray(), plain.counts.X.toarray())


def test_what_are_not_counts_is_refused_with_its_place(tmp_path: Path) -> None:
    BUNDLE.write(tmp_path)
    path = tmp_path / "filtered_feature_bc_matrix.h5"
    matrix = BUNDLE.whole_matrix
    write_h5(
        path,
        Matrix(np.log1p(matrix.counts), matrix.barcodes, matrix.symbols, matrix.ids, variant=H5Variant(data="float64")),
    )
    with pytest.raises(CountsError, match=r"holds no raw counts: .* at spot .*, gene ") as caught:
        read(tmp_path)
    assert "raw counts" in caught.value.hint


@pytest.mark.parametrize("matrix", ["h5", "mex.gz"])
def test_a_damaged_matrix_is_named(tmp_path: Path, matrix: Any) -> None:
    replace(BUNDLE, matrix=matrix).write(tmp_path)
    name = "filtered_feature_bc_matrix.h5" if matrix == "h5" else "filtered_feature_bc_matrix/matrix.mtx.gz"
    data = (tmp_path / name).read_bytes()
    (tmp_path / name).write_bytes(data[: len(data) // 2])
    with pytest.raises(CountsError) as caught:
        read(tmp_path)
    assert str(tmp_path / name) in str(caught.value)
    assert caught.value.hint


def test_an_alignment_is_refused(tmp_path: Path) -> None:
    with pytest.raises(GeometryError) as caught:
        read(BUNDLE.write(tmp_path), alignment=tmp_path / "matrix.csv")
    assert "Visium sections take no alignment" in str(caught.value)
    assert "--alignment" in caught.value.hint


def test_the_reader_comes_by_its_card(plugins: Plugins) -> None:
    assert isinstance(plugins.readers.create("visium", {"genome": "GRCh38", "spatial": "x"}), Visium)
    with pytest.raises(ConfigError, match="spot_um"):
        plugins.readers.create("visium", {"spot_um": 65})
