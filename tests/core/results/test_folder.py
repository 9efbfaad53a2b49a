import hashlib
import json
import resource
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Thread

import anndata as ad
import numpy as np
import pandas as pd
import pytest
from stand_ins.copy_number import SUPPORTED

from spacrd_core.detection.attribution import DrivingGene
from spacrd_core.errors import InputError, OutputError
from spacrd_core.progress import Item
from spacrd_core.replacement import locked
from spacrd_core.results.files.formats import ALL_FORMATS, DEFAULT_FORMATS, FORMATS, Format
from spacrd_core.results.folder import finish_interrupted, write_folder
from spacrd_core.results.ownership import require_own, require_results_folder, require_same_detector
from spacrd_core.results.result import Provenance, SectionResult
from spacrd_core.staging import remove_abandoned


def test_every_file_of_a_section_is_written_and_listed_in_the_manifest_with_its_checksum(
    make_result: Callable[..., SectionResult], provenance: Provenance, tmp_path: Path
) -> None:
    results = (make_result(section_id=name, side=6, barcodes=name == "V1.b") for name in ("V1.b", "st_2"))
    paths = write_folder(tmp_path / "out" / "deep", results, provenance)
    kinds = ("spots.csv", "h5ad", "geojson", "png")
    expected = {f"{name}.{kind}" for name in ("V1.b", "st_2") for kind in kinds} | {"V1.b.loupe.csv"}
    expected |= {"report.html", "spacrd_mqc.json"}
    assert {path.name for path in paths} == expected | {"manifest.json"}
    assert {path.name for path in (tmp_path / "out" / "deep").iterdir()} == expected | {"manifest.json"}
    manifest = json.loads((tmp_path / "out" / "deep" / "manifest.json").read_text())
    assert manifest["provenance"]["detector"] == provenance.detector
    assert list(manifest["sections"]) == ["V1.b", "st_2"]
    facts = manifest["sections"]["st_2"]
    assert (facts["threshold"], facts["threshold_rule"]) == (0.43, "highest accuracy on held-out patients")
    assert {record["name"] for record in manifest["files"]} == expected
    for record in manifest["files"]:
        content = (tmp_path / "out" / "deep" / record["name"]).read_bytes()
        assert record["sha256"] == hashlib.sha256(content).hexdigest()
        assert record["bytes"] == len(content)


def test_driving_genes_are_written_as_a_table(
    make_result: Callable[..., SectionResult], provenance: Provenance, tmp_path: Path
) -> None:
    genes = (DrivingGene("ERBB2", 0.43125678, 4.2, 1.5), DrivingGene("COL1A1", -0.1, 1.2, None))
    paths = write_folder(tmp_path, [make_result(side=6, genes=genes)], provenance)
    assert tmp_path / "S1.genes.csv" in paths
    table = pd.read_csv(tmp_path / "S1.genes.csv")
    assert table.columns.tolist() == ["gene", "attribution", "mean_cancer", "mean_normal"]
    assert table["gene"].tolist() == ["ERBB2", "COL1A1"]
    assert table["attribution"].tolist() == [0.431257, -0.1]
    assert table["mean_normal"].isna().tolist() == [False, True]


def test_the_manifest_states_what_copy_number_says_of_every_section(
    make_result: Callable[..., SectionResult], provenance: Provenance, tmp_path: Path
) -> None:
    results = [make_result(side=6, section_id="A", copy_number=SUPPORTED), make_result(side=6, section_id="B")]
    write_folder(tmp_path, results, provenance)
    sections = json.loads((tmp_path / "manifest.json").read_text())["sections"]
    assert sections["A"]["copy_number"] == {
        "z": 12.35,
        "verdict": "supported",
        "arms": [
            {"arm": "8q", "change": "gain", "log2_ratio": 0.451, "genes": 200},
            {"arm": "16q", "change": "loss", "log2_ratio": -0.312, "genes": 120},
        ],
    }
    assert sections["B"]["copy_number"] == {"z": None, "verdict": "unknown", "arms": []}


