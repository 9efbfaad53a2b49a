"""A Xenium bundle of the synthetic tissue, in the variants of software versions and downloads."""

import gzip
import json
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pandas as pd
import tifffile
from numpy.typing import NDArray
from PIL import Image
from scipy import sparse

from bundles.tenx import Matrix, write_h5, write_mex, write_zarr
from bundles.tissue import Pose, Tissue

SMALL = Tissue(size_um=(1200.0, 900.0), square_um=(300.0, 200.0, 800.0, 700.0))
COUNTS = {
    "v1": ("transcript_counts", "control_probe_counts", "control_codeword_counts", "total_counts"),
    "v2": ("unassigned_codeword_counts", "deprecated_codeword_counts"),
    "v3": ("genomic_control_counts",),
}
# One control of each kind: its name, its kind, and the name of the kind in the zarr.
CONTROLS = (
    ("NegControlProbe_00042", "Negative Control Probe", "negative_control_probe"),
    ("antisense_PROKR2", "Negative Control Probe", "negative_control_probe"),
    ("NegControlCodeword_0500", "Negative Control Codeword", "negative_control_codeword"),
    ("BLANK_0006", "Blank Codeword", "blank_codeword"),
    ("UnassignedCodeword_0001", "Unassigned Codeword", "unassigned_codeword"),
    ("DeprecatedCodeword_0321", "Deprecated Codeword", "deprecated_codeword"),
    ("Intergenic_Region_77", "Genomic Control", "genomic_control"),
)


@dataclass(frozen=True)
class He:
    """An H&E of the tissue, and the format of its alignment.

    ``matrix`` replaces the true matrix if given; ``miss_um`` displaces each keypoint at random.
    """

    pose: Pose = field(default_factory=lambda: Pose(um_per_px=1.0))
    alignment: Literal["matrix", "keypoints", "none"] = "matrix"
    name: str = "T1_he_image.ome.tif"
    keypoints: int = 8
    miss_um: float = 0.0
    matrix: Any = None

    def true_matrix(self, tissue: Tissue, pixel_size: float) -> NDArray[np.float64]:
        """Return the matrix from H&E px to morphology px."""
        shrink = np.diag([1 / pixel_size, 1 / pixel_size, 1.0])
        return np.asarray(shrink @ np.linalg.inv(self.pose.matrix(tissue)))


