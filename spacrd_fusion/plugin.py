"""The cards of this package."""

from __future__ import annotations

from spacrd_core.cards import HeadCard
from spacrd_core.hookspecs import hookimpl


@hookimpl
def spacrd_heads() -> tuple[HeadCard, ...]:
    """Return the cards of our fusion heads."""
    return (
        HeadCard(
            "spacrd",
            "spacrd_fusion.spacrd:SpaCRDHead",
            "contrastive alignment, bidirectional cross-attention and category-regularised reconstruction",
        ),
        HeadCard(
            "linear",
            "spacrd_fusion.linear:LinearHead",
            "baseline: logistic regression on principal components of neighbourhood means",
        ),
        HeadCard(
            "prior",
            "spacrd_core.model.prior_head:PriorHead",
            "built-in detector without training: tumour-like epithelium, by gene lists of carcinoma and dense H&E; "
            "no test of malignancy",
            aliases=("prior:carcinoma",),
        ),
    )
