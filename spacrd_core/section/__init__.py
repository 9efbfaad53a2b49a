"""A tissue section: counts, spots and slide, in microns."""
