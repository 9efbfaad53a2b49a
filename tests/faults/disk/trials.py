"""A trial: a command on a limited disk, the questions about what it left, and the same command with room."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from faults.disk.disks import Disk, Limit
from faults.disk.driver import Driver, Ended
from faults.disk.ground import COMMANDS, contents

SENTENCES = ("cannot be written: ", "has room for ", "cannot be written\n")
NOT_SENTENCES = ("Traceback", "bug in SpaCRD", "operating system error", "Errno", "Exception ignored", "is damaged")
LITTER = (".spacrd-", ".tmp-", ".det", "spacrd-")
MOST_LINES = 12  # of a message about three sections
WHOLE = {"train", "detect -o", "call", "report", "evaluate -o"}  # all files are old, or all are new

Contents = dict[str, dict[str, bytes]]


@dataclass
class Trials:
    """The driver, the folder that commands begin from, the disk that they run on, and what came of them."""

    driver: Driver
    ground: Path
    disk: Disk
    counts: dict[str, int] = field(default_factory=lambda: {"commands": 0, "refused": 0})
    uninterrupted: dict[str, Contents] = field(default_factory=dict)

    def faults(self, name: str, limit: Limit) -> list[str]:
        """Return what is wrong after a command has met a limit."""
        command, _ = COMMANDS[name]
        expected = self._expected(name)
        self.disk.fill(self.ground)
        before = self._contents(name)
        with self.disk.limited(limit):
            ended = self.driver.run(self.disk.place, command, **limit.options)
        self.counts["commands"] += 1
        self.counts["refused"] += ended.code == 1
        after = self._contents(name)
        found = [*_message(ended), *_left(name, before, after, expected), *self._litter(), *self._store()]
        if ended.code == 1:
            again = self.driver.run(self.disk.place, command)
            found += [f"the rerun ended with {again.code}: {again.output}"] if again.code else []
            after = self._contents(name)
        found += [] if after == expected else [f"other files than of an uninterrupted run: {_names(after, expected)}"]
        return [f"{name}, {limit.kind} {limit.amount}: {fault}\n{ended.output}" for fault in found]

    def _expected(self, name: str) -> Contents:
        if name not in self.uninterrupted:
            self.disk.fill(self.ground)
            ended = self.driver.run(self.disk.place, COMMANDS[name][0])
            assert ended.code == 0, f"{name}: {ended.output}"
            self.uninterrupted[name] = self._contents(name)
        return self.uninterrupted[name]

    def _contents(self, name: str) -> Contents:
        """Return the files that a command writes; of a store, what its manifest lists."""
        outputs = [self.disk.place / path for path in COMMANDS[name][1].split()]
        return {path.name: contents(path / "spacrd.json" if path.name == "store" else path) for path in outputs}

    def _store(self) -> Iterator[str]:
        ended = self.driver.run(self.disk.place, "store verify store")
        if ended.code:
            yield f"store verify: {ended.output}"

    def _litter(self) -> Iterator[str]:
        for folder in (self.disk.place, self.driver.temporary):
            for path in folder.rglob("*"):
                if path.name.startswith(LITTER):
                    yield f"left: {path.relative_to(folder)}"


def _message(ended: Ended) -> Iterator[str]:
    """Yield what is wrong with the exit code and with the sentence."""
    lines = ended.output.strip().splitlines()
    if ended.code not in {0, 1}:
        yield f"exit code {ended.code}"
    if ended.code == 1:
        if not any(sentence in ended.output for sentence in SENTENCES) or not any(
            line.startswith("hint: ") for line in lines
        ):
            yield "no sentence of a full disk"
        if len(lines) > MOST_LINES:
            yield f"{len(lines)} lines"
    for text in NOT_SENTENCES:
        if text in ended.output:
            yield f"the message has {text!r}"


def _left(name: str, before: Contents, after: Contents, expected: Contents) -> Iterator[str]:
    """Yield files that are neither old nor new; or, of what is replaced as a whole, that some are old and some new."""
    for output, files in after.items():
        old, new = before[output], expected[output]
        if output == "store" or files in (old, new):
            continue
        if name in WHOLE:
            yield f"{output} is neither old nor new: {_names(before, after)}"
        for file in {*files, *old} - {"manifest.json"}:
            if files.get(file) not in (old.get(file), new.get(file)):
                yield f"{output}/{file} is neither old nor new"


def _names(one: Contents, other: Contents) -> list[str]:
    pairs = [(output, file) for output in one for file in {*one[output], *other[output]}]
    return sorted(f"{output}/{file}" for output, file in pairs if one[output].get(file) != other[output].get(file))[:10]
