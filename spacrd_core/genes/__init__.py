"""Genes: names, species, expression and gene panels."""
