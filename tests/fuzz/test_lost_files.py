"""A file that a copy has left out is missed: a section without it is refused, or is the section with it."""

import shutil
import warnings
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from fuzz.section_seeds import SECTIONS
from fuzz.seed import NO_IMAGE, Seed, plugins
from spacrd_core.errors import SpacrdError

FOLDERS = {  # by seed: the reader, and what it reads
    "anndata, zarr": ("anndata", "a.zarr"),
    "xenium, other formats": ("xenium", "."),
    "spatialdata": ("spatialdata", "a.zarr"),
    "spatialdata, bins": ("spatialdata", "a.zarr"),
}


@pytest.mark.slow
@pytest.mark.parametrize("seed", [seed for seed in SECTIONS if seed.name in FOLDERS], ids=lambda seed: seed.name)
def test_a_section_without_one_of_its_files_is_refused_or_the_same(seed: Seed, tmp_path: Path) -> None:
    if seed.needs:
        pytest.importorskip(seed.needs)
    whole = tmp_path / "whole"
    whole.mkdir()
    seed.write(whole)
    read = FOLDERS[seed.name]
    expected = facts(whole, *read)
    others = {name: found for name, part in lacking(whole, tmp_path / "part") if (found := facts(part, *read))}
    assert [name for name, found in others.items() if found != expected] == []


def lacking(whole: Path, part: Path) -> Iterator[tuple[str, Path]]:
    """Yield copies of a folder, each without one of its files or of the members of its zips."""
    for file in sorted(path.relative_to(whole) for path in whole.rglob("*") if path.is_file()):
        members = zipfile.ZipFile(whole / file).namelist() if file.suffix == ".zip" else []
        for member in ("", *members):
            shutil.copytree(whole, part)
            (part / file).unlink()
            if member:
                _repack(whole / file, part / file, without=member)
            yield f"{file} {member}", part
            shutil.rmtree(part)


def _repack(source: Path, target: Path, *, without: str) -> None:
    with zipfile.ZipFile(source) as archive, zipfile.ZipFile(target, "w") as packed:
        for name in archive.namelist():
            if name != without:
                packed.writestr(name, archive.read(name))


def facts(folder: Path, reader: str, where: str) -> tuple[Any, ...] | None:
    """Return what a section holds; None if it is refused."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            section = plugins().readers.create(reader).read(folder / where, NO_IMAGE)
    except SpacrdError:
        return None
    counts = section.counts
    places = counts.obs[["x_um", "y_um"]].to_numpy(dtype=float)
    names = tuple(counts.obs_names), tuple(counts.var_names)
    return counts.X.sum(axis=1).tolist(), counts.X.sum(axis=0).tolist(), places.tolist(), names, section.pitch_um
