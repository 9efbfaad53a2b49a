"""Plugins that fail in every way: each failure is a problem of that plugin, and no other component notices."""

import re
import sys
import textwrap
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from spacrd_cli.main import run
from spacrd_core.errors import PluginError, UnrecognisedSection
from spacrd_core.executors.task import Worker, attempt
from spacrd_core.ingestion.recognise import recognise
from spacrd_core.plugin_errors import describe_error
from spacrd_core.plugins import load_plugins

HOOK = """
from spacrd_core.cards import ComponentOptions, EncoderCard, ReaderCard
from spacrd_core.hookspecs import hookimpl

class Silent(BaseException):
    def __str__(self): raise SystemExit(3)
    __repr__ = __str__

class Unshown:
    def __repr__(self): raise SystemExit(4)

@hookimpl
def spacrd_readers(): {body}
"""
READER = HOOK.format(body='return [ReaderCard("bad", "bad_plugin:Bad", "Fails")]')
COMPONENT = """
class Bad:
    class Options(ComponentOptions): pass
    def __init__(self, options): {create}
    def recognises(self, path): {recognises}
    def read(self, path, inputs): {read}
"""
Write = Callable[[str], object]
RAISES = ("raise SystemExit(0)", "raise Silent()", "raise BaseException('x' * 10**6)", "raise MemoryError", "1 / 0")


@pytest.fixture
def write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Write]:
    """Install a distribution of one module, as pip does."""
    metadata = tmp_path / "packages" / "bad-1.2.dist-info"
    metadata.mkdir(parents=True)
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: bad\nVersion: 1.2\n")
    (metadata / "entry_points.txt").write_text("[spacrd]\nbad = bad_plugin\n")
    monkeypatch.syspath_prepend(metadata.parent)
    yield lambda text: (metadata.parent / "bad_plugin.py").write_text(textwrap.dedent(text))
    sys.modules.pop("bad_plugin", None)


def component(create: str = "pass", recognises: str = "return True", read: str = "return 1") -> str:
    return READER + COMPONENT.format(create=create, recognises=recognises, read=read)


@pytest.mark.parametrize("body", RAISES)
def test_an_import_that_raises_anything_is_a_problem_of_its_plugin(write: Write, body: str) -> None:
    write(HOOK.format(body="return []") + body)
    plugins = load_plugins()
    assert [problem.plugin for problem in plugins.problems] == ["bad:bad"]
    assert plugins.problems[0].sentence.startswith("bad_plugin could not be loaded: ")
    assert len(plugins.problems[0].sentence) < 400
    assert plugins.readers.card("st").name == "st"


@pytest.mark.parametrize("body", [*RAISES, "yield ReaderCard('a', 'b:C', 'd'); raise SystemExit"])
def test_a_hook_that_raises_anything_is_a_problem_of_its_plugin(write: Write, body: str) -> None:
    write(HOOK.format(body=body))
    plugins = load_plugins()
    assert [problem.sentence[:31] for problem in plugins.problems] == ["its readers could not be listed"]


@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        ("return (ReaderCard(f'a{n}', 'b:C', 'd') for n in range(10**9))", "returned more than 1000 readers"),
        ("return [Unshown()]", "could not be listed|returned <Unshown"),
        ("return ['x' * 10**6]", "instead of a ReaderCard"),
        ("return [ReaderCard('a', 'b:C', object())]", "the card 'a' cannot be listed: TypeError"),
        ("return None", "could not be listed: TypeError"),
    ],
)
def test_cards_that_are_too_many_or_no_cards_are_a_problem_of_their_plugin(
    write: Write, body: str, sentence: str, capsys: pytest.CaptureFixture[str]
) -> None:
    write(HOOK.format(body=body))
    (problem,) = load_plugins().problems
    assert len(str(problem)) < 400
    assert problem.plugin == "bad:bad"
    assert re.search(sentence, problem.sentence)
    assert run(["plugins", "list"]) == 0
    assert "plugin bad:bad" in capsys.readouterr().err


