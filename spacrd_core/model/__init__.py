"""The model: fusion heads, their training, ensembles, calibration and decisions."""
