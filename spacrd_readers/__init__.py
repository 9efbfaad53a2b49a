"""Readers, which turn a platform's files into a section."""
