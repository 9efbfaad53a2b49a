"""The demo's cohort: the platform's own files, a signal in both modalities, the same from the same seed."""

from __future__ import annotations

import csv
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest
from PIL import Image
from sklearn.metrics import roc_auc_score

from spacrd_core.demo.cohort import COLUMNS, draw_section, write_demo_cohort
from spacrd_core.demo.genes import GENES
from spacrd_core.demo.tissue import CLASSES

if TYPE_CHECKING:
    from pathlib import Path

    from spacrd_core.demo.write_st import DemoSection


@pytest.fixture(scope="module")
def cohort(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_demo_cohort(tmp_path_factory.mktemp("demo"), patients=1)


@pytest.fixture(scope="module")
def section() -> DemoSection:
    return draw_section(1, seed=7)


def read_row(cohort: Path) -> dict[str, str]:
    with cohort.open(newline="", encoding="utf-8") as stream:
        return next(csv.DictReader(stream))


def test_the_table_has_the_columns_of_ingest_and_names_files_that_exist(cohort: Path) -> None:
    row = read_row(cohort)
    assert tuple(row) == COLUMNS
    assert (row["name"], row["patient"], row["reader"]) == ("S1", "P1", "st")
    assert all((cohort.parent / row[role]).is_file() for role in ("path", "labels", "image"))


def test_counts_are_integers_spots_by_genes_named_by_array_position(cohort: Path) -> None:
    counts = pd.read_csv(cohort.parent / read_row(cohort)["path"], sep="\t", index_col=0)
    assert counts.index.str.fullmatch(r"\d+x\d+").all()
    assert counts.index.is_unique
    assert tuple(counts.columns) == GENES
    assert (counts.dtypes == np.int64).all()
    assert 250 <= len(counts) <= 350


def test_pixels_follow_the_array_position_on_an_image_cropped_to_the_frame(cohort: Path) -> None:
    spots = pd.read_csv(cohort.parent / "ST-spotfiles/S1_selection.tsv", sep="\t")
    with Image.open(cohort.parent / read_row(cohort)["image"]) as image:
        width, height = image.size
    assert max(width, height) <= 3400
    assert list(spots.columns) == ["x", "y", "new_x", "new_y", "pixel_x", "pixel_y", "selected"]
    np.testing.assert_allclose(spots.pixel_x, (spots.new_x - 1) * width / 32, atol=0.06)
    np.testing.assert_allclose(spots.pixel_y, (spots.new_y - 1) * height / 34, atol=0.06)


def test_every_spot_is_labelled_in_a_pixel_space_of_its_own_whose_y_points_up(cohort: Path) -> None:
    labels = pd.read_csv(cohort.parent / read_row(cohort)["labels"], sep="\t")
    spots = pd.read_csv(cohort.parent / "ST-spotfiles/S1_selection.tsv", sep="\t")
    np.testing.assert_array_equal(labels[["x", "y"]], spots[["new_x", "new_y"]])
    assert np.corrcoef(labels.y, labels.pixel_y)[0, 1] < -0.99
    assert set(labels.label) <= {*CLASSES, "undetermined"}
    assert (labels.label == "invasive cancer").mean() > 0.15


def test_the_same_seed_writes_the_same_bytes(cohort: Path, tmp_path: Path) -> None:
    again = write_demo_cohort(tmp_path, patients=1)
    for file in (path for path in cohort.parent.rglob("*") if path.is_file()):
        assert file.read_bytes() == (again.parent / file.relative_to(cohort.parent)).read_bytes(), file.name


def test_patients_differ() -> None:
    one, other = draw_section(1, seed=7), draw_section(2, seed=7)
    assert one.ids != other.ids
    assert abs(one.picture[::50, ::50].mean() - other.picture[::50, ::50].mean()) > 0.5


def test_genes_tell_cancer_from_other_tissue_but_no_single_gene_settles_it(section: DemoSection) -> None:
    cancer = np.array([label == "invasive cancer" for label in section.labels])
    shares = section.counts / section.counts.sum(axis=1, keepdims=True)
    aucs = [roc_auc_score(cancer, shares[:, GENES.index(gene)]) for gene in ("ERBB2", "KRT8", "EPCAM", "FOXA1")]
    assert max(aucs) > 0.65
    assert max(aucs) < 0.99
    assert roc_auc_score(cancer, -shares[:, GENES.index("COL1A1")]) > 0.6


def test_the_image_tells_cancer_from_other_tissue_but_not_perfectly(section: DemoSection) -> None:
    cancer = np.array([label == "invasive cancer" for label in section.labels])
    centres = np.rint((section.places - 1) * 100).astype(int)
    red = np.array([section.picture[y - 25 : y + 25, x - 25 : x + 25, 0].mean() for x, y in centres])
    assert 0.85 < roc_auc_score(cancer, -red) < 1.0
