"""Reader of legacy Spatial Transcriptomics (ST)."""
