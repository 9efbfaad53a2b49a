"""A small synthetic cohort, written in the platforms' own formats."""
