"""Small whole files of every kind that SpaCRD reads, and how each is read."""

import json
import shutil
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import cache
from importlib.resources import files
from pathlib import Path

import numpy as np
import tifffile
from bundles.anndata_file import tissue_object, write_anndata
from bundles.labelled import BARCODES, UM_PER_PX, Grid, annotation, box, collection, table
from bundles.st import StSection
from bundles.tissue import Pose, Tissue
from bundles.visium import VisiumBundle
from bundles.visium_hd import HdRun
from bundles.xenium import He, XeniumBundle
from PIL import Image
from stand_ins.detector import made_detector

from spacrd_cli.settings import TrainingSettings
from spacrd_core.config import read_config
from spacrd_core.detector.config import DetectorConfig
from spacrd_core.detector.load import load_detector
from spacrd_core.files import file_sha256
from spacrd_core.images.metadata import image_um_per_px
from spacrd_core.images.raster import image_size, open_raster
from spacrd_core.ingestion.checks import check_section
from spacrd_core.ingestion.cohort_file import read_cohort
from spacrd_core.ingestion.ingest import ingest
from spacrd_core.ingestion.parts.regions import read_regions
from spacrd_core.labels.attach import attach_labels
from spacrd_core.labels.tables import read_labels
from spacrd_core.labels.vocabulary import Vocabulary
from spacrd_core.plugins import Plugins, load_plugins
from spacrd_core.prior.lists import load_gene_lists
from spacrd_core.section.section import ImageInputs, SlideFile
from spacrd_core.store.store import SpotStore

CARCINOMA_FILE = Path(str(files("spacrd_core.prior"))) / "carcinoma.toml"
LITTLE = Tissue(size_um=(700.0, 600.0), square_um=(200.0, 150.0, 500.0, 450.0))
COARSE = Pose(um_per_px=4.0)
NO_IMAGE = ImageInputs(with_image=False)


@dataclass(frozen=True)
class Seed:
    """Files that are whole: how they are written into a folder, how they are read, and which of them get damaged."""

    name: str
    write: Callable[[Path], object]
    read: Callable[[Path], object]
    damaged: str = "**/*"

    def files(self, folder: Path) -> list[Path]:
        """Return the files to damage, in a fixed order."""
        return sorted(path for path in folder.glob(self.damaged) if path.is_file() and path.stat().st_size)


@cache
def plugins() -> Plugins:
    """Return the installed components."""
    return load_plugins()


def section(reader: str, where: str = ".", *, image: bool = False, **options: object) -> Callable[[Path], object]:
    """Return how a section is recognised, read and checked."""

    def read(folder: Path) -> None:
        path, component = folder / where, plugins().readers.create(reader, options)
        component.recognises(path)
        check_section(component.read(path, ImageInputs() if image else NO_IMAGE))

    return read


def labels(name: str) -> Callable[[Path], object]:
    """Return how labels are read and attached to a section of 16 spots."""

    def read(folder: Path) -> None:
        attach_labels(Grid(scale=0.5).section(), read_labels(folder / name), Vocabulary())

    return read


def text(name: str, content: str) -> Callable[[Path], object]:
    return lambda folder: (folder / name).write_text(content, encoding="utf-8")


def picture(name: str) -> Callable[[Path], object]:
    def write(folder: Path) -> None:
        pixels = LITTLE.picture(COARSE)
        if "tif" in name:
            tiles = (64, 64) if "tiled" in name else None
            tifffile.imwrite(folder / name, pixels, photometric="rgb", tile=tiles, compression="zlib")
        else:
            Image.fromarray(pixels).save(folder / name)

    return write


def whole_image(name: str) -> Callable[[Path], object]:
    """Return how an image is measured and read to its end."""

    def read(folder: Path) -> None:
        path = folder / name
        image_um_per_px(path)
        image_size(path)
        with open_raster(path) as raster:
            for top in range(0, raster.height, 256):
                raster.rows(top, min(top + 256, raster.height))

    return read


def visium(**facts: object) -> Callable[[Path], object]:
    facts = {"tissue": LITTLE, "pose": COARSE, "rows": 7, "columns": 16, "images": (), **facts}
    return lambda folder: VisiumBundle(**facts).write(folder)  # type: ignore[arg-type]


def xenium(**facts: object) -> Callable[[Path], object]:
    facts = {"tissue": LITTLE, "step_um": 60.0, **facts}
    return lambda folder: XeniumBundle(**facts).write(folder)  # type: ignore[arg-type]


def visium_hd(**facts: object) -> Callable[[Path], object]:
    facts = {
        "tissue": Tissue(size_um=(200.0, 160.0), square_um=(50.0, 40.0, 120.0, 100.0)),
        "pose": COARSE,
        "edge_um": 16.0,
        **facts,
    }
    return lambda folder: HdRun(**facts).write(folder)  # type: ignore[arg-type]


def anndata(name: str) -> Callable[[Path], object]:
    return lambda folder: write_anndata(tissue_object(tissue=LITTLE, picture=False), folder / name)


def mask(folder: Path) -> None:
    pixels = np.zeros((600, 600), dtype=np.uint8)
    pixels[:300] = 1
    Image.fromarray(pixels).save(folder / "mask.png")
    Image.new("RGB", (1200, 1200), "white").save(folder / "slide.png")


