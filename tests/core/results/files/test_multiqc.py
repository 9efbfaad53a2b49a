import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from spacrd_core.results.files.multiqc import write_multiqc
from spacrd_core.results.result import Provenance, SectionResult


def test_every_section_is_a_row_of_the_general_statistics(
    make_result: Callable[..., SectionResult], provenance: Provenance, tmp_path: Path
) -> None:
    usual, unfamiliar = make_result(), make_result(section_id="S2.b", spots=make_result().spots.assign(ood=2.0))
    write_multiqc(tmp_path / "spacrd_mqc.json", [usual.summary(), unfamiliar.summary()], provenance)
    content = json.loads((tmp_path / "spacrd_mqc.json").read_text())
    assert (content["id"], content["plot_type"]) == ("spacrd", "generalstats")
    assert [*content["data"]] == ["S1", "S2.b"]
    row = content["data"]["S1"]
    assert (row["spots"], row["cancer"]) == (676, int((usual.spots["label"] == "cancer").sum()))
    assert row["cancer_mm2"] == pytest.approx(np.pi * 0.9**2, rel=0.05)
    assert row["mean_probability"] == pytest.approx(usual.spots["probability"].mean())
    assert [content["data"][name]["beyond_training"] for name in ("S1", "S2.b")] == [0, 1]
    assert "cancer_mm2" not in content["data"]["S2.b"]


def test_every_column_has_a_title_and_a_description_with_the_detector(
    make_result: Callable[..., SectionResult], provenance: Provenance, tmp_path: Path
) -> None:
    write_multiqc(tmp_path / "spacrd_mqc.json", [make_result().summary()], provenance)
    content = json.loads((tmp_path / "spacrd_mqc.json").read_text())
    assert [*content["headers"]] == [*content["data"]["S1"]]
    assert all(header["title"] for header in content["headers"].values())
    assert all(
        "detector demo (0123456789abcdef), for research only" in header["description"]
        for header in content["headers"].values()
    )


def test_unknown_values_are_omitted(
    make_result: Callable[..., SectionResult], provenance: Provenance, tmp_path: Path
) -> None:
    empty = make_result(spots=make_result().spots[:0])
    write_multiqc(tmp_path / "spacrd_mqc.json", [empty.summary()], provenance)
    row = json.loads((tmp_path / "spacrd_mqc.json").read_text())["data"]["S1"]
    assert row == {"spots": 0, "cancer": 0, "uncertain": 0, "cancer_mm2": 0}
