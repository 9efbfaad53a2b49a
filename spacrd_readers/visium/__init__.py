"""Visium: spots on a hexagonal lattice."""
