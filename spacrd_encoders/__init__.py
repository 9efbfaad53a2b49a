"""Image encoders that turn H&E patches into embeddings."""
