"""Embeddings: cut a patch at every spot, run an encoder over the patches, and resume unfinished work."""
