"""Fusion heads that turn embeddings and genes into cancer logits."""
