"""The parts of the picture of a section on the axes of matplotlib."""
