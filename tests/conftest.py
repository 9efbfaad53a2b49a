"""What tests share: the real sections, components as users have them, and small sections with a known tumour."""

import os

if "PYTEST_XDIST_WORKER" in os.environ:  # parallel tests share the cores; set before anything computes
    os.environ.setdefault("OMP_NUM_THREADS", "1")

import json
import re
import shutil
import sys
import tomllib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Protocol

import anndata as ad
import numpy as np
import pandas as pd
import pytest
from filelock import FileLock
from numpy.typing import NDArray
from PIL import Image, ImageDraw
from scipy import sparse

from spacrd_core.demo import cohort
from spacrd_core.genes.names import human_names
from spacrd_core.plugins import Plugins, load_plugins
from spacrd_core.section.section import Section, SlideFile, Source

DATA = Path(__file__).resolve().parents[1].parent / "shared" / "data"
PLUGIN_MODULES = ("mylab_spacrd", "broken_import", "broken_hook", "broken_card", "broken_name")
PITCH_UM, UM_PER_PX, GENES, SIDE = 200.0, 5.0, 40, 12
SYMBOLS = sorted(symbol for symbol in human_names().symbols if re.fullmatch(r"ZNF\d+", symbol))[
    :GENES
]  # real, on no list


# No test cuts the power, and waiting for the disk takes longer than the rest of a small store.
os.fsync = lambda fd: None  # noqa: ARG005 - the name is that of the function


# Files whose few tests take minutes: begun first, so that no process is left alone with them at the end.
LONG_FILES = (
    "test_static_checks.py",
    "executors/",
    "test_her2st.py",
    "test_blocks.py",
    "test_notebooks.py",
    "test_workflow.py",
    "cli/commands/",
    "test_register.py",
    "/same/",
    "test_kills.py",  # and the workshop that the others of faults/ take, later
)


def pytest_configure(config: pytest.Config) -> None:
    """Keep the order of files in parallel runs; pytest-xdist would begin with those of the most tests."""
    if hasattr(config.option, "loadscopereorder"):
        config.option.loadscopereorder = False


@pytest.hookimpl(tryfirst=True)  # before pytest leaves out what is slow
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put the long files first, in their order, and mark what is slow of the tests that have ``ci_cases``."""
    items.sort(key=lambda item: not any(part in item.nodeid for part in LONG_FILES))
    tests: dict[str, list[pytest.Item]] = {}
    for item in items:
        if item.get_closest_marker("ci_cases"):
            tests.setdefault(item.nodeid.partition("[")[0], []).append(item)
    for cases in tests.values():
        chosen = _ci_cases(cases)
        for item in cases:
            if item not in chosen:
                item.add_marker(pytest.mark.slow)


def _ci_cases(cases: list[pytest.Item]) -> list[pytest.Item]:
    """Return the cases of a test that run in CI: those of the marker's ids, or as many as its number, evenly spread."""
    marker = cases[0].get_closest_marker("ci_cases")
    assert marker
    if isinstance(marker.args[0], str):
        return [item for item in cases if item.name.partition("[")[2].removesuffix("]") in marker.args]
    number = min(marker.args[0], len(cases))
    return [cases[round((index + 0.5) * len(cases) / number - 0.5)] for index in range(number)]


def made_once(tmp_path_factory: pytest.TempPathFactory, name: str, make: Callable[[Path], None]) -> Path:
    """Return a folder that the processes of a run make once; tests must not change it."""
    base = tmp_path_factory.getbasetemp()
    folder = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / name
    with FileLock(f"{folder}.lock"):
        if not folder.with_suffix(".done").exists():
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir()
            make(folder)
            folder.with_suffix(".done").touch()
    return folder


@pytest.fixture(scope="session")
def her2st() -> Path:
    """The folder of the real her2st sections."""
    return _beside("her2st")


def _beside(name: str) -> Path:
    folder = DATA / name
    if not folder.is_dir():
        pytest.skip(f"the real sections are not beside the project ({folder})")
    return folder


@pytest.fixture(scope="session")
def other() -> Path:
    """The folder of real sections of other tissues."""
    return _beside("other")


@pytest.fixture(scope="session")
def visium() -> Path:
    """The folder of the real Visium runs."""
    return _beside("visium")


@pytest.fixture(scope="session")
def xenium_format() -> Path:
    """The folder of Xenium bundles in the real format."""
    return _beside("xenium_format")


@pytest.fixture(scope="session")
def plugins() -> Plugins:
    return load_plugins()


