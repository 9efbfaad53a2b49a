"""Labels and regions of every layout."""

import gzip
from dataclasses import replace
from pathlib import Path

import numpy as np
from bundles.labelled import BARCODES, UM_PER_PX, Grid, annotation, box, collection, table
from PIL import Image

from fuzz.seed import Act, Seed, text
from spacrd_core.ingestion.parts.regions import read_regions
from spacrd_core.labels.attach import attach_labels
from spacrd_core.labels.tables import read_labels
from spacrd_core.labels.vocabulary import Vocabulary
from spacrd_core.section.section import SlideFile

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
IMAGESCOPE = """<Annotations><Annotation Name="Tumor"><Regions>
<Region Type="0"><Vertices><Vertex X="0" Y="0"/><Vertex X="700" Y="0"/><Vertex X="700" Y="700"/></Vertices></Region>
<Region Type="2" NegativeROA="1"><Vertices><Vertex X="0" Y="0"/><Vertex X="90" Y="90"/></Vertices></Region>
</Regions></Annotation></Annotations>"""
CELLS = "#Selection names: Tumor\nCell ID,Transcripts\n" + "".join(f"{name},1\n" for name in BARCODES)


def labels(name: str) -> Act:
    """Return how labels are read and attached to a section of 16 spots."""

    def read(folder: Path) -> None:
        attach_labels(Grid(scale=0.5).section(), read_labels(folder / name), Vocabulary())

    return read


def packed(name: str, content: str) -> Act:
    return lambda folder: (folder / name).write_bytes(gzip.compress(content.encode(), mtime=0))


def mask(folder: Path) -> None:
    pixels = np.zeros((600, 600), dtype=np.uint8)
    pixels[:300] = 1
    Image.fromarray(pixels).save(folder / "mask.png")
    Image.new("RGB", (1200, 1200), "white").save(folder / "slide.png")


def read_mask(folder: Path) -> None:
    slide = SlideFile(folder / "slide.png", UM_PER_PX)
    section = replace(Grid().section(), slide=slide)
    attach_labels(section, read_labels(folder / "mask.png"), Vocabulary(("1",)))


def regions(name: str) -> Act:
    return lambda folder: read_regions(folder / name)


LABELS = (
    Seed("labels by id", text("a.csv", IDS), labels("a.csv")),
    Seed("labels by place", text("a.csv", PLACES), labels("a.csv")),
    Seed("labels in order", text("a.txt", "1\n0\n" * 8), labels("a.txt")),
    Seed("geojson", text("a.geojson", POLYGONS), labels("a.geojson")),
    Seed("selection", text("a.csv", SELECTION), labels("a.csv")),
    Seed("napari", text("a.csv", NAPARI), labels("a.csv")),
    Seed("annotation xml", text("a.xml", XML), labels("a.xml")),
    Seed("mask", mask, read_mask, "mask.png"),
    Seed("labels, gzipped", packed("a.csv.gz", IDS), labels("a.csv.gz")),
    Seed("labels, tabs", text("a.tsv", IDS.replace(",", "\t")), labels("a.tsv")),
    Seed("imagescope", text("a.xml", IMAGESCOPE), labels("a.xml")),
    Seed("selected cells", text("a.csv", CELLS), labels("a.csv")),
    Seed("regions", text("a.csv", table("barcode,region,patient", BARCODES, ["r"] * 16, ["P"] * 16)), regions("a.csv")),
    Seed("outlined regions", text("a.geojson", POLYGONS), regions("a.geojson")),
)
