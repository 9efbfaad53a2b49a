from __future__ import annotations

import base64
import io
import json
import re
from html.parser import HTMLParser
from typing import TYPE_CHECKING

import numpy as np
import pytest
from PIL import Image

from spacrd_core.detection.attribution import Driver
from spacrd_core.results.report.report import write_report
from spacrd_core.results.report.section_view import MOST_BYTES, view_section
from spacrd_core.results.report.viewport import window

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from spacrd_core.results.result import Provenance, SectionResult

NASTY = "</script><script>alert(1)</script><img src=x onerror=alert(2)> & \"quotes\" 'too'"


class Page(HTMLParser):
    """What a browser makes of the report: its elements, its text, and the data for its script."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.data: dict[str, object] = {}
        self._data_id: str | None = None
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        self._data_id = dict(attrs).get("id") if tag == "script" else None

    def handle_data(self, data: str) -> None:
        if self._data_id:
            self.data[self._data_id] = json.loads(data)
            self._data_id = None
        self.text += data

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.elements if name == tag]


@pytest.fixture
def page(make_result: Callable[..., SectionResult], provenance: Provenance, tmp_path: Path) -> Page:
    results = [make_result(section_id=name, notes=(NASTY,) if name == "A" else ()) for name in ("A", "B")]
    write_report(tmp_path / "r.html", [view_section(result) for result in results], provenance)
    return Page((tmp_path / "r.html").read_text(encoding="utf-8"))


def test_the_report_asks_nothing_of_a_network_and_its_policy_forbids_it(page: Page) -> None:
    addresses = [attributes[name] for _, attributes in page.elements for name in ("src", "href") if name in attributes]
    assert addresses
    assert all(address.startswith(("data:image/webp;base64,", "#")) for address in addresses)
    policy = next(meta["content"] for meta in page.all("meta") if meta.get("http-equiv") == "Content-Security-Policy")
    assert policy.startswith("default-src 'none'; img-src data:;")
    assert "unsafe" not in policy


def test_what_users_wrote_is_shown_as_text_and_never_becomes_markup(page: Page) -> None:
    assert NASTY in page.text
    assert "pathologist <b>one</b>" in page.text
    assert [script.get("type") for script in page.all("script")].count(None) == 1
    assert not any("onerror" in attributes for _, attributes in page.elements)


def test_hostile_spot_ids_cannot_leave_the_data_block(
    make_result: Callable[..., SectionResult], provenance: Provenance, tmp_path: Path
) -> None:
    result = make_result(side=4)
    index = [NASTY, *result.spots.index[1:]]
    result.spots.index = index
    result.adata.obs_names = index
    write_report(tmp_path / "r.html", [view_section(result)], provenance)
    page = Page((tmp_path / "r.html").read_text(encoding="utf-8"))
    assert page.data["plot-1"]["id"][0] == NASTY
    assert len(page.all("script")) == 5


def test_cautions_stand_in_sight_and_how_the_section_was_read_is_folded(
    make_result: Callable[..., SectionResult], provenance: Provenance, tmp_path: Path
) -> None:
    result = make_result(notes=("do not rely on it", "scale as given"), remarks=("scale as given",))
    write_report(tmp_path / "r.html", [view_section(result)], provenance)
    text = (tmp_path / "r.html").read_text(encoding="utf-8")
    assert '<p class="note">Do not rely on it</p>' in text
    assert text.count("scale as given") == text.count("<li>scale as given</li>") == 1
    page = Page(text)
    assert len(page.all("details")) == 1
    assert "2.490.391" in page.text


def test_the_table_holds_every_section_with_its_numbers(make_result: Callable[..., SectionResult], page: Page) -> None:
    row = make_result().summary()
    words = re.sub(r"\s+", " ", page.text)
    for name in ("A", "B"):
        assert f"{name}P1visium{row['spots']}{row['cancer']}{row['normal']}{row['uncertain']}" in words
    assert f"{row['cancer_mm2']:.3g}" in words


def test_a_report_that_cannot_be_written_to_its_end_leaves_the_earlier_one(
    make_result: Callable[..., SectionResult], provenance: Provenance, tmp_path: Path
) -> None:
    resource = pytest.importorskip("resource", reason="no limits on files here")
    views = [view_section(make_result(side=6))]
    write_report(tmp_path / "r.html", views, provenance)
    before = (tmp_path / "r.html").read_bytes()
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (len(before) // 2, limits[1]))
    try:
        with pytest.raises(OSError, match="File too large"):
            write_report(tmp_path / "r.html", views * 2, provenance)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert {file.name: file.read_bytes() for file in tmp_path.iterdir()} == {"r.html": before}


def test_the_script_gets_the_numbers_of_the_calls_and_null_for_what_is_unknown(
    make_result: Callable[..., SectionResult], page: Page
) -> None:
    result, plot = make_result(), page.data["plot-1"]
    assert plot["id"] == result.spots.index.tolist()
    assert plot["probability"] == pytest.approx(result.spots["probability"].tolist(), abs=1e-6)
    assert plot["ood"][:2] == [None, 0.7]
    assert len(base64.b64decode(plot["edges"])) == 2 * 2 * len(plot["sides"])
    assert sum(plot["um2"]) / 1e6 == pytest.approx(result.mm2(result.cells.areas.sum()), rel=1e-4)


def test_the_script_gets_where_spots_and_edges_lie_in_the_picture(make_result: Callable[..., SectionResult]) -> None:
    result = make_result()
    view, drawn = window(result), view_section(result).plot
    full_px = drawn["um"] / result.um_per_px
    assert np.array(drawn["x"]) * full_px + view.left == pytest.approx(result.points[:, 0], abs=full_px)
    assert np.array(drawn["y"]) * full_px + view.top == pytest.approx(result.points[:, 1], abs=full_px)
    edges = np.frombuffer(base64.b64decode(drawn["edges"]), "<u2").reshape(-1, 2) * full_px + [view.left, view.top]
    assert edges == pytest.approx(result.cells.edges.reshape(-1, 2), abs=full_px)
    assert max(drawn["width"], drawn["height"]) == 10_000


def test_labels_that_came_with_a_section_are_told_apart_from_calls_and_left_out_where_none_came(
    make_result: Callable[..., SectionResult], page: Page
) -> None:
    assert page.data["plot-1"]["given"] == [-1] + [1] * 675
    assert "labels given with the section, not calls (0 cancer, 675 normal, 1 without a label)" in page.text
    assert not [box for box in page.all("input") if box.get("data-show") == "given" and "checked" in box]
    adata = make_result().adata.copy()
    adata.obs["label_source"] = "CNIO.csv"
    assert view_section(make_result(adata=adata)).given.endswith("; from CNIO.csv")
    del adata.obs["label"]
    unlabelled = view_section(make_result(adata=adata))
    assert (unlabelled.plot["given"], unlabelled.given) == ([], "")


def test_genes_that_drive_the_calls_are_listed_by_section_and_left_out_where_none_do(
    make_result: Callable[..., SectionResult], provenance: Provenance, tmp_path: Path
) -> None:
    genes = (Driver("ERBB2", 0.4312, 4.2, 1.55), Driver("COL1A1", -0.1, 1.234, None))
    write_report(tmp_path / "r.html", [view_section(make_result(genes=genes)), view_section(make_result())], provenance)
    page = Page((tmp_path / "r.html").read_text(encoding="utf-8"))
    assert len(page.all("details")) == 1
    words = re.sub(r"\s+", " ", page.text)
    assert "Towards cancer GeneAddsIn cancerIn normal ERBB2+0.4314.201.55" in words
    assert "Towards normal GeneAddsIn cancerIn normal COL1A1\N{MINUS SIGN}0.1001.23\N{EN DASH}" in words


def test_the_script_gets_what_says_most_of_each_spot_and_nothing_where_that_is_not_known(
    make_result: Callable[..., SectionResult], provenance: Provenance, tmp_path: Path
) -> None:
    spots = make_result().spots
    spots.loc[spots.index[1], ["top_modality", "top_contribution"]] = None
    write_report(tmp_path / "r.html", [view_section(make_result(spots=spots))], provenance)
    data = Page((tmp_path / "r.html").read_text(encoding="utf-8")).data
    assert [data["tops"][top] if top >= 0 else "" for top in data["plot-1"]["top"][:4]] == [
        "genes",
        "",
        "genes",
        "image",
    ]
    assert data["plot-1"]["push"][:3] == [-0.75, None, -0.75]


def test_the_intended_use_and_the_origin_of_the_calls_are_stated(page: Page, provenance: Provenance) -> None:
    words = re.sub(r"\s+", " ", page.text)
    assert "For research only." in words
    assert "not for diagnosis" in words
    assert "on 2026-01-02 03:04:05 UTC" in words
    for fact in (provenance.threshold_rule, provenance.calibration, provenance.licence, "A1, B1", "2.15", "seeds"):
        assert fact in words


def test_sections_without_an_image_or_without_spots_are_reported(
    make_result: Callable[..., SectionResult], provenance: Provenance, tmp_path: Path
) -> None:
    bare = [make_result(thumbnail=None), make_result(spots=make_result().spots[:0])]
    write_report(tmp_path / "r.html", [view_section(result) for result in bare], provenance)
    page = Page((tmp_path / "r.html").read_text(encoding="utf-8"))
    assert [image["alt"] for image in page.all("img")] == ["H&E of section S1"]
    assert page.text.count("No image of this section") == 1
    names = [canvas["aria-label"] for canvas in page.all("canvas")]
    assert ["H&E" in str(name) for name in names] == [False, True]
    assert page.data["plot-2"]["id"] == []


def test_the_photograph_is_as_fine_as_the_slide_is_known_and_no_finer(
    make_result: Callable[..., SectionResult],
) -> None:
    sizes = []
    for pixels, um_per_px in ((300, 10.0), (3000, 1.0)):
        thumbnail = np.full((pixels, pixels, 3), 200, dtype=np.uint8)
        photo = view_section(make_result(thumbnail=thumbnail, thumbnail_um_per_px=um_per_px)).photo
        sizes.append(max(Image.open(io.BytesIO(base64.b64decode(photo.split(",")[1]))).size))
    view = window(make_result())
    assert sizes == [round(view.width * 0.5 / 10), 2000]


def test_a_photograph_that_takes_too_many_bytes_is_made_smaller(make_result: Callable[..., SectionResult]) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (2400, 2400, 3), dtype=np.uint8)
    photo = base64.b64decode(view_section(make_result(thumbnail=noise, thumbnail_um_per_px=1.3)).photo.split(",")[1])
    assert 350_000 < len(photo) <= MOST_BYTES


def test_a_section_says_its_threshold_and_how_many_spots_may_be_either_class(
    make_result: Callable[..., SectionResult],
) -> None:
    result = make_result()
    facts = view_section(result).facts
    both = int((result.spots["set"] == "both").sum())
    assert facts["Threshold"] == "0.430, highest accuracy on held-out patients"
    assert (
        f", {both} both, 0 none; to hold the true class of 90% of the spots of patients like those held out in training"
        in facts["Conformal sets"]
    )
    assert view_section(make_result(alpha=None)).facts["Conformal sets"] == ""
