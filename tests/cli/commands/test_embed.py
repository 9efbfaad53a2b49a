import json
import re
import shutil
import sys
from pathlib import Path

import pytest

from spacrd_cli.main import run
from spacrd_core.demo.cohort import write_demo_cohort
from spacrd_core.store.store import SpotStore


@pytest.fixture(scope="module")
def ingested(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("embed")
    cohort = write_demo_cohort(folder / "cohort", platforms=("st", "st"))
    assert run(["ingest", str(folder / "store"), "--cohort", str(cohort), "-q"]) == 0
    return folder / "store"


@pytest.fixture
def store(ingested: Path, tmp_path: Path) -> str:
    """A store of two sections, not embedded yet."""
    shutil.copytree(ingested, tmp_path / "store")
    return str(tmp_path / "store")


def checksums(store: str) -> list[str]:
    return [record.sha256 for entry in SpotStore(Path(store)).choose() for record in entry.embeddings.values()]


def test_embed_ends_with_patches_their_speed_and_where_the_time_went(
    store: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["embed", store, "--encoder", "stain", "--device", "cpu"]) == 0
    printed = capsys.readouterr()
    last = printed.err.splitlines()[-1]
    parts = r"(\w+ [\d.]+ s, )+\w+ [\d.]+ s"
    assert re.fullmatch(rf"(\d+) patches in [\d.]+ s, \d+ patches/s \({parts}\)", last), last
    assert {"read", "resample", "encode", "write"} <= set(re.findall(r"(\w+) [\d.]+ s[,)]", last))
    assert [line.split()[0] for line in printed.out.splitlines() if line.strip().startswith("S")] == ["S1", "S2"]


def test_the_document_has_the_same_figures(store: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["embed", store, "--encoder", "stain", "--json", "-q"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["encoder"] == "stain"
    assert document["patches"] == sum(section["patches"] for section in document["sections"].values())
    assert document["patches_per_second"] == pytest.approx(document["patches"] / document["wall_seconds"])
    assert set(document["seconds"]) == set(document["sections"]["S1"]["seconds"])
    assert run(["embed", store, "--encoder", "stain", "--json", "-q"]) == 0
    again = json.loads(capsys.readouterr().out)
    assert (again["patches"], again["patches_per_second"]) == (0, None)
    assert [section["note"] for section in again["sections"].values()] == ["done before"] * 2


@pytest.mark.ci_cases("serial")
@pytest.mark.parametrize(
    "ways",
    [
        ["--executor", "serial", "--workers", "1", "--batch-size", "7", "--part", "1/1"],
        ["--executor", "processes", "--workers", "2"],
    ],
    ids=["serial", "processes"],
)
def test_every_executor_writes_the_same_embeddings(ways: list[str], store: str, ingested: Path, tmp_path: Path) -> None:
    shutil.copytree(ingested, tmp_path / "usual")
    assert run(["embed", str(tmp_path / "usual"), "--encoder", "stain", "-q"]) == 0
    assert run(["embed", store, "--encoder", "stain", "--device", "cpu", "-q", *ways]) == 0
    assert checksums(store) == checksums(str(tmp_path / "usual")) != []


@pytest.mark.slow
def test_parts_say_what_they_leave_to_others(store: str, capsys: pytest.CaptureFixture[str]) -> None:
    for part, sections in (("2/2", ["S2"]), ("1/2", ["S1"])):
        assert run(["embed", store, "--encoder", "stain", "--part", part, "--json", "-q"]) == 0
        assert list(json.loads(capsys.readouterr().out)["sections"]) == sections
    assert len(checksums(store)) == 2


def test_a_part_without_a_shard_says_so(store: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["embed", store, "--encoder", "stain", "--part", "3/3"]) == 0
    printed = capsys.readouterr()
    assert printed.out == ""
    assert "this part contains no shard" in printed.err


def test_the_help_limits_the_batch_size_to_cuda(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["embed", "--help"]) == 0
    text = " ".join(re.sub("[│╭╰─]", " ", capsys.readouterr().out).split())
    assert "forward pass on CUDA" in text


def test_a_broken_section_is_named_and_the_other_is_embedded(store: str, capsys: pytest.CaptureFixture[str]) -> None:
    entry = SpotStore(Path(store)).entry("S1")
    assert entry.slide
    shutil.rmtree(Path(store) / entry.slide.path)
    assert run(["embed", store, "--encoder", "stain", "-q"]) == 1
    printed = capsys.readouterr().err.splitlines()
    assert printed[0].startswith("error: ")
    assert printed[0].endswith(f"{entry.slide.path} is missing from the store")
    repair = f"repair it by: spacrd ingest {store} {entry.given['path']} --name S1 --replace"
    assert printed[1:] == ["  section 'S1'", f"hint: {repair}; spacrd store verify {store} finds all damage"]
    assert len(checksums(store)) == 1


MISTAKES = {
    "workers": (["--workers", "2"], "workers: serial has one worker; choose --executor processes or dask"),
    "scheduler": (["--scheduler", "tcp://a:1"], "scheduler: only Dask has a scheduler"),
    "both": (
        ["--executor", "dask", "--scheduler", "tcp://a:1", "--workers", "2"],
        "scheduler: a scheduler has its own workers",
    ),
    "part": (["--part", "4/3"], "part: a part reads I/N, from 1/N to N/N, found '4/3'"),
    "executor": (["--executor", "magic"], "executor: Input should be 'serial', 'processes' or 'dask', found 'magic'"),
    "precision": (["--precision", "int4"], "precision: Input should be 'auto', 'fp32', 'bf16' or 'fp16'"),
    "batch size": (["--batch-size", "0"], "batch_size: Input should be greater than or equal to 1, found 0"),
    "device": (["--device", "tpu"], "'tpu' is not a device"),
}


@pytest.mark.parametrize("case", MISTAKES)
def test_a_mistake_gets_a_sentence(case: str, store: str, capsys: pytest.CaptureFixture[str]) -> None:
    options, sentence = MISTAKES[case]
    assert run(["embed", store, "--encoder", "stain", *options, "-q"]) == 1
    printed = capsys.readouterr().err
    assert sentence in printed
    assert "hint: " in printed
    assert checksums(store) == []


def test_all_mistakes_are_reported_at_once(store: str, capsys: pytest.CaptureFixture[str]) -> None:
    options = ["--workers", "2", "--scheduler", "a", "--part", "x", "--batch-size", "0", "--precision", "x"]
    assert run(["embed", store, *options]) == 1
    printed = capsys.readouterr().err
    for setting in ("workers", "scheduler", "part", "batch_size", "precision"):
        assert f"{setting}: " in printed


def test_wrong_settings_and_wrong_options_of_the_encoder_are_reported_together(
    store: str, capsys: pytest.CaptureFixture[str]
) -> None:
    settings = ["--set", "seed=1", "--set", "encoder.colour=red", "--set", "encoder.name=stain"]
    assert run(["embed", store, *settings]) == 1
    error, hint = capsys.readouterr().err.splitlines()
    assert "unknown setting 'seed'" in error
    assert "encoder 'stain': unknown setting 'colour'" in error
    assert "settings: " in hint
    assert " encoder, device, " in hint
    assert "its options are: " in hint


def test_without_dask_the_hint_is_how_to_install_it(
    store: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "distributed", None)
    assert run(["embed", store, "--encoder", "stain", "--executor", "dask", "-q"]) == 1
    assert capsys.readouterr().err == "error: Dask is not installed\nhint: pip install 'spacrd[dask]'\n"


@pytest.mark.slow
def test_slides_coarser_than_the_encoder_needs_are_named_in_one_line_even_when_quiet(
    store: str, capsys: pytest.CaptureFixture[str]
) -> None:
    options = ["--set", "encoder.pretrained=false", "--set", "encoder.input_px=32", "--set", "encoder.um_per_px=1"]
    assert run(["embed", store, "--encoder", "timm:test_vit", *options, "-q"]) == 0
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("warning: slides coarser than 'timm:test_vit' needs, which is 1 um/px: S1, S2 (2 um/px);")
    assert run(["embed", store, "--encoder", "stain", "-q"]) == 0
    assert capsys.readouterr().err == ""
