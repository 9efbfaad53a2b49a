"""What every part of SpaCRD shares: components by name, the spot store, embeddings, learning, results."""

__version__ = "0.1.0"
