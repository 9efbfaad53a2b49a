"""Fusion heads that turn image embeddings and gene expression into cancer logits."""
