"""The spot store: immutable zarr groups, and a manifest that says which of them count."""
