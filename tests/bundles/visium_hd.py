"""A Visium HD run of the synthetic tissue: nested bins of several sizes, and segmented cells."""

import json
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pyarrow as pa
import tifffile
from numpy.typing import NDArray
from PIL import Image
from pyarrow import parquet
from scipy import sparse

from bundles.tenx import Matrix, write_h5, write_mex
from bundles.tissue import Pose, Tissue

SMALL = Tissue(size_um=(900.0, 700.0), square_um=(200.0, 150.0, 600.0, 550.0))
HIRES, LOWRES = 0.25, 0.1
CELL_UM = 5.0  # from centre to outline


@dataclass(frozen=True)
class HdRun:
    """The contents of a run; ``write`` writes them to a folder and returns the path to ingest.

    The array is parallel to the tissue's axes and ``edge_um`` wider on all sides; the pose of the image rotates and
    mirrors it. Every bin of 8 um has ``seep`` counts per gene on average, in tissue or not.
    """

    tissue: Tissue = SMALL
    pose: Pose = field(default_factory=lambda: Pose(um_per_px=1.0))
    sizes: tuple[int, ...] = (8,)
    layout: Literal["run", "outs", "flat", "square"] = "outs"
    matrices: tuple[Literal["filtered", "raw"], ...] = ("filtered",)
    format: Literal["h5", "mex"] = "h5"
    image: Literal["beside", "microscope", "none"] = "none"
    prefix: str = ""
    bins: bool = True
    cells: bool = False
    mean: float = 0.3
    seep: float = 0.0
    edge_um: float = 100.0

    def write(self, folder: Path) -> Path:
        """Write the run."""
        outs = folder / "outs" if self.layout == "run" else folder
        binned = outs if self.layout in {"flat", "square"} else outs / "binned_outputs"
        if self.bins:
            for bin_um in self.sizes:
                self._write_level(binned / f"{self.prefix}square_{bin_um:03d}um", bin_um)
        if self.cells:
            self._write_cells(outs / "segmented_outputs")
        if self.image != "none":
            self._write_image(outs)
        return binned / f"{self.prefix}square_{self.sizes[0]:03d}um" if self.layout == "square" else folder

    def shape(self, bin_um: int) -> tuple[int, int]:
        """Return the rows and columns of the array."""
        whole = max(self.sizes)
        across, down = (int(np.ceil((side + 2 * self.edge_um) / whole)) for side in self.tissue.size_um)
        return down * whole // bin_um, across * whole // bin_um

    def middles_um(self, bin_um: int) -> NDArray[np.float64]:
        """Return the centres of bins on the tissue, rows x columns x 2."""
        rows, columns = self.shape(bin_um)
        y, x = np.mgrid[:rows, :columns]
        return (np.stack([x, y], axis=-1) + 0.5) * bin_um - self.edge_um

    def in_tissue(self, bin_um: int) -> NDArray[np.bool_]:
        """Return the mask of bins in tissue: those that contain a smallest square in tissue."""
        smallest = self.tissue.covers(self.middles_um(min(self.sizes)))
        return np.asarray(self._blocks(smallest, bin_um).any(axis=(1, 3)))

    def counts(self, bin_um: int) -> NDArray[np.int32]:
        """Return the counts of all bins, rows x columns x genes."""
        small = min(self.sizes)
        share = (small / 8) ** 2
        points = self.middles_um(small)
        counts = self.tissue.counts(points.reshape(-1, 2), mean=self.mean * share)
        counts += np.random.default_rng(1).poisson(self.seep * share, counts.shape).astype(np.int32)
        return np.asarray(self._blocks(counts.reshape(*points.shape[:2], -1), bin_um).sum(axis=(1, 3)))

    def names(self, bin_um: int) -> NDArray[np.str_]:
        """Return the barcodes of all bins, rows x columns."""
        rows, columns = self.shape(bin_um)
        return np.array([[f"s_{bin_um:03d}um_{r:05d}_{c:05d}-1" for c in range(columns)] for r in range(rows)])

    @property
    def cells_um(self) -> NDArray[np.float64]:
        """The centres of the cells on the tissue; cells are numbered from 1."""
        return np.random.default_rng(2).uniform(CELL_UM, np.array(self.tissue.size_um) - CELL_UM, (3000, 2))

    @property
    def cell_counts(self) -> NDArray[np.int32]:
        """The counts of every cell."""
        return self.tissue.counts(self.cells_um, mean=0.3, seed=3)

    def _blocks(self, values: NDArray[Any], bin_um: int) -> NDArray[Any]:
        rows, columns = self.shape(bin_um)
        side = bin_um // min(self.sizes)
        return values.reshape(rows, side, columns, side, *values.shape[2:])

    def _write_level(self, folder: Path, bin_um: int) -> None:
        in_tissue, counts, names = self.in_tissue(bin_um).ravel(), self.counts(bin_um), self.names(bin_um).ravel()
        order = np.random.default_rng(4).permutation(len(names))  # Space Ranger writes them in no particular order
        for kind in self.matrices:
            row_order = order[in_tissue[order]] if kind == "filtered" else order
            self._write_matrix(
                folder / f"{kind}_feature_bc_matrix", counts.reshape(len(names), -1)[row_order], names[row_order]
            )
        self._write_positions(folder / "spatial", bin_um)
        factors = {"bin_size_um": float(bin_um), "spot_diameter_fullres": bin_um / self.pose.um_per_px}
        self._write_spatial(folder / "spatial", factors)

    def _write_matrix(self, path: Path, counts: NDArray[np.int32], names: NDArray[np.str_]) -> None:
        matrix = Matrix(sparse.csr_matrix(counts), names.tolist(), self.tissue.symbols, self.tissue.ids)
        if self.format == "h5":
            write_h5(path.with_name(f"{self.prefix}{path.name}.h5"), matrix)
        else:
            write_mex(path, matrix)

    def _write_positions(self, folder: Path, bin_um: int) -> None:
        rows, columns = (axis.ravel().astype(np.int32) for axis in np.indices(self.shape(bin_um)))
        px = self.pose.to_px(self.tissue, self.middles_um(bin_um).reshape(-1, 2))
        table = {"barcode": self.names(bin_um).ravel(), "in_tissue": self.in_tissue(bin_um).ravel().astype(np.uint8)}
        table |= {"array_row": rows, "array_col": columns}
        table |= {"pxl_row_in_fullres": px[:, 1], "pxl_col_in_fullres": px[:, 0]}
        folder.mkdir(parents=True)
        parquet.write_table(pa.table(table), folder / "tissue_positions.parquet")

    def _write_spatial(self, folder: Path, factors: dict[str, float]) -> None:
        scales = {"tissue_hires_scalef": HIRES, "tissue_lowres_scalef": LOWRES, "fiducial_diameter_fullres": 1200.0}
        shared = {"microns_per_pixel": self.pose.um_per_px, "regist_target_img_scalef": 0.2}
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "scalefactors_json.json").write_text(json.dumps({**factors, **shared, **scales}))
        for name, scale in (("hires", HIRES), ("lowres", LOWRES)):
            smaller = replace(self.pose, um_per_px=self.pose.um_per_px / scale)
            Image.fromarray(self.tissue.picture(smaller)).save(folder / f"tissue_{name}_image.png")

    def _write_image(self, outs: Path) -> None:
        folder = outs / "microscope_image" if self.image == "microscope" else outs
        folder.mkdir(exist_ok=True)
        name = "slide.tif" if self.image == "microscope" else f"{self.prefix or 'Sample_'}tissue_image.tif"
        tifffile.imwrite(folder / name, self.tissue.picture(self.pose), photometric="rgb", tile=(256, 256))

    def _write_cells(self, folder: Path) -> None:
        numbers = np.random.default_rng(5).permutation(len(self.cells_um)) + 1
        names = np.array([f"cellid_{number:09d}-1" for number in numbers])
        self._write_matrix(folder / "filtered_feature_cell_matrix", self.cell_counts[numbers - 1], names)
        angles = np.arange(9) * np.pi / 4
        outline = CELL_UM * np.column_stack([np.cos(angles), np.sin(angles)])
        rings = self.pose.to_px(self.tissue, (self.cells_um[:, None] + outline).reshape(-1, 2)).reshape(-1, 9, 2)
        features = [
            {"type": "Feature", "geometry": {"type": "Polygon", "coordinates": [ring]}, "properties": {"cell_id": n}}
            for n, ring in enumerate(rings.round(2).tolist(), start=1)
        ]
        self._write_spatial(folder / "spatial", {})
        document = {"type": "FeatureCollection", "features": features}
        (folder / "cell_segmentations.geojson").write_text(json.dumps(document))
