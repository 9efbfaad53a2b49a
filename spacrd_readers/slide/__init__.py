"""A slide alone: an H&E image without counts."""
