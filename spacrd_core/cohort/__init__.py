"""Cohorts: sections loaded from the store and prepared as tensors for a model."""