@pytest.mark.parametrize("body", RAISES)
def test_a_reader_that_raises_anything_does_not_stop_the_others(write: Write, body: str, tmp_path: Path) -> None:
    write(component(recognises=body))
    with pytest.raises((ExceptionGroup, UnrecognisedSection), match="no reader recognises") as caught:
        recognise(tmp_path, load_plugins())
    assert "not bad: it raised" in "".join(map(str, getattr(caught.value, "exceptions", ())))


@pytest.mark.parametrize("call", ["create", "recognises", "read"])
@pytest.mark.parametrize("body", RAISES)
def test_a_component_that_raises_anything_is_named_with_its_distribution(
    write: Write, body: str, call: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write(component(**{call: body}))
    section = tmp_path / "a.tsv"
    section.write_text("x\n")
    assert run(["ingest", str(tmp_path / "store"), str(section), "--reader", "bad"]) == 1
    error = capsys.readouterr().err
    assert "reader 'bad' of the plugin bad 1.2 failed: " in error
    assert "hint: spacrd plugins check bad; tell its author" in error
    assert len(error) < 1000


@pytest.mark.parametrize("content", [b"[spacrd]\nbad\n", b"[spacrd]\nbad =\n", b"\xff\xfe", b"[spacrd]\nbad = a b:c!"])
def test_entry_points_that_cannot_be_read_are_a_problem_of_their_distribution(
    write: Write, content: bytes, capsys: pytest.CaptureFixture[str]
) -> None:
    (Path(sys.path[0]) / "bad-1.2.dist-info" / "entry_points.txt").write_bytes(content)
    (problem,) = load_plugins().problems
    assert problem.plugin.partition(":")[0] == "bad"
    assert load_plugins().readers.card("st").name == "st"
    assert run(["plugins", "check", "bad"]) == 1
    assert "plugin bad" in capsys.readouterr().err


def test_a_class_whose_import_exits_is_named_with_its_distribution(write: Write) -> None:
    write(HOOK.format(body='return [ReaderCard("bad", "bad_elsewhere:Bad", "Fails")]'))
    folder = Path(sys.path[0])
    (folder / "bad_elsewhere.py").write_text("raise SystemExit(0)")
    with pytest.raises(PluginError, match=r"'bad' of the plugin bad 1\.2 could not be imported: SystemExit: 0"):
        load_plugins().readers.create("bad")


def test_plugins_check_names_the_problem_of_a_plugin_without_components(
    write: Write, capsys: pytest.CaptureFixture[str]
) -> None:
    write("raise SystemExit(0)")
    assert run(["plugins", "check", "bad"]) == 1
    assert "plugin bad:bad: bad_plugin could not be loaded: SystemExit: 0" in capsys.readouterr().err


def test_plugins_check_goes_on_where_a_component_exits(write: Write, capsys: pytest.CaptureFixture[str]) -> None:
    write(component(recognises="raise SystemExit(0)"))
    assert run(["plugins", "check", "bad"]) == 1
    assert "it raised SystemExit: 0" in " ".join(capsys.readouterr().out.split())


class Exits:
    """A task that runs a plugin's code."""

    def run(self, worker: Worker) -> None:
        module = __import__("bad_plugin")
        module.Bad(None)


@pytest.mark.parametrize("body", RAISES)
def test_a_task_that_a_plugin_ends_has_an_outcome_that_names_it(write: Write, body: str) -> None:
    write(component(create=body))
    outcome = attempt(Exits(), Worker())
    assert isinstance(outcome.error, PluginError)
    assert "of the plugin bad 1.2 failed" in str(outcome.error)


def test_an_interrupt_is_no_problem_of_a_plugin(write: Write) -> None:
    write(component(create="raise KeyboardInterrupt"))
    with pytest.raises(KeyboardInterrupt):
        load_plugins().readers.create("bad")


def test_an_error_without_a_text_is_described_by_its_type() -> None:
    assert describe_error(ValueError()) == "ValueError"
    assert describe_error(ValueError("a\n  b")) == "ValueError: a b"