def read_mask(folder: Path) -> None:
    slide = SlideFile(folder / "slide.png", UM_PER_PX)
    section = replace(Grid().section(), slide=slide)
    attach_labels(section, read_labels(folder / "mask.png"), Vocabulary(("1",)))


def store(folder: Path) -> None:
    source = StSection(tissue=Tissue(size_um=(1800.0, 1600.0)), pose=Pose(um_per_px=8.0)).write(folder / "source")
    ingest(SpotStore.create(folder / "store"), source, plugins=plugins())
    shutil.rmtree(folder / "source")


def read_store(folder: Path) -> None:
    opened = SpotStore.open(folder / "store")
    for name in opened.entries:
        opened.spots(name)
        opened.section(name)
        slide = opened.pyramid(name)
        if slide:
            slide.thumbnail(64)
            slide.levels[0].read(0, slide.levels[0].height, 0, slide.levels[0].width)


def detector(folder: Path) -> None:
    made_detector(plugins()).save(folder / "detector")


def read_signed(folder: Path) -> None:
    """Load a detector whose author has signed the damage: the checksums in it are right."""
    file = folder / "detector" / "config.json"
    with suppress(ValueError, TypeError, LookupError, AttributeError):
        facts = json.loads(file.read_bytes())
        facts["weights_sha256"] = file_sha256(folder / "detector" / "model.safetensors")
        facts["fingerprint"] = DetectorConfig.model_validate(facts).compute_fingerprint()
        file.write_text(json.dumps(facts), encoding="utf-8")
    load_detector(folder / "detector", plugins=plugins())


POLYGONS = collection(annotation(box(0, 0, 600, 700)), annotation(box(600, 0, 1200, 1200), "Stroma"))
IDS = table("Barcode,label", BARCODES, ["tumor", "normal"] * 8)
PLACES = table("x,y,label", [n % 4 for n in range(16)], [n // 4 for n in range(16)], ["tumor"] * 16)
SELECTION = "#Selection name: Tumor\n#Area (µm^2): 1\nX,Y\n0,0\n300,0\n300,400\n0,400\n0,0\n"
NAPARI = "index,shape-type,vertex-index,axis-0,axis-1,label\n" + "".join(
    f"0,polygon,{n},{y},{x},tumor\n" for n, (x, y) in enumerate(((0, 0), (700, 0), (700, 700), (0, 700)))
)
XML = """<?xml version="1.0"?><ASAP_Annotations><Annotations>
<Annotation Name="1" Type="Polygon" PartOfGroup="Tumor"><Coordinates>
<Coordinate Order="0" X="0" Y="0"/><Coordinate Order="1" X="700" Y="0"/>
<Coordinate Order="2" X="700" Y="700"/></Coordinates>
</Annotation></Annotations><AnnotationGroups><Group Name="Tumor"/></AnnotationGroups></ASAP_Annotations>"""
COHORT = "path,name,patient,labels,um_per_px\na.tsv,A,P1,a.csv,0.5\nb.tsv,B,P2,,\n"
CONFIG = 'first_seed = 7\ncalibrate = true\n[encoder]\nname = "uni"\n[cohort]\ncancer_fraction = 0.5\n'

SEEDS = (
    Seed("st", lambda folder: StSection(LITTLE, COARSE).write(folder), section("st", "T1.tsv"), "*.tsv"),
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
    Seed("png", picture("a.png"), whole_image("a.png")),
    Seed("jpeg", picture("a.jpg"), whole_image("a.jpg")),
    Seed("tiff", picture("a.tif"), whole_image("a.tif")),
    Seed("tiled tiff", picture("tiled.tif"), whole_image("tiled.tif")),
    Seed("labels by id", text("a.csv", IDS), labels("a.csv")),
    Seed("labels by place", text("a.csv", PLACES), labels("a.csv")),
    Seed("labels in order", text("a.txt", "1\n0\n" * 8), labels("a.txt")),
    Seed("geojson", text("a.geojson", POLYGONS), labels("a.geojson")),
    Seed("selection", text("a.csv", SELECTION), labels("a.csv")),
    Seed("napari", text("a.csv", NAPARI), labels("a.csv")),
    Seed("annotation xml", text("a.xml", XML), labels("a.xml")),
    Seed("mask", mask, read_mask, "mask.png"),
    Seed(
        "regions",
        text("a.csv", table("barcode,region,patient", BARCODES, ["r"] * 16, ["P"] * 16)),
        lambda folder: read_regions(folder / "a.csv"),
    ),
    Seed("outlined regions", text("a.geojson", POLYGONS), lambda folder: read_regions(folder / "a.geojson")),
    Seed("cohort", text("a.csv", COHORT), lambda folder: read_cohort(folder / "a.csv", {})),
    Seed("config", text("a.toml", CONFIG), lambda folder: read_config(TrainingSettings, folder / "a.toml")),
    Seed(
        "gene lists",
        lambda folder: shutil.copy(CARCINOMA_FILE, folder / "a.toml"),
        lambda folder: load_gene_lists(str(folder / "a.toml")),
    ),
    Seed("store", store, read_store),
    Seed("signed detector", detector, read_signed, "**/*.[js][sa]*"),
    Seed("detector", detector, lambda folder: load_detector(folder / "detector", plugins=plugins()), "**/*.[js][sa]*"),
)
