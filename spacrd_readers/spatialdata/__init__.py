"""SpatialData objects: tables, the shapes or labels they annotate, and images, in one zarr store."""
