"""The contracts as pytest classes: a third party subclasses one and gives its component as a fixture.

::

    from spacrd_core.testing import EncoderContract

    class TestTitan(EncoderContract):
        @pytest.fixture
        def encoder(self):
            return Titan(Titan.Options())
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from spacrd_core.contracts import ENCODER_CHECKS, HEAD_CHECKS, READER_CHECKS, SECTION_CHECKS
from spacrd_core.contracts.reader import read_example
from spacrd_core.section.section import Given

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from spacrd_core.contracts.head import Build
    from spacrd_core.embedding.encoder import Encoder
    from spacrd_core.section.section import Reader, Section


def _named(check: Callable[..., None]) -> str:
    return check.__name__


class ReaderContract:
    """A reader: wants the fixtures ``reader`` and ``example``, the path of a small section.

    ``given`` may be overridden: what the user gives beside the path.
    """

    @pytest.fixture
    def given(self) -> Given:
        """Nothing but the path."""
        return Given()

    @pytest.mark.parametrize("check", READER_CHECKS, ids=_named)
    def test_reader(self, reader: Reader, check: Callable[[Reader], None]) -> None:
        """Check one promise."""
        check(reader)

    @pytest.mark.parametrize("check", SECTION_CHECKS, ids=_named)
    def test_section(self, reader: Reader, example: Path, given: Given, check: Callable[[Section], None]) -> None:
        """Check one promise of the example's section."""
        check(read_example(reader, example, given))


class EncoderContract:
    """An image encoder: wants the fixture ``encoder``."""

    @pytest.mark.parametrize("check", ENCODER_CHECKS, ids=_named)
    def test_encoder(self, encoder: Encoder, check: Callable[[Encoder], None]) -> None:
        """Check one promise."""
        check(encoder)


class HeadContract:
    """A fusion head: wants the fixture ``build``, such as ``lambda dims: MyHead(MyHead.Options(), dims=dims)``."""

    @pytest.mark.parametrize("check", HEAD_CHECKS, ids=_named)
    def test_head(self, build: Build, check: Callable[[Build], None]) -> None:
        """Check one promise."""
        check(build)
