"""Detectors from strangers: they name no code, reach no file outside, and take no more memory than they store.

Every one is consistent with itself: its fingerprint and its checksum are those of what it declares.
"""

import hashlib
import json
import resource
import shutil
import struct
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save
from stand_ins.detector import made_detector, written

from spacrd_core.cards import fingerprint
from spacrd_core.cohort.options import CohortOptions
from spacrd_core.detection.detect import detector_encoding
from spacrd_core.detector.detector import Detector
from spacrd_core.detector.documents import detector_documents
from spacrd_core.detector.locate import locate_detector
from spacrd_core.detector.upload import _contents
from spacrd_core.errors import DetectorError, PluginError
from spacrd_core.opening.json_text import parse_json
from spacrd_core.plugins import Plugins
from spacrd_core.store.store import SpotStore

CPU = torch.device("cpu")
Config = dict[str, Any]
Tensors = dict[str, torch.Tensor]
MEGABYTES = 300


@pytest.fixture(scope="module")
def honest(tmp_path_factory: pytest.TempPathFactory, plugins: Plugins) -> Path:
    """A detector of three patients with an image, which tests copy."""
    return written(made_detector(plugins, licence="MIT"), tmp_path_factory.mktemp("honest") / "detector")


@pytest.fixture
def folder(honest: Path, tmp_path: Path) -> Path:
    return shutil.copytree(honest, tmp_path / "detector")


def rewrite(folder: Path, change: Callable[[Config], object] = lambda _: None, weights: bytes | None = None) -> Path:
    """Change the configuration of a detector, or its weights, and make its checksums right again."""
    config = json.loads((folder / "config.json").read_bytes())
    if weights is not None:
        (folder / "model.safetensors").write_bytes(weights)
        config["weights_sha256"] = hashlib.sha256(weights).hexdigest()
    change(config)
    config["fingerprint"] = fingerprint({name: value for name, value in config.items() if name != "fingerprint"})
    (folder / "config.json").write_text(json.dumps(config))
    return folder


def load(folder: Path, plugins: Plugins) -> Detector:
    return Detector.load(folder, heads=plugins.heads, device=CPU)


def calibrations(**fields: Any) -> Callable[[Config], object]:
    return lambda config: [record.update(fields) for record in config["calibrations"].values()]


CONFIGURATIONS: dict[str, tuple[Callable[[Config], object], str]] = {
    "a path as head": (lambda c: c.update(head="../../etc/passwd"), "no head is named '../../etc/passwd'"),
    "code as head": (lambda c: c.update(head="os:system"), "no head is named 'os:system'"),
    "a billion neighbours": (lambda c: c["cohort"].update(neighbours=10**9), "neighbours: Input should be less"),
    "too many members": (lambda c: c.update(seeds=[*range(10**5)]), "declares 100000 members, and has weights of 1"),
    "embeddings too wide": (lambda c: c.update(image_dim=10**9), "image_scaler.offset has the shape"),
    "one gene twice": (lambda c: c.update(panel=["A"] * 6), "names a gene twice"),
    "fewer ids than genes": (lambda c: c.update(panel_ids=["A"]), "6 genes and 1 ids"),
    "two million genes": (lambda c: c.update(panel=[f"G{gene}" for gene in range(2 * 10**6)]), "larger than 16 MiB"),
    "a strange recipe": (lambda c: c["encoder"]["recipe"].update(code="os.system"), "it is not a recipe"),
    "a patch of a kilometre": (lambda c: c["encoder"]["recipe"].update(input_px=10**9), "are no recipe"),
    "a recipe without a licence": (lambda c: c["encoder"]["recipe"].update(licence=None), "licence: Input should be a"),
    "no slopes": (calibrations(slopes={}), "slopes: Dictionary should have at least 1 item"),
    "slopes of what is not there": (calibrations(slopes={"x": 1.0}), "slopes.x"),
    "an endless slope": (calibrations(slopes={"genes": 1e308}), "slopes.genes: Input should be less"),
    "a threshold above 1": (calibrations(threshold=2.0), "threshold: Input should be less"),
    "a method of its own": (calibrations(method="<b>"), "method: Input should be"),
    "short profiles": (calibrations(nonconformity=[[0.5]]), "nonconformity.0: Tuple should have at least 101"),
    "many options": (lambda c: c.update(head_options={"x": [0] * 2000}), "more than 1000 options"),
    "half a letter": (lambda c: c.update(species="\ud800"), "surrogates not allowed"),
}