@dataclass(frozen=True)
class XeniumBundle:
    """The contents of a bundle; ``write`` writes them to a folder and returns it."""

    tissue: Tissue = SMALL
    software: str = "xenium-3.0.0.15"
    ranger: str = ""
    pixel_size: float | None = 0.2125
    ids: Literal["int", "str", "bytes"] = "str"
    cells: Literal["parquet", "csv.gz"] = "parquet"
    columns: Literal["v1", "v2", "v3", "least"] = "v3"
    matrix: Literal["h5", "mex", "zarr.zip"] = "h5"
    controls: bool = True
    kinds: bool = True
    proteins: bool = False
    prefix: str = ""
    he: He | None = None
    step_um: float = 30.0
    shuffled: bool = False

    def write(self, folder: Path) -> Path:
        """Write the bundle."""
        folder.mkdir(parents=True, exist_ok=True)
        self._write_experiment(folder)
        self._write_cells(folder)
        self._write_matrix(folder)
        if self.he:
            write_he(folder, self.he, self.tissue, self.pixel_size or 0.2125)
        return folder

    @property
    def centroids(self) -> NDArray[np.float64]:
        """The centres of the cells, in um."""
        sides = [np.arange(self.step_um / 2, side, self.step_um) for side in self.tissue.size_um]
        grid = np.stack(np.meshgrid(*sides), axis=-1).reshape(-1, 2)
        return grid + np.random.default_rng(1).uniform(-0.3, 0.3, grid.shape) * self.step_um

    @property
    def pairs(self) -> NDArray[np.uint32]:
        """The ids of the cells as numbers: prefix and suffix."""
        prefixes = np.random.default_rng(2).choice(2**32 - 1, len(self.centroids), replace=False)
        return np.column_stack([prefixes, np.ones_like(prefixes)]).astype(np.uint32)

    @property
    def names(self) -> list[str]:
        """The ids of the cells as text."""
        if self.ids == "int":
            return [str(number + 1) for number in range(len(self.centroids))]
        letters = str.maketrans("0123456789abcdef", "abcdefghijklmnop")
        return [f"{prefix:08x}".translate(letters) + f"-{suffix}" for prefix, suffix in self.pairs.tolist()]

    @property
    def genes(self) -> NDArray[np.int32]:
        """The counts of every cell's genes."""
        return self.tissue.counts(self.centroids, mean=1.0, seed=3)

    @property
    def control_counts(self) -> NDArray[np.int32]:
        """The counts of every cell's controls."""
        control_count = len(CONTROLS) if self.controls else 0
        return np.random.default_rng(4).poisson(0.05, (len(self.centroids), control_count)).astype(np.int32)

    @property
    def table(self) -> pd.DataFrame:
        """The cells, with the columns of a version."""
        x, y = self.centroids.T
        table = pd.DataFrame({"cell_id": self._typed_ids(), "x_centroid": x, "y_centroid": y})
        if self.columns == "least":
            return table
        columns = [*COUNTS["v1"], *(COUNTS["v2"] if self.columns != "v1" else ())]
        columns += COUNTS["v3"] if self.columns == "v3" else ()
        table = table.assign(**dict.fromkeys(columns, 0), cell_area=78.54, nucleus_area=np.nan)
        controls = self.control_counts.sum(axis=1)
        genes = self.genes.sum(axis=1)
        return table.assign(transcript_counts=genes, control_probe_counts=controls, total_counts=genes + controls)

    def _typed_ids(self) -> Any:
        if self.ids == "int":
            return np.arange(1, len(self.centroids) + 1)
        return [name.encode() for name in self.names] if self.ids == "bytes" else self.names

    def _write_experiment(self, folder: Path) -> None:
        facts: dict[str, object] = {"major_version": 5, "region_name": "T1", "analysis_sw_version": self.software}
        if self.pixel_size is not None:
            facts["pixel_size"] = self.pixel_size
        if self.ranger:
            facts["xenium_ranger"] = {"version": self.ranger, "command_line": "xeniumranger relabel"}
        (folder / f"{self.prefix}experiment.xenium").write_text(json.dumps(facts))

    def _write_cells(self, folder: Path) -> None:
        path = folder / f"{self.prefix}cells.{self.cells}"
        if self.cells == "parquet":
            self.table.to_parquet(path, index=False)
        else:
            text = self.table.assign(cell_id=self.names).to_csv(index=False)
            path.write_bytes(gzip.compress(text.encode(), mtime=0))

    def _write_matrix(self, folder: Path) -> None:
        path = folder / f"{self.prefix}cell_feature_matrix"
        matrix = self._matrix()
        if self.matrix == "h5":
            write_h5(path.with_name(f"{path.name}.h5"), matrix)
        elif self.matrix == "mex":
            write_mex(path, matrix)
        else:
            ids = np.arange(1, len(self.names) + 1) if self.ids == "int" else self.pairs
            write_zarr(path.with_name(f"{path.name}.zarr.zip"), self._as_zarr(matrix), self._order(ids))

    def _order(self, rows: Any) -> Any:
        """Return the rows of the matrix in its own order."""
        if not self.shuffled:
            return rows
        order = np.random.default_rng(6).permutation(len(self.centroids))
        return [rows[at] for at in order] if isinstance(rows, list) else rows[order]

    def _matrix(self) -> Matrix:
        controls = CONTROLS if self.controls else ()
        kinds = [kind if self.kinds else "Gene Expression" for _, kind, _ in controls]
        names = [name for name, _, _ in controls]
        counts = np.hstack([self.genes, self.control_counts])
        if self.proteins:
            counts = np.hstack([counts, np.full((len(counts), 1), 77 if self.matrix == "h5" else 77.5)])
            names, kinds = [*names, "CD8A-protein"], [*kinds, "Protein Expression"]
        return Matrix(
            counts=sparse.csr_matrix(self._order(counts)),
            barcodes=self._order(self.names),
            symbols=[*self.tissue.symbols, *names],
            ids=[*self.tissue.ids, *names],
            kinds=["Gene Expression"] * len(self.tissue.ids) + kinds,
        )

    @staticmethod
    def _as_zarr(matrix: Matrix) -> Matrix:
        """Return the matrix as stored in zarr: with other names of kinds, and the sum of genes as last feature."""
        names = {
            "Gene Expression": "gene",
            "Protein Expression": "protein",
            **{kind: zarr_kind for _, kind, zarr_kind in CONTROLS},
        }
        genes = [index for index, kind in enumerate(matrix.kinds) if kind == "Gene Expression"]
        total = sparse.csr_matrix(matrix.rows[:, genes].sum(axis=1))
        return replace(
            matrix,
            counts=sparse.hstack([matrix.rows, total]),
            symbols=[*matrix.symbols, "Total transcripts"],
            ids=[*matrix.ids, "Total transcripts"],
            kinds=[*(names[kind] for kind in matrix.kinds), "aggregate_gene"],
        )


def write_he(folder: Path, he: He, tissue: Tissue, pixel_size: float) -> tuple[Path, Path]:
    """Write an H&E (an OME-TIFF with a SubIFD pyramid, or by suffix) and its alignment; return both paths."""
    image = folder / he.name
    pixels = tissue.picture(he.pose)
    if image.suffix in {".tif", ".tiff"}:
        _write_pyramid(image, pixels)
    else:
        Image.fromarray(pixels).save(image)
    stem = he.name.split(".")[0]
    if he.alignment == "matrix":
        path = folder / f"{stem}alignment.csv"
        matrix = he.true_matrix(tissue, pixel_size) if he.matrix is None else np.asarray(he.matrix)
        path.write_text("\n".join(",".join(repr(float(number)) for number in row) for row in matrix) + "\n")
    else:
        path = folder / f"{stem}_keypoints.csv"
        if he.alignment == "keypoints":
            path.write_text(keypoints(he, tissue, pixel_size).to_csv(index=False))
    return image, path


def keypoints(he: He, tissue: Tissue, pixel_size: float) -> pd.DataFrame:
    """Return keypoints on both images, as Xenium Explorer exports them."""
    random = np.random.default_rng(7)
    on_he = random.uniform((0, 0), he.pose.size_px(tissue), (he.keypoints, 2))
    matrix = he.true_matrix(tissue, pixel_size)
    fixed = on_he @ matrix[:2, :2].T + matrix[:2, 2]
    fixed += random.normal(0, 1, fixed.shape) * he.miss_um / pixel_size
    return pd.DataFrame(np.hstack([fixed, on_he]), columns=["fixedX", "fixedY", "alignmentX", "alignmentY"])


def _write_pyramid(path: Path, pixels: NDArray[np.uint8]) -> None:
    options: dict[str, Any] = {"photometric": "rgb", "tile": (256, 256), "compression": "deflate"}
    with tifffile.TiffWriter(path, ome=True) as file:
        file.write(pixels, subifds=1, metadata={"axes": "YXS"}, **options)
        file.write(pixels[::2, ::2], subfiletype=1, **options)
