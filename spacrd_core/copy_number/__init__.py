"""Copy number: whether gains and losses of chromosome arms go with a section's tumour-like tissue."""
