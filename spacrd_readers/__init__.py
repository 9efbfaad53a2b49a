"""Readers that turn a platform's files into a section."""
