"""The page of all commands, made from the commands themselves: ``python -m commands_page > docs/commands.md``."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any, NamedTuple

import typer
from commands_settings import cohort_settings, component_options, settings, table
from typer.core import TyperGroup

from spacrd_cli.app import app

if TYPE_CHECKING:
    from collections.abc import Iterator

SHARED = ("config", "set_", "json", "quiet")
HEAD = """\
# Commands

<!-- made by `python -m commands_page > docs/commands.md`: change the commands, not this page -->

{contents}

## What they share

Results go to stdout; progress, notes and errors to stderr. An error says what was wanted, what was found, and what to
do; a traceback comes only where `--debug` asks for it. [Troubleshooting](troubleshooting.md) goes by what is said.

{codes}

{shared}

Defaults give way to the file, the file to `--set`, and both to options of the line. Values of `--set` are read as JSON
where they are JSON, and as text where not. A file is TOML with the keys that each command lists below; all mistakes are
reported at once, each with its key:

```toml
# train.toml
seeds = 5
[encoder]
name = "stain"
[cohort]
panel_genes = 1000
```

```bash
spacrd train lung -o detector --config train.toml --set cohort.panel_genes=2000
```

## Before the command
"""
CODES = {
    0: "done",
    1: "it could not be done, and the message says why; or `doctor` or `plugins check` found something wrong",
    2: "the line was not understood: a command, an option or an argument",
    130: "interrupted; finished work is kept, and the same line goes on",
}


class Page(NamedTuple):
    """A command, and the words that call it."""

    words: str
    command: Any  # of the click that Typer carries, which has no public name

    @property
    def sentences(self) -> str:
        """What it does."""
        return (self.command.help or "").replace("``", "`")

    @property
    def short(self) -> str:
        """The words without the program's own."""
        return self.words.removeprefix("spacrd ")

    @property
    def link(self) -> str:
        """The words, leading to the section."""
        return f"[`{self.words}`](#{self.words.replace(' ', '-')})"


def page() -> str:
    """Return the page of all commands, as Markdown."""
    pages = commands()
    does = table(("command", "does"), [(each.link, each.sentences.partition("\n")[0]) for each in pages])
    codes = table(("exit code", "means"), [(f"`{code}`", means) for code, means in CODES.items()])
    parts = [HEAD.format(contents=does, codes=codes, shared=_shared(pages)), _options(_root().params)]
    parts += [part for each in pages for part in _section(each)]
    return "\n".join([*parts, *cohort_settings(), *component_options()])


def commands() -> list[Page]:
    """Return every command, in the order of help."""
    return list(_pages(_root(), "spacrd"))


def _root() -> Any:
    return typer.main.get_command(app)


def _pages(group: Any, words: str) -> Iterator[Page]:
    """Yield every command below a group, in the order of help."""
    context = typer.Context(group, info_name=words)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        if isinstance(command, TyperGroup):
            yield from _pages(command, f"{words} {name}")
        else:
            yield Page(f"{words} {name}", command)


def _section(each: Page) -> Iterator[str]:
    """Yield the parts of a command's section."""
    yield f"## {each.words}\n\n{each.sentences}\n"
    yield f"```\n{_usage(each)}\n```\n"
    own = [given for given in each.command.params if given.name not in SHARED]
    if own:
        yield _options(own)
    shared = [f"`{_spelling(given)}`" for given in each.command.params if given.name in SHARED]
    yield f"Also {', '.join(shared)}.\n"
    yield from settings(each.command)


def _usage(each: Page) -> str:
    """Return the line that calls a command: its arguments, the options it must have, and that it has others."""
    words = [_place(given) for given in each.command.params if given.param_type_name == "argument"]
    needed = [given for given in each.command.params if given.param_type_name == "option" and given.required]
    return " ".join([each.words, *words, *(f"{given.opts[0]} {given.metavar}" for given in needed), "[OPTIONS]"])


def _place(argument: Any) -> str:
    name = str(argument.metavar)
    return name if argument.required or name.startswith("[") else f"[{name}]"


def _options(params: list[Any]) -> str:
    rows = [(f"`{_spelling(given)}`", _default(given), (given.help or "").replace("``", "`")) for given in params]
    return table(("argument or option", "default", "meaning"), rows) + "\n"


def _spelling(given: Any) -> str:
    """Return how an argument or option is written."""
    if given.param_type_name == "argument":
        return _place(given)
    names = ", ".join(given.opts) + "".join(f" / {name}" for name in given.secondary_opts)
    return f"{names} {given.metavar}" if given.metavar else names


def _default(given: Any) -> str:
    """Return what holds where nothing is said, as ``--help`` shows it."""
    if given.required:
        return "required"
    if isinstance(given.show_default, str):
        return given.show_default
    if given.secondary_opts:
        return f"`{(given.opts if given.default else given.secondary_opts)[0]}`"
    return f"`{given.default}`" if given.default else ""


def _shared(pages: list[Page]) -> str:
    """Return the options that most commands take, and the commands that take each."""
    rows = []
    for name in SHARED:
        given = {each.short: given for each in pages for given in each.command.params if given.name == name}
        others = [each.short for each in pages if each.short not in given]
        takers = ", ".join(given) if len(given) < len(others) else f"all but {', '.join(others)}"
        first = next(iter(given.values()))
        rows.append((f"`{_spelling(first)}`", first.help, takers))
    return table(("option", "meaning", "taken by"), rows)


if __name__ == "__main__":
    sys.stdout.write(page())
