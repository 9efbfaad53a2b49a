"""The steps as functions: what the commands call, and what a notebook imports from :mod:`spacrd_core`."""
