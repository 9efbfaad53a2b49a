"""What scale factors say, and what is said of files that are none."""

from __future__ import annotations

import gzip
import json
from typing import TYPE_CHECKING

import pytest

from spacrd_core.errors import GeometryError, MissingFile
from spacrd_readers.tenx.scalefactors import Scalefactors, read_scalefactors

if TYPE_CHECKING:
    from pathlib import Path

AGAIN = "copy it again from the run's spatial folder"
VISIUM = {"spot_diameter_fullres": 89.4, "tissue_hires_scalef": 0.15, "fiducial_diameter_fullres": 144.4}
HD = {"bin_size_um": 8.0, "microns_per_pixel": 0.27, "regist_target_img_scalef": 1, "tissue_lowres_scalef": 0.01}


def said(path: Path) -> tuple[str, str]:
    with pytest.raises(GeometryError) as caught:
        read_scalefactors(path)
    return str(caught.value), caught.value.hint


def test_what_a_file_does_not_say_is_none(tmp_path: Path) -> None:
    path = tmp_path / "scalefactors_json.json"
    path.write_text(json.dumps(VISIUM))
    assert read_scalefactors(path) == Scalefactors(hires=0.15)
    path.write_bytes(gzip.compress(json.dumps(HD).encode()))
    assert read_scalefactors(path) == Scalefactors(lowres=0.01, cytassist=1.0, bin_um=8.0, um_per_px=0.27)


@pytest.mark.parametrize("value", [0, -1.0, float("nan"), float("inf"), "0.15", True, [1]])
def test_a_scale_that_is_no_positive_number_is_refused(tmp_path: Path, value: object) -> None:
    path = tmp_path / "scalefactors_json.json"
    path.write_text(json.dumps({"tissue_hires_scalef": value}))
    assert said(path) == (
        f"the scale factors {path} give {value!r} as tissue_hires_scalef, not a positive number",
        AGAIN,
    )


def test_what_is_no_json_object_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "scalefactors_json.json"
    path.write_text("[1, 2]")
    assert said(path) == (f"the scale factors {path} are no JSON object, but [1, 2]", AGAIN)
    path.write_text("{'a': 1}")
    assert said(path)[0].startswith(f"the scale factors {path} are no JSON: ")
    with pytest.raises(MissingFile):
        read_scalefactors(tmp_path / "absent.json")
