from collections.abc import Callable
from pathlib import Path

import anndata as ad
import numpy as np
import pytest
from stand_ins.copy_number import RUNS, SUPPORTED, UNKNOWN

from spacrd_core.results.files.h5ad import write_h5ad
from spacrd_core.results.result import Provenance, SectionResult


def test_anndata_reads_back_the_section_and_its_calls(
    make_result: Callable[..., SectionResult], provenance: Provenance, tmp_path: Path
) -> None:
    result = make_result()
    write_h5ad(result, tmp_path / "s.h5ad", provenance)
    read = ad.read_h5ad(tmp_path / "s.h5ad")
    assert (read.X != result.adata.X).nnz == 0
    assert read.X.dtype == np.int32
    assert read.var.equals(result.adata.var)
    np.testing.assert_array_equal(read.obsm["spatial"], result.adata.obsm["spatial"])
    np.testing.assert_array_equal(
        read.uns["spatial"]["S1"]["images"]["hires"], result.adata.uns["spatial"]["S1"]["images"]["hires"]
    )
    assert read.obs["label"].tolist()[1:] == result.adata.obs["label"].tolist()[1:]
    assert read.obs["spacrd_label"].cat.categories.tolist() == ["Cancer", "Normal", "Uncertain"]
    assert read.uns["spacrd_label_colors"].tolist() == ["#c80000", "#4682b4", "#e6a000"]
    assert read.obs["spacrd_label"].str.lower().tolist() == result.spots["label"].tolist()
    assert read.obs["spacrd_set"].tolist() == result.spots["set"].tolist()
    assert read.obs["spacrd_top_modality"].tolist() == result.spots["top_modality"].tolist()
    np.testing.assert_allclose(read.obs["spacrd_top_contribution"], result.spots["top_contribution"])
    np.testing.assert_allclose(read.obs["spacrd_copy_number"], result.spots["copy_number"], rtol=1e-6)
    np.testing.assert_allclose(read.obs["spacrd_border_distance_um"], result.margins.distance_um, rtol=1e-6)
    assert read.obs["spacrd_band"].tolist() == list(result.margins.band)
    assert read.obs["spacrd_band"].cat.categories.tolist() == list(result.bands.names)
    assert read.obs["spacrd_band"].cat.ordered
    np.testing.assert_allclose(read.obs["spacrd_prob"], result.spots["probability"], rtol=1e-6)
    np.testing.assert_allclose(read.obs["spacrd_ood"], result.spots["ood"], rtol=1e-6)
    assert {str(read.obs[name].dtype) for name in ("spacrd_prob", "spacrd_spread", "spacrd_ood")} == {"float32"}


def test_the_provenance_is_stored(
    make_result: Callable[..., SectionResult], provenance: Provenance, tmp_path: Path
) -> None:
    write_h5ad(make_result(notes=("read with care",)), tmp_path / "s.h5ad", provenance)
    facts = ad.read_h5ad(tmp_path / "s.h5ad").uns["spacrd"]
    assert [facts[name] for name in ("section", "platform", "um_per_px")] == ["S1", "visium", 0.5]
    assert [facts[name] for name in ("spot_um", "spot_shape", "pitch_um")] == [55.0, "disc", 100.0]
    assert facts["detector"] == "demo (0123456789abcdef)"
    assert facts["training_sections"].tolist() == ["A1", "B1"]
    assert facts["versions"]["torch_cpu"] == "2.15"
    assert (facts["threshold"], facts["set_alpha"]) == (0.43, 0.1)
    assert facts["threshold_rule"] == "highest accuracy on held-out patients"
    assert facts["notes"].tolist() == ["read with care"]


