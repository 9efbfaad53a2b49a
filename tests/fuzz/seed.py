"""What a seed is: small whole files of one kind, how they are written, and how they are read."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from bundles.tissue import Pose, Tissue

from spacrd_core.ingestion.checks import check_section
from spacrd_core.plugins import Plugins, load_plugins
from spacrd_core.section.section import ImageInputs

LITTLE = Tissue(size_um=(700.0, 600.0), square_um=(200.0, 150.0, 500.0, 450.0))
COARSE = Pose(um_per_px=4.0)
NO_IMAGE = ImageInputs(with_image=False)
Act = Callable[[Path], object]


@dataclass(frozen=True)
class Seed:
    """Files that are whole: how they are written into a folder, how they are read, and which of them get damaged.

    ``needs`` is an optional library. ``writes`` tells that reading changes the files, as commands do with a store.
    """

    name: str
    write: Act
    read: Act
    damaged: str = "**/*"
    needs: str = ""
    writes: bool = False

    def files(self, folder: Path) -> list[Path]:
        """Return the files to damage, in a fixed order."""
        return sorted(path for path in folder.glob(self.damaged) if path.is_file() and path.stat().st_size)


@cache
def plugins() -> Plugins:
    """Return the installed components."""
    return load_plugins()


def section(reader: str, where: str = ".", *, image: bool = False, **options: object) -> Act:
    """Return how a section is recognised, read and checked."""

    def read(folder: Path) -> None:
        path, component = folder / where, plugins().readers.create(reader, options)
        component.recognises(path)
        check_section(component.read(path, ImageInputs() if image else NO_IMAGE))

    return read


def text(name: str, content: str) -> Act:
    """Return how a file of text is written."""
    return lambda folder: (folder / name).write_text(content, encoding="utf-8")
