"""Image encoders, which turn H&E patches into embeddings."""
