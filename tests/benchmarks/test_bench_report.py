"""Reports of sections with 5,000 spots and of one with 100,000: time until a browser has drawn them, and their size.

``pytest -m benchmarks -s tests/benchmarks/test_bench_report.py`` prints seconds and MB.
"""

import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from anndata import AnnData
from benchmarks.measure import show
from browsing import CHROMIUM, opened, start_browser
from pytest_benchmark.fixture import BenchmarkFixture
from scipy.ndimage import gaussian_filter
from stand_ins.copy_number import RUNS, SUPPORTED

from spacrd_core.results.report.report import write_report
from spacrd_core.results.report.section_view import build_section_view
from spacrd_core.results.result import Provenance, SectionResult

pytestmark = [
    pytest.mark.benchmarks,
    pytest.mark.skipif(CHROMIUM is None, reason="no chromium to open the report in"),
]

PITCH_UM, UM_PER_PX, THUMBNAIL_PX = 100.0, 0.5, 2400
MAX_SECONDS, MAX_MB = 2.0, 30.0
FRAMES = """async () => {
  const slider = document.querySelector(".threshold"), gaps = [];
  for (let step = 0, last = performance.now(); step < 40; step++) {
    slider.value = 0.3 + 0.01 * step;
    slider.dispatchEvent(new Event("input"));
    await new Promise(requestAnimationFrame);
    gaps.push(performance.now() - last);
    last = performance.now();
  }
  return gaps.sort((a, b) => a - b)[20];
}"""


def tissue() -> np.ndarray[Any, Any]:
    """Return pink tissue with small violet nuclei everywhere: the hardest kind of slide to compress."""
    rng = np.random.default_rng(0)

    def smooth_noise(sigma: float) -> np.ndarray[Any, Any]:
        field = gaussian_filter(rng.normal(size=(THUMBNAIL_PX, THUMBNAIL_PX)), sigma)
        return np.asarray(field / field.std())

    eosin = np.array([225, 150, 200]) + np.stack([smooth_noise(2) for _ in range(3)], axis=-1) * 8
    nuclei = (smooth_noise(2) > 1)[..., None] * np.array([110, 90, 60])
    return np.clip(eosin - nuclei, 0, 255).astype(np.uint8)


def section(side: int) -> SectionResult:
    """Return a section with this number of rows and columns, with some regions."""
    column, row = (axis.ravel() for axis in np.meshgrid(np.arange(side), np.arange(side)))
    um = PITCH_UM * (np.column_stack([column + row % 2 / 2, row * np.sqrt(3) / 2]) + 2)
    obs = pd.DataFrame(np.hstack([um, um / UM_PER_PX]), columns=["x_um", "y_um", "x_px", "y_px"])
    obs.index = [f"ACGTACGTACG{spot:06d}-1" for spot in range(len(obs))]
    field = gaussian_filter(np.random.default_rng(1).normal(size=(side, side)), side / 14).ravel()
    probability = 1 / (1 + np.exp(-4 * field / field.std()))
    spots = pd.DataFrame(
        {"probability": probability, "spread": 0.031234, "ood": 0.7123, "agreement": 0.9}, index=obs.index
    )
    spots["label"] = np.where(probability > 0.5, "cancer", "normal")
    spots = spots.assign(
        set="both",
        top_modality="genes",
        top_contribution=1.25,
        copy_number=-1.25,
        gene_coverage=1.0,
        image_coverage=1.0,
    )
    spots["doubtful"] = False
    return SectionResult(
        section_id="S1",
        patient="P1",
        platform="visium",
        adata=AnnData(obs=obs),
        spots=spots,
        um_per_px=UM_PER_PX,
        spot_um=55.0,
        spot_shape="disc",
        pitch_um=PITCH_UM,
        threshold=0.5,
        copy_number=replace(SUPPORTED, segments=RUNS * 15),  # 75 runs, as in a section of 15,000 genes
        thumbnail=tissue(),
        thumbnail_um_per_px=1.07 * side * PITCH_UM / THUMBNAIL_PX,
        slide_um_per_full_px=UM_PER_PX,
    )


@pytest.fixture(scope="module")
def provenance() -> Provenance:
    return Provenance(
        detector="d",
        head="linear",
        encoder="none",
        modalities="genes",
        licence="none",
        label_source="one",
        training_sections=("A",),
        threshold_rule="",
        calibration="platt",
        versions={},
        created="2026-01-02T03:04:05Z",
    )


@pytest.mark.parametrize(("side", "sections"), [(71, 1), (71, 20), (320, 1)])
def test_a_report_is_drawn_within_two_seconds_and_twenty_sections_fit_in_30_mb(
    provenance: Provenance, tmp_path: Path, benchmark: BenchmarkFixture, side: int, sections: int
) -> None:
    file = tmp_path / "report.html"
    view = build_section_view(section(side))
    views = [replace(view, summary={**view.summary, "section": f"S{number}"}) for number in range(sections)]
    benchmark.pedantic(lambda: write_report(file, views, provenance), rounds=1)
    with start_browser() as browser:
        start = time.perf_counter()
        with opened(browser, file) as page:
            page.locator(".stage").first.scroll_into_view_if_needed()
            seconds = time.perf_counter() - start
            frame = page.evaluate(FRAMES)
    megabytes = file.stat().st_size / 1e6
    show(benchmark, f"{sections} of {side**2} spots", {"s to drawn": seconds, "ms per frame": frame, "MB": megabytes})
    assert seconds < MAX_SECONDS
    assert megabytes < MAX_MB
