"""The files that the pages name, small: each platform's own formats, and repositories of the Hub."""

import shutil
from dataclasses import replace
from pathlib import Path

import pandas as pd
import tifffile
import timm
from bundles.tissue import Pose, Tissue
from bundles.visium_hd import HdRun
from stand_ins.hub import Repository
from timm.models import save_for_hf

from spacrd_core.demo.cohort import Platform
from spacrd_core.demo.genes import GENES, IDS
from spacrd_core.demo.measure import measure_st, measure_visium, measure_xenium
from spacrd_core.demo.specimen import Specimen, draw_specimen
from spacrd_core.demo.write_st import write_st
from spacrd_core.demo.write_visium import write_visium
from spacrd_core.demo.write_xenium import write_xenium
from spacrd_encoders.uni import UNI

PLUGIN = Path(__file__).parents[1] / "plugins/mylab"
RADIUS_UM: dict[Platform, float] = {"st": 800.0, "visium": 450.0, "xenium": 500.0}
HD = Tissue(size_um=(500.0, 400.0), square_um=(100.0, 100.0, 300.0, 300.0), symbols=GENES, ids=IDS)


def write_places(folder: Path) -> None:
    """Write every file that the README and the tutorial name, and files that other pages name."""
    _write_st(folder)
    _write_visium(folder)
    _write_hd(folder)
    _write_xenium(folder)
    shutil.copytree(folder / "run7", folder / "run")
    shutil.copytree(folder / "xenium_bundle", folder / "bundle")
    shutil.copy(folder / "he.ome.tif", folder / "he_image.ome.tif")


def specimen(name: str, number: int, platform: Platform) -> Specimen:
    """Return a small piece of the demo's tissue."""
    drawn = draw_specimen(number, platform, seed=7, radius_um=RADIUS_UM[platform], um_per_px=4.0)
    return replace(drawn, name=name, patient=name[0])


def _write_st(folder: Path) -> None:
    for number, name in enumerate(("A1", "B1", "D1"), start=1):
        drawn = specimen(name, number, "st")
        write_st(folder, drawn, measure_st(drawn))
    (folder / "scans").mkdir()
    (folder / "ST-imgs/B/B1/B1_HE.jpg").rename(folder / "scans/B1.jpg")


def _write_visium(folder: Path) -> None:
    """Write two runs of consecutive sections of one block, with one image for both."""
    drawn = specimen("run", 4, "visium")
    for number in (8, 7):
        measured = measure_visium(replace(drawn, seed=[*drawn.seed, number]))
        files = write_visium(folder / f"made{number}", drawn, measured)
        names = {"path": f"run{number}/outs", "labels": "loupe_export.csv", "image": "slide.tif"}
        _move(folder, folder / f"made{number}", files, names)


def _write_xenium(folder: Path) -> None:
    drawn = specimen("xenium", 5, "xenium")
    files = write_xenium(folder / "made", drawn, measure_xenium(drawn))
    names = {"path": "xenium_bundle", "image": "he.ome.tif", "alignment": "he_imagealignment.csv"}
    _move(folder, folder / "made", files, names)


def _write_hd(folder: Path) -> None:
    pose = Pose(um_per_px=1.0)
    HdRun(tissue=HD, pose=pose, layout="run").write(folder / "hd3")
    tifffile.imwrite(folder / "slide.btf", HD.picture(pose), bigtiff=True, photometric="rgb", tile=(256, 256))


def _move(folder: Path, made: Path, files: dict[str, str], names: dict[str, str]) -> None:
    """Rename files to the names on the pages."""
    for role, name in names.items():
        (folder / name).parent.mkdir(exist_ok=True)
        (made / files[role]).rename(folder / name)


def write_plugin(folder: Path) -> None:
    """Write the plugin of the page on plugins, tests/plugins/mylab, and a section for its reader."""
    shutil.copytree(PLUGIN, folder, ignore=shutil.ignore_patterns("__pycache__"))
    rows = {"spot": ["a", "b"], "x_px": [100, 300], "y_px": [50, 50], "ERBB2": [3, 0], "DCN": [0, 4]}
    (folder / "tests/data").mkdir(parents=True)
    pd.DataFrame(rows).to_csv(folder / "tests/data/small.mylab.csv", index=False)


def weights_of_the_hub(folder: Path) -> dict[str, Repository]:
    """Return repositories with random weights of timm's smallest network, named as on the pages, and a gated one."""
    save_for_hf(timm.create_model("test_vit"), str(folder), safe_serialization=True)
    files = {file.name: file.read_bytes() for file in folder.iterdir()}
    names = ("timm/test_vit.r160_in1k", "1aurent/vit_small_patch16_224.lunit_dino")
    revision = UNI.network.revision if UNI.network else ""
    gated = {
        "MahmoodLab/UNI": Repository({"pytorch_model.bin": b""}, granted=frozenset(), revisions=("main", revision))
    }
    return {name: Repository(files) for name in names} | gated
