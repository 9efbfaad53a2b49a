"""Commands whose disk is full, cannot be written, or takes no larger files: what they leave is whole."""
