from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from spacrd_core.results.loupe import opens_in_loupe, write_loupe

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from spacrd_core.results.result import SectionResult


def test_loupe_gets_a_barcode_and_one_category_a_spot(
    make_result: Callable[..., SectionResult], tmp_path: Path
) -> None:
    result = make_result()
    write_loupe(result, tmp_path / "s.loupe.csv")
    assert (tmp_path / "s.loupe.csv").read_text().startswith("Barcode,SpaCRD\n")
    table = pd.read_csv(tmp_path / "s.loupe.csv")
    assert table["Barcode"].tolist() == result.spots.index.tolist()
    assert table["SpaCRD"].str.lower().tolist() == result.spots["label"].tolist()


def test_only_sections_whose_spots_are_visium_barcodes_open_in_loupe(make_result: Callable[..., SectionResult]) -> None:
    assert opens_in_loupe(make_result())
    assert not opens_in_loupe(make_result(barcodes=False))
    result = make_result()
    assert not opens_in_loupe(make_result(spots=result.spots[:0]))
