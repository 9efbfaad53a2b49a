"""Labels: read tables of any layout and polygons, interpret the label texts, and join them to a section."""
