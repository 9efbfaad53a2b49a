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
from spacrd_core.section import Given

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from spacrd_core.contracts.head import Build
    from spacrd_core.embedding.encoder import Encoder
    from spacrd_core.section import Reader, Section


def _named(check: Callable[..., None]) -> str:
    return check.__name__


class ReaderContract:
    """A reader, and a section it reads; ``given`` is what it needs beside its path."""

    @pytest.fixture
    def reader(self) -> Reader:
        """The reader."""
        raise NotImplementedError

    @pytest.fixture
    def example(self) -> Path:
        """The path of a section."""
        raise NotImplementedError

    @pytest.fixture
    def given(self) -> Given:
        """What the user gives beside the path."""
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
    """An image encoder."""

    @pytest.fixture
    def encoder(self) -> Encoder:
        """The encoder."""
        raise NotImplementedError

    @pytest.mark.parametrize("check", ENCODER_CHECKS, ids=_named)
    def test_encoder(self, encoder: Encoder, check: Callable[[Encoder], None]) -> None:
        """Check one promise."""
        check(encoder)


class HeadContract:
    """A fusion head; ``build`` makes one for given dimensions, small and briefly trained if that is an option."""

    @pytest.fixture
    def build(self) -> Build:
        """The function that makes a head: ``lambda dims: MyHead(MyHead.Options(), dims=dims)``."""
        raise NotImplementedError

    @pytest.mark.parametrize("check", HEAD_CHECKS, ids=_named)
    def test_head(self, build: Build, check: Callable[[Build], None]) -> None:
        """Check one promise."""
        check(build)