class Install(Protocol):
    def __call__(self, *names: str) -> Path: ...


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Install]:
    """Install distributions of tests/plugins as pip does in editable mode; return the folder of their metadata."""
    folder = tmp_path / "site-packages"

    def make(*names: str) -> Path:
        for name in names:
            source = Path(__file__).parent / "plugins" / name
            project = tomllib.loads((source / "pyproject.toml").read_text())["project"]
            metadata = folder / f"{project['name'].replace('-', '_')}-{project['version']}.dist-info"
            metadata.mkdir(parents=True)
            points = project["entry-points"]["spacrd"].items()
            (metadata / "entry_points.txt").write_text("\n".join(["[spacrd]", *(f"{k} = {v}" for k, v in points)]))
            facts = f"Metadata-Version: 2.1\nName: {project['name']}\nVersion: {project['version']}\n"
            (metadata / "METADATA").write_text(facts)
            monkeypatch.syspath_prepend(source)
        monkeypatch.syspath_prepend(folder)
        return folder

    yield make
    for module in [name for name in sys.modules if name.partition(".")[0] in PLUGIN_MODULES]:
        del sys.modules[module]


@pytest.fixture(autouse=True, scope="session")
def _demo_sections_drawn_once(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Draw every section of the demo once, and give later tests copies of its files (not those in tests/core/demo)."""

    def copied(place: Path, number: int, platform: cohort.Platform, *, seed: int) -> dict[str, str]:
        def make(folder: Path) -> None:
            row = drawn(folder / "files", number, platform, seed=seed)
            (folder / "row.json").write_text(json.dumps(row))

        made = made_once(tmp_path_factory, f"drawn-{platform}-{number}-{seed}", make)
        shutil.copytree(made / "files", place, dirs_exist_ok=True)
        row: dict[str, str] = json.loads((made / "row.json").read_text())
        return row

    drawn = cohort.write_demo_section
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(cohort, "write_demo_section", copied)
        yield


class CopyOf(Protocol):
    def __call__(self, make: Callable[[Path], object]) -> Path: ...


@pytest.fixture(scope="module")
def _made() -> dict[str, Path]:
    return {}


@pytest.fixture
def copy_of(tmp_path: Path, tmp_path_factory: pytest.TempPathFactory, _made: dict[str, Path]) -> CopyOf:
    """Return a store that a function has filled, as a copy: it is filled for the first test of a module only."""

    def copied(make: Callable[[Path], object]) -> Path:
        name = make.__qualname__
        if name not in _made:
            folder = tmp_path_factory.mktemp("made") / "store"
            make(folder)
            _made[name] = folder
        return Path(shutil.copytree(_made[name], tmp_path / "store", symlinks=True))

    return copied


class MakeSection(Protocol):
    def __call__(self, seed: int, *, image: bool = True, labels: bool = True) -> Section: ...


@pytest.fixture
def make_section(tmp_path: Path) -> MakeSection:
    """A factory of 12 x 12 spots, left half cancer: five genes rise there, and the tissue is darker."""

    def make(seed: int, *, image: bool = True, labels: bool = True) -> Section:
        rng = np.random.default_rng(seed)
        rows, columns = (axis.ravel() for axis in np.mgrid[1 : SIDE + 1, 1 : SIDE + 1])
        cancer = columns <= SIDE // 2 + rng.integers(-1, 2)
        obs = _positions(columns, rows)
        if labels:
            obs["label"] = pd.Categorical(np.where(cancer, "cancer", "normal"), categories=["cancer", "normal"])
        symbols = SYMBOLS
        var = pd.DataFrame({"symbol": symbols, "gene_id": ""}, index=pd.Index(symbols))
        counts = ad.AnnData(sparse.csr_matrix(_counts(rng, cancer)), obs=obs, var=var)
        slide = _slide(tmp_path / f"slide{seed}.png", rng, obs, cancer) if image else None
        sources = (Source.from_path("image", slide.path),) if slide else ()
        return Section("st", counts, UM_PER_PX, 100.0, "disc", PITCH_UM, slide, sources)

    return make


def _positions(columns: NDArray[np.int_], rows: NDArray[np.int_]) -> pd.DataFrame:
    um = np.column_stack([columns, rows]) * PITCH_UM
    frame = {"x_um": um[:, 0], "y_um": um[:, 1], "x_px": um[:, 0] / UM_PER_PX, "y_px": um[:, 1] / UM_PER_PX}
    return pd.DataFrame(frame, index=pd.Index([f"{x}x{y}" for x, y in zip(columns, rows, strict=True)]))


def _counts(rng: np.random.Generator, cancer: NDArray[np.bool_]) -> NDArray[np.int32]:
    rates = np.full((len(cancer), GENES), 3.0)
    rates[np.ix_(cancer, np.arange(5))] = 6.0
    return rng.poisson(rates).astype(np.int32)


def _slide(path: Path, rng: np.random.Generator, obs: pd.DataFrame, cancer: NDArray[np.bool_]) -> SlideFile:
    side = int((SIDE + 1) * PITCH_UM / UM_PER_PX)
    picture = Image.new("RGB", (side, side), "white")
    draw = ImageDraw.Draw(picture)
    for x, y, dark in zip(obs["x_px"], obs["y_px"], cancer, strict=True):
        shade = int(rng.integers(-20, 20))
        colour = (120 + shade, 60, 150) if dark else (230, 150 + shade, 200)
        draw.rectangle((x - 20, y - 20, x + 20, y + 20), fill=colour)
    picture.save(path)
    return SlideFile(path, UM_PER_PX)
