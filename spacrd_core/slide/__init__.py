"""H&E images: open one at a known um/px, keep it as a pyramid, cut patches of a known physical size."""
