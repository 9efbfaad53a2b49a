"""The spots most worth a pathologist's look: chosen, written for QuPath, drawn."""
