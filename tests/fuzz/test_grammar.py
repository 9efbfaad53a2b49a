"""Documents that are well-formed and say anything: they are read, or refused with a sentence that is ours."""

import csv
import io
import json
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from stand_ins.detector import made_detector

from fuzz.label_seeds import labels
from fuzz.seed import plugins
from fuzz.trial import attempt
from spacrd_cli.settings import TrainingSettings
from spacrd_core.config import read_config
from spacrd_core.detector.config import DetectorConfig
from spacrd_core.detector.metrics import read_metrics
from spacrd_core.ingestion.cohort_file import read_cohort

FEW, MANY = 10, 400
LEAVES = (
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20) | st.sampled_from(("1e999", "-0"))
)
VALUES = st.recursive(
    LEAVES,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)
NUMBERS = st.floats() | st.integers(-(10**6), 10**6)
RINGS = st.lists(st.lists(st.lists(NUMBERS, min_size=0, max_size=3), max_size=8), max_size=3)
GEOMETRIES = VALUES | st.fixed_dictionaries(
    {
        "type": st.sampled_from(("Polygon", "MultiPolygon", "Point", "LineString", "GeometryCollection", "polygon")),
        "coordinates": RINGS | st.lists(RINGS, max_size=2) | VALUES,
    }
)
CLASSES = st.sampled_from(("Tumor", "Stroma", "")) | VALUES
FEATURES = VALUES | st.fixed_dictionaries(
    {
        "type": st.just("Feature"),
        "id": VALUES,
        "geometry": GEOMETRIES,
        "properties": VALUES
        | st.fixed_dictionaries(
            {
                "objectType": st.sampled_from(("annotation", "detection")) | VALUES,
                "classification": st.fixed_dictionaries({"name": CLASSES}) | CLASSES,
                "measurements": VALUES,
            }
        ),
    }
)
CELLS = st.text(max_size=12) | st.sampled_from(("", "0", "1", "tumor", "1e999", "-1", "NaN", "AAAA-1", "1,5", "=1+1"))
NAMES = st.sampled_from(
    ("barcode", "label", "x", "y", "path", "name", "patient", "labels", "sample", "um_per_px", "cell id")
)
TABLES = st.integers(1, 4).flatmap(
    lambda width: st.tuples(
        st.lists(NAMES | CELLS, min_size=width, max_size=width),
        st.lists(st.lists(CELLS, min_size=width, max_size=width), max_size=6),
    )
)
KEYS = st.sampled_from((*TrainingSettings.model_fields, "encoder.name", "cohort.cancer_fraction", "a.b"))


@cache
def detector_config() -> DetectorConfig:
    return made_detector(plugins()).config


def geojson(features: list[Any]) -> str:
    return json.dumps({"type": "FeatureCollection", "features": features})


def table(parts: tuple[list[str], list[list[str]]]) -> str:
    text = io.StringIO()
    csv.writer(text).writerows([parts[0], *parts[1]])
    return text.getvalue()


def overrides(chosen: dict[str, Any]) -> list[str]:
    return [f"{key}={json.dumps(value)}" for key, value in chosen.items()]


KINDS: dict[str, tuple[st.SearchStrategy[Any], Callable[[Path, Any], object]]] = {
    "geojson": (st.lists(FEATURES, max_size=4).map(geojson), lambda file, text: labels(file.name)(write(file, text))),
    "table of labels": (TABLES.map(table), lambda file, text: labels(file.name)(write(file, text))),
    "list of sections": (TABLES.map(table), lambda file, text: read_cohort(write(file, text) / file.name, {})),
    "settings": (
        st.dictionaries(KEYS, VALUES, max_size=4).map(overrides),
        lambda _, entries: read_config(TrainingSettings, overrides=entries),
    ),
    "figures": (
        st.fixed_dictionaries({"reliability": VALUES, "held_out": VALUES}).map(json.dumps),
        lambda file, text: read_metrics(write(file.with_name("metrics.json"), text), detector_config()),
    ),
}


def write(file: Path, text: str) -> Path:
    """Write a file, and return its folder."""
    file.write_text(text, encoding="utf-8", errors="surrogatepass")
    return file.parent


def require_sound(kind: str, folder: Path, count: int) -> None:
    """Require that documents of a kind end as they should."""
    documents, read = KINDS[kind]

    @settings(
        max_examples=count, deadline=None, database=None, derandomize=True, suppress_health_check=list(HealthCheck)
    )
    @given(documents)
    def ends_well(document: Any) -> None:
        assert attempt(lambda: read(folder / "a.csv", document)).fault == ""

    ends_well()


@pytest.mark.parametrize("kind", KINDS)
def test_some_documents_end_as_they_should(kind: str, tmp_path: Path) -> None:
    require_sound(kind, tmp_path, FEW)


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
def test_documents_end_as_they_should(kind: str, tmp_path: Path) -> None:
    require_sound(kind, tmp_path, MANY)
