"""Every kind of file that a section gives: one list for ``spacrd detect -o`` and ``spacrd export``."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from types import MappingProxyType

from spacrd_core.errors import ConfigError, InputError
from spacrd_core.results.files.genes_csv import no_genes, write_genes_csv
from spacrd_core.results.files.geojson import write_geojson
from spacrd_core.results.files.h5ad import write_h5ad
from spacrd_core.results.files.loupe import no_loupe, write_loupe
from spacrd_core.results.files.overlay_png import write_overlay
from spacrd_core.results.files.spatial_data import write_spatialdata
from spacrd_core.results.files.spots_csv import write_spots_csv
from spacrd_core.results.files.xenium_groups import no_explorer, write_cell_groups
from spacrd_core.results.result import Provenance, SectionResult

Writer = Callable[[SectionResult, Path, Provenance], None]
Refusal = Callable[[SectionResult], InputError | None]


@dataclass(frozen=True)
class Format:
    """One kind of file.

    Attributes
    ----------
    name, suffix
        What the user calls it, and what follows the section's id in the file's name.
    refusal
        Why a section gives no such file; None where it does.
    asked
        Whether it is written only to who asks for it.
    """

    name: str
    suffix: str
    write: Writer
    refusal: Refusal = lambda _: None
    asked: bool = False

    def file(self, folder: Path, section: str) -> Path:
        """Return where the file of a section goes; an id may have dots of its own."""
        return folder / f"{section}.{self.suffix}"

    def put(self, result: SectionResult, folder: Path, provenance: Provenance) -> Path:
        """Write a section's file aside, then into place of an earlier one; return where it is."""
        folder.mkdir(parents=True, exist_ok=True)
        file = self.file(folder, result.section_id)
        with TemporaryDirectory(prefix=".spacrd-", dir=folder) as aside:
            made = self.file(Path(aside), result.section_id)
            self.write(result, made, provenance)
            if file.is_dir():
                shutil.rmtree(file)
            made.replace(file)
        return file


def _plain(write: Callable[[SectionResult, Path], None]) -> Writer:
    """Return a writer of a file that has no room for provenance."""
    return lambda result, path, _: write(result, path)


FORMATS: Mapping[str, Format] = MappingProxyType(
    {
        form.name: form
        for form in (
            Format("h5ad", "h5ad", write_h5ad),
            Format("csv", "spots.csv", _plain(write_spots_csv)),
            Format("genes", "genes.csv", _plain(write_genes_csv), no_genes),
            Format("geojson", "geojson", _plain(write_geojson)),
            Format("png", "png", _plain(write_overlay)),
            Format("loupe", "loupe.csv", _plain(write_loupe), no_loupe),
            Format("xenium", "cell_groups.csv", _plain(write_cell_groups), no_explorer),
            Format("spatialdata", "spatialdata.zarr", write_spatialdata, asked=True),
        )
    }
)


def find_format(name: str) -> Format:
    """Return the format of that name.

    Raises
    ------
    ConfigError
        If there is none.
    """
    if name not in FORMATS:
        raise ConfigError(f"there is no format '{name}'", hint=f"--format {', '.join(FORMATS)}")
    return FORMATS[name]
