"""A Visium HD section is the same for every layout, format and bin size of the run."""

import json
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from bundles.visium_hd import HIRES, SMALL, HdRun

from spacrd_core.errors import ConfigError
from spacrd_core.plugins import Plugins
from spacrd_core.section.section import ImageInputs, Reader, Section
from spacrd_core.testing import ReaderContract
from spacrd_readers.visium_hd.reader import VisiumHd

RUN = HdRun()


def read(path: Path, *, options: dict[str, Any] | None = None, **inputs: Any) -> Section:
    return VisiumHd(VisiumHd.Options(**(options or {}))).read(path, ImageInputs(**inputs))


def brute_force(run: HdRun, bin_um: int = 8, side: int = 7) -> dict[str, tuple[int, Any]]:
    """Return by spot id how many bins are in tissue and their summed counts, added up bin by bin."""
    sums: dict[str, tuple[int, Any]] = {}
    counts, in_tissue = run.counts(bin_um), run.in_tissue(bin_um)
    for row, column in zip(*in_tissue.nonzero(), strict=True):
        name = f"s_{side * bin_um:03d}um_{row // side:05d}_{column // side:05d}"
        bins, total = sums.get(name, (0, 0))
        sums[name] = bins + 1, total + counts[row, column]
    return sums


@pytest.fixture(scope="module", params=["none", "beside"])
def written(tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> Path:
    """A run with its image and without."""
    return HdRun(image=request.param, cells=True).write(tmp_path_factory.mktemp("run"))


@pytest.mark.ci_cases(4)
class TestVisiumHd(ReaderContract):
    @pytest.fixture(params=["bin", "cell"])
    def reader(self, request: pytest.FixtureRequest) -> Reader:
        return VisiumHd(VisiumHd.Options(unit=request.param))  # type: ignore[return-value]

    @pytest.fixture
    def example(self, written: Path) -> Path:
        return written


def test_a_spot_is_the_sum_of_seven_by_seven_bins_in_tissue(tmp_path: Path) -> None:
    run = replace(RUN, seep=0.05, matrices=("raw",))  # bins out of tissue have counts, too
    section, expected = read(run.write(tmp_path), options={"min_coverage": 0}), brute_force(run)
    obs = section.counts.obs
    assert (section.platform, section.spot_shape) == ("visium_hd", "square")
    assert (section.spot_um, section.pitch_um) == (56, 56)
    assert section.um_per_px == pytest.approx(1.0)
    assert sorted(obs.index) == sorted(expected)
    np.testing.assert_array_equal(section.counts.X.toarray(), [expected[name][1] for name in obs.index])
    assert obs["n_bins"].tolist() == [expected[name][0] for name in obs.index]
    np.testing.assert_allclose(obs["tissue_coverage"], obs["n_bins"] / 49)
    assert 0 < obs["tissue_coverage"].min() < 0.1
    assert obs["tissue_coverage"].max() == 1
    assert list(section.counts.var["symbol"]) == list(SMALL.symbols)
    assert list(section.counts.var["gene_id"]) == list(SMALL.ids)


def test_spots_barely_in_tissue_are_left_out_and_reported(tmp_path: Path) -> None:
    path, all_spots = RUN.write(tmp_path), brute_force(RUN)
    sparse = {name: bins for name, (bins, _) in all_spots.items() if bins < 0.25 * 49}
    share = sum(sparse.values()) / RUN.in_tissue(8).sum()
    section = read(path)
    assert sorted(section.counts.obs_names) == sorted(set(all_spots) - set(sparse))
    assert section.notes[0] == (
        f"spots with less than 25% of their bins in tissue, left out: {len(sparse)} ({share:.1%} of all bins in tissue)"
    )
    assert len(read(path, options={"min_coverage": 1.0}).counts) == sum(bins == 49 for bins, _ in all_spots.values())


def test_a_spot_is_at_the_centre_of_its_bins(tmp_path: Path) -> None:
    run = replace(RUN, edge_um=96.0)
    obs = read(run.write(tmp_path)).counts.obs
    spot = obs.loc["s_056um_00004_00009"]
    assert spot[["array_x", "array_y"]].tolist() == [9.0, 4.0]
    middle = np.array([[9.5, 4.5]]) * 56 - 96  # um of the tissue
    np.testing.assert_allclose(spot[["x_px", "y_px"]].to_numpy(float), run.pose.to_px(SMALL, middle)[0])
    np.testing.assert_allclose(obs[["x_um", "y_um"]], obs[["x_px", "y_px"]])


def test_every_bin_of_the_matrix_is_known_so_that_labels_of_bins_can_be_summed(tmp_path: Path) -> None:
    section = read(RUN.write(tmp_path))
    sub_spots = section.sub_spots
    assert sub_spots
    assert sub_spots.kind == "bin"
    names = RUN.names(8)
    assert sorted(sub_spots.ids) == sorted(name.encode() for name in names[RUN.in_tissue(8)])
    for name, spot in zip(sub_spots.ids.tolist(), sub_spots.spots.tolist(), strict=True):
        _, _, row, column = name.removesuffix(b"-1").split(b"_")
        expected = f"s_056um_{int(row) // 7:05d}_{int(column) // 7:05d}"
        assert (section.counts.obs_names[spot] == expected) if spot >= 0 else expected not in section.counts.obs_names


LAYOUTS = {
    "the run": HdRun(layout="run"),
    "without binned_outputs": HdRun(layout="flat"),
    "one folder of bins": HdRun(layout="square"),
    "downloaded": HdRun(layout="flat", prefix="Visium_HD_Breast_"),
    "one downloaded folder": HdRun(layout="square", prefix="Visium_HD_Breast_"),
    "MEX": HdRun(format="mex"),
    "raw and filtered": HdRun(matrices=("raw", "filtered")),
}


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Section:
    return read(RUN.write(tmp_path_factory.mktemp("plain")))


@pytest.mark.ci_cases(2)
@pytest.mark.parametrize("layout", LAYOUTS)
def test_every_layout_gives_the_same_section(plain: Section, tmp_path: Path, plugins: Plugins, layout: str) -> None:
    path = LAYOUTS[layout].write(tmp_path)
    varied = read(path)
    assert varied.counts.obs.equals(plain.counts.obs)
    assert varied.counts.var.equals(plain.counts.var)
    np.testing.assert_array_equal(varied.counts.X.toarray(), plain.counts.X.toarray())
    assert varied.notes == plain.notes
    able = [card.name for card in plugins.readers if plugins.readers.create(card.name).recognises(path)]
    assert able == ["visium_hd"]


@pytest.mark.ci_cases(1)
@pytest.mark.parametrize("below", ["", "outs", "outs/binned_outputs", "outs/binned_outputs/square_008um"])
def test_a_run_is_read_from_any_of_its_folders(tmp_path: Path, below: str) -> None:
    run = HdRun(layout="run", image="beside")
    section = read(run.write(tmp_path) / below)
    assert len(section.counts) == len(read(tmp_path).counts)
    assert section.slide
    assert section.slide.path == tmp_path / "outs" / "Sample_tissue_image.tif"


def test_a_folder_of_any_name_is_known_by_what_its_files_state(tmp_path: Path, plugins: Plugins) -> None:
    level = HdRun(layout="square").write(tmp_path / "a")
    flat = tmp_path / "GSM1"
    shutil.copytree(level, flat)
    for file in (flat / "spatial").iterdir():
        shutil.move(file, flat / f"GSM1_{file.name}")
    shutil.move(flat / "filtered_feature_bc_matrix.h5", flat / "GSM1_filtered_feature_bc_matrix.h5")
    assert len(read(flat).counts) == len(read(level).counts)
    assert read(flat).slide
    (flat / "GSM1_scalefactors_json.json").unlink()
    assert len(read(flat, with_image=False).counts) == len(read(level).counts)
    able = [card.name for card in plugins.readers if plugins.readers.create(card.name).recognises(flat)]
    assert "visium_hd" in able


@pytest.mark.ci_cases(1)
@pytest.mark.parametrize("bin_um", [2, 8, 16])
def test_bins_of_another_size_nest_in_the_same_spots(tmp_path: Path, bin_um: int) -> None:
    tissue = replace(SMALL, size_um=(400.0, 300.0), square_um=(100.0, 100.0, 250.0, 250.0))
    run = HdRun(tissue=tissue, sizes=(2, 8, 16), matrices=("filtered", "raw"), seep=0.05)
    options = {"bin_um": bin_um, "spot_um": 112, "min_coverage": 0}
    section = read(run.write(tmp_path), options=options)
    expected = brute_force(run, bin_um, 112 // bin_um)
    assert sorted(section.counts.obs_names) == sorted(expected)
    np.testing.assert_array_equal(section.counts.X.toarray(), [expected[name][1] for name in section.counts.obs_names])
    of_8 = read(tmp_path, options=options | {"bin_um": 8}).counts
    lost = of_8.X.sum() - section.counts.X.sum()
    assert (lost > 0) == (bin_um == 2)  # the squares out of tissue of bins along its edge


def test_the_only_bins_there_are_need_not_be_named(tmp_path: Path) -> None:
    run = HdRun(sizes=(16,))
    section = read(run.write(tmp_path), options={"spot_um": 64, "min_coverage": 0})
    assert sorted(section.counts.obs_names) == sorted(brute_force(run, 16, 4))


def test_a_spot_may_be_a_bin(tmp_path: Path) -> None:
    section = read(RUN.write(tmp_path), options={"spot_um": 8})
    assert section.counts.n_obs == RUN.in_tissue(8).sum()
    assert set(section.counts.obs_names + "-1") == set(RUN.names(8)[RUN.in_tissue(8)])


def test_the_small_picture_is_taken_at_its_own_scale_when_there_is_not_other(tmp_path: Path) -> None:
    section = read(RUN.write(tmp_path))
    assert section.slide
    assert section.slide.path.name == "tissue_hires_image.png"
    assert section.slide.scale == HIRES
    assert section.slide.um_per_px == pytest.approx(1 / HIRES)
    assert "tissue_hires_image.png has 4 um/px, so a 112 um patch is 28 px wide" in section.notes[-1]


@pytest.mark.parametrize(("kind", "name"), [("beside", "Sample_tissue_image.tif"), ("microscope", "slide.tif")])
def test_the_image_of_the_run_is_found_in_its_folder(tmp_path: Path, kind: Any, name: str) -> None:
    section = read(HdRun(image=kind).write(tmp_path))
    assert section.slide
    assert (section.slide.path.name, section.slide.scale) == (name, 1.0)
    assert section.notes[-1] == f"{section.slide.path} was used as the full-resolution image"


def test_an_image_of_another_section_is_not_taken(tmp_path: Path) -> None:
    run = HdRun(image="microscope")
    path, other = run.write(tmp_path / "a"), replace(run, tissue=replace(SMALL, size_um=(700.0, 500.0)))
    shutil.copy(other.write(tmp_path / "b") / "microscope_image/slide.tif", path / "microscope_image/slide.tif")
    section = read(path)
    assert section.slide
    assert section.slide.path.name == "tissue_hires_image.png"


def test_without_image_no_image_is_searched(tmp_path: Path) -> None:
    section = read(HdRun(image="beside").write(tmp_path), with_image=False)
    assert section.slide is None
    assert [source.role for source in section.sources] == ["counts", "positions", "scalefactors"]


def test_um_per_px_is_that_of_the_bins_unless_another_is_given(tmp_path: Path) -> None:
    run = replace(RUN, pose=replace(RUN.pose, um_per_px=1.3))
    path = run.write(tmp_path)
    assert read(path).um_per_px == pytest.approx(1.3)
    section = read(path, um_per_px=1.5)
    assert section.um_per_px == 1.5
    scales = tmp_path / "binned_outputs/square_008um/spatial/scalefactors_json.json"
    assert section.notes[:2] == (
        "um/px is 1.5 from the user, but the array of 8 um bins gives 1.3",
        f"um/px is 1.5 from the user, but {scales} gives 1.3",
    )


def test_scale_factors_that_disagree_with_the_bins_are_reported(tmp_path: Path) -> None:
    path = RUN.write(tmp_path)
    scales = path / "binned_outputs/square_008um/spatial/scalefactors_json.json"
    facts = json.loads(scales.read_text())
    scales.write_text(json.dumps(facts | {"microns_per_pixel": 1.02}))
    assert not [note for note in read(path).notes if "um/px is" in note]
    scales.write_text(json.dumps(facts | {"microns_per_pixel": 1.05}))
    assert read(path).notes[0] == f"um/px is 1 from the array of 8 um bins, but {scales} gives 1.05"
    scales.unlink()
    assert read(path, with_image=False).um_per_px == pytest.approx(1.0)


def test_the_reader_comes_by_its_card(plugins: Plugins) -> None:
    assert isinstance(plugins.readers.create("visium_hd", {"unit": "cell", "spot_um": 112}), VisiumHd)
    for wrong in ({"unit": "nucleus"}, {"spot_um": 0}, {"spot_um": 55.5}, {"bin_um": -8}, {"min_coverage": 1.1}):
        with pytest.raises(ConfigError, match=next(iter(wrong))):
            plugins.readers.create("visium_hd", wrong)
