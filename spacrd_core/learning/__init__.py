"""Learning: cohorts of tensors, the contract of fusion heads, training, evaluation, calibration."""
