"""AnnData files as sections."""
