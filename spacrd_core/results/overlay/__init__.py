"""The parts of the overlay picture of a section, drawn with Pillow."""
