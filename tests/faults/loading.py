"""Load all of SpaCRD, so that commands run in forked children without waiting for it."""

import importlib
import pkgutil

PACKAGES = ("spacrd_core", "spacrd_readers", "spacrd_encoders", "spacrd_fusion", "spacrd_cli")


def load_everything() -> None:
    """Import every module of every package."""
    for package in map(importlib.import_module, PACKAGES):
        for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            importlib.import_module(module.name)
