"""Writers of result files, one module per file."""
