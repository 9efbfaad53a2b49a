"""Detectors: train, save, load, and exchange them through the Hugging Face Hub."""
