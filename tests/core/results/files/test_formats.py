from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import anndata as ad
import pytest

from spacrd_core.errors import ConfigError
from spacrd_core.results.files.formats import FORMATS, Format, find_format

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from spacrd_core.results.result import Provenance, SectionResult


def test_no_two_formats_write_one_file() -> None:
    assert len({form.suffix for form in FORMATS.values()}) == len(FORMATS)


def test_a_format_is_found_by_its_name_and_an_unknown_one_is_told_all() -> None:
    assert find_format("loupe").suffix == "loupe.csv"
    with pytest.raises(ConfigError) as caught:
        find_format("docx")
    hint = "--format h5ad, csv, genes, geojson, png, loupe, xenium, spatialdata"
    assert (str(caught.value), caught.value.hint) == ("there is no format 'docx'", hint)


@pytest.mark.parametrize("form", ["csv", "h5ad", "geojson", "loupe"])
def test_a_file_is_put_in_the_place_of_an_earlier_one(
    make_result: Callable[..., SectionResult], provenance: Provenance, tmp_path: Path, form: str
) -> None:
    for side in (4, 6):
        file = find_format(form).put(make_result(side=side, section_id="V1.b"), tmp_path / "new", provenance)
    assert file.name == f"V1.b.{FORMATS[form].suffix}"
    assert [file] == [*(tmp_path / "new").iterdir()]
    assert file.stat().st_size > 0


def test_what_only_the_report_asks_of_a_spot_is_in_no_other_file(
    make_result: Callable[..., SectionResult], provenance: Provenance, tmp_path: Path
) -> None:
    result = make_result(side=6, platform="xenium")
    other = replace(result, spots=result.spots.assign(doubtful=True))
    for form in (form for form in FORMATS.values() if not form.asked and form.refusal(result) is None):
        one, two = (form.put(each, tmp_path / name, provenance) for name, each in (("one", result), ("two", other)))
        if form.name == "h5ad":
            assert ad.read_h5ad(one).obs.equals(ad.read_h5ad(two).obs)
        else:
            assert one.read_bytes() == two.read_bytes()


def test_a_writer_that_is_stopped_leaves_the_earlier_file(
    make_result: Callable[..., SectionResult], provenance: Provenance, tmp_path: Path
) -> None:
    def stopped(_: SectionResult, path: Path, __: Provenance) -> None:
        path.write_text("half")
        raise KeyboardInterrupt

    find_format("csv").put(make_result(side=4), tmp_path, provenance)
    before = (tmp_path / "S1.spots.csv").read_bytes()
    with pytest.raises(KeyboardInterrupt):
        Format("csv", "spots.csv", stopped).put(make_result(side=4), tmp_path, provenance)
    assert {file.name: file.read_bytes() for file in tmp_path.iterdir()} == {"S1.spots.csv": before}
