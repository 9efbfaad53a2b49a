"""What was found about a section, the cautions that follow, and what is not drawn or called because of it."""

from dataclasses import replace

import pandas as pd
import pytest

from spacrd_core.model.findings import Findings

FINE = Findings(
    modalities="genes", agreement={"genes": 0.9}, epithelium="present", epithelial_genes=(11, 11), amount_unknown=False
)
BUILT_IN = replace(FINE, trained=False, agreement={})


@pytest.mark.parametrize("findings", [FINE, BUILT_IN, Findings()], ids=["trained", "built in", "without the prior"])
def test_there_is_nothing_to_say_where_nothing_is_wrong(findings: Findings) -> None:
    assert findings.cautions == []
    assert not findings.makes_no_call
    assert findings.no_regions_reason == ""


@pytest.mark.parametrize(
    ("change", "phrase", "without_regions"),
    [
        ({"agreement": {"genes": 0.08}}, "by genes 0.08): another tissue or staining", "detector and prior disagree"),
        ({"epithelium": "none"}, "no epithelium was found, so nothing is called", "no epithelium found"),
        (
            {"epithelium": "unknown", "epithelial_genes": (2, 11)},
            "of the epithelial ones, 2 of 11): nothing",
            "epithelium not known",
        ),
        ({"epithelium": "unknown", "modalities": "image+genes"}, "if it may have none", "epithelium not known"),
        ({"amount_unknown": True}, "tumour is not known: calls assume about half", ""),
        ({"unstructured": ("genes",)}, "genes: spots are unlike their neighbours", ""),
    ],
    ids=["disagrees", "no epithelium", "unknown by genes", "unknown with image", "unknown amount", "no structure"],
)
def test_a_trained_detector_cautions_and_says_why_it_draws_no_regions(
    change: dict[str, object], phrase: str, without_regions: str
) -> None:
    found = Findings(**(vars(FINE) | change))
    assert len(found.cautions) == 1
    assert phrase in found.cautions[0]
    assert found.no_regions_reason == without_regions
    assert found.makes_no_call == ("nothing is called" in found.cautions[0])


def test_without_epithelium_nothing_is_called_nor_by_genes_alone_if_that_is_not_known() -> None:
    called = {
        (answer, modalities): not replace(FINE, epithelium=answer, modalities=modalities).makes_no_call
        for answer in ("present", "unknown", "none", "")
        for modalities in ("genes", "image+genes")
    }
    assert [pair for pair, calls in called.items() if not calls] == [
        ("unknown", "genes"),
        ("none", "genes"),
        ("none", "image+genes"),
    ]


@pytest.mark.parametrize(
    ("change", "phrase"),
    [
        ({"epithelium": "none"}, "nothing is called"),
        ({"epithelium": "unknown"}, "nothing is called"),
        ({"epithelium": "unknown", "modalities": "image+genes"}, "nothing is called"),
        ({"amount_unknown": True}, "spots are ranked, but not called"),
    ],
    ids=["none", "unknown", "unknown with image", "unknown amount"],
)
def test_the_built_in_detector_makes_no_call_where_a_trained_one_cautions(
    change: dict[str, object], phrase: str
) -> None:
    found = Findings(**(vars(BUILT_IN) | change))
    assert found.makes_no_call
    assert found.no_regions_reason
    assert phrase in found.cautions[0]


def test_only_the_modality_that_disagrees_is_named() -> None:
    caution = replace(FINE, agreement={"genes": 0.9, "image": 0.3}).cautions[0]
    assert "image 0.30" in caution
    assert "genes" not in caution


def test_the_most_serious_caution_is_first_and_without_epithelium_the_amount_is_no_matter() -> None:
    everything = replace(
        FINE, epithelium="none", agreement={"genes": 0.1}, amount_unknown=True, unstructured=("image",)
    )
    starts = ["no epithelium", "detector and prior disagree", "image: spots"]
    assert [caution.startswith(start) for caution, start in zip(everything.cautions, starts, strict=True)] == [True] * 3


@pytest.mark.parametrize(
    "findings", [FINE, BUILT_IN, replace(FINE, unstructured=("genes",), amount_unknown=True)], ids=range(3)
)
def test_findings_stay_with_the_table(findings: Findings) -> None:
    table = pd.DataFrame({"probability": [0.5]})
    findings.attach(table)
    assert Findings.from_table(table) == findings
    assert Findings.from_table(table[[]].reset_index()) == findings


def test_a_table_of_an_older_version_has_none() -> None:
    assert Findings.from_table(pd.DataFrame()) == Findings()
