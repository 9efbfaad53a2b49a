"""The fenced blocks of the README and the docs, and what is to be done with each.

A block that opens with a comment which is a file's name is that file; so is a `csv` block, the cohort. Lines of `bash`
blocks are run in order, `python` blocks in order and in one namespace a page; one that tests a contract is given to
pytest. Blocks without a language are read, not run: usage, output, drawings.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal, NamedTuple

from documentation.exceptions import INSTEAD, NOT_RUN

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[2]
README = ROOT / "README.md"
TUTORIAL = ROOT / "docs/tutorial.md"
PAGES = [README, TUTORIAL, *sorted(set((ROOT / "docs").glob("*.md")) - {TUTORIAL})]
FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
FILE = re.compile(r"# ([\w/.-]+\.(?:py|toml))\b")


@dataclass(frozen=True)
class Block:
    """A fenced block: where it begins, its language and its text."""

    page: str
    line: int
    language: str
    text: str

    @property
    def file(self) -> str:
        """The name of the file it is, if it is one."""
        named = FILE.match(self.text)
        return named[1] if named else "cohort.csv" if self.language == "csv" else ""


class Step(NamedTuple):
    """One thing to be done: a command, a file to write, a piece of Python, or tests for pytest."""

    page: str
    line: int
    kind: Literal["command", "file", "python", "tests"]
    text: str
    file: str = ""

    @property
    def place(self) -> str:
        return f"{self.page}:{self.line}"


def blocks(language: str | None = None) -> list[Block]:
    """Return every block, or those of a language."""
    found = [block for page in PAGES for block in _blocks(page)]
    return found if language is None else [block for block in found if block.language == language]


def _blocks(page: Path) -> Iterator[Block]:
    text = page.read_text()
    for fence in FENCE.finditer(text):
        yield Block(page.name, text.count("\n", 0, fence.start()) + 2, fence[1], fence[2])


def lines() -> list[Step]:
    """Return every line of every `bash` block as a command, parted at `&&`, as it is written."""
    return [step for block in blocks("bash") for step in _lines(block)]


def _lines(block: Block) -> Iterator[Step]:
    for number, line in enumerate(block.text.splitlines(), block.line):
        for part in line.partition(" #")[0].split("&&"):
            if part.strip() and not part.startswith("#"):
                yield Step(block.page, number, "command", part.strip())


def steps() -> list[Step]:
    """Return all that is to be done, in order."""
    commands = [step._replace(text=instead(step.text)) for step in lines() if not excused(step.text)]
    others = [step for block in blocks() if (step := _step(block)) and not excused(step.text)]
    pages = [page.name for page in PAGES]
    return sorted([*commands, *others], key=lambda step: (pages.index(step.page), step.line))


def excused(text: str) -> bool:
    """Whether what a page shows is not run."""
    return any(re.search(pattern, text) for pattern in NOT_RUN)


def instead(line: str) -> str:
    """Return a line as it is run here."""
    for pattern, (replacement, _) in INSTEAD.items():
        line = re.sub(pattern, replacement, line)
    return line


def _step(block: Block) -> Step | None:
    if block.file:
        return Step(block.page, block.line, "file", block.text, block.file)
    if block.language == "python":
        kind: Literal["python", "tests"] = "tests" if "Contract)" in block.text else "python"
        return Step(block.page, block.line, kind, block.text)
    return None
