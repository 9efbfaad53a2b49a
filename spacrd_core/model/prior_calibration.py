"""The calibration of a section's own evidence: of the detector ``prior``, and of one that few patients trained."""

from __future__ import annotations

from spacrd_core.model.combination import part_names
from spacrd_core.model.label_shift import AmountShift
from spacrd_core.model.platt import Calibration

# Fitted on six patients with breast carcinoma (legacy ST), with sections cut to all shares of tumour. With each patient
# held out, the calibration error is 0.13 and F1 0.81. The score has mean 0 and standard deviation 1 in the section.
SLOPE, INTERCEPT = 1.875, -2.26
AMOUNT = AmountShift(expression=3.1575, correlation=-4.7175, mean=2.40, spread=1.38)
THRESHOLD = 0.58
RULE = "constants from six patients with breast carcinoma"


def prior_calibration(modalities: str) -> Calibration:
    """Return the calibration of scores in standard deviations of the section, by these modalities.

    With the image alone, nothing tells how much of a section is tumour, so the shift is always unknown.
    """
    return Calibration(
        method="prior",
        weights={modalities: 1.0},
        slopes=dict.fromkeys(part_names(modalities), SLOPE),
        intercept=INTERCEPT,
        amount=AMOUNT,
        threshold=THRESHOLD,
        threshold_rule=RULE,
    )
