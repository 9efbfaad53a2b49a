"""Verdicts, sentences and cautions, and what a stored table keeps."""

import numpy as np
import pandas as pd
import pytest

from spacrd_core.copy_number.result import MIN_GENES, SUPPORTED, UNCLEAR, ArmChange, CopyNumber, Segment

ARMS = (
    ArmChange("1q", 400, 0.31, 0.02, changed=True),
    ArmChange("8p", 150, -0.22, 0.02, changed=True),
    ArmChange("9q", 200, 0.01, 0.02, changed=False),
)
SEGMENTS = (Segment("1q", 143_500_000, 160_000_000, 110, 0.4), Segment("8p", 1, 40_000_000, 90, -0.2))


def stored_and_read(result: CopyNumber) -> CopyNumber:
    table = pd.DataFrame({"probability": [0.5]})
    result.attach(table)
    return CopyNumber.from_table(table)


@pytest.mark.parametrize(
    ("z", "verdict"),
    [
        (SUPPORTED, "supported"),
        (SUPPORTED - 0.01, "unclear"),
        (UNCLEAR, "unclear"),
        (UNCLEAR - 0.01, "no evidence"),
        (-2.0, "no evidence"),
        (np.nan, "unknown"),
    ],
)
def test_the_verdict_follows_from_z(z: float, verdict: str) -> None:
    result = CopyNumber(z=z)
    assert result.verdict == result.to_dict()["verdict"] == verdict
    assert result.summary.startswith(verdict)


def test_no_evidence_is_never_said_to_be_normal() -> None:
    assert "does not exclude tumour" in CopyNumber(z=0.4).sentence


def test_a_sentence_names_the_changed_arms_with_their_signs() -> None:
    sentence = CopyNumber(z=15.24, arms=ARMS).sentence
    assert "Z 15.2: 1q+, 8p-" in sentence
    assert "9q" not in sentence
    assert "no single arm stands out" in CopyNumber(z=15.24, arms=ARMS[2:]).sentence


def test_json_has_z_the_verdict_and_the_changed_arms() -> None:
    assert CopyNumber(z=15.2431, genes=5000, arms=ARMS).to_dict() == {
        "z": 15.24,
        "verdict": "supported",
        "arms": [
            {"arm": "1q", "change": "gain", "log2_ratio": 0.31, "genes": 400},
            {"arm": "8p", "change": "loss", "log2_ratio": -0.22, "genes": 150},
        ],
    }
    assert CopyNumber(unknown_reason="its genes are not human").to_dict() == {
        "z": None,
        "verdict": "unknown",
        "arms": [],
    }


@pytest.mark.parametrize("z", [15.2, np.nan])
def test_a_stored_table_keeps_everything(z: float) -> None:
    result = CopyNumber(z, 5000, "" if z == z else f"{MIN_GENES} are needed", ARMS, SEGMENTS, detector_z=-z)  # noqa: PLR0124
    assert repr(stored_and_read(result)) == repr(result)


def test_a_table_of_an_earlier_version_is_unknown() -> None:
    result = CopyNumber.from_table(pd.DataFrame({"probability": [0.5]}))
    assert result.verdict == "unknown"
    assert "earlier version" in result.summary


@pytest.mark.parametrize(
    ("z", "share", "warns"),
    [(1.2, 0.4, True), (1.2, 0.25, False), (1.2, 0.0, False), (UNCLEAR, 0.9, False), (np.nan, 0.9, False)],
)
def test_many_calls_without_evidence_are_a_caution(z: float, share: float, warns: bool) -> None:  # noqa: FBT001
    cautions = CopyNumber(z=z).cautions(share)
    assert bool(cautions) == warns
    if warns:
        assert "40% of the spots are called cancer, but there is no copy-number evidence (Z 1.2)" in cautions[0]
        assert cautions[0].endswith("look for normal epithelium")


def test_a_tumour_without_epithelium_is_a_caution() -> None:
    assert not CopyNumber(z=27.2, arms=ARMS).cautions(0.0)
    assert (
        "is this a tumour other than carcinoma?" in CopyNumber(z=27.2, arms=ARMS).cautions(0.0, no_epithelium=True)[0]
    )
    assert not CopyNumber(z=6.9).cautions(0.0, no_epithelium=True)


@pytest.mark.parametrize(
    ("prior", "detector", "words"),
    [
        (
            15.2,
            0.4,
            "supports the tissue that the gene lists find, not the tissue that the detector finds (Z 15.2 and 0.4)",
        ),
        (
            0.4,
            15.2,
            "supports the tissue that the detector finds, not the tissue that the gene lists find (Z 0.4 and 15.2)",
        ),
        (9.0, 15.2, "supports both"),
        (6.9, 2.0, "supports neither"),
    ],
)
def test_where_detector_and_prior_disagree_it_says_which_tissue_it_supports(
    prior: float, detector: float, words: str
) -> None:
    assert words in CopyNumber(z=prior, detector_z=detector).cautions(0.1)[0]


def test_a_disagreement_of_which_one_side_is_unknown_says_nothing() -> None:
    assert not CopyNumber(z=np.nan, detector_z=-0.5).cautions(0.9)


def test_calls_that_copy_number_supports_are_not_doubted() -> None:
    assert len(CopyNumber(z=0.4, detector_z=15.2).cautions(0.5)) == 1
    assert len(CopyNumber(z=0.4, detector_z=2.0).cautions(0.5)) == 2