@pytest.mark.ci_cases(6)
@pytest.mark.parametrize("name", CONFIGURATIONS)
def test_a_configuration_that_no_training_writes_is_refused(name: str, folder: Path, plugins: Plugins) -> None:
    change, phrase = CONFIGURATIONS[name]
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises((DetectorError, PluginError)) as caught:
        load(rewrite(folder, change), plugins)
    assert phrase in str(caught.value)
    assert len(str(caught.value)) < 2000
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < MEGABYTES * 1024


def test_a_layer_is_not_wider_than_the_weights_that_are_stored(folder: Path, plugins: Plugins) -> None:
    wide = {"hidden": [10**6, 10**6], "preset": "paper"}
    with pytest.raises(DetectorError, match=r"its head declares [\d,]{13,} weights, and \d+ are stored"):
        load(rewrite(folder, lambda config: config.update(head="spacrd", head_options=wide)), plugins)


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_weights_that_are_not_finite_are_refused(value: float, folder: Path, plugins: Plugins) -> None:
    tensors: Tensors = load_file(folder / "model.safetensors")
    tensors["image_scaler.scale"] = torch.full_like(tensors["image_scaler.scale"], value)
    with pytest.raises(DetectorError, match=r"image_scaler\.scale is not finite"):
        load(rewrite(folder, weights=save(tensors)), plugins)


def test_weights_are_read_neither_as_a_pickle_nor_beyond_the_file(folder: Path, plugins: Plugins) -> None:
    header = json.dumps({"x": {"dtype": "F32", "shape": [10**6, 10**6], "data_offsets": [0, 4]}}).encode()
    for weights in (b"\x80\x04\x95", struct.pack("<Q", len(header)) + header + bytes(4)):
        with pytest.raises(DetectorError, match="cannot be read"):
            load(rewrite(folder, weights=weights), plugins)


def test_a_key_that_is_given_twice_is_refused(folder: Path, plugins: Plugins) -> None:
    file = folder / "config.json"
    file.write_text(file.read_text().replace('"head":', '"head": "linear", "head":', 1))
    with pytest.raises(DetectorError, match="it gives the key 'head' twice"):
        load(folder, plugins)


@pytest.mark.parametrize("text", [r'"\ud800"', b'"\xed\xa0\x80"', r'{"a": ["\uDFFF"]}'])
def test_half_a_letter_is_no_text(text: str | bytes) -> None:
    with pytest.raises(ValueError, match="surrogates not allowed"):
        parse_json(text)
    assert parse_json(r'"\ud83d\ude00"') == "\N{GRINNING FACE}"


METRICS: dict[str, tuple[Callable[[Config], object], str]] = {
    "text for a section": (lambda m: m.update(held_out={"A1": "x"}), "held_out.A1: "),
    "an unknown section": (lambda m: m.update(held_out={"zz": m["held_out"]["A1"]}), "that are not in config.json: zz"),
    "text for an AUC": (lambda m: m["held_out"]["A1"].update(auc="<b>"), "held_out.A1.auc: "),
    "no AUC": (lambda m: m["held_out"]["A1"].update(auc=float("nan")), "should be a finite number"),
    "no curve": (lambda m: m.pop("curve"), "missing setting 'curve'"),
    "a curve of text": (lambda m: m.update(curve=[{"phase": "x", "epoch": "x", "losses": {}}]), "curve.0.epoch: "),
    "other bins": (lambda m: m["reliability"]["st"].update(spots=[1]), "other numbers of bins"),
    "no groups": (lambda m: m.update(held_out_together=5), "held_out_together: "),
    "no verdicts": (lambda m: m.update(copy_number=[1]), "copy_number: "),
}


