"""A section: what a reader returns, whatever the platform.

Two frames are used everywhere. *Full-resolution px* is the frame of the positions in the platform's own files, its
origin the top-left corner of the image, x right and y down. *um* is the physical frame. ``um_per_px`` joins them.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, Protocol

from spacrd_core.errors import GeometryError, MissingFile
from spacrd_core.files import tree_sha256

if TYPE_CHECKING:
    from pathlib import Path

    import anndata as ad
    import numpy as np
    from numpy.typing import NDArray

    from spacrd_core.cards import ComponentOptions

SpotShape = Literal["disc", "square"]


@dataclass(frozen=True)
class Source:
    """What a section was read from, by role (``counts``, ``positions``, ``image``, ``labels``) and checksum."""

    role: str
    path: Path
    sha256: str

    @classmethod
    def of(cls, role: str, path: Path) -> Source:
        """Return the record of a file, or of a folder that is one thing (a zarr group, a matrix in three files).

        Raises
        ------
        MissingFile
            If there is no such file.
        """
        if path.is_dir():
            return cls(role, path, tree_sha256(path))
        if not path.is_file():
            raise MissingFile(f"the {role} file {path} does not exist", hint="check the path")
        with path.open("rb") as stream:
            return cls(role, path, hashlib.file_digest(stream, "sha256").hexdigest())


@dataclass(frozen=True)
class SlideFile:
    """The H&E image of a section, not yet opened.

    Attributes
    ----------
    um_per_px
        Of this image, which may be coarser than the full-resolution frame.
    scale
        Image px per full-resolution px: a spot at ``(x_px, y_px)`` lies at ``(x_px * scale, y_px * scale)``.
    pixels
        The image itself (height x width x 3, 8-bit RGB) where it is part of a table; ``path`` is then that table.
    preview
        Whether it is a small picture that a platform makes: users then open another, the full-resolution image.
    """

    path: Path
    um_per_px: float
    scale: float = 1.0
    pixels: NDArray[np.uint8] | None = None
    preview: bool = False


@dataclass(frozen=True, eq=False)
class Units:
    """The smaller things a section's spots were summed from: a platform's bins or cells, which labels may name.

    Attributes
    ----------
    kind
        ``bin`` or ``cell``.
    ids
        Their names, as bytes: a section may have eleven million.
    spots
        The index of the spot each one lies in; -1 for none.
    """

    kind: Literal["bin", "cell"]
    ids: NDArray[np.bytes_]
    spots: NDArray[np.int32]


@dataclass(frozen=True)
class Section:
    """One section of tissue: counts, spots in um and px, slide, labels if any, and where everything came from.

    Attributes
    ----------
    counts
        Raw integer counts, spots x genes, CSR. ``obs`` is indexed by spot id and holds ``x_um``, ``y_um``, ``x_px``,
        ``y_px`` (full-resolution px) and, on a lattice, ``array_x``, ``array_y`` (float array coordinates). A spot
        summed from bins has ``tissue_coverage`` (the share of it in tissue), one summed from cells ``n_cells``.
        ``var`` holds ``symbol`` and ``gene_id`` (Ensembl, '' where unknown). Labels add ``label`` (categorical
        ``cancer`` and ``normal``, missing where unknown), ``annotation`` (its text), ``label_contested`` and
        ``label_source``; labels of units add ``label_fraction`` (cancer among the labelled) and ``n_labelled``;
        polygons add ``label_overlap`` (the share of the spot inside its polygon).
        ``uns['counts_order']`` lists the spot ids of the counts file where its rows are not those of ``obs``: bare
        label vectors follow it.
    um_per_px
        Of the full-resolution frame.
    spot_um, spot_shape, pitch_um
        The footprint a spot measures and the distance between neighbouring spots.
    notes
        Sentences the user should read: what was odd, dropped or assumed.
    units
        What the spots were summed from; None where the platform measures spots.
    patient
        Whose tissue it is, where its files say so.
    """

    platform: str
    counts: ad.AnnData
    um_per_px: float
    spot_um: float
    spot_shape: SpotShape
    pitch_um: float
    slide: SlideFile | None = None
    sources: tuple[Source, ...] = ()
    notes: tuple[str, ...] = ()
    units: Units | None = None
    patient: str = ""


@dataclass(frozen=True)
class Given:
    """What the user gave beside the path of a section."""

    image: Path | None = None
    alignment: Path | None = None
    image_scale: float | None = None
    um_per_px: float | None = None
    with_image: bool = True

    def __post_init__(self) -> None:
        for name, value in (("image scale", self.image_scale), ("um/px", self.um_per_px)):
            if value is not None and not 0 < value < float("inf"):
                raise GeometryError(f"the {name} must be a positive number, not {value:g}")


@dataclass(frozen=True)
class Verdict:
    """Whether a reader recognises a path; true or false, with the reason when it does not."""

    recognised: bool
    reason: str = ""

    def __bool__(self) -> bool:
        return self.recognised


class Reader(Protocol):
    """A reader of one platform.

    >>> class MyLab:
    ...     Options = ComponentOptions
    ...     def __init__(self, options): ...
    ...     def recognises(self, path): return Verdict(path.suffix == ".mylab", "its name does not end in .mylab")
    ...     def read(self, path, given): return Section(...)
    """

    Options: type[ComponentOptions]

    def __init__(self, options: ComponentOptions) -> None: ...

    def recognises(self, path: Path) -> Verdict:
        """Return quickly whether ``read`` would try this path, and why not."""
        ...

    def read(self, path: Path, given: Given) -> Section:
        """Return the section at a path; raise an :class:`~spacrd_core.errors.InputError` that says what is wrong."""
        ...
