"""Visium HD: bins and segmented cells as square spots."""
