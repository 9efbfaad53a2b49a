"""Weights from a file: nothing in it is run, and nothing that does not fit is accepted."""

import os
import pickle
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor, nn

from spacrd_core.errors import WeightsError
from spacrd_encoders.backbone.weights import load_strictly, read_tensors, sha256

Save = Callable[[dict[str, Tensor], Path], object]
TENSORS = {"weight": torch.arange(6.0).reshape(2, 3), "bias": torch.tensor([1.0, -1.0])}


class Payload:
    """Creates a file when it is unpickled by a reader that runs code."""

    def __init__(self, file: Path) -> None:
        self.file = file

    def __reduce__(self) -> tuple[object, ...]:
        return os.mkdir, (str(self.file),)


def save_old(tensors: dict[str, Tensor], path: Path) -> None:
    torch.save(tensors, path, _use_new_zipfile_serialization=False)


@pytest.mark.parametrize(
    ("name", "save"),
    [
        ("w.bin", torch.save),
        ("w.pth", save_old),
        ("w.safetensors", save_file),
        ("named wrongly.bin", save_file),
        ("named wrongly.safetensors", torch.save),
    ],
)
def test_safetensors_and_pytorch_files_are_read_by_their_content(tmp_path: Path, name: str, save: Save) -> None:
    save(TENSORS, tmp_path / name)
    tensors = read_tensors(tmp_path / name)
    assert tensors.keys() == TENSORS.keys()
    assert all(torch.equal(tensors[key], TENSORS[key]) for key in TENSORS)


@pytest.mark.parametrize("save", [torch.save, save_old], ids=["zip", "pickle"])
def test_an_old_pytorch_reads_safetensors_only(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, save: Save) -> None:
    save(TENSORS, tmp_path / "w.bin")
    save_file(TENSORS, tmp_path / "w.safetensors")
    monkeypatch.setattr(torch, "__version__", "2.9.1+cu128")
    assert read_tensors(tmp_path / "w.safetensors").keys() == TENSORS.keys()
    with pytest.raises(WeightsError, match=r"PyTorch 2\.9\.1\+cu128 cannot read it .*CVE-2026-24747") as caught:
        read_tensors(tmp_path / "w.bin")
    assert "safetensors" in caught.value.hint


@pytest.mark.parametrize("wrapper", ["state_dict", "model"])
def test_tensors_are_taken_out_of_a_training_checkpoint(tmp_path: Path, wrapper: str) -> None:
    torch.save({wrapper: TENSORS, "epoch": 3}, tmp_path / "checkpoint.pth")
    assert read_tensors(tmp_path / "checkpoint.pth").keys() == TENSORS.keys()


@pytest.mark.parametrize("save", [torch.save, save_old], ids=["zip", "pickle"])
def test_code_in_a_file_is_named_and_not_run(tmp_path: Path, save: Save) -> None:
    save({"weight": TENSORS["weight"], "bias": Payload(tmp_path / "ran")}, tmp_path / "w.bin")  # type: ignore[dict-item]
    with pytest.raises(WeightsError, match=r"w\.bin is refused: reading it would run \w+\.mkdir"):
        read_tensors(tmp_path / "w.bin")
    assert not (tmp_path / "ran").exists()


def test_a_whole_model_is_refused_by_the_name_of_its_class(tmp_path: Path) -> None:
    torch.save(nn.Linear(3, 2), tmp_path / "w.bin")
    with pytest.raises(WeightsError, match=r"reading it would run torch\.nn\.modules\.linear\.Linear"):
        read_tensors(tmp_path / "w.bin")


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"version https://git-lfs.github.com/spec/v1\noid sha256:0",
        b"<!DOCTYPE html>",
        pickle.dumps({"a": 1}),
        bytes(range(256)),
    ],
    ids=["empty", "git-lfs pointer", "web page", "pickle", "noise"],
)
def test_a_file_that_is_not_weights_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "w.bin").write_bytes(content)
    with pytest.raises(WeightsError, match=r"w\.bin is neither a safetensors nor a PyTorch weights file") as refusal:
        read_tensors(tmp_path / "w.bin")
    assert "download the file again" in refusal.value.hint


