"""Detection: apply a detector to sections and explain its calls."""
