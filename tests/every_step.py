"""Shared by the tests of executors: a small cohort through all steps, and what they leave behind."""

import json
from pathlib import Path

from spacrd_cli.main import run
from spacrd_core.files import tree_sha256
from spacrd_core.store.store import SpotStore
from spacrd_core.store.verify import verify

FORMATS = ("csv",)


def all_steps(folder: Path, cohort: Path, *options: str) -> Path:
    """Run every step on an executor and return the folder with what they wrote."""
    store, out = f"{folder}/store", folder / "out"
    quiet = ["-q", *options]
    assert run(["ingest", store, "--cohort", str(cohort), *quiet]) == 0
    assert run(["embed", store, "--encoder", "stain", *quiet]) == 0
    evaluate = ["evaluate", store, "--encoder", "stain", "--head", "linear", "--set", "calibrate=false"]
    assert run([*evaluate, "-o", f"{folder}/evaluation.json", *quiet]) == 0
    train = ["train", store, "-o", f"{folder}/detector", "--encoder", "stain", "--head", "linear", "--seeds", "1"]
    assert run([*train, *quiet]) == 0
    assert run(["detect", store, f"{folder}/detector", "-o", f"{out}/detect", *quiet]) == 0
    for name in FORMATS:
        assert run(["export", store, "--format", name, "-o", f"{out}/export", *quiet]) == 0
    return folder


def left_behind(folder: Path) -> dict[str, object]:
    """The manifest of the store with the checksums of its groups, the detector, and the files that record no time."""
    store, out = folder / "store", folder / "out"
    assert verify(SpotStore(store)) == []
    timed = ("report.html", "manifest.json", ".h5ad")
    files = {
        path.relative_to(out).as_posix(): path.read_bytes()
        for path in out.rglob("*")
        if path.is_file() and not path.name.endswith(timed)
    }
    return {
        "manifest": json.loads((store / "spacrd.json").read_text()),
        "detector": tree_sha256(folder / "detector"),
        "evaluation": json.loads((folder / "evaluation.json").read_text()),
        "files": files,
        "names": sorted(path.relative_to(out).as_posix() for path in out.rglob("*")),
    }
