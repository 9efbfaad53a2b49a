"""Real runs of Space Ranger 1 and 3, and a probe matrix that must be refused."""

import json
from pathlib import Path

import h5py
import numpy as np
import pytest

from spacrd_cli.main import run
from spacrd_core.section.section import ImageInputs
from spacrd_readers.visium.reader import Visium

TINY, EMBRYO = "tiny_spaceranger1/visium_data/1.0.0", "mouse_embryo_spaceranger3"


def test_a_cut_down_run_of_space_ranger_1(visium: Path) -> None:
    section = Visium(Visium.Options()).read(visium / TINY, ImageInputs())
    assert section.counts.shape == (100, 100)
    with h5py.File(visium / TINY / "filtered_feature_bc_matrix.h5") as file:
        assert section.counts.X.sum() == file["matrix/data"][:].sum() == 932
    assert section.um_per_px == pytest.approx(0.72685, rel=1e-4)
    assert section.slide
    assert (section.slide.path.name, section.slide.scale) == ("tissue_lowres_image.png", 0.045004502)
    assert section.slide.um_per_px == pytest.approx(16.15, rel=1e-3)
    uncounted, blank, coarse = section.notes
    assert uncounted.startswith("spots in tissue without counts, left out: 4135 (ACCAGGAGTGTGATCT-1, ")
    assert blank.endswith("blank: tissue_hires_image.png")
    assert "tissue_lowres_image.png has 16.2 um/px, so a 112 um patch is 7 px wide" in coarse


def test_a_whole_run_of_space_ranger_3_with_a_cytassist(visium: Path) -> None:
    section = Visium(Visium.Options()).read(visium / EMBRYO, ImageInputs())
    assert section.counts.shape == (2898, 19465)
    assert section.counts.X.nnz == 1069459
    assert section.um_per_px == pytest.approx(4.67762, rel=1e-5)
    assert section.slide
    assert (section.slide.path.name, section.slide.scale) == ("tissue_lowres_image.png", 0.2)
    shared, coarse = section.notes
    assert shared.endswith(": 11 (Aldoa, Arhgef4, Ddit3, Dpep2, Fam220a, ...)")
    assert "tissue_lowres_image.png has 23.4 um/px, so a 112 um patch is 5 px wide" in coarse
    assert section.counts.var["gene_id"].str.fullmatch(r"ENSMUSG\d{11}").all()


@pytest.mark.parametrize(("name", "spot_um"), [(TINY, 65.0), (EMBRYO, 70.0)])
def test_what_is_called_the_diameter_of_a_spot_is_not_55_um(visium: Path, name: str, spot_um: float) -> None:
    factors = json.loads((visium / name / "spatial" / "scalefactors_json.json").read_text())
    section = Visium(Visium.Options()).read(visium / name, ImageInputs(with_image=False))
    assert factors["spot_diameter_fullres"] * section.um_per_px == pytest.approx(spot_um, rel=1e-5)
    assert factors["fiducial_diameter_fullres"] * section.um_per_px == pytest.approx(105.0, rel=1e-5)
    obs = section.counts.obs
    right = obs[(obs["array_y"] == obs["array_y"].iloc[0])].sort_values("array_x")
    steps = np.diff(right[["x_um", "y_um"]], axis=0) / np.diff(right["array_x"])[:, None]
    np.testing.assert_allclose(np.linalg.norm(steps, axis=1), 50.0, atol=0.8)


def test_a_matrix_of_probes_is_refused_in_one_sentence(
    visium: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = visium / "tiny_spaceranger1" / "visium_data" / "2.1.0"
    assert run(["ingest", str(tmp_path / "store"), str(folder), "-q"]) == 1
    output = capsys.readouterr().err
    assert f"error: {folder / 'raw_probe_bc_matrix.h5'} counts probes, not genes" in output
    assert "hint: give filtered_feature_bc_matrix.h5" in output


def test_the_commands_read_and_embed_a_real_run(
    visium: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    store = str(tmp_path / "store")
    assert run(["ingest", store, str(visium / EMBRYO), "--json", "-q"]) == 0
    (entry,) = json.loads(capsys.readouterr().out)["sections"].values()
    assert (entry["platform"], entry["spots"], entry["genes"]) == ("visium", 2898, 19465)
    assert run(["embed", store, "--encoder", "stain", "--json", "-q"]) == 0
    assert json.loads(capsys.readouterr().out)["patches"] == 2898
