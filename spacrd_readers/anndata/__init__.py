"""Reader of AnnData files."""
