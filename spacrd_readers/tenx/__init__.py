"""What the readers of 10x Genomics platforms share: matrices, genes, sums and images."""
