"""Ingestion: read, check and store sections of any platform."""
