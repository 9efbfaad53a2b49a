"""H&E image files of all supported formats, read as rows of 8-bit RGB."""
