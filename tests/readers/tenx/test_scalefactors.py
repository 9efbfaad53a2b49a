"""Scale factors, and the errors about files that hold none."""

import gzip
import json
from pathlib import Path

import pytest

from spacrd_core.errors import GeometryError, MissingFile
from spacrd_readers.tenx.scalefactors import Scalefactors, read_scalefactors

VISIUM = {"spot_diameter_fullres": 89.4, "tissue_hires_scalef": 0.15, "fiducial_diameter_fullres": 144.4}
HD = {"bin_size_um": 8.0, "microns_per_pixel": 0.27, "regist_target_img_scalef": 1, "tissue_lowres_scalef": 0.01}


def error(path: Path) -> str:
    with pytest.raises(GeometryError) as caught:
        read_scalefactors(path)
    assert "copy it again" in caught.value.hint
    return str(caught.value)


def test_absent_scale_factors_are_none(tmp_path: Path) -> None:
    path = tmp_path / "scalefactors_json.json"
    path.write_text(json.dumps(VISIUM))
    assert read_scalefactors(path) == Scalefactors(hires=0.15)
    path.write_bytes(gzip.compress(json.dumps(HD).encode()))
    assert read_scalefactors(path) == Scalefactors(lowres=0.01, cytassist=1.0, bin_um=8.0, um_per_px=0.27)


@pytest.mark.parametrize("value", [0, -1.0, float("nan"), float("inf"), "0.15", True, [1]])
def test_a_scale_that_is_not_positive_number_is_refused(tmp_path: Path, value: object) -> None:
    path = tmp_path / "scalefactors_json.json"
    path.write_text(json.dumps({"tissue_hires_scalef": value}))
    assert f"tissue_hires_scalef in the scale factors {path} is {value!r}, not a positive number" in error(path)


def test_what_is_not_json_object_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "scalefactors_json.json"
    path.write_text("[1, 2]")
    assert f"the scale factors {path} are not a JSON object: [1, 2]" in error(path)
    path.write_text("{'a': 1}")
    assert f"the scale factors {path} are not JSON: " in error(path)
    with pytest.raises(MissingFile):
        read_scalefactors(tmp_path / "absent.json")
