"""A whole plugin distribution: a reader, an encoder and a head."""
