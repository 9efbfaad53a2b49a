"""Finding a bundle's files, recognising its folder, and reading ``experiment.xenium``."""

import json
import shutil
from dataclasses import replace
from pathlib import Path

import pytest
from bundles.xenium import XeniumBundle

from spacrd_core.errors import GeometryError, InputError, MissingFile, UnrecognisedSection
from spacrd_core.section.section import ImageInputs
from spacrd_readers.xenium.bundle import find_bundle
from spacrd_readers.xenium.experiment import read_experiment
from spacrd_readers.xenium.reader import Xenium

BUNDLE = XeniumBundle(step_um=150.0)


def reason(path: Path) -> str:
    recognition = Xenium(Xenium.Options()).recognises(path)
    assert bool(recognition) == (not recognition.reason)
    return recognition.reason


def experiment(folder: Path, **facts: object) -> Path:
    path = folder / "experiment.xenium"
    path.write_text(json.dumps(facts))
    return path


def test_a_bundle_is_its_folder_its_experiment_or_the_folder_above(tmp_path: Path) -> None:
    outs = BUNDLE.write(tmp_path / "outs")
    for path in (outs, outs / "experiment.xenium", tmp_path):
        assert not reason(path)
        assert find_bundle(path).cells == outs / "cells.parquet"


def test_files_as_they_are_downloaded_carry_the_name_of_the_data_set(tmp_path: Path) -> None:
    replace(BUNDLE, prefix="Xenium_V1_", cells="csv.gz", matrix="zarr.zip").write(tmp_path / "Xenium_V1_outs")
    files = find_bundle(tmp_path)
    assert [files.experiment.name, files.cells.name, files.matrix.name] == [
        "Xenium_V1_experiment.xenium",
        "Xenium_V1_cells.csv.gz",
        "Xenium_V1_cell_feature_matrix.zarr.zip",
    ]
    assert files.prefix == "Xenium_V1_"


def test_other_paths_are_not_recognised_and_the_reason_is_reported(tmp_path: Path) -> None:
    BUNDLE.write(tmp_path / "a" / "outs")
    shutil.copytree(tmp_path / "a" / "outs", tmp_path / "a" / "b_outs")
    (tmp_path / "empty").mkdir()
    (tmp_path / "empty" / "._experiment.xenium").touch()  # what macOS leaves behind
    expected = {
        tmp_path / "nowhere": f"{tmp_path / 'nowhere'} does not exist",
        tmp_path / "a" / "outs" / "cells.parquet": "its name does not end in experiment.xenium",
        tmp_path / "empty": "neither the folder nor an 'outs' folder in it holds experiment.xenium",
        tmp_path / "a": "the folder holds 2 Xenium bundles (b_outs/experiment.xenium, outs/experiment.xenium)",
    }
    for path, phrase in expected.items():
        assert phrase in reason(path)
        with pytest.raises(UnrecognisedSection) as caught:
            find_bundle(path)
        assert f"{path} is not a Xenium bundle: {phrase}" in str(caught.value)
        assert "folder of one bundle" in caught.value.hint


MATRICES = ("cell_feature_matrix.h5", "cell_feature_matrix.zarr.zip", "cell_feature_matrix.zarr", "cell_feature_matrix")


@pytest.mark.parametrize(
    ("role", "names"), [("cells", ("cells.parquet", "cells.csv.gz", "cells.csv")), ("matrix", MATRICES)]
)
def test_a_missing_file_of_a_bundle_is_named(tmp_path: Path, role: str, names: tuple[str, ...]) -> None:
    BUNDLE.write(tmp_path)
    (tmp_path / names[0]).unlink()
    with pytest.raises(MissingFile) as caught:
        Xenium(Xenium.Options()).read(tmp_path, ImageInputs())
    assert f"{tmp_path} has no {role} of the bundle: none of {', '.join(names)}" in str(caught.value)
    assert "copy it from the bundle" in caught.value.hint


def test_the_software_is_that_which_wrote_the_bundle_last(tmp_path: Path) -> None:
    facts = {"pixel_size": 0.2125, "analysis_sw_version": "xenium-1.9.0.5"}
    assert read_experiment(experiment(tmp_path, **facts), None).software == "xenium-1.9.0.5"
    ranger = {"version": "xenium-3.1.0.5"}
    assert read_experiment(experiment(tmp_path, **facts, xenium_ranger=ranger), None).software == "xenium-3.1.0.5"


def test_software_newer_than_known_is_noted_and_the_ranger_s_counts(tmp_path: Path) -> None:
    bundle = replace(BUNDLE, software="xenium-1.0.2", ranger="xenium-5.0.0.1")
    notes = Xenium(Xenium.Options()).read(bundle.write(tmp_path), ImageInputs()).notes
    assert "written by xenium-5.0.0.1" in notes[0]
    for version in ("xenium-4.0.1.1", "R&D", ""):
        assert read_experiment(experiment(tmp_path, pixel_size=1, analysis_sw_version=version), None).notes == ()


@pytest.mark.parametrize(
    ("pixel_size", "problem"),
    [
        (None, "no pixel_size"),
        (0, "a pixel_size of 0,"),
        ("wide", "a pixel_size of 'wide',"),
        ([0.2], "a pixel_size of [0.2],"),
        (-0.2, "a pixel_size of -0.2,"),
        (float("nan"), "a pixel_size of nan,"),
    ],
)
def test_a_pixel_size_is_never_assumed(tmp_path: Path, pixel_size: object, problem: str) -> None:
    path = experiment(tmp_path, pixel_size=pixel_size)
    with pytest.raises(GeometryError) as caught:
        read_experiment(path, None)
    assert f"{path} has {problem}" in str(caught.value)
    assert "--um-per-px X" in caught.value.hint


def test_a_pixel_size_can_be_given_only_if_the_bundle_has_none(tmp_path: Path) -> None:
    section = Xenium(Xenium.Options()).read(
        replace(BUNDLE, pixel_size=None).write(tmp_path / "a"), ImageInputs(um_per_px=0.3)
    )
    assert section.um_per_px == 0.3
    bundle = BUNDLE.write(tmp_path / "b")
    with pytest.raises(GeometryError) as caught:
        Xenium(Xenium.Options()).read(bundle, ImageInputs(um_per_px=0.3))
    assert f"{bundle / 'experiment.xenium'} has a pixel size of 0.2125 um" in str(caught.value)
    assert "--um-per-px" in caught.value.hint


@pytest.mark.parametrize(
    ("text", "phrase"),
    [
        ("{'pixel_size': 1}", "is not JSON: Expecting property name enclosed in double quotes"),
        ("[" * 100_000, "is not JSON: "),
        ("[0.2125]", "is not a JSON object"),
        ("", "is empty"),
        ("<html></html>", "is a web page"),
    ],
)
def test_a_damaged_experiment_is_refused_with_a_hint(tmp_path: Path, text: str, phrase: str) -> None:
    BUNDLE.write(tmp_path)
    (tmp_path / "experiment.xenium").write_text(text)
    with pytest.raises(InputError, match=phrase) as caught:
        Xenium(Xenium.Options()).read(tmp_path, ImageInputs())
    assert str(tmp_path / "experiment.xenium") in str(caught.value)
    assert caught.value.hint
