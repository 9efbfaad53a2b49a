"""The spot store: immutable zarr groups, and a manifest that lists the valid ones."""
