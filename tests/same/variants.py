"""What users and machines differ in, and results must not."""

from __future__ import annotations

import locale
import os
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from functools import cache
from pathlib import Path

from same.chain import Choices

LOCALES = {"tr_TR.UTF-8": "tr_TR", "de_DE.UTF-8": "de_DE"}  # a lower-case I has no dot; decimals have a comma
PROCESSES = ("--executor", "processes", "--workers")
DASK = ("--executor", "dask", "--workers")


@dataclass(frozen=True, kw_only=True)
class Variant:
    """One way to run the chain.

    Attributes
    ----------
    axis, name
        What differs from the usual run, and how.
    environment
        Variables of the process; a value of None removes one.
    place
        The folder that everything is written into, below a temporary one.
    through
        A link to the place, by which the commands name it.
    relative
        Whether the commands name it relative to their current directory, which is otherwise ``cwd``.
    """

    axis: str
    name: str
    choices: Choices = field(default_factory=Choices)
    environment: Mapping[str, str | None] = field(default_factory=dict)
    place: str = "place"
    through: str = ""
    relative: bool = False
    cwd: str = ""

    def __str__(self) -> str:
        return f"{self.axis}: {self.name}"

    @property
    def changes(self) -> set[str]:
        """What differs from the usual run."""
        usual, own = _flat(USUAL), _flat(self)
        return {name for name in usual.keys() | own.keys() if usual.get(name) != own.get(name)}


USUAL = Variant(axis="usual", name="one process, one thread", environment={"OMP_NUM_THREADS": "1"})
BLANKS = "a place/with blanks & ümläute 心"


def _of(axis: str, name: str, choices: Choices | None = None, **more: object) -> Variant:
    return replace(USUAL, axis=axis, name=name, choices=choices or USUAL.choices, **more)  # type: ignore[arg-type]


def _with(axis: str, name: str, **environment: str | None) -> Variant:
    return _of(axis, name, environment={**USUAL.environment, **environment})


ASCII = {"LC_ALL": "C", "PYTHONCOERCECLOCALE": "0", "PYTHONUTF8": "0"}
ALONE = (
    _of("time", "again, later"),
    *(_of("batch size", size, Choices(batch=("--batch-size", size))) for size in ("1", "7", "300", "100000")),
    *(_of("executor", f"processes, {n}", Choices(executor=(*PROCESSES, n))) for n in ("1", "2", "3")),
    *(_of("executor", f"dask, {n}", Choices(executor=(*DASK, n))) for n in ("1", "2")),
    _of("order", "sections backwards", Choices(backwards=True)),
    _with("hash seed", "1", PYTHONHASHSEED="1"),
    _with("hash seed", "4242", PYTHONHASHSEED="4242"),
    _with("threads", "OMP_NUM_THREADS unset", OMP_NUM_THREADS=None),
    _with("threads", "OMP_NUM_THREADS=2", OMP_NUM_THREADS="2"),
    _of("threads", "PyTorch, 2", Choices(threads=2), environment={"OMP_NUM_THREADS": "2"}),
    _with("locale", "C, ASCII", **ASCII),
    _with("locale", "C.UTF-8", LC_ALL="C.UTF-8"),
    *(_with("locale", name, LC_ALL=name) for name in LOCALES),
    _with("time zone", "Asia/Kathmandu", TZ="Asia/Kathmandu"),
    _with("time zone", "14 hours ahead", TZ="XXX-14"),
    _of("place", BLANKS, place=BLANKS),
    _of("place", "below a link", through="link"),
    _of("place", "relative", relative=True),
    _of("current directory", "/", cwd="/"),
    _of("umask", "077", Choices(umask="077")),
    _of("umask", "000", Choices(umask="000")),
    _of(
        "several",
        "threads, tr_TR.UTF-8, a link",
        Choices(batch=("--batch-size", "100000"), threads=2),
        environment={"LC_ALL": "tr_TR.UTF-8", "PYTHONHASHSEED": "2", "OMP_NUM_THREADS": "2", "TZ": "Asia/Kathmandu"},
        through="link",
        cwd="/",
    ),
)
AT_ONCE = _of(
    "at once",
    "everything",
    Choices(executor=(*PROCESSES, "2"), batch=("--batch-size", "1"), backwards=True, threads=2, umask="077"),
    environment={**ASCII, "PYTHONHASHSEED": "1", "OMP_NUM_THREADS": None, "TZ": "XXX-14"},
    place=BLANKS,
    through="link to it",
    relative=True,
    cwd="/",
)


def _flat(variant: Variant) -> dict[str, object]:
    facts = asdict(variant)
    named = {"axis", "name", "choices", "environment"}
    return {**facts["choices"], **facts["environment"], **{name: facts[name] for name in facts.keys() - named}}


def environment_of(variant: Variant, locales: Path) -> dict[str, str]:
    """Return the variables of a variant's process; ``locales`` is a folder for those that this system lacks."""
    variables = {**os.environ, **variant.environment}
    name = variant.environment.get("LC_ALL") or ""
    if name in LOCALES and made_locale(name, locales):
        variables["LOCPATH"] = str(locales)
    return {key: value for key, value in variables.items() if value is not None}


@cache
def made_locale(name: str, folder: Path) -> bool:
    """Return whether a locale was made in a folder, from the definitions of the C library."""
    compiler = shutil.which("localedef")
    if not compiler:
        return False
    folder.mkdir(parents=True, exist_ok=True)
    line = [compiler, "-c", "-i", LOCALES[name], "-f", "UTF-8", str(folder / name)]
    subprocess.run(line, capture_output=True, check=False)
    return (folder / name / "LC_CTYPE").exists()


def has_locale(name: str, folder: Path) -> bool:
    """Return whether processes can use a locale."""
    return made_locale(name, folder) or _installed(name)


def _installed(name: str) -> bool:
    before = locale.setlocale(locale.LC_ALL)
    try:
        locale.setlocale(locale.LC_ALL, name)
    except locale.Error:
        return False
    finally:
        locale.setlocale(locale.LC_ALL, before)
    return True