@pytest.mark.parametrize("save", [torch.save, save_old, save_file], ids=["zip", "pickle", "safetensors"])
@pytest.mark.parametrize("share", [0.1, 0.5, 0.9])
def test_half_a_file_is_called_damaged(tmp_path: Path, save: Save, share: float) -> None:
    save({"weight": torch.ones(3000)}, tmp_path / "w")
    whole = (tmp_path / "w").read_bytes()
    (tmp_path / "w").write_bytes(whole[: int(share * len(whole))])
    with pytest.raises(WeightsError, match="damaged"):
        read_tensors(tmp_path / "w")


def test_something_else_than_tensors_is_refused(tmp_path: Path) -> None:
    torch.save({"weight": TENSORS["weight"], "epoch": 3}, tmp_path / "w.bin")
    with pytest.raises(WeightsError, match="does not hold named tensors"):
        read_tensors(tmp_path / "w.bin")


@pytest.mark.filterwarnings("ignore:Validating sparse tensor invariants")
@pytest.mark.parametrize(
    ("tensor", "phrase"),
    [
        (TENSORS["weight"].to_sparse(), "weight float32 sparse_coo"),
        (TENSORS["weight"].to("meta"), "weight float32 meta"),
        (TENSORS["weight"].to(torch.complex64), "weight complex64"),
    ],
    ids=["sparse", "meta", "complex"],
)
def test_tensors_without_plain_numbers_are_refused(tmp_path: Path, tensor: Tensor, phrase: str) -> None:
    torch.save(TENSORS | {"weight": tensor}, tmp_path / "w.bin")
    with pytest.raises(WeightsError, match=rf"(?m)w\.bin has unsupported values in 1 tensors \({phrase}\)$") as refusal:
        read_tensors(tmp_path / "w.bin")
    assert "published for this model" in refusal.value.hint


@pytest.mark.parametrize("dtype", [torch.int8, torch.uint8, torch.int64, torch.bool], ids=str)
def test_whole_numbers_are_not_weights(tmp_path: Path, dtype: torch.dtype) -> None:
    tensors = TENSORS | {"bias": TENSORS["bias"].to(dtype)}
    with pytest.raises(WeightsError, match=r"(?m)it has integers instead of floats in 1 tensors \(bias [a-z]+\d*\)$"):
        load_strictly(nn.Linear(3, 2), tensors, tmp_path / "w.bin")


def test_counters_may_be_whole_numbers_or_not(tmp_path: Path) -> None:
    """Half-precision files of batch-normalised networks store even their batch counters as floats."""
    tensors = nn.BatchNorm2d(3).state_dict()
    for count in (tensors["num_batches_tracked"], tensors["num_batches_tracked"].half()):
        load_strictly(nn.BatchNorm2d(3), tensors | {"num_batches_tracked": count}, tmp_path / "w.bin")


def test_fitting_tensors_are_loaded_as_float32(tmp_path: Path) -> None:
    network = nn.Linear(3, 2, device="meta")
    load_strictly(network, {name: tensor.half() for name, tensor in TENSORS.items()}, tmp_path)
    assert torch.equal(network(torch.ones(3)), torch.tensor([4.0, 11.0]))


@pytest.mark.parametrize(
    ("tensors", "phrase"),
    [
        ({"weight": TENSORS["weight"]}, r"it lacks 1 tensors \(bias\)$"),
        (TENSORS | {"head": torch.ones(1)}, r"it has no place for 1 tensors \(head\)$"),
        (TENSORS | {"bias": torch.ones(7)}, r"it has another shape in 1 tensors \(bias \(7,\) for \(2,\)\)$"),
        (
            {f"blocks.{k}": torch.ones(1) for k in range(9)},
            r"lacks 2 .*; it has no place for 9 tensors \(blocks.0, blocks.1, blocks.2, \.\.\.\)$",
        ),
    ],
)
def test_what_does_not_fit_is_named(tmp_path: Path, tensors: dict[str, Tensor], phrase: str) -> None:
    with pytest.raises(WeightsError, match=f"(?m){phrase}"):
        load_strictly(nn.Linear(3, 2), tensors, tmp_path / "w.bin")


@pytest.mark.parametrize("there", [None, "folder"])
def test_a_missing_file_is_reported_with_its_path(tmp_path: Path, there: str | None) -> None:
    path = tmp_path / "weights"
    if there:
        path.mkdir()
    with pytest.raises(WeightsError, match=f"there is no weights file at {path}"):
        sha256(path)
