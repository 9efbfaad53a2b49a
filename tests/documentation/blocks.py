"""The fenced blocks of the README and the docs, and the steps to run them.

A block whose first line is a comment with a file name is written to that file, and a `csv` block to the cohort file.
Lines of `bash` blocks are run in order, and `python` blocks in order with one namespace per page; a block that tests a
contract is run by pytest. Blocks without a language (usage, output, drawings) are not run.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, NamedTuple

from documentation.exceptions import INSTEAD, NOT_RUN

ROOT = Path(__file__).parents[2]
README = ROOT / "README.md"
TUTORIAL = ROOT / "docs/tutorial.md"
PAGES = [README, TUTORIAL, *sorted(set((ROOT / "docs").glob("*.md")) - {TUTORIAL})]
FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
FILE = re.compile(r"# ([\w/.-]+\.(?:py|toml))\b")


@dataclass(frozen=True)
class Block:
    """A fenced block: its page and first line, its language and its text."""

    page: str
    line: int
    language: str
    text: str

    @property
    def file(self) -> str:
        """The name of the file that the block is written to; empty if none."""
        match = FILE.match(self.text)
        return match[1] if match else "cohort.csv" if self.language == "csv" else ""


class Step(NamedTuple):
    """One step: a command, a file to write, Python code, or tests for pytest."""

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
    all_blocks = [block for page in PAGES for block in _blocks(page)]
    return all_blocks if language is None else [block for block in all_blocks if block.language == language]


def _blocks(page: Path) -> Iterator[Block]:
    text = page.read_text()
    for fence in FENCE.finditer(text):
        yield Block(page.name, text.count("\n", 0, fence.start()) + 2, fence[1], fence[2])


def lines() -> list[Step]:
    """Return every line of every `bash` block as commands, split at `&&`, as written."""
    return [step for block in blocks("bash") for step in _lines(block)]


def _lines(block: Block) -> Iterator[Step]:
    for number, line in enumerate(block.text.splitlines(), block.line):
        for part in line.partition(" #")[0].split("&&"):
            if part.strip() and not part.startswith("#"):
                yield Step(block.page, number, "command", part.strip())


def steps() -> list[Step]:
    """Return all steps in order."""
    commands = [step._replace(text=instead(step.text)) for step in lines() if not excused(step.text)]
    others = [step for block in blocks() if (step := _step(block)) and not excused(step.text)]
    pages = [page.name for page in PAGES]
    return sorted([*commands, *others], key=lambda step: (pages.index(step.page), step.line))


def excused(text: str) -> bool:
    """Return whether a command or code of a page is not run."""
    return any(re.search(pattern, text) for pattern in NOT_RUN)


def instead(line: str) -> str:
    """Return a line with the replacements of `INSTEAD`."""
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
