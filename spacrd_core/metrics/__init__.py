"""Metrics: classification, calibration and bootstrap intervals."""
