"""Run the README and the docs: their blocks, the files they name, and a driver."""
