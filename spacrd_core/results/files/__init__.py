"""Result files, one writer a module."""