@pytest.mark.parametrize("spots", [0, 1, 4])
def test_a_section_with_mostly_unknown_values_is_written(
    make_result: Callable[..., SectionResult], provenance: Provenance, tmp_path: Path, spots: int
) -> None:
    unknown = {"probability": np.nan, "label": "uncertain", "spread": np.nan, "ood": np.nan, "gene_coverage": np.nan}
    unknown |= {"set": None, "top_modality": None, "top_contribution": np.nan, "copy_number": np.nan}
    result = make_result(side=6, spots=make_result(side=6).spots.iloc[:spots].assign(**unknown), thumbnail=None)
    write_folder(tmp_path, [result], provenance)
    assert len(pd.read_csv(tmp_path / "S1.spots.csv")) == spots
    assert ad.read_h5ad(tmp_path / "S1.h5ad").obs["spacrd_prob"].isna().all()
    features = json.loads((tmp_path / "S1.geojson").read_text())["features"]
    assert [feature["properties"]["objectType"] for feature in features] == ["detection"] * spots
    row = json.loads((tmp_path / "spacrd_mqc.json").read_text())["data"]["S1"]
    assert (row["spots"], row["cancer_mm2"], "mean_probability" in row) == (spots, 0, False)


def test_files_of_an_earlier_run_are_replaced_and_others_stay(
    make_result: Callable[..., SectionResult], provenance: Provenance, tmp_path: Path
) -> None:
    write_folder(tmp_path, [make_result(side=6)], provenance)
    before = (tmp_path / "S1.png").read_bytes()
    (tmp_path / "mine.txt").write_text("keep")
    write_folder(tmp_path, [make_result(side=7)], provenance)
    assert (tmp_path / "S1.png").read_bytes() not in {before, b""}
    assert (tmp_path / "mine.txt").read_text() == "keep"


def test_all_earlier_files_of_a_section_are_removed_and_files_of_other_origin_stay(
    make_result: Callable[..., SectionResult], provenance: Provenance, tmp_path: Path
) -> None:
    genes = (DrivingGene("ERBB2", 0.4, 4.2, 1.5),)
    supported = make_result(side=6, genes=genes, copy_number=SUPPORTED)
    write_folder(tmp_path, [supported, make_result(side=6, section_id="S1.b", genes=genes)], provenance)
    for name in ("seg", "profile"):
        FORMATS[name].write_atomically(supported, tmp_path, provenance)
    (tmp_path / "S1.cell_groups.csv").write_text("the user's own")
    (tmp_path / "manifest.json").unlink()  # as after a killed run
    write_folder(tmp_path, [make_result(side=6, barcodes=False)], provenance)
    remaining = {file.name for file in tmp_path.iterdir()}
    assert not remaining & {"S1.genes.csv", "S1.loupe.csv", "S1.seg", "S1.profile.png"}
    assert remaining >= {"S1.cell_groups.csv", "S1.b.genes.csv", "S1.b.loupe.csv", "S1.png"}
    listed = {record["name"] for record in json.loads((tmp_path / "manifest.json").read_text())["files"]}
    assert not any(name.startswith("S1.b") for name in listed)


@pytest.mark.parametrize("form", DEFAULT_FORMATS, ids=lambda form: form.name)
def test_a_file_of_other_origin_is_not_replaced(form: Format, tmp_path: Path) -> None:
    form.path(tmp_path, "S1").write_bytes(b"\x89PNG or a table of the user")
    with pytest.raises(InputError, match=f"S1.{form.suffix} was not written by SpaCRD"):
        require_own(tmp_path, ["S1"])
    form.path(tmp_path, "S1").write_bytes(b"")
    require_own(tmp_path, ["S1"])


@pytest.mark.ci_cases(4)
@pytest.mark.parametrize("name", ["manifest.json", "report.html", "spacrd_mqc.json"])
@pytest.mark.parametrize("text", ["no json", "[]", '{"files": 3}', '{"files": [{}]}', "<html>mine</html>"])
def test_a_shared_file_of_other_origin_is_not_replaced_and_nothing_else_is(
    make_result: Callable[..., SectionResult], provenance: Provenance, tmp_path: Path, name: str, text: str
) -> None:
    (tmp_path / name).write_text(text)
    with pytest.raises(InputError, match=f"{name} was not written by SpaCRD"):
        write_folder(tmp_path, [make_result(side=6)], provenance)
    assert {file.name: file.read_text() for file in tmp_path.iterdir()} == {name: text}


