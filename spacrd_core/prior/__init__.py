"""The prior: what a section says of itself without labels, by gene lists and by the density of its H&E."""
