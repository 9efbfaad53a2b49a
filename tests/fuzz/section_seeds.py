"""Sections of every platform."""

from pathlib import Path

from bundles.anndata_file import tissue_object, write_anndata
from bundles.st import StSection
from bundles.tissue import Tissue
from bundles.visium import VisiumBundle
from bundles.visium_hd import HdRun
from bundles.xenium import He, XeniumBundle

from fuzz.seed import COARSE, LITTLE, Act, Seed, section

TINY = Tissue(size_um=(200.0, 160.0), square_um=(50.0, 40.0, 120.0, 100.0))


def visium(**facts: object) -> Act:
    facts = {"tissue": LITTLE, "pose": COARSE, "rows": 7, "columns": 16, "images": (), **facts}
    return lambda folder: VisiumBundle(**facts).write(folder)  # type: ignore[arg-type]


def xenium(**facts: object) -> Act:
    facts = {"tissue": LITTLE, "step_um": 60.0, **facts}
    return lambda folder: XeniumBundle(**facts).write(folder)  # type: ignore[arg-type]


def visium_hd(**facts: object) -> Act:
    facts = {
        "tissue": TINY,
        "pose": COARSE,
        "edge_um": 16.0,
        **facts,
    }
    return lambda folder: HdRun(**facts).write(folder)  # type: ignore[arg-type]


def st(folder: Path) -> None:
    StSection(LITTLE, COARSE).write(folder)


def anndata(name: str) -> Act:
    return lambda folder: write_anndata(tissue_object(tissue=LITTLE, picture=False), folder / name)


def pictured(name: str) -> Act:
    return lambda folder: write_anndata(tissue_object(tissue=LITTLE), folder / name)


def visium_object(folder: Path) -> None:
    from bundles import spatialdata_object as made  # noqa: PLC0415 - an optional library
    from bundles.anndata_file import VISIUM  # noqa: PLC0415

    made.write(folder / "a.zarr", **made.visium(VISIUM, LITTLE))


def bins_object(folder: Path) -> None:
    from bundles import spatialdata_object as made  # noqa: PLC0415 - an optional library

    made.write(folder / "a.zarr", **made.bins(COARSE, TINY))


LIBRARY, IMAGES = "spatialdata", "a.zarr/images/**/*"
SECTIONS = (
    Seed("st", st, section("st", "T1.tsv"), "*.tsv"),
    Seed("visium", visium(), section("visium")),
    Seed("visium, matrix in text", visium(matrix="mex.gz", positions="tissue_positions.csv.gz"), section("visium")),
    Seed("visium, parquet", visium(positions="tissue_positions.parquet"), section("visium"), "**/*.parquet"),
    Seed("visium, picture", visium(images=("hires",)), section("visium", image=True), "**/*.png"),
    Seed("visium hd", visium_hd(), section("visium_hd"), "**/*[!g]"),
    Seed("visium hd, cells", visium_hd(cells=True), section("visium_hd", unit="cell"), "segmented_outputs/**/*[!g]"),
    Seed("xenium", xenium(), section("xenium")),
    Seed("xenium, other formats", xenium(matrix="zarr.zip", cells="csv.gz"), section("xenium")),
    Seed("xenium, text", xenium(matrix="mex"), section("xenium"), "**/*mtx*"),
    Seed("xenium, alignment", xenium(he=He(COARSE)), section("xenium", image=True), "**/*.csv"),
    Seed("xenium, keypoints", xenium(he=He(COARSE, "keypoints")), section("xenium", image=True), "**/*.csv"),
    Seed("anndata", anndata("a.h5ad"), section("anndata", "a.h5ad")),
    Seed("anndata, zarr", anndata("a.zarr"), section("anndata", "a.zarr")),
    Seed("anndata, zip", anndata("a.zarr.zip"), section("anndata", "a.zarr.zip"), "*.zip"),
    Seed("st, picture", st, section("st", "T1.tsv", image=True), "*.*g"),
    Seed("visium, fewer files", visium(positions="tissue_positions.csv"), section("visium"), "spatial/*"),
    Seed("visium hd, text", visium_hd(format="mex"), section("visium_hd"), "**/*mtx*"),
    Seed("anndata, picture", pictured("a.h5ad"), section("anndata", "a.h5ad", image=True)),
    Seed("anndata, zarr, picture", pictured("a.zarr"), section("anndata", "a.zarr", image=True), "a.zarr/[uo]*/**/*"),
    Seed("spatialdata", visium_object, section("spatialdata", "a.zarr"), needs=LIBRARY),
    Seed("spatialdata, picture", visium_object, section("spatialdata", "a.zarr", image=True), IMAGES, LIBRARY),
    Seed("spatialdata, bins", bins_object, section("spatialdata", "a.zarr"), "a.zarr/[st]*/**/*", LIBRARY),
)
