"""Plugins that fail in every way: each failure is a problem of that plugin, and no other component notices."""

import json
import pickle
import re
import sys
import textwrap
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from spacrd_cli.main import run
from spacrd_core.cards import ReaderCard
from spacrd_core.errors import CountsError, PluginError, UnrecognisedSection
from spacrd_core.executors.portable import portable
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


@pytest.mark.ci_cases(2)
@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        ("return (ReaderCard(f'a{n}', 'b:C', 'd') for n in range(10**9))", "returned more than 1000 readers"),
        ("return [Unshown()]", "could not be listed|returned <Unshown"),
        ("return ['x' * 10**6]", "instead of a ReaderCard"),
        ("return [ReaderCard('a', 'b:C', object())]", "the card 'a' cannot be listed: TypeError"),
        ("return None", "could not be listed: TypeError"),
        ("return [ReaderCard('a', 'b:C', 'd', aliases='lab')]", "could not be listed: TypeError: the aliases of 'a'"),
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


@pytest.mark.ci_cases(5)
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


@pytest.mark.parametrize(
    ("read", "sentence"),
    [
        ("return None", "reader 'bad' of the plugin bad 1.2 failed: "),
        (
            "from types import SimpleNamespace as N; return N(names_its_image=False)",
            "the reader 'bad' gave a slide without naming its file as a source with the role 'image'",
        ),
    ],
)
def test_a_reader_that_returns_something_else_is_named(
    write: Write, read: str, sentence: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write(component(read=read))
    section = tmp_path / "a.tsv"
    section.write_text("x\n")
    assert run(["ingest", str(tmp_path / "store"), str(section), "--reader", "bad"]) == 1
    error = " ".join(capsys.readouterr().err.split())
    assert sentence in error
    assert "hint: spacrd plugins check bad" in error
    assert not (tmp_path / "store" / "sections").exists()


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


STRANGE = """
class Name(str):
    def __eq__(self, other): raise SystemExit
    def __hash__(self): raise SystemExit
    def __str__(self): raise SystemExit
    __repr__ = __format__ = __str__

class Equal(ReaderCard):
    def __eq__(self, other): raise SystemExit
    __hash__ = None
"""


def test_cards_and_names_of_strange_types_are_read_as_plain_data(
    write: Write, capsys: pytest.CaptureFixture[str]
) -> None:
    card = "Equal(Name('bad'), Name('b:C'), Name('Strange'), aliases=[Name('worse')])"
    write(HOOK.format(body=f"return [{card}]") + STRANGE)
    plugins = load_plugins()
    assert plugins.problems == ()
    assert plugins.readers.card("worse") == ReaderCard("bad", "b:C", "Strange", aliases=["worse"])  # type: ignore[arg-type]
    assert run(["plugins", "list", "--json"]) == 0
    assert "Strange" in capsys.readouterr().out


def test_what_a_plugin_prints_is_not_among_the_results(
    write: Write, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write(component(recognises="print('in the reader'); return False") + "print('at the import')")
    assert run(["plugins", "list", "--json"]) == 0
    shown = capsys.readouterr()
    assert {"components", "problems"} == json.loads(shown.out).keys()
    assert "at the import" in shown.err
    assert run(["plugins", "check", "bad", "--json"]) == 1
    shown = capsys.readouterr()
    assert json.loads(shown.out)
    assert "in the reader" in shown.err


@pytest.mark.parametrize("where", ["import", "hook", "create", "read"])
def test_a_plugin_does_not_change_the_working_folder(
    write: Write, where: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    move = "import os; os.chdir('/')"
    hook = HOOK.format(body=f"{move}; return [ReaderCard('bad', 'bad_plugin:Bad', 'Fails')]")
    text = {
        "import": component() + move,
        "hook": hook + COMPONENT.format(create="pass", recognises="return True", read="return 1"),
        "create": component(create=move),
        "read": component(read=move),
    }[where]
    write(text)
    readers = load_plugins().readers
    reader = readers.create("bad")
    with readers.blamed("bad"):
        reader.read(tmp_path, None)
    assert Path.cwd() == tmp_path / "here"


UNSENDABLE = """
from spacrd_core.errors import CountsError

class Local(CountsError):
    def __init__(self, file, line): super().__init__(f"{file}: line {line}", hint="copy it")
    def __reduce__(self): raise SystemExit
"""


@pytest.mark.parametrize("text", [UNSENDABLE, UNSENDABLE.rpartition("    def")[0]])
def test_an_error_that_cannot_be_sent_to_another_process_is_sent_as_its_type_of_ours(write: Write, text: str) -> None:
    write(component(create="raise Local('a.tsv', 3)") + text)
    error = attempt(Exits(), Worker()).error
    assert isinstance(error, CountsError)
    error.add_note("in a.tsv")
    sent = pickle.loads(pickle.dumps(error))  # noqa: S301 - what was pickled just now
    assert (type(sent), str(sent), sent.hint) == (CountsError, "a.tsv: line 3", "copy it")
    assert sent.context == ["in a.tsv"]
    group = portable(ExceptionGroup("two", [error, ValueError("b")]))
    group = pickle.loads(pickle.dumps(group))  # noqa: S301 - as above
    assert [type(each) for each in group.exceptions] == [CountsError, ValueError]


def test_an_interrupt_is_no_problem_of_a_plugin(write: Write) -> None:
    write(component(create="raise KeyboardInterrupt"))
    with pytest.raises(KeyboardInterrupt):
        load_plugins().readers.create("bad")


def test_an_error_without_a_text_is_described_by_its_type() -> None:
    assert describe_error(ValueError()) == "ValueError"
    assert describe_error(ValueError("a\n  b")) == "ValueError: a b"
