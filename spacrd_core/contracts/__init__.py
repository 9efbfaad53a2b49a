"""The contracts of components, as plain functions that raise an error with one sentence.

Each kind has a tuple of checks. ``spacrd plugins check`` runs them for users, :mod:`spacrd_core.testing` for pytest.
"""

from spacrd_core.contracts.encoder import ENCODER_CHECKS, check_encoder
from spacrd_core.contracts.head import HEAD_CHECKS, check_head
from spacrd_core.contracts.reader import EXAMPLE_CHECKS, READER_CHECKS, SECTION_CHECKS, check_reader

__all__ = [
    "ENCODER_CHECKS",
    "EXAMPLE_CHECKS",
    "HEAD_CHECKS",
    "READER_CHECKS",
    "SECTION_CHECKS",
    "check_encoder",
    "check_head",
    "check_reader",
]