def test_what_is_written_is_taken_for_our_own(
    make_result: Callable[..., SectionResult], provenance: Provenance, tmp_path: Path
) -> None:
    genes = (DrivingGene("ERBB2", 0.4, 4.2, 1.5),)
    result = make_result(side=6, genes=genes, copy_number=SUPPORTED)
    write_folder(tmp_path, [result], provenance)
    for name in ("seg", "profile"):
        FORMATS[name].write_atomically(result, tmp_path, provenance)
    require_own(tmp_path, ["S1"])
    require_own(tmp_path, ["S1"], ALL_FORMATS)


def test_results_of_two_detectors_are_not_mixed(
    make_result: Callable[..., SectionResult], provenance: Provenance, tmp_path: Path
) -> None:
    write_folder(tmp_path, [make_result(side=6, section_id=name) for name in ("A", "B")], provenance)
    require_same_detector(tmp_path, provenance.detector, ["B"])
    require_same_detector(tmp_path, "another", ["A", "B", "C"])
    with pytest.raises(InputError, match=r"has results of another detector, demo .* for A; those of another"):
        require_same_detector(tmp_path, "another", ["B"])


def test_results_that_were_complete_when_their_process_was_killed_are_moved_by_the_next(
    make_result: Callable[..., SectionResult], provenance: Provenance, tmp_path: Path
) -> None:
    genes = (DrivingGene("ERBB2", 0.4, 4.2, 1.5),)
    write_folder(tmp_path / "new", [make_result(side=6, section_id=name) for name in ("A", "B")], provenance)
    new = {file.name: file.read_bytes() for file in (tmp_path / "new").iterdir()}
    write_folder(tmp_path / "out", [make_result(side=7, section_id="A", genes=genes)], provenance)
    left = tmp_path / "out" / ".spacrd-abcd1234"
    (tmp_path / "new").rename(left)
    (tmp_path / "out" / "manifest.json").unlink()  # killed after the first file was moved
    (left / "A.h5ad").replace(tmp_path / "out" / "A.h5ad")
    finish_interrupted(tmp_path / "out")
    remove_abandoned(tmp_path / "out")
    assert {file.name: file.read_bytes() for file in (tmp_path / "out").iterdir()} == new


def test_results_of_a_process_that_is_killed_meanwhile_are_earlier_ones(
    make_result: Callable[..., SectionResult], provenance: Provenance, tmp_path: Path
) -> None:
    write_folder(tmp_path / "killed", [make_result(side=7)], provenance)
    write_folder(tmp_path / "new", [make_result(side=6)], provenance)

    def results() -> Iterator[SectionResult]:
        (tmp_path / "killed").rename(tmp_path / "out" / ".spacrd-abcd1234")
        yield make_result(side=6)

    write_folder(tmp_path / "out", results(), provenance)
    finish_interrupted(tmp_path / "out")
    remove_abandoned(tmp_path / "out")
    new = {file.name: file.read_bytes() for file in (tmp_path / "new").iterdir()}
    assert {file.name: file.read_bytes() for file in (tmp_path / "out").iterdir()} == new


def test_while_another_command_moves_its_files_into_the_folder_those_of_this_one_wait(
    make_result: Callable[..., SectionResult], provenance: Provenance, tmp_path: Path
) -> None:
    write_folder(tmp_path, [make_result(side=7)], provenance)
    before = {file.name: file.read_bytes() for file in tmp_path.iterdir()}
    writing = Thread(target=write_folder, args=(tmp_path, [make_result(side=6)], provenance))
    with locked(tmp_path / "manifest.json"):
        writing.start()
        writing.join(1.0)
        assert writing.is_alive()
        assert {name: (tmp_path / name).read_bytes() for name in before} == before
    writing.join()
    assert (tmp_path / "S1.png").read_bytes() != before["S1.png"]


