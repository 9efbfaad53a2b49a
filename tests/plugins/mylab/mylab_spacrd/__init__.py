"""A complete plugin distribution: a reader, an encoder and a head."""
