"""The README and the docs as a program: their blocks, the files they name, and what runs them."""
