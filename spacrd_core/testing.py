"""The contracts as pytest classes: subclass one and provide the component as a fixture.

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

from spacrd_core.contracts import ENCODER_CHECKS, EXAMPLE_CHECKS, HEAD_CHECKS, READER_CHECKS, SECTION_CHECKS
from spacrd_core.contracts.reader import Example, read_example
from spacrd_core.section.section import ImageInputs

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from spacrd_core.contracts.head import Build
    from spacrd_core.embedding.encoder import Encoder
    from spacrd_core.section.section import Reader, Section


def _check_name(check: Callable[..., None]) -> str:
    return check.__name__


class ReaderContract:
    """The contract of a reader; needs the fixtures ``reader`` and ``example``, the path of a small section.

    ``inputs`` may be overridden: the options that the user gives besides the path.
    """

    @pytest.fixture
    def inputs(self) -> ImageInputs:
        """No inputs besides the path."""
        return ImageInputs()

    @pytest.mark.parametrize("check", READER_CHECKS, ids=_check_name)
    def test_reader(self, reader: Reader, check: Callable[[Reader], None]) -> None:
        """Run one check."""
        check(reader)

    @pytest.mark.parametrize("check", SECTION_CHECKS, ids=_check_name)
    def test_section(
        self, reader: Reader, example: Path, inputs: ImageInputs, check: Callable[[Section], None]
    ) -> None:
        """Run one check on the section of the example."""
        check(read_example(reader, example, inputs))

    @pytest.mark.parametrize("check", EXAMPLE_CHECKS, ids=_check_name)
    def test_example(
        self, reader: Reader, example: Path, inputs: ImageInputs, check: Callable[[Example], None]
    ) -> None:
        """Run one check that reads the example with other inputs."""
        check(Example(reader, example, inputs))


class EncoderContract:
    """The contract of an image encoder; needs the fixture ``encoder``."""

    @pytest.mark.parametrize("check", ENCODER_CHECKS, ids=_check_name)
    def test_encoder(self, encoder: Encoder, check: Callable[[Encoder], None]) -> None:
        """Run one check."""
        check(encoder)


class HeadContract:
    """The contract of a fusion head; needs the fixture ``build``, a function from dimensions to a new head.

    Example: ``lambda dims: MyHead(MyHead.Options(), dims=dims)``.
    """

    @pytest.mark.parametrize("check", HEAD_CHECKS, ids=_check_name)
    def test_head(self, build: Build, check: Callable[[Build], None]) -> None:
        """Run one check."""
        check(build)
