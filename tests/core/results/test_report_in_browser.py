from __future__ import annotations

import json
import re
import shutil
import subprocess
from typing import TYPE_CHECKING

import pytest

from spacrd_core.results.picture import window
from spacrd_core.results.report import write_report
from spacrd_core.results.section_view import view_section

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from spacrd_core.results.result import Provenance, SectionResult

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no chromium to open the report in")

# Opens the report in a frame, does what a reader does, and prints what the reader sees.
READER = """<!DOCTYPE html>
<iframe id="report" src="r.html" width="WIDTH" height="900"></iframe>
<pre id="seen"></pre>
<script>
document.getElementById("report").onload = (event) => {
  const page = event.target.contentDocument, view = event.target.contentWindow;
  const text = (name) => page.querySelector(name).textContent.trim();
  const counts = () => [".cancer", ".normal", ".uncertain", ".area"].map(text);
  const seen = { before: counts(), reset: page.querySelector(".reset").disabled };
  const slider = page.querySelector(".threshold"), canvas = page.querySelector(".stage canvas");
  slider.value = 0.7;
  slider.dispatchEvent(new view.Event("input"));
  seen.after = counts();
  page.querySelector(".reset").click();
  seen.again = counts();
  canvas.dispatchEvent(new view.KeyboardEvent("keydown", { key: "ArrowRight" }));
  seen.first = text(".tip");
  canvas.dispatchEvent(new view.KeyboardEvent("keydown", { key: "ArrowRight" }));
  seen.second = text(".tip");
  seen.wide = page.documentElement.scrollWidth;
  view.requestAnimationFrame(() => {
    const pixels = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data;
    seen.drawn = pixels.filter((value, index) => index % 4 === 3 && value > 0).length / (canvas.width * canvas.height);
    document.getElementById("seen").textContent = JSON.stringify(seen);
  });
};
</script>"""


def open_report(folder: Path, width: int) -> tuple[dict, str]:
    """Return what a reader sees, and what the browser logged."""
    (folder / "reader.html").write_text(READER.replace("WIDTH", str(width)), encoding="utf-8")
    flags = "--headless --no-sandbox --disable-gpu --disable-background-networking --allow-file-access-from-files"
    command = [CHROMIUM, *flags.split(), f"--user-data-dir={folder / 'profile'}", "--enable-logging=stderr"]
    done = subprocess.run(
        [*command, "--virtual-time-budget=4000", "--dump-dom", (folder / "reader.html").as_uri()],
        capture_output=True,
        text=True,
        timeout=90,
        check=True,
    )
    found = re.search(r'<pre id="seen">(.*?)</pre>', done.stdout, re.DOTALL)
    assert found is not None
    assert found.group(1), done.stderr[-2000:]
    return json.loads(found.group(1)), done.stderr


@pytest.mark.parametrize("width", [1280, 390])
def test_a_reader_can_move_the_threshold_and_step_through_spots(
    make_result: Callable[..., SectionResult], provenance: Provenance, tmp_path: Path, width: int
) -> None:
    result = make_result()
    write_report(tmp_path / "r.html", [view_section(result)], provenance)
    seen, log = open_report(tmp_path, width)
    assert "CONSOLE" not in log

    row = result.summary()
    called = [str(row["cancer"]), str(row["normal"]), str(row["uncertain"]), f"{row['cancer_mm2']:.3g} mm²"]
    assert seen["before"] == seen["again"] == called
    assert seen["reset"] is True

    distance = result.spots["probability"] - 0.7
    sure = distance.abs() >= result.spots["spread"]
    areas = [region.outline.area for region in result.cells.regions(result.probability, 0.7)]
    counts = [int((sure & (distance >= 0)).sum()), int((sure & (distance < 0)).sum()), int((~sure).sum())]
    assert seen["after"] == [*map(str, counts), f"{result.mm2(sum(areas)):.3g} mm²"]

    first, second = (result.positions.loc[seen[name].splitlines()[0]] for name in ("first", "second"))
    assert second["x_um"] > first["x_um"]
    assert abs(second["y_um"] - first["y_um"]) < 1
    assert "called cancer" in seen["first"]
    tops = [result.spots.loc[seen[name].splitlines()[0], "top_modality"] for name in ("first", "second")]
    assert [
        f"top contribution: {top}, +1.3 log odds" in seen[name]
        for top, name in zip(tops, ("first", "second"), strict=True)
    ] == [True, True]
    assert seen["drawn"] > 0.1
    assert seen["wide"] <= width


def test_spots_in_doubt_stay_uncertain_wherever_the_threshold_is(
    make_result: Callable[..., SectionResult], provenance: Provenance, tmp_path: Path
) -> None:
    spots = make_result().spots
    doubtful = spots.index[spots["probability"] < 0.1][:20]
    spots.loc[doubtful, "label"] = "uncertain"
    write_report(tmp_path / "r.html", [view_section(make_result(spots=spots))], provenance)
    seen, _ = open_report(tmp_path, 1280)
    near = (spots["probability"] - 0.7).abs() < spots["spread"]
    assert seen["after"][2] == str(int(near.sum()) + len(doubtful))


def test_squares_of_a_turned_array_are_drawn_without_gaps(
    make_result: Callable[..., SectionResult], provenance: Provenance, tmp_path: Path
) -> None:
    result = make_result("square", side=12, degrees=45, spot_shape="square", spot_um=100.0, threshold=0.99)
    write_report(tmp_path / "r.html", [view_section(result)], provenance)
    seen, _ = open_report(tmp_path, 1280)
    view = window(result)
    assert seen["drawn"] == pytest.approx(144 * result.spot_px**2 / (view.width * view.height), abs=0.02)