@pytest.mark.parametrize("name", METRICS)
def test_metrics_that_no_training_writes_are_refused(name: str, folder: Path, plugins: Plugins) -> None:
    change, phrase = METRICS[name]
    metrics = json.loads((folder / "metrics.json").read_bytes())
    change(metrics)
    (folder / "metrics.json").write_text(json.dumps(metrics))
    with pytest.raises(DetectorError) as caught:
        load(folder, plugins)
    assert phrase in str(caught.value)


@pytest.mark.parametrize("name", ["README.md", "config.json", "metrics.json", "model.safetensors", "hub.json"])
def test_a_link_among_its_files_leads_nowhere(name: str, folder: Path, plugins: Plugins, tmp_path: Path) -> None:
    detector = load(folder, plugins)
    secret = tmp_path / "id_rsa"
    (folder / name).rename(secret) if (folder / name).exists() else secret.write_text("{}")
    (folder / name).symlink_to(secret)
    for read in (load, lambda folder, _: locate_detector(str(folder)), lambda folder, _: _contents(folder, detector)):
        with pytest.raises(DetectorError, match=f"{name} is a link, and a detector must not contain links"):
            read(folder, plugins)


def test_a_detector_in_the_cache_of_the_hub_is_made_of_links(folder: Path, plugins: Plugins, tmp_path: Path) -> None:
    blobs, snapshot = tmp_path / "repo" / "blobs", tmp_path / "repo" / "snapshots" / "c0ffee"
    blobs.mkdir(parents=True)
    snapshot.mkdir(parents=True)
    for file in folder.iterdir():
        file.rename(blobs / file.name)
        (snapshot / file.name).symlink_to(Path("..", "..", "blobs", file.name))
    (tmp_path / "link").symlink_to(snapshot)
    assert load(tmp_path / "link", plugins).config.head == "linear"


def test_the_encoder_of_a_detector_reads_no_file_that_the_detector_names(folder: Path, plugins: Plugins) -> None:
    rewrite(folder, lambda config: config["encoder"].update(name="uni", options={"weights": "/etc/passwd"}))
    entry: Any = type("Entry", (), {"id": "S1", "slide": True, "embeddings": {}})()
    with pytest.raises(
        DetectorError, match="sets 'weights' of the encoder 'uni' to a path, and a detector may not name"
    ):
        detector_encoding(SpotStore(folder / "store"), load(folder, plugins).config, [entry], plugins)


NAMES = ("$\\frac{x$", "\x1b]0;title\x07\x9b2J", "a\u202eb", "[x](http://x)", "=cmd|'/c'!A1", "x" * 10**5, "# a\n# b")


@pytest.mark.ci_cases(3)
@pytest.mark.parametrize("name", NAMES)
def test_any_name_can_be_drawn_and_is_plain_text_on_the_card(name: str, folder: Path, plugins: Plugins) -> None:
    def change(config: Config) -> None:
        config["trained_on"][0].update(patient=name, platform=name, label_source=name)

    detector = load(rewrite(folder, change), plugins)
    curve = [{"phase": name, "epoch": 1, "losses": {name: 0.5}}]
    reliability = {name: detector.metrics["reliability"]["st"]}
    detector = replace(detector, metrics=detector.metrics | {"curve": curve, "reliability": reliability})
    card = detector_documents(detector.config, detector.metrics)["README.md"].decode()
    assert all(sign.isprintable() or sign == "\n" for sign in card)
    assert len(card) < 60_000
    assert "[x](http" not in card
    assert not [line for line in card.splitlines() if line.startswith("# a")]


def test_more_than_a_thousand_neighbours_are_no_neighbourhood() -> None:
    with pytest.raises(ValueError, match="less than or equal to 1000"):
        CohortOptions(neighbours=1001)
