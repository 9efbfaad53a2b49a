"""A section, as every reader returns it on every platform.

Two frames are used everywhere. *Full-resolution px* is the frame of the positions in the platform's own files: the
origin is the top-left corner of the image, x points right and y down. *um* is the physical frame. ``um_per_px``
converts between them.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
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
    """A source file of a section: its role (``counts``, ``positions``, ``image``, ``labels``), path and checksum."""

    role: str
    path: Path
    sha256: str

    @classmethod
    def from_path(cls, role: str, path: Path) -> Source:
        """Return the record of a file, or of a folder that is one unit (a zarr group, a matrix in three files).

        Raises
        ------
        MissingFile
            If the file does not exist.
        """
        if path.is_dir():
            return cls(role, path, tree_sha256(path))
        if not path.is_file():
            raise MissingFile(f"the {role} file {path} does not exist", hint="check the path")
        with path.open("rb") as stream:
            return cls(role, path, hashlib.file_digest(stream, "sha256").hexdigest())


class PixelRows(Protocol):
    """An image (height x width x 3, 8-bit RGB) of which slices of rows are read when they are needed."""

    shape: tuple[int, ...]

    def __getitem__(self, rows: slice, /) -> NDArray[np.uint8]:
        """Return some rows."""
        ...


@dataclass(frozen=True)
class SlideFile:
    """The H&E image of a section, not yet opened.

    Attributes
    ----------
    um_per_px
        Pixel size of this image, which may be coarser than the full-resolution frame.
    scale
        Image px per full-resolution px: a spot at ``(x_px, y_px)`` is at image px ``(x_px * scale, y_px * scale)``.
    pixels
        The image itself (height x width x 3, 8-bit RGB), or its rows, if it is part of a table or object; ``path`` is
        then that of the table, or of the image in the object.
    preview
        Whether it is a small preview made by the platform; users then view the full-resolution image elsewhere.
    pictures
        Small pictures of the same frame that the platform made, against which the image is checked; the finest first.
    """

    path: Path
    um_per_px: float
    scale: float = 1.0
    pixels: NDArray[np.uint8] | PixelRows | None = None
    preview: bool = False
    pictures: tuple[SlideFile, ...] = field(default=(), compare=False, repr=False)

    @property
    def title(self) -> str:
        """What messages call it: its path, or that of the table that holds it."""
        return str(self.path) if self.pixels is None else f"the image in {self.path}"


@dataclass(frozen=True, eq=False)
class SubSpots:
    """The bins or cells that a section's spots were summed from; labels may refer to them.

    Attributes
    ----------
    kind
        ``bin`` or ``cell``.
    ids
        Their ids, as bytes, because a section may have eleven million.
    spots
        The index of the spot that contains each of them; -1 for none.
    """

    kind: Literal["bin", "cell"]
    ids: NDArray[np.bytes_]
    spots: NDArray[np.int32]


@dataclass(frozen=True)
class Section:
    """One section of tissue: counts, spots in um and px, slide, labels if any, and the source files.

    Attributes
    ----------
    counts
        Raw integer counts, spots x genes, CSR. ``obs`` is indexed by spot id and holds ``x_um``, ``y_um``, ``x_px``,
        ``y_px`` (full-resolution px) and, on a lattice, ``array_x``, ``array_y`` (float array coordinates). A spot
        summed from bins or cells has ``tissue_coverage`` (the fraction in tissue), one summed from cells ``n_cells``.
        ``var`` holds ``symbol`` and ``gene_id`` (Ensembl, '' where unknown). Labels add ``label`` (categorical
        ``cancer`` and ``normal``, missing where unknown), ``annotation`` (its text), ``label_contested`` and
        ``label_source``; labels of bins or cells add ``label_fraction`` (cancer among the labelled) and ``n_labelled``;
        polygons add ``label_overlap`` (the fraction of the spot inside its polygon).
        ``uns['counts_order']`` lists the spot ids of the counts file if its rows differ from those of ``obs``; label
        files without ids follow this order.
    um_per_px
        Pixel size of the full-resolution frame.
    spot_um, spot_shape, pitch_um
        The size and shape of a spot's footprint, and the distance between neighbouring spots.
    notes
        Sentences for the user: irregularities, and what was left out or assumed.
    label_notes
        Those of the notes that are about the labels.
    sub_spots
        The bins or cells the spots were summed from; None if the platform measures spots.
    patient
        Patient id, if the section's files contain it.
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
    sub_spots: SubSpots | None = None
    patient: str = ""
    label_notes: tuple[str, ...] = ()

    @property
    def names_its_image(self) -> bool:
        """Whether the sources have the file of the slide, if there is one."""
        return self.slide is None or any(source.role == "image" for source in self.sources)


@dataclass(frozen=True)
class ImageInputs:
    """What the user gave beside the path of a section.

    With ``align`` a reader may propose the alignment of an image that has none, and leaves it in the folder ``drafts``.
    """

    image: Path | None = None
    alignment: Path | None = None
    align: Literal["", "auto"] = ""
    image_scale: float | None = None
    um_per_px: float | None = None
    with_image: bool = True
    drafts: Path | None = None

    def __post_init__(self) -> None:
        for name, value in (("image scale", self.image_scale), ("um/px", self.um_per_px)):
            if value is not None and not 0 < value < float("inf"):
                raise GeometryError(f"the {name} must be a positive number, not {value:g}")


@dataclass(frozen=True)
class Recognition:
    """Whether a reader recognises a path, with the reason if it does not; usable as a bool."""

    recognised: bool
    reason: str = ""

    def __bool__(self) -> bool:
        return self.recognised


class Reader(Protocol):
    """A reader of one platform.

    >>> class MyLab:
    ...     Options = ComponentOptions
    ...     def __init__(self, options): ...
    ...     def recognises(self, path): return Recognition(path.suffix == ".mylab", "its name does not end in .mylab")
    ...     def read(self, path, inputs): return Section(...)
    """

    Options: type[ComponentOptions]

    def __init__(self, options: ComponentOptions) -> None: ...

    def recognises(self, path: Path) -> Recognition:
        """Return quickly whether ``read`` would accept this path, and the reason if not."""
        ...

    def read(self, path: Path, inputs: ImageInputs) -> Section:
        """Return the section at a path; raise an :class:`~spacrd_core.errors.InputError` if it cannot be read."""
        ...
