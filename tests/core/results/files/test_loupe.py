from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

from spacrd_core.errors import InputError
from spacrd_core.results.files.loupe import loupe_unsupported, write_loupe
from spacrd_core.results.result import SectionResult


def test_every_spot_has_a_barcode_and_a_category(make_result: Callable[..., SectionResult], tmp_path: Path) -> None:
    result = make_result()
    write_loupe(result, tmp_path / "s.loupe.csv")
    assert (tmp_path / "s.loupe.csv").read_text().startswith("Barcode,SpaCRD\n")
    table = pd.read_csv(tmp_path / "s.loupe.csv")
    assert table["Barcode"].tolist() == result.spots.index.tolist()
    assert table["SpaCRD"].str.lower().tolist() == result.spots["label"].tolist()


def test_only_sections_with_visium_barcodes_are_supported(make_result: Callable[..., SectionResult]) -> None:
    assert not loupe_unsupported(make_result())
    assert loupe_unsupported(make_result(barcodes=False))
    result = make_result()
    assert loupe_unsupported(make_result(spots=result.spots[:0]))


def test_ids_that_are_no_barcodes_are_an_error(make_result: Callable[..., SectionResult], tmp_path: Path) -> None:
    with pytest.raises(InputError) as caught:
        write_loupe(make_result(barcodes=False), tmp_path / "s.csv")
    assert "'S1' have no Visium barcodes" in str(caught.value)
    assert caught.value.hint
    assert not (tmp_path / "s.csv").exists()
