import base64
import io
import json
import re
from collections.abc import Callable
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from stand_ins.copy_number import NO_EVIDENCE, SUPPORTED, UNKNOWN

from spacrd_core.detection.attribution import DrivingGene
from spacrd_core.results.files.profile_picture import profile_svg
from spacrd_core.results.report.report import write_report
from spacrd_core.results.report.section_view import MAX_PHOTO_BYTES, build_section_view
from spacrd_core.results.report.viewport import section_viewport
from spacrd_core.results.result import Provenance, SectionResult

HOSTILE = "</script><script>alert(1)</script><img src=x onerror=alert(2)> & \"quotes\" 'too'"


class Page(HTMLParser):
    """The parsed report: its elements, its text, and the data for its script."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.data: dict[str, Any] = {}
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
    results = [make_result(section_id=name, notes=(HOSTILE,) if name == "A" else ()) for name in ("A", "B")]
    write_report(tmp_path / "r.html", [build_section_view(result) for result in results], provenance)
    return Page((tmp_path / "r.html").read_text(encoding="utf-8"))


def test_the_report_loads_nothing_from_a_network_and_its_policy_forbids_it(page: Page) -> None:
    addresses = [attributes[name] for _, attributes in page.elements for name in ("src", "href") if name in attributes]
    assert addresses
    assert all(str(address).startswith(("data:image/webp;base64,", "#")) for address in addresses)
    policies = [meta["content"] for meta in page.all("meta") if meta.get("http-equiv") == "Content-Security-Policy"]
    policy = str(policies[0])
    assert policy.startswith("default-src 'none'; img-src data:;")
    assert "unsafe" not in policy


def test_calls_from_one_modality_are_in_the_headline_with_the_reason(
    make_result: Callable[..., SectionResult], provenance: Provenance, tmp_path: Path
) -> None:
    note = "called from genes alone: the section has no image"
    views = [build_section_view(make_result(side=6, section_id=name, notes=(note,) * (name < "C"))) for name in "ABC"]
    write_report(tmp_path / "r.html", views, provenance)
    header = (tmp_path / "r.html").read_text(encoding="utf-8").split("</header>")[0]
    assert "<b>Called from genes alone:</b> the section has no image (A, B)." in header


def test_the_detector_is_named_as_people_know_it_and_its_key_is_among_the_facts(
    make_result: Callable[..., SectionResult], provenance: Provenance, tmp_path: Path
) -> None:
    view = build_section_view(make_result(side=6))
    for name, shown in (("lung-v2", "lung-v2"), ("", provenance.detector)):
        write_report(tmp_path / "r.html", [view], replace(provenance, name=name))
        text = (tmp_path / "r.html").read_text(encoding="utf-8")
        assert f"called by detector <b>{shown}</b>, which reads image and genes" in text
        assert f"<dt>Key</dt><dd>{provenance.detector}</dd>" in text


def test_user_text_is_escaped(page: Page) -> None:
    assert HOSTILE in page.text
    assert "pathologist <b>one</b>" in page.text
    assert [script.get("type") for script in page.all("script")].count(None) == 1
    assert not any("onerror" in attributes for _, attributes in page.elements)


def test_hostile_spot_ids_cannot_leave_the_data_block(
    make_result: Callable[..., SectionResult], provenance: Provenance, tmp_path: Path
) -> None:
    result = make_result(side=4)
    index = [HOSTILE, *result.spots.index[1:]]
    result.spots.index = index
    result.adata.obs_names = index
    write_report(tmp_path / "r.html", [build_section_view(result)], provenance)
    page = Page((tmp_path / "r.html").read_text(encoding="utf-8"))
    assert page.data["canvas-data-1"]["id"][0] == HOSTILE
    assert len(page.all("script")) == 6


def test_warnings_are_visible_and_ingestion_notes_are_collapsed(
    make_result: Callable[..., SectionResult], provenance: Provenance, tmp_path: Path
) -> None:
    result = make_result(notes=("do not rely on it", "scale as given"), remarks=("scale as given",))
    write_report(tmp_path / "r.html", [build_section_view(result)], provenance)
    text = (tmp_path / "r.html").read_text(encoding="utf-8")
    assert '<p class="warning">Do not rely on it</p>' in text
    assert text.count("<li>Do not rely on it</li>") == 1  # in the table of sections
    assert text.count("scale as given") == text.count("<li>scale as given</li>") == 1
    assert len(Page(text).all("details")) == 1


def test_the_table_has_every_section_with_its_numbers(make_result: Callable[..., SectionResult], page: Page) -> None:
    row: dict[str, Any] = make_result().summary()
    share = 100 * row["cancer"] / row["spots"]
    words = re.sub(r"\s+", " ", page.text)
    for name in ("A", "B"):
        assert f"{name}P1visium{row['spots']}{row['cancer']}{row['uncertain']}{share:.1f}" in words
    assert f"{row['cancer_mm2']:.3g}" in words


def test_a_report_that_cannot_be_completed_leaves_the_earlier_one(
    make_result: Callable[..., SectionResult], provenance: Provenance, tmp_path: Path
) -> None:
    resource = pytest.importorskip("resource", reason="no limits on files here")
    views = [build_section_view(make_result(side=6))]
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


def test_the_script_gets_the_numbers_of_the_calls_and_null_for_unknown_values(
    make_result: Callable[..., SectionResult], page: Page
) -> None:
    result, canvas = make_result(), page.data["canvas-data-1"]
    assert canvas["id"] == result.spots.index.tolist()
    assert canvas["probability"] == pytest.approx(result.spots["probability"].tolist(), abs=1e-6)
    assert canvas["ood"][:2] == [None, 0.7]
    assert len(base64.b64decode(canvas["edges"])) == 2 * 2 * len(canvas["edge_spots"])
    assert sum(canvas["area_um2"]) / 1e6 == pytest.approx(
        result.tessellation.areas.sum() * (result.um_per_px / 1000) ** 2, rel=1e-4
    )


def test_the_script_gets_the_positions_of_spots_and_edges_in_the_picture(
    make_result: Callable[..., SectionResult],
) -> None:
    result = make_result()
    view, canvas = section_viewport(result), build_section_view(result).canvas
    full_px = canvas["um_per_unit"] / result.um_per_px
    assert np.array(canvas["x"]) * full_px + view.left == pytest.approx(result.points[:, 0], abs=full_px)
    assert np.array(canvas["y"]) * full_px + view.top == pytest.approx(result.points[:, 1], abs=full_px)
    edges = np.frombuffer(base64.b64decode(canvas["edges"]), "<u2").reshape(-1, 2) * full_px + [view.left, view.top]
    assert edges == pytest.approx(result.tessellation.edges.reshape(-1, 2), abs=full_px)
    assert max(canvas["width"], canvas["height"]) == 10_000


def test_annotated_labels_are_separate_from_calls_and_omitted_if_there_are_none(
    make_result: Callable[..., SectionResult], page: Page
) -> None:
    assert page.data["canvas-data-1"]["annotation"] == [-1] + [1] * 675
    assert "not calls (0 cancer, 675 normal, 1 without a label)" in page.text
    assert not [box for box in page.all("input") if box.get("data-show") == "annotation" and "checked" in box]
    adata = make_result().adata.copy()
    adata.obs["label_source"] = "CNIO.csv"
    assert build_section_view(make_result(adata=adata)).annotation.endswith("; from CNIO.csv")
    del adata.obs["label"]
    unlabelled = build_section_view(make_result(adata=adata))
    assert (unlabelled.canvas["annotation"], unlabelled.annotation) == ([], "")


def test_driving_genes_are_listed_by_section_and_omitted_if_there_are_none(
    make_result: Callable[..., SectionResult], provenance: Provenance, tmp_path: Path
) -> None:
    genes = (DrivingGene("ERBB2", 0.4312, 4.2, 1.55), DrivingGene("COL1A1", -0.1, 1.234, None))
    write_report(
        tmp_path / "r.html",
        [build_section_view(make_result(genes=genes)), build_section_view(make_result())],
        provenance,
    )
    page = Page((tmp_path / "r.html").read_text(encoding="utf-8"))
    assert len(page.all("details")) == 1
    words = re.sub(r"\s+", " ", page.text)
    assert "Towards cancer GeneContributionIn cancerIn normal ERBB2+0.4314.201.55" in words
    assert "Towards normal GeneContributionIn cancerIn normal COL1A1\N{MINUS SIGN}0.1001.23\N{EN DASH}" in words


def test_copy_number_is_in_the_table_the_facts_and_beside_its_profile(
    make_result: Callable[..., SectionResult], provenance: Provenance, tmp_path: Path
) -> None:
    found = {"A": SUPPORTED, "B": NO_EVIDENCE, "C": UNKNOWN}
    views = [build_section_view(make_result(side=6, section_id=name, copy_number=each)) for name, each in found.items()]
    write_report(tmp_path / "r.html", views, provenance)
    text = (tmp_path / "r.html").read_text(encoding="utf-8")
    assert re.findall(r'<td class="text">(supported|no evidence|unknown)</td>', text) == [
        "supported",
        "no evidence",
        "unknown",
    ]
    page = Page(text)
    profiles = [image for image in page.all("img") if image.get("class") == "profile"]
    assert [base64.b64decode(str(image["src"]).split(",")[1]) for image in profiles] == [
        profile_svg(SUPPORTED),
        profile_svg(NO_EVIDENCE),
    ]
    assert all(image["alt"] for image in profiles)
    facts = [view.facts["Copy number"] for view in views]
    assert facts == ["supported (Z 12.3)", "no evidence (Z -0.6)", f"unknown: {UNKNOWN.unknown_reason}"]
    for name, each in found.items():
        assert page.text.count(each.sentence[1:]) == 1, name


def test_the_script_gets_how_far_spots_follow_the_profile(make_result: Callable[..., SectionResult]) -> None:
    spots = make_result(side=6).spots
    spots.loc[spots.index[:3], "copy_number"] = [-1.234, np.nan, 0.5]
    canvas = build_section_view(make_result(side=6, spots=spots)).canvas
    assert canvas["copy_number"][:3] == [-1.23, None, 0.5]


def test_the_script_gets_the_top_modality_of_each_spot_and_none_where_it_is_unknown(
    make_result: Callable[..., SectionResult], provenance: Provenance, tmp_path: Path
) -> None:
    spots = make_result().spots
    spots.loc[spots.index[1], ["top_modality", "top_contribution"]] = None
    write_report(tmp_path / "r.html", [build_section_view(make_result(spots=spots))], provenance)
    data = Page((tmp_path / "r.html").read_text(encoding="utf-8")).data
    assert [data["modalities"][code] if code >= 0 else "" for code in data["canvas-data-1"]["top_modality"][:4]] == [
        "genes",
        "",
        "genes",
        "image",
    ]
    assert data["canvas-data-1"]["top_contribution"][:3] == [-0.75, None, -0.75]


def test_the_intended_use_and_the_provenance_are_stated(page: Page, provenance: Provenance) -> None:
    words = re.sub(r"\s+", " ", page.text)
    assert "For research use only." in words
    assert "not for diagnosis" in words
    assert "on 2026-01-02 03:04:05 UTC" in words
    for fact in (provenance.threshold_rule, provenance.calibration, provenance.licence, "A1, B1", "2.15", "seeds"):
        assert fact in words


def test_sections_without_an_image_or_without_spots_are_reported(
    make_result: Callable[..., SectionResult], provenance: Provenance, tmp_path: Path
) -> None:
    results = [make_result(thumbnail=None), make_result(spots=make_result().spots[:0])]
    write_report(tmp_path / "r.html", [build_section_view(result) for result in results], provenance)
    page = Page((tmp_path / "r.html").read_text(encoding="utf-8"))
    assert [image["alt"] for image in page.all("img")] == [
        "H&E of section S1",
        "Plain H&E of section S1, the same part",
    ]
    assert page.text.count("This section has no image") == 1
    names = [canvas["aria-label"] for canvas in page.all("canvas")]
    assert ["H&E" in str(name) for name in names] == [False, True]
    assert page.data["canvas-data-2"]["id"] == []


def test_the_photo_is_as_fine_as_the_slide_and_no_finer(
    make_result: Callable[..., SectionResult],
) -> None:
    sizes = []
    for pixels, um_per_px in ((300, 10.0), (3000, 1.0)):
        thumbnail = np.full((pixels, pixels, 3), 200, dtype=np.uint8)
        photo = build_section_view(make_result(thumbnail=thumbnail, thumbnail_um_per_px=um_per_px)).photo
        sizes.append(max(Image.open(io.BytesIO(base64.b64decode(photo.split(",")[1]))).size))
    view = section_viewport(make_result())
    assert sizes == [round(view.width * 0.5 / 10), 2000]


def test_a_photo_of_too_many_bytes_is_made_smaller(make_result: Callable[..., SectionResult]) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (2400, 2400, 3), dtype=np.uint8)
    photo = base64.b64decode(
        build_section_view(make_result(thumbnail=noise, thumbnail_um_per_px=1.3)).photo.split(",")[1]
    )
    assert 350_000 < len(photo) <= MAX_PHOTO_BYTES


def test_a_section_has_its_threshold_and_the_counts_of_its_conformal_sets(
    make_result: Callable[..., SectionResult],
) -> None:
    result = make_result()
    facts = build_section_view(result).facts
    both = int((result.spots["set"] == "both").sum())
    assert facts["Threshold"] == "0.430, highest accuracy on held-out patients"
    assert f", {both} both, 0 none" in facts["Conformal sets"]
    assert build_section_view(make_result(alpha=None)).facts["Conformal sets"] == ""
