"""The platform of a path: what one reader accepts, and the reasons of the others."""

from dataclasses import replace
from pathlib import Path

import pytest

from spacrd_core.cards import ComponentOptions, ReaderCard
from spacrd_core.errors import UnrecognisedSection
from spacrd_core.ingestion.options import IngestOptions
from spacrd_core.ingestion.recognise import recognise
from spacrd_core.plugins import Plugins, Problem, Registry


class Cross:
    """A reader that raises for every path."""

    Options = ComponentOptions

    def __init__(self, options: ComponentOptions, **_: str) -> None:
        self.options = options

    def recognises(self, path: Path) -> object:
        raise KeyError(path.suffix)


@pytest.fixture
def with_broken_readers(plugins: Plugins) -> Plugins:
    """Beside ours: a reader that cannot be imported, one that raises, a family, and a name claimed twice."""
    broken = (
        ReaderCard("absent", "a_library_that_nobody_has:Reader", "Not there", extra="dask"),
        ReaderCard("cross", f"{__name__}:Cross", "It raises"),
        ReaderCard("families", f"{__name__}:Cross", "Whose members must be named", family=True),
    )
    claimed = Problem("mylab:x", "the name is claimed by mylab:x and mylab:y", "reader", "twice")
    return replace(plugins, readers=Registry("reader", (*broken, *plugins.readers.cards), (claimed,)))


def test_a_path_no_reader_knows_gives_every_readers_reason(tmp_path: Path, plugins: Plugins) -> None:
    (tmp_path / "notes.docx").write_bytes(b"PK")
    with pytest.raises(ExceptionGroup, match="no reader recognises") as caught:
        recognise(tmp_path / "notes.docx", plugins)
    assert len(caught.value.exceptions) == sum(not card.on_request for card in plugins.readers.cards)


def test_broken_readers_do_not_stop_the_one_that_can_read(
    sections: list[IngestOptions], with_broken_readers: Plugins
) -> None:
    assert recognise(sections[0].path, with_broken_readers) == "st"


def test_a_broken_reader_is_a_reason_like_others_with_its_remedy(tmp_path: Path, with_broken_readers: Plugins) -> None:
    (tmp_path / "notes.docx").write_bytes(b"PK")
    with pytest.raises(ExceptionGroup) as caught:
        recognise(tmp_path / "notes.docx", with_broken_readers)
    reasons = [str(error) for error in caught.value.exceptions]
    assert reasons[0].startswith("not absent: reader 'absent' could not be imported: ModuleNotFoundError")
    assert reasons[0].endswith("pip install 'spacrd[dask]'")
    assert reasons[1] == "not cross: it raised KeyError: '.docx'"
    assert reasons[-1] == "reader 'twice': the name is claimed by mylab:x and mylab:y"
    assert not any("families" in reason for reason in reasons)


def test_a_path_that_several_readers_recognise_is_refused_with_their_names(
    sections: list[IngestOptions], plugins: Plugins
) -> None:
    st = plugins.readers.card("st")
    twin = replace(plugins, readers=Registry("reader", (*plugins.readers.cards, replace(st, name="twin"))))
    with pytest.raises(UnrecognisedSection, match=r"several readers recognise .*: st, twin") as caught:
        recognise(sections[0].path, twin)
    assert caught.value.hint == "--reader st"
