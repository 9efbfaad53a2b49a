"""What a detector keeps of its genes' identity, from training to a target that names them otherwise."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from core.conftest import MakeData
from scipy import sparse

from spacrd_core.cohort.options import CohortOptions
from spacrd_core.cohort.preprocessing import Preprocessor
from spacrd_core.cohort.section_data import SectionData
from spacrd_core.detector.detector import Detector
from spacrd_core.errors import DetectorError, TrainingError
from spacrd_core.genes.expression import Expression
from spacrd_core.model.calibrated_ensemble import TrainOptions, train_calibrated
from spacrd_core.model.options import HeadOptions
from spacrd_core.plugins import Plugins

SYMBOLS = ("ERBB2", "CD274", "MKI67", "EPCAM", "KRT8", "CD3D", "COL1A1", "RPL3", "KIT", "GAPDH", "TENT5A", "MARCHF3")
IDS = ("ENSG00000141736", "ENSG00000120217", *[""] * 10)
OLD = ("ENSG00000141736.14", "PDL1", *SYMBOLS[2:10], "FAM46A", "3-Mar")
CPU = torch.device("cpu")


def named(section: SectionData, symbols: Sequence[str], ids: Sequence[str] = ()) -> SectionData:
    """The section with counts of its own under these names."""
    rng = np.random.default_rng(len(section.id))
    rates = np.where(section.labels[:, None] == 1, 9.0, 4.0) * np.ones(len(symbols))
    return replace(section, expression=Expression.from_counts(sparse.csr_matrix(rng.poisson(rates)), symbols, ids))


def fit_preprocessor(*sections: SectionData) -> Preprocessor:
    return Preprocessor.fit(sections, CohortOptions(panel_genes=20))


def test_a_preprocessor_keeps_the_ids_and_the_species_of_the_training_sections(make_data: MakeData) -> None:
    preprocessor = fit_preprocessor(named(make_data("A", 1), SYMBOLS), named(make_data("B", 2), SYMBOLS, IDS))
    assert preprocessor.panel == tuple(sorted(SYMBOLS))
    assert {
        symbol: gene_id for symbol, gene_id in zip(preprocessor.panel, preprocessor.panel_ids, strict=True) if gene_id
    } == {
        "ERBB2": "ENSG00000141736",
        "CD274": "ENSG00000120217",
    }
    assert preprocessor.species == "human"


def test_a_target_reads_the_same_by_earlier_names_ids_and_dates(make_data: MakeData) -> None:
    section = make_data("A", 1)
    preprocessor = fit_preprocessor(named(section, SYMBOLS, IDS))
    today, before = (preprocessor.transform(named(section, symbols)).genes for symbols in (SYMBOLS, OLD))
    assert today is not None
    assert before is not None
    assert np.array_equal(before[:].numpy(), today[:].numpy())
    assert (today[:].numpy().std(axis=0) > 0.9).all(), "every gene was found"


def test_a_mouse_section_is_refused_by_a_human_detector(make_data: MakeData) -> None:
    preprocessor = fit_preprocessor(named(make_data("A", 1), SYMBOLS))
    with pytest.raises(DetectorError) as caught:
        preprocessor.transform(named(make_data("M", 2), [symbol.capitalize() for symbol in SYMBOLS]))
    assert "'M2' measures mouse genes" in str(caught.value)
    assert "section of human tissue" in caught.value.hint


def test_human_and_mouse_sections_are_not_trained_on_together(make_data: MakeData) -> None:
    with pytest.raises(TrainingError) as caught:
        fit_preprocessor(named(make_data("A", 1), SYMBOLS), named(make_data("M", 2), [s.capitalize() for s in SYMBOLS]))
    assert "human genes in A1; mouse genes in M2" in str(caught.value)


def test_a_saved_detector_knows_its_ids_and_species(make_data: MakeData, plugins: Plugins, tmp_path: Path) -> None:
    sections = [named(make_data(name, seed, image=False), SYMBOLS, IDS) for seed, name in enumerate("ABC")]
    options = TrainOptions(head=HeadOptions(name="linear"), seeds=1)
    trained = train_calibrated(sections, options, heads=plugins.heads, device=CPU)
    Detector.from_training(trained, options, sections, "").save(tmp_path / "detector")
    loaded = Detector.load(tmp_path / "detector", heads=plugins.heads, device=CPU)
    assert loaded.config.species == loaded.ensemble.preprocessor.species == "human"
    assert loaded.config.panel_ids == loaded.ensemble.preprocessor.panel_ids == trained.ensemble.preprocessor.panel_ids
    assert set(IDS) <= set(loaded.config.panel_ids)
