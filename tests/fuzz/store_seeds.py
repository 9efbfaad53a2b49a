"""Stores and detectors, as they are, and with checksums that a stranger has made to fit."""

import json
import shutil
from contextlib import suppress
from pathlib import Path

import numpy as np
import pandas as pd
import zarr
from bundles.st import StSection
from bundles.tissue import Pose, Tissue
from stand_ins.detector import made_detector

from fuzz.seed import Seed, plugins
from spacrd_core.cards import Recipe
from spacrd_core.detector.config import DetectorConfig
from spacrd_core.detector.load import load_detector
from spacrd_core.files import file_sha256, tree_sha256
from spacrd_core.ingestion.ingest import ingest
from spacrd_core.store.describe import describe_section
from spacrd_core.store.elements import embedding_facts
from spacrd_core.store.failures import read_failures
from spacrd_core.store.layout import layout_sha256
from spacrd_core.store.manifest import SectionEntry
from spacrd_core.store.store import SpotStore
from spacrd_core.store.verify import verify


def store(folder: Path) -> None:
    """Write a store of one section with its slide, embeddings and calls."""
    source = StSection(tissue=Tissue(size_um=(1800.0, 1600.0)), pose=Pose(um_per_px=8.0)).write(folder / "source")
    made = SpotStore.create(folder / "store")
    ingest(made, source, plugins=plugins())
    shutil.rmtree(folder / "source")
    (entry,) = made.entries.values()
    embed(made, entry)
    calls = pd.DataFrame({"probability": 0.5, "label": "cancer"}, index=made.spots(entry.id).index)
    made.publish_predictions(entry, calls, key="k" * 16, detector={"head": "spacrd", "encoder": {"name": "colour"}})


def embed(made: SpotStore, entry: SectionEntry) -> None:
    """Publish embeddings that are all one."""
    recipe = Recipe(input_px=8, um_per_px=5.0, dim=2)
    with made.writing(entry.id):
        staged = made.temporary("embeddings", entry.id)
        group = zarr.open_group(staged, mode="w")
        group.attrs.update(embedding_facts("colour", {}, recipe))  # type: ignore[arg-type]
        for name, shape in (("values", (entry.spots, 2)), ("coverage", (entry.spots,))):
            group.create_array(name, data=np.ones(shape, dtype=np.float32))
        made.publish_embedding(entry, "colour", recipe, staged)


def read_store(folder: Path) -> None:
    """Verify a store, and read everything in it."""
    opened = SpotStore.open(folder / "store")
    verify(opened)
    read_failures(opened)
    for name, entry in opened.entries.items():
        opened.spots(name)
        opened.section(name)
        opened.spot_of_cell(name)
        slide = opened.pyramid(name)
        if slide:
            slide.thumbnail(64)
            slide.levels[0].read(0, slide.levels[0].height, 0, slide.levels[0].width)
        for key in entry.embeddings:
            opened.embedding(name, key=key)
        for key in entry.predictions:
            opened.predictions(name, key)
        describe_section(opened, name)


def read_signed_store(folder: Path) -> None:
    """Read a store whose author has signed the damage: the checksums in it are right."""
    file = folder / "store" / "spacrd.json"
    with suppress(ValueError, TypeError, LookupError, AttributeError, OSError, RecursionError):
        manifest = json.loads(file.read_bytes())
        for entry in manifest["sections"].values():
            records = [entry["section"], entry["slide"], *entry["embeddings"].values(), *entry["predictions"].values()]
            for record in filter(None, records):
                group = file.parent / record["path"]
                record.update(sha256=tree_sha256(group), layout=layout_sha256(group))
        file.write_text(json.dumps(manifest), encoding="utf-8")
    read_store(folder)


def detector(folder: Path) -> None:
    made_detector(plugins()).save(folder / "detector")


def read_signed(folder: Path) -> None:
    """Load a detector whose author has signed the damage: the checksums in it are right."""
    file = folder / "detector" / "config.json"
    with suppress(ValueError, TypeError, LookupError, AttributeError, RecursionError):
        facts = json.loads(file.read_bytes())
        facts["weights_sha256"] = file_sha256(folder / "detector" / "model.safetensors")
        facts["fingerprint"] = DetectorConfig.model_validate(facts).compute_fingerprint()
        file.write_text(json.dumps(facts), encoding="utf-8")
    load_detector(folder / "detector", plugins=plugins())


def read_detector(folder: Path) -> None:
    load_detector(folder / "detector", plugins=plugins())


STORES = (
    Seed("store", store, read_store),
    Seed("manifest", store, read_store, "store/spacrd.json"),
    Seed("signed store", store, read_signed_store, writes=True),
    Seed("signed metadata", store, read_signed_store, "store/**/zarr.json", writes=True),
    Seed("signed detector", detector, read_signed, "**/*.[js][sa]*", writes=True),
    Seed("detector", detector, read_detector, "**/*.[js][sa]*"),
)
