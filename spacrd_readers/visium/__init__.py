"""Reader of Visium, with spots on a hexagonal lattice."""
