from collections.abc import Callable
from pathlib import Path

import pandas as pd

from spacrd_core.results.files.spots_csv import write_spots_csv
from spacrd_core.results.result import SectionResult

HEADER = "spot_id,x_um,y_um,x_px,y_px,probability,label,spread,ood,agreement,gene_coverage,image_coverage,set"
HEADER += ",top_modality,top_contribution,copy_number,border_distance_um,band"


def test_the_columns_are_those_of_the_documented_format(
    make_result: Callable[..., SectionResult], tmp_path: Path
) -> None:
    write_spots_csv(make_result(), tmp_path / "s.csv")
    assert (tmp_path / "s.csv").read_text().splitlines()[0] == HEADER


def test_pandas_reads_back_every_spot_with_its_call(make_result: Callable[..., SectionResult], tmp_path: Path) -> None:
    result = make_result()
    write_spots_csv(result, tmp_path / "s.csv")
    table = pd.read_csv(tmp_path / "s.csv", index_col="spot_id")
    assert table.index.tolist() == result.spots.index.tolist()
    assert table["label"].tolist() == result.spots["label"].tolist()
    assert table["set"].tolist() == result.spots["set"].tolist()
    assert table["top_modality"].tolist() == result.spots["top_modality"].tolist()
    assert table["top_contribution"].tolist() == result.spots["top_contribution"].tolist()
    assert table["copy_number"].tolist() == result.spots["copy_number"].tolist()
    assert (table["probability"] - result.spots["probability"]).abs().max() <= 5e-7
    assert (table["border_distance_um"] - result.margins.distance_um).abs().max() <= 5e-4
    assert table["band"].tolist() == list(result.margins.band)
    assert (table["x_px"] - result.adata.obs["x_px"]).abs().max() <= 5e-4


def test_unknown_values_stay_empty(make_result: Callable[..., SectionResult], tmp_path: Path) -> None:
    spots = make_result().spots.assign(set=None, copy_number=float("nan"))
    write_spots_csv(make_result(spots=spots), tmp_path / "s.csv")
    first = (tmp_path / "s.csv").read_text().splitlines()[1].split(",")
    assert (first[8], first[11], first[12], first[15]) == ("", "", "", "")
    assert pd.read_csv(tmp_path / "s.csv")["ood"].isna().any()


def test_without_a_border_distance_and_band_are_empty(
    make_result: Callable[..., SectionResult], tmp_path: Path
) -> None:
    write_spots_csv(make_result(side=4, regions_rule="never"), tmp_path / "s.csv")
    rows = (tmp_path / "s.csv").read_text().splitlines()[1:]
    assert all(row.endswith(",,") for row in rows)


def test_ids_with_commas_quotes_and_other_scripts_are_unchanged_and_a_formula_is_text(
    make_result: Callable[..., SectionResult], tmp_path: Path
) -> None:
    result = make_result(side=2)
    odd = ["a,b", 'say "so"', "Übergang 部", "=1+1"]
    result.adata.obs_names = odd
    write_spots_csv(make_result(adata=result.adata, spots=result.spots.set_axis(odd)), tmp_path / "s.csv")
    assert pd.read_csv(tmp_path / "s.csv")["spot_id"].tolist() == [*odd[:3], "'=1+1"]
