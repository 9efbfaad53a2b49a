"""The detector: what training leaves behind, and all that is needed to apply it elsewhere."""