def test_what_copy_number_says_is_read_back_with_its_profile(
    make_result: Callable[..., SectionResult], provenance: Provenance, tmp_path: Path
) -> None:
    write_h5ad(make_result(side=6, copy_number=SUPPORTED), tmp_path / "s.h5ad", provenance)
    found = ad.read_h5ad(tmp_path / "s.h5ad").uns["spacrd"]["copy_number"]
    assert (found["z"], found["verdict"]) == (12.345, "supported")
    assert found["arms"].tolist() == ["8q", "16q"]
    assert found["arms_log2_ratio"] == pytest.approx([0.45123, -0.31234567])
    segments = {name: values.tolist() for name, values in found["segments"].items()}
    assert segments["chromosome"] == ["chr1", "chr1", "chr8", "chr8", "chr16"]
    assert segments["start"] == [run.start for run in RUNS]
    assert segments["end"] == [run.end for run in RUNS]
    assert segments["log2_ratio"] == [run.log2_ratio for run in RUNS]


def test_unknown_copy_number_has_no_z_no_arms_and_no_segments(
    make_result: Callable[..., SectionResult], provenance: Provenance, tmp_path: Path
) -> None:
    spots = make_result(side=6).spots.assign(copy_number=np.nan)
    write_h5ad(make_result(side=6, spots=spots, copy_number=UNKNOWN), tmp_path / "s.h5ad", provenance)
    read = ad.read_h5ad(tmp_path / "s.h5ad")
    found = read.uns["spacrd"]["copy_number"]
    assert np.isnan(found["z"])
    assert found["verdict"] == "unknown"
    assert [len(values) for values in (found["arms"], *found["segments"].values())] == [0] * 5
    assert read.obs["spacrd_copy_number"].isna().all()


def test_calls_without_sets_have_missing_sets_and_no_level(
    make_result: Callable[..., SectionResult], provenance: Provenance, tmp_path: Path
) -> None:
    write_h5ad(make_result(spots=make_result().spots.assign(set=None), alpha=None), tmp_path / "s.h5ad", provenance)
    read = ad.read_h5ad(tmp_path / "s.h5ad")
    assert read.obs["spacrd_set"].isna().all()
    assert "set_alpha" not in read.uns["spacrd"]


def test_spots_without_a_call_are_kept_with_missing_values(
    make_result: Callable[..., SectionResult], provenance: Provenance, tmp_path: Path
) -> None:
    result = make_result(spots=make_result().spots.iloc[:0:-1])
    write_h5ad(result, tmp_path / "s.h5ad", provenance)
    read = ad.read_h5ad(tmp_path / "s.h5ad")
    assert read.obs["spacrd_label"].isna().tolist() == [True] + [False] * (len(read) - 1)
    assert np.isnan(read.obs["spacrd_prob"].iloc[0])
    assert read.obs["spacrd_prob"].iloc[1] == np.float32(result.spots["probability"].iloc[-1])


def test_a_section_with_earlier_calls_gets_the_new_ones_and_the_input_is_unchanged(
    make_result: Callable[..., SectionResult], provenance: Provenance, tmp_path: Path
) -> None:
    result = make_result()
    write_h5ad(result, tmp_path / "once.h5ad", provenance)
    again = make_result(adata=ad.read_h5ad(tmp_path / "once.h5ad"))
    write_h5ad(again, tmp_path / "twice.h5ad", provenance)
    assert ad.read_h5ad(tmp_path / "twice.h5ad").obs.equals(ad.read_h5ad(tmp_path / "once.h5ad").obs)
    assert "spacrd_prob" not in result.adata.obs
    assert "spacrd" not in result.adata.uns


def test_calls_of_another_run_are_removed(
    make_result: Callable[..., SectionResult], provenance: Provenance, tmp_path: Path
) -> None:
    result = make_result()
    result.adata.obs["spacrd_prob"], result.adata.obs["spacrd_retired"] = 0.5, 1
    result.adata.uns["spacrd"] = {"detector": "another", "retired": 1}
    write_h5ad(result, tmp_path / "s.h5ad", provenance)
    read = ad.read_h5ad(tmp_path / "s.h5ad")
    assert "spacrd_retired" not in read.obs
    np.testing.assert_allclose(read.obs["spacrd_prob"], result.spots["probability"], rtol=1e-6)
    assert read.uns["spacrd"]["detector"] == provenance.detector
    assert "retired" not in read.uns["spacrd"]
