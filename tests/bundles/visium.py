"""A Visium section of the synthetic tissue, in the variants of Space Ranger versions, downloads and depositions."""

import gzip
import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from PIL import Image

from bundles.tenx import H5Variant, Matrix, write_h5, write_mex
from bundles.tissue import Pose, Tissue

SMALL = Tissue(size_um=(1200.0, 900.0), square_um=(300.0, 200.0, 800.0, 700.0))
STEP_UM = np.array([50.0, 87.0])  # along columns and rows of the array
HIRES, LOWRES = 0.5, 0.2  # px of the small images per full-resolution px
HEADER = ("barcode", "in_tissue", "array_row", "array_col", "pxl_row_in_fullres", "pxl_col_in_fullres")


@dataclass(frozen=True)
class VisiumBundle:
    """The contents of a bundle; ``write`` writes them to a folder and returns it.

    Attributes
    ----------
    positions
        The name of the table of positions; its suffix sets the format.
    whole_px
        Whether positions are rounded to whole px, as Space Ranger 1 does.
    matrix, raw
        The format of the matrix; raw ones hold the whole capture area.
    barcode, counted
        How barcodes are written in the positions and in the matrix.
    prefix
        The prefix of the names of files and of the spatial folder; ``spatial`` '' leaves its files loose.
    """

    tissue: Tissue = SMALL
    pose: Pose = field(default_factory=lambda: Pose(um_per_px=2.0))
    rows: int = 12
    columns: int = 28
    corner_um: tuple[float, float] = (-60.0, -50.0)
    positions: str = "tissue_positions.csv"
    header: bool = True
    whole_px: bool = False
    matrix: Literal["h5", "mex", "mex.gz"] = "h5"
    raw: bool = False
    variant: H5Variant = field(default_factory=H5Variant)
    barcode: str = "{}-1"
    counted: str = "{}-1"
    second_genome: bool = False
    antibodies: bool = False
    shared_symbol: bool = False
    images: tuple[str, ...] = ("hires", "lowres")
    scalefactors: dict[str, float] | None = field(default_factory=dict)
    prefix: str = ""
    spatial: str = "spatial"
    outs: bool = False

    def write(self, folder: Path) -> Path:
        """Write the bundle."""
        run_folder = folder / "outs" if self.outs else folder
        run_folder.mkdir(parents=True, exist_ok=True)
        self.write_matrix(run_folder)
        spatial = run_folder / f"{self.prefix}{self.spatial}" if self.spatial else run_folder
        spatial.mkdir(exist_ok=True)
        start = "" if self.spatial else self.prefix
        self.write_positions(spatial / f"{start}{self.positions}")
        self._write_images(spatial, start)
        if "full" in self.images:
            self.write_image(folder / f"{self.prefix}tissue_image.png")
        return folder

    @property
    def array(self) -> NDArray[np.float64]:
        """Column and row of every spot; their sum is even."""
        rows, columns = np.mgrid[: self.rows, : self.columns // 2].reshape(2, -1)
        return np.column_stack([2 * columns + rows % 2, rows]).astype(float)

    @property
    def um(self) -> NDArray[np.float64]:
        """The positions of the spots on the tissue."""
        return np.asarray(np.asarray(self.corner_um) + self.array * STEP_UM)

    @property
    def px(self) -> NDArray[np.float64]:
        """The positions of the spots on the full-resolution image: x and y."""
        px = self.pose.to_px(self.tissue, self.um)
        return np.rint(px) if self.whole_px else px

    @property
    def in_tissue(self) -> NDArray[np.bool_]:
        """The mask of spots on tissue."""
        return self.tissue.covers(self.um)

    @property
    def letters(self) -> list[str]:
        """The sixteen letters of every spot's barcode: the same on every slide."""
        numbers = (self.array[:, 1] * 128 + self.array[:, 0]).astype(int) * 2654435761 % 4**16
        return ["".join("ACGT"[number >> 2 * letter & 3] for letter in range(16)) for number in numbers.tolist()]

    @property
    def counts(self) -> NDArray[np.int32]:
        """The counts of every spot's genes."""
        return self.tissue.counts(self.um, mean=3.0, seed=2)

    @property
    def table(self) -> pd.DataFrame:
        """The positions of all spots."""
        x, y = self.px.T
        columns, rows = self.array.astype(int).T
        names = [self.barcode.format(letters) for letters in self.letters]
        px = {
            name: values.astype(int) if self.whole_px else values
            for name, values in zip(HEADER[4:], (y, x), strict=True)
        }
        return pd.DataFrame(
            {"barcode": names, "in_tissue": self.in_tissue.astype(int), "array_row": rows, "array_col": columns, **px}
        )

    @property
    def factors(self) -> dict[str, float]:
        """The scale factors as Space Ranger writes them, with a spot diameter of 65 um."""
        wide = 65.0 / self.pose.um_per_px
        usual = {"spot_diameter_fullres": wide, "fiducial_diameter_fullres": wide * 105 / 65}
        scales = {"tissue_hires_scalef": HIRES, "tissue_lowres_scalef": LOWRES}
        return {**usual, **scales, **(self.scalefactors or {})}

    @property
    def picture(self) -> Image.Image:
        """The full-resolution image."""
        return Image.fromarray(self.tissue.picture(self.pose))

    def write_image(self, path: Path, scale: float = 1.0) -> Path:
        """Write the image at a scale."""
        picture = self.picture
        size = round(picture.width * scale), round(picture.height * scale)
        picture.resize(size, Image.Resampling.BOX).save(path, compress_level=1)
        return path

    def write_positions(self, path: Path, table: pd.DataFrame | None = None) -> Path:
        """Write positions to a file in the format of its suffix, with or without a header."""
        frame = self.table if table is None else table
        if path.suffix == ".parquet":
            frame.to_parquet(path, index=False)
            return path
        text = frame.to_csv(index=False, header=self.header).encode()
        path.write_bytes(gzip.compress(text, mtime=0) if path.suffix == ".gz" else text)
        return path

    def write_matrix(self, folder: Path) -> Path:
        """Write the matrix into a folder."""
        name = f"{self.prefix}{'raw' if self.raw else 'filtered'}_feature_bc_matrix"
        if self.matrix == "h5":
            return write_h5(folder / f"{name}.h5", self.whole_matrix)
        return write_mex(folder / name, self.whole_matrix, packed=self.matrix == "mex.gz")

    @property
    def whole_matrix(self) -> Matrix:
        """The matrix with all its features."""
        written = np.ones(len(self.array), dtype=bool) if self.raw else self.in_tissue
        genes = len(self.tissue.ids)
        symbols, ids = list(self.tissue.symbols), list(self.tissue.ids)
        kinds, genomes, extra = ["Gene Expression"] * genes, ["GRCh38"] * genes, []
        if self.shared_symbol:
            symbols[-1] = symbols[0]
        if self.antibodies:
            extra.append(("CD3E", "CD3E.1", "Antibody Capture", ""))
        if self.second_genome:
            extra += [(f"ENSMUSG{n:011d}", f"Mouse{n}", "Gene Expression", "mm10") for n in range(2)]
        for gene_id, symbol, kind, genome in extra:
            ids.append(gene_id)
            symbols.append(symbol)
            kinds.append(kind)
            genomes.append(genome)
        counts = np.hstack([self.counts, np.full((len(self.array), len(extra)), 7, dtype=np.int32)])[written]
        names = [
            self.counted.format(letters)
            for letters, is_written in zip(self.letters, written, strict=True)
            if is_written
        ]
        return Matrix(counts, names, symbols, ids, kinds, genomes, self.variant)

    def _write_images(self, folder: Path, start: str) -> None:
        for kind, scale in (("hires", HIRES), ("lowres", LOWRES)):
            if kind in self.images:
                self.write_image(folder / f"{start}tissue_{kind}_image.png", scale)
        if self.scalefactors is not None:
            (folder / f"{start}scalefactors_json.json").write_text(json.dumps(self.factors))


def changed(bundle: VisiumBundle, **columns: Any) -> pd.DataFrame:
    """Return a bundle's positions with other columns."""
    return bundle.table.assign(**columns)
