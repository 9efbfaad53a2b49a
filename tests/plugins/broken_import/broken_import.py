"""A plugin that needs a library that is not installed."""

import a_missing_library  # noqa: F401
