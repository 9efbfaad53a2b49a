"""Scores of held-out patients as the content of a file."""

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from spacrd_core.cohort.evidence import TumourAmount
from spacrd_core.model.fold_file import from_bytes, max_bytes, to_bytes
from spacrd_core.model.fold_scores import FoldScores
from spacrd_core.model.label_shift import Mixture

SPOTS = 50
RNG = np.random.default_rng(1)
SCORES = FoldScores(
    section="S1",
    logits={"image+genes": {"image+genes": RNG.normal(size=SPOTS), "genes": RNG.normal(size=SPOTS).astype(np.float32)}},
    combined={"genes": {"genes": RNG.normal(size=SPOTS), "prior": np.full(SPOTS, np.nan)}},
    as_read=RNG.normal(size=SPOTS),
    mixtures=(
        Mixture("P1", RNG.normal(size=9), np.arange(9) % 2, TumourAmount(0.1, np.nan, 1e-300)),
        Mixture("P1", np.zeros(0), np.zeros(0, dtype=np.int64), TumourAmount()),
    ),
)
BARE = FoldScores("S2", {"genes": {"genes": RNG.normal(size=SPOTS)}}, {}, None, ())


def test_scores_come_back_to_the_last_bit() -> None:
    content = to_bytes([SCORES, BARE])
    back, bare = from_bytes(content) or []
    assert [*back.logits] == ["image+genes"]
    assert [*back.logits["image+genes"]] == ["image+genes", "genes"]  # the widest first
    for before, after in ((SCORES.logits, back.logits), (SCORES.combined, back.combined), (BARE.logits, bare.logits)):
        for name, parts in before.items():
            for part, values in parts.items():
                assert after[name][part].dtype == values.dtype
                assert_array_equal(after[name][part], values)
    assert_array_equal(back.as_read, SCORES.as_read)
    assert (bare.as_read, bare.combined, bare.mixtures) == (None, {}, ())
    for mine, theirs in zip(SCORES.mixtures, back.mixtures, strict=True):
        assert theirs.patient == "P1"
        assert_array_equal(theirs.scores, mine.scores)
        assert_array_equal(theirs.labels, mine.labels)
        assert repr(theirs.amount) == repr(mine.amount)
    assert len(content) < max_bytes(2 * SPOTS)


@pytest.mark.parametrize("length", [0, 4, 8, 60, 2000, -1])
def test_what_is_cut_off_has_no_scores(length: int) -> None:
    assert from_bytes(to_bytes([SCORES])[:length]) is None


def test_what_is_something_else_has_no_scores() -> None:
    whole = to_bytes([SCORES])
    for content in (b"\xff" * 100, whole.replace(b'"logits"', b'"lodges"'), whole.replace(b'"as_read"', b'"as_fead"')):
        assert from_bytes(content) is None
