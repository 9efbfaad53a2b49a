"""Copy number: whether gains and losses of chromosome arms coincide with a section's tumour-like tissue."""
