"""Propose the alignment of an H&E to the cells of a Xenium bundle, by registration of nuclei with cells."""
