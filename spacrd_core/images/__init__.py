"""Image files as laboratories have them, read as rows of 8-bit RGB."""
