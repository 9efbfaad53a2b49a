"""Label tables: read any layout, know what its words mean, join it to a section or refuse it."""
