"""The file formats of a section's results: one list for ``spacrd detect -o`` and ``spacrd export``."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType

from spacrd_core.errors import ConfigError, InputError
from spacrd_core.outputs import has_signature
from spacrd_core.replacement import move_into_place
from spacrd_core.results.files.genes_csv import genes_unsupported, write_genes_csv
from spacrd_core.results.files.geojson import GEOJSON_START, write_geojson
from spacrd_core.results.files.h5ad import is_own_h5ad, write_h5ad
from spacrd_core.results.files.loupe import loupe_unsupported, write_loupe
from spacrd_core.results.files.overlay_png import SIGNATURES, write_overlay
from spacrd_core.results.files.profile_picture import (
    PICTURE_FORMATS,
    is_own_profile,
    profile_unsupported,
    write_profile,
)
from spacrd_core.results.files.seg import write_seg
from spacrd_core.results.files.spatial_data import is_own_spatialdata, write_spatialdata
from spacrd_core.results.files.spots_csv import write_spots_csv
from spacrd_core.results.files.xenium_groups import write_cell_groups, xenium_unsupported
from spacrd_core.results.result import Provenance, SectionResult
from spacrd_core.staging import staging
from spacrd_core.system_errors import explained

Writer = Callable[[SectionResult, Path, Provenance], None]
UnsupportedReason = Callable[[SectionResult], InputError | None]


@dataclass(frozen=True)
class Format:
    """A file format.

    Attributes
    ----------
    name, suffix
        The value of ``--format``, and the part of the file name after the section id.
    is_ours
        Returns whether an existing file was written by SpaCRD, so that it may be replaced.
    unsupported_reason
        Returns why a section has no file of this format; None if it has one.
    on_request
        Whether only ``spacrd export`` writes it.
    in_thread
        Whether it may be written while another thread works: pandas and matplotlib change the filters of warnings,
        which all threads share.
    """

    name: str
    suffix: str
    write: Writer
    is_ours: Callable[[Path], bool]
    unsupported_reason: UnsupportedReason = lambda _: None
    on_request: bool = False
    in_thread: bool = False

    def with_suffix(self, suffix: str) -> Format:
        """Return the format with another ending of its file names."""
        return replace(self, suffix=suffix)

    def path(self, folder: Path, section: str) -> Path:
        """Return the path of a section's file; a section id may contain dots."""
        return folder / f"{section}.{self.suffix}"

    def write_atomically(self, result: SectionResult, folder: Path, provenance: Provenance) -> Path:
        """Write a section's file to a temporary folder, then replace an earlier one; return its path."""
        path = self.path(folder, result.section_id)
        with explained(path):
            folder.mkdir(parents=True, exist_ok=True)
            with staging(folder) as aside:
                staged = self.path(aside, result.section_id)
                self.write(result, staged, provenance)
                move_into_place(staged, path)
        return path


def _without_provenance(write: Callable[[SectionResult, Path], None]) -> Writer:
    """Return a writer for a format that cannot store provenance."""
    return lambda result, path, _: write(result, path)


def begins_with(*signatures: bytes) -> Callable[[Path], bool]:
    """Return whether the beginning of a file contains all signatures."""
    return lambda path: has_signature(path, *signatures)


FORMATS: Mapping[str, Format] = MappingProxyType(
    {
        form.name: form
        for form in (
            Format("h5ad", "h5ad", write_h5ad, is_own_h5ad),
            Format("csv", "spots.csv", _without_provenance(write_spots_csv), begins_with(b"spot_id,x_um,y_um")),
            Format(
                "genes",
                "genes.csv",
                _without_provenance(write_genes_csv),
                begins_with(b"gene,attribution,mean_cancer"),
                genes_unsupported,
            ),
            Format("geojson", "geojson", _without_provenance(write_geojson), begins_with(GEOJSON_START)),
            Format(
                "png",
                "png",
                _without_provenance(write_overlay),
                begins_with(SIGNATURES["call"].encode()),
                in_thread=True,
            ),
            Format(
                "loupe",
                "loupe.csv",
                _without_provenance(write_loupe),
                begins_with(b"Barcode,SpaCRD"),
                loupe_unsupported,
            ),
            Format(
                "xenium",
                "cell_groups.csv",
                _without_provenance(write_cell_groups),
                begins_with(b"cell_id,group,color"),
                xenium_unsupported,
            ),
            Format(
                "seg",
                "seg",
                _without_provenance(write_seg),
                begins_with(b"ID\tchrom\tloc.start"),
                profile_unsupported,
                on_request=True,
            ),
            Format(
                "probability",
                "probability.png",
                lambda result, path, _: write_overlay(result, path, "probability"),
                begins_with(SIGNATURES["probability"].encode()),
                on_request=True,
            ),
            Format(
                "profile",
                "profile.png",
                _without_provenance(write_profile),
                is_own_profile,
                profile_unsupported,
                on_request=True,
            ),
            Format(
                "spatialdata",
                "spatialdata.zarr",
                write_spatialdata,
                is_own_spatialdata,
                on_request=True,
            ),
        )
    }
)


DEFAULT_FORMATS = tuple(form for form in FORMATS.values() if not form.on_request)
ALL_FORMATS = (
    *FORMATS.values(),
    *(FORMATS["profile"].with_suffix(f"profile.{kind}") for kind in PICTURE_FORMATS if kind != "png"),
)


def find_format(name: str) -> Format:
    """Return the format of this name.

    Raises
    ------
    ConfigError
        If the name is unknown.
    """
    if name not in FORMATS:
        raise ConfigError(f"unknown format '{name}'", hint=f"choose one of {', '.join(FORMATS)}")
    return FORMATS[name]
