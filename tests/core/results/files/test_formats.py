import warnings
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import anndata as ad
import pytest

from spacrd_core.errors import ConfigError
from spacrd_core.results.files.formats import FORMATS, find_format
from spacrd_core.results.result import Provenance, SectionResult


def test_no_two_formats_write_one_file() -> None:
    assert len({form.suffix for form in FORMATS.values()}) == len(FORMATS)


def test_a_format_is_found_by_its_name_and_an_unknown_name_is_an_error() -> None:
    assert find_format("loupe").suffix == "loupe.csv"
    with pytest.raises(ConfigError) as caught:
        find_format("docx")
    assert "'docx'" in str(caught.value)
    assert "h5ad, csv, genes, geojson, png, loupe, xenium, seg, probability, profile, spatialdata" in str(
        caught.value.hint
    )


@pytest.mark.parametrize("form", ["csv", "h5ad", "geojson", "loupe"])
def test_a_file_replaces_an_earlier_one(
    make_result: Callable[..., SectionResult], provenance: Provenance, tmp_path: Path, form: str
) -> None:
    for side in (4, 6):
        file = find_format(form).write_atomically(
            make_result(side=side, section_id="V1.b"), tmp_path / "new", provenance
        )
    assert file.name == f"V1.b.{FORMATS[form].suffix}"
    assert [file] == [*(tmp_path / "new").iterdir()]
    assert file.stat().st_size > 0


def test_whether_a_spot_is_doubtful_is_only_in_the_report(
    make_result: Callable[..., SectionResult], provenance: Provenance, tmp_path: Path
) -> None:
    result = make_result(side=6, platform="xenium")
    other = replace(result, spots=result.spots.assign(doubtful=True))
    for form in (form for form in FORMATS.values() if not form.on_request and form.unsupported_reason(result) is None):
        first, second = (
            form.write_atomically(section, tmp_path / name, provenance)
            for name, section in (("one", result), ("two", other))
        )
        if form.name == "h5ad":
            assert ad.read_h5ad(first).obs.equals(ad.read_h5ad(second).obs)
        else:
            assert first.read_bytes() == second.read_bytes()


def test_an_interrupted_writer_leaves_the_earlier_file(
    make_result: Callable[..., SectionResult], provenance: Provenance, tmp_path: Path
) -> None:
    def interrupted(_: SectionResult, path: Path, __: Provenance) -> None:
        path.write_text("half")
        raise KeyboardInterrupt

    find_format("csv").write_atomically(make_result(side=4), tmp_path, provenance)
    before = (tmp_path / "S1.spots.csv").read_bytes()
    with pytest.raises(KeyboardInterrupt):
        replace(find_format("csv"), write=interrupted).write_atomically(make_result(side=4), tmp_path, provenance)
    assert {file.name: file.read_bytes() for file in tmp_path.iterdir()} == {"S1.spots.csv": before}


@pytest.mark.parametrize("name", [name for name, form in FORMATS.items() if form.in_thread])
@pytest.mark.parametrize("shape", ["disc", "square"])
def test_what_is_written_in_a_thread_leaves_the_filters_of_warnings_as_they_are(
    name: str,
    shape: str,
    make_result: Callable[..., SectionResult],
    provenance: Provenance,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    result = make_result(side=6, spot_shape=shape)
    _ = result.regions, result.points, result.angle
    changed: list[str] = []
    enter = warnings.catch_warnings.__enter__

    def recorded(filters: "warnings.catch_warnings[None]") -> object:
        changed.append(name)
        return enter(filters)

    monkeypatch.setattr(warnings.catch_warnings, "__enter__", recorded)
    FORMATS[name].write(result, tmp_path / "file", provenance)
    assert not changed
