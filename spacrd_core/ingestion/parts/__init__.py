"""Parts of a capture area: a section for each named region, such as the cores of a tissue microarray."""
