"""Embeddings: cut patches at every spot, run an encoder over them, resume where it stopped."""
