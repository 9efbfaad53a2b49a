"""The stored slide: an image pyramid at a known um/px, and patches of a known physical size cut from it."""
