"""The names and patients of regions, in every kind of file."""

import json
from pathlib import Path
from typing import Any

import pytest
from bundles.labelled import BARCODES, annotation, box, collection, table

from spacrd_core.errors import LabelError
from spacrd_core.ingestion.parts.regions import read_regions
from spacrd_core.labels.outlines import Polygons

LEFT, RIGHT = box(0, 0, 10, 10), box(20, 0, 30, 10)
XML = """<Annotations><Annotation Name="layer"><Regions>
<Region Type="0" Text="core 1"><Vertices>
<Vertex X="0" Y="0"/><Vertex X="9" Y="0"/><Vertex X="9" Y="9"/></Vertices></Region>
<Region Type="0" Text="core 2"><Vertices>
<Vertex X="20" Y="0"/><Vertex X="29" Y="0"/><Vertex X="29" Y="9"/></Vertices></Region>
</Regions></Annotation></Annotations>"""
NAPARI = "index,shape-type,vertex-index,axis-0,axis-1,name\n" + "".join(
    f"{shape},polygon,{corner},{y},{x + 20 * shape},core {shape + 1}\n"
    for shape in range(2)
    for corner, (x, y) in enumerate([(0, 0), (9, 0), (9, 9)])
)
EXPLORER = "#Selection name: core 1\n#Area (µm^2): 40\nX,Y\n0,0\n9,0\n9,9\n0,0\n"


def write(folder: Path, text: str, name: str = "regions.geojson") -> Path:
    file = folder / name
    file.write_text(text, encoding="utf-8")
    return file


def named(rings: Any, **properties: Any) -> dict[str, Any]:
    """Return an annotation that has a name, as a user types it in QuPath, and no class."""
    feature = annotation(rings, **properties)
    del feature["properties"]["classification"]
    return feature


def core(rings: Any, name: str, **properties: Any) -> dict[str, Any]:
    """Return a core of a tissue microarray, as QuPath exports it."""
    return named(rings, name=name, objectType="tma_core", **properties)


def test_regions_are_named_by_the_annotations_and_not_by_their_classes(tmp_path: Path) -> None:
    left, right = annotation(LEFT, "Tumor", name="upper"), annotation(RIGHT, "Tumor", name="lower")
    assert read_regions(write(tmp_path, collection(left, right))).names == ("upper", "lower")


def test_regions_without_names_are_named_by_their_classes(tmp_path: Path) -> None:
    assert read_regions(write(tmp_path, collection(annotation(LEFT, "P1"), annotation(RIGHT, "P2")))).names == (
        "P1",
        "P2",
    )


def test_the_property_region_of_other_programs_names_a_region_also_as_a_number(tmp_path: Path) -> None:
    regions = read_regions(write(tmp_path, collection(named(LEFT, region=1), named(RIGHT, region=2, patient=7))))
    assert (regions.names, regions.patients) == (("1", "2"), {"2": "7"})


@pytest.mark.parametrize("properties", [{"patient": "P1"}, {"Patient": "P1"}, {"metadata": {"patient": "P1"}}])
def test_the_patient_is_a_property_or_in_the_metadata_of_qupath(properties: dict[str, Any], tmp_path: Path) -> None:
    regions = read_regions(write(tmp_path, collection(named(LEFT, name="a", **properties), named(RIGHT, name="b"))))
    assert regions.patients == {"a": "P1"}


def test_cores_of_a_microarray_are_regions_and_annotations_in_them_are_not(tmp_path: Path) -> None:
    text = collection(
        core(LEFT, "A-1", metadata={"Case ID": "12"}),
        core(RIGHT, "A-2", isMissing=True),
        core(box(40, 0, 50, 10), "A-3"),
        annotation(box(1, 1, 5, 5), name="tumour in A-1"),
    )
    regions = read_regions(write(tmp_path, text))
    assert (regions.names, regions.patients) == (("A-1", "A-3"), {"A-1": "12"})
    assert regions.source.notes == ("regions.geojson: left out: 1 annotations, 1 missing cores",)


def test_outlines_of_one_name_are_one_region(tmp_path: Path) -> None:
    regions = read_regions(write(tmp_path, collection(named(LEFT, name="a"), named(RIGHT, name="a", patient="P1"))))
    assert (regions.names, regions.patients) == (("a",), {"a": "P1"})
    assert isinstance(regions.source, Polygons)
    assert len(regions.source.shapes) == 2


def test_two_patients_of_one_region_are_refused(tmp_path: Path) -> None:
    text = collection(named(LEFT, name="a", patient="P1"), named(RIGHT, name="a", patient="P2"))
    with pytest.raises(LabelError, match=r"region 'a' of .* has several patients: P1, P2"):
        read_regions(write(tmp_path, text))


def test_a_geojson_without_names_is_refused_with_what_it_has(tmp_path: Path) -> None:
    with pytest.raises(LabelError, match="has no named region, but 2 without a name"):
        read_regions(write(tmp_path, collection(named(LEFT), named(RIGHT))))


@pytest.mark.parametrize(
    ("name", "text", "names"),
    [
        ("r.xml", XML, ("core 1", "core 2")),
        ("r.csv", NAPARI, ("core 1", "core 2")),
        ("r.csv", EXPLORER, ("core 1",)),
        ("r.json", json.dumps([named(LEFT, name="core 1")]), ("core 1",)),
    ],
)
def test_annotations_of_other_programs_name_regions(
    name: str, text: str, names: tuple[str, ...], tmp_path: Path
) -> None:
    assert read_regions(write(tmp_path, text, name)).names == names


@pytest.mark.parametrize(
    "header", ["barcode,region", "Barcode,Core", "barcode,sample", "barcode,anything", ",region", "barcode,label"]
)
def test_a_column_of_a_spot_table_names_the_regions(header: str, tmp_path: Path) -> None:
    file = write(tmp_path, table(header, BARCODES[:3], ["a", "b", ""]), "regions.csv")
    assert read_regions(file).names == ("a", "b")


def test_the_region_is_taken_and_not_the_label_beside_it(tmp_path: Path) -> None:
    text = table("barcode,label,region,patient", BARCODES[:3], ["tumor"] * 3, ["a", "b", "b"], ["P1", "P2", "P2"])
    regions = read_regions(write(tmp_path, text, "regions.csv"))
    assert (regions.names, regions.patients) == (("a", "b"), {"a": "P1", "b": "P2"})


def test_a_spot_in_two_regions_of_a_table_is_refused(tmp_path: Path) -> None:
    file = write(tmp_path, table("barcode,region", [BARCODES[0], BARCODES[0]], ["a", "b"]), "regions.csv")
    with pytest.raises(LabelError, match="two labels for 1 ids"):
        read_regions(file)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (table("barcode,first,second", BARCODES[:2], "ab", "ab"), "is named region"),
        (table("barcode,region", BARCODES[:2], ["", "NA"]), "names no region"),
    ],
)
def test_a_table_without_regions_is_refused(text: str, message: str, tmp_path: Path) -> None:
    with pytest.raises(LabelError, match=message):
        read_regions(write(tmp_path, text, "regions.csv"))
