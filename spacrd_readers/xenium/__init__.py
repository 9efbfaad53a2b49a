"""Xenium: cells, as square spots or as they are, and the H&E of the section."""
