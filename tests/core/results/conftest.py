"""A section of known shape: a lattice of spots over a slide with a disc of tumour in the centre."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import anndata as ad
import numpy as np
import pandas as pd
import pytest
from browsing import CHROMIUM, opened, start_browser
from playwright.sync_api import Browser, Page
from scipy import sparse

from spacrd_core.results.report.report import write_report
from spacrd_core.results.report.section_view import build_section_view
from spacrd_core.results.result import Provenance, SectionResult

TUMOUR_UM = 900.0  # the radius of the disc
PITCH_UM = 100.0
STEPS_UM = {"square": np.array([PITCH_UM, PITCH_UM]), "hex": PITCH_UM * np.array([0.5, np.sqrt(3) / 2])}
UM_PER_PX = 0.5
THRESHOLD = 0.43

Make = Callable[..., SectionResult]
Open = Callable[..., "Page"]


@pytest.fixture(scope="session")
def provenance() -> Provenance:
    return Provenance(
        detector="demo (0123456789abcdef)",
        head="linear",
        encoder="stain",
        modalities="image and genes",
        licence="MIT",
        label_source="pathologist <b>one</b>",
        training_sections=("A1", "B1"),
        threshold_rule="highest F1 on held-out patients",
        calibration="platt",
        versions={"spacrd": "0.1.0", "torch/cpu": "2.15"},
        created="2026-01-02T03:04:05Z",
        more={"seeds": "1, 2"},
    )


@pytest.fixture(scope="session")
def make_result() -> Make:
    """Return a factory: ``make_result("hex" or "square", side=..., degrees=..., **fields of SectionResult)``."""

    def make(
        lattice: str = "hex",
        *,
        side: int = 26,
        barcodes: bool = True,
        degrees: float = 0.0,
        mirrored: bool = False,
        **fields: object,
    ) -> SectionResult:
        array = array_positions(lattice, side)
        points = array * (STEPS_UM[lattice] * [-1 if mirrored else 1, 1]) @ rotation(degrees)
        points = points - points.min(axis=0) + 2 * PITCH_UM
        index = pd.Index([barcode(i) if barcodes else f"{i}x7" for i in range(len(points))])
        distance = np.hypot(*(points - points.mean(axis=0)).T)
        probability = 1 / (1 + np.exp((distance - TUMOUR_UM) / PITCH_UM)) * 0.86
        defaults = {
            "section_id": "S1",
            "patient": "P1",
            "platform": "visium",
            "adata": section(points, array, index),
            "spots": calls(probability, index),
            "um_per_px": UM_PER_PX,
            "spot_um": 55.0,
            "spot_shape": "disc",
            "pitch_um": PITCH_UM,
            "threshold": THRESHOLD,
            "threshold_rule": "highest accuracy on held-out patients",
            "alpha": 0.1,
            "thumbnail": np.full((300, 300, 3), (225, 150, 190), dtype=np.uint8),
            "thumbnail_um_per_px": 10.0,
            "slide_um_per_full_px": UM_PER_PX,
        }
        return SectionResult(**(defaults | fields))

    return make


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    if CHROMIUM is None:
        pytest.skip("no chromium to open the report in")
    pytest.importorskip("playwright", reason="no playwright to drive a browser with")
    with start_browser() as browser:
        yield browser


@pytest.fixture
def open_report(browser: Browser, provenance: Provenance, tmp_path: Path) -> Iterator[Open]:
    """Return a function that writes a report and opens it: ``open_report(result, ..., **browser options)``."""
    with ExitStack() as pages:

        def open_(*results: SectionResult, reliability: Any = None, **options: Any) -> Page:
            file = tmp_path / "report.html"
            write_report(file, [build_section_view(result) for result in results], provenance, reliability=reliability)
            return pages.enter_context(opened(browser, file, **options))

        yield open_


@pytest.fixture
def keep(request: pytest.FixtureRequest) -> Callable[..., None]:
    """Return a function that saves a screenshot for visual inspection: ``keep(page, name)``."""
    folder = request.config.rootpath / "build" / "screenshots"

    def keep(page: Page, name: str) -> None:
        page.screenshot(path=folder / f"{name}.png", full_page=True)

    return keep


def array_positions(lattice: str, side: int) -> np.ndarray:
    """Return column and row of every spot; as on Visium, odd rows of a hexagonal array have odd columns."""
    column, row = (axis.ravel() for axis in np.meshgrid(np.arange(side), np.arange(side)))
    return np.column_stack([column if lattice == "square" else 2 * column + row % 2, row]).astype(float)


def rotation(degrees: float) -> np.ndarray:
    """Return the matrix that rotates points (right-multiplied) clockwise as seen in an image."""
    cosine, sine = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    return np.array([[cosine, sine], [-sine, cosine]])


def barcode(number: int) -> str:
    return "".join("ACGT"[(number >> 2 * base) & 3] for base in range(16)) + "-1"


def section(points: np.ndarray, array: np.ndarray, index: pd.Index) -> ad.AnnData:
    pixels = points / UM_PER_PX
    obs = pd.DataFrame(
        {"x_um": points[:, 0], "y_um": points[:, 1], "x_px": pixels[:, 0], "y_px": pixels[:, 1]}, index=index
    )
    obs[["array_x", "array_y"]] = array
    obs["label"] = pd.Categorical([None, *["normal"] * (len(index) - 1)], categories=["cancer", "normal"])
    hires = np.full((30, 30, 3), 200, dtype=np.uint8)
    scales = {"tissue_hires_scalef": 0.05, "spot_diameter_fullres": 110.0}
    return ad.AnnData(
        X=sparse.csr_matrix(np.arange(len(index) * 4).reshape(-1, 4) % 5, dtype=np.int32),
        obs=obs,
        var=pd.DataFrame({"symbol": list("abcd"), "gene_id": ""}, index=list("abcd")),
        obsm={"spatial": pixels},
        uns={"spatial": {"S1": {"images": {"hires": hires}, "scalefactors": scales}}},
    )


def calls(probability: np.ndarray, index: pd.Index) -> pd.DataFrame:
    spread = np.full(len(index), 0.02)
    clear = np.abs(probability - THRESHOLD) >= spread
    label = np.select([~clear, probability >= THRESHOLD], ["uncertain", "cancer"], "normal")
    missing = np.where(np.arange(len(index)) % 3 == 0, np.nan, 0.7)
    return pd.DataFrame(
        {
            "probability": probability,
            "label": pd.Categorical(label, categories=["cancer", "normal", "uncertain"]),
            "spread": spread,
            "ood": missing,
            "agreement": 0.8,
            "gene_coverage": 0.9,
            "image_coverage": np.nan,
            "set": pd.Categorical(np.where(clear, label, "both"), categories=["cancer", "normal", "both", "none"]),
            "top_modality": np.where(np.arange(len(index)) % 2 == 0, "genes", "image"),
            "top_contribution": np.where(probability >= THRESHOLD, 1.25, -0.75),
            "copy_number": np.where(probability >= THRESHOLD, 0.9, -1.1),
            "doubtful": False,
        },
        index=index,
    )