def test_half_written_results_of_a_killed_process_are_removed_by_the_next(
    make_result: Callable[..., SectionResult], provenance: Provenance, tmp_path: Path
) -> None:
    (tmp_path / ".spacrd-abcd1234").mkdir()
    (tmp_path / ".spacrd-abcd1234" / "S1.png").write_bytes(b"half")
    (tmp_path / ".spacrd-abcd1234" / "manifest.json").write_text('{"format"')
    paths = write_folder(tmp_path, [make_result(side=6)], provenance)
    assert {*tmp_path.iterdir()} == {*paths}


@contextmanager
def small_files() -> Iterator[None]:
    """Refuse files of more than 50 bytes inside the block, as on a full disk; the output of pytest may be one."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (50, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@pytest.mark.ci_cases(4)
@pytest.mark.parametrize("form", FORMATS.values(), ids=lambda form: form.name)
def test_a_file_that_has_no_room_is_one_error_and_the_earlier_one_stays(
    make_result: Callable[..., SectionResult],
    provenance: Provenance,
    tmp_path: Path,
    form: Format,
) -> None:
    if form.name == "spatialdata":
        pytest.importorskip("spatialdata", reason="spatialdata is not installed")
    genes = (DrivingGene("ERBB2", 0.4, 4.2, 1.5), DrivingGene("COL1A1", 0.4, 4.2, 1.5), DrivingGene("VIM", 0.4, 4, 1))
    result = make_result(side=6, genes=genes, copy_number=SUPPORTED, platform="xenium")
    form.write_atomically(result, tmp_path, provenance)
    before = {file: file.read_bytes() for file in tmp_path.rglob("*") if file.is_file()}
    with small_files(), pytest.raises(OutputError, match=f"S1.{form.suffix} cannot be written: File too large"):
        form.write_atomically(result, tmp_path, provenance)
    assert {file: file.read_bytes() for file in tmp_path.rglob("*") if file.is_file()} == before


def test_a_section_that_fails_leaves_the_earlier_results_complete(
    make_result: Callable[..., SectionResult], provenance: Provenance, tmp_path: Path
) -> None:
    write_folder(tmp_path, [make_result(side=6)], provenance)
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}

    def results() -> Iterator[SectionResult]:
        yield make_result(side=7)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_folder(tmp_path, results(), provenance)
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before


def test_results_are_built_and_released_one_section_at_a_time(
    make_result: Callable[..., SectionResult], provenance: Provenance, tmp_path: Path
) -> None:
    events = []

    def results() -> Iterator[SectionResult]:
        for name in ("a", "b"):
            events.append(name)
            yield make_result(section_id=name, side=6)

    def track(work: Iterable[Item], description: str, total: float | None = None) -> Iterator[Item]:
        for item in work:
            assert isinstance(item, SectionResult)
            events.append(f"used {item.section_id}")
            yield item

    write_folder(tmp_path, results(), provenance, track=track)
    assert events == ["a", "used a", "b", "used b"]


def test_a_file_in_the_place_of_the_folder_is_named_in_the_error(tmp_path: Path) -> None:
    (tmp_path / "out").write_text("")
    with pytest.raises(InputError, match="out is a file"):
        require_results_folder(tmp_path / "out")


def test_pictures_of_a_section_are_not_taken_for_those_of_another_whose_name_is_longer(
    make_result: Callable[..., SectionResult], provenance: Provenance, tmp_path: Path
) -> None:
    write_folder(tmp_path, [make_result(side=6, section_id="S1.probability")], provenance)
    picture = (tmp_path / "S1.probability.png").read_bytes()
    write_folder(tmp_path, [make_result(side=6)], provenance)
    assert (tmp_path / "S1.probability.png").read_bytes() == picture
    assert not FORMATS["probability"].is_ours(tmp_path / "S1.probability.png")
    written = FORMATS["probability"].write_atomically(make_result(side=6), tmp_path / "other", provenance)
    assert FORMATS["probability"].is_ours(written)
    assert not FORMATS["png"].is_ours(written)
