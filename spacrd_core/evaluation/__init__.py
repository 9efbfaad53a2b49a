"""Evaluation: cross-validation over patients, with summaries and comparisons."""
