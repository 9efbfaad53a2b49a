"""Legacy Spatial Transcriptomics."""
