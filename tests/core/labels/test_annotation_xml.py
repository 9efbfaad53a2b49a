import gzip
from collections.abc import Sequence
from pathlib import Path

import pytest
from bundles.labelled import SIDE, Grid, labels

from spacrd_core.errors import LabelError
from spacrd_core.labels.attach import attach_labels
from spacrd_core.labels.outlines import Polygons
from spacrd_core.labels.tables import read_labels
from spacrd_core.labels.vocabulary import Vocabulary

LEFT, RIGHT = [(150, 250), (550, 250), (550, 1050), (150, 1050)], [(550, 250), (950, 250), (950, 1050), (550, 1050)]
Corners = Sequence[tuple[float, float]]


def read(tmp_path: Path, text: str, encoding: str = "utf-8") -> Polygons:
    path = tmp_path / "regions.xml"
    path.write_bytes(text.encode(encoding))
    polygons = read_labels(path)
    assert isinstance(polygons, Polygons)
    return polygons


def asap(*annotations: str) -> str:
    groups = '<AnnotationGroups><Group Name="Tumor" PartOfGroup="None"/></AnnotationGroups>'
    return f"<ASAP_Annotations><Annotations>{''.join(annotations)}</Annotations>{groups}</ASAP_Annotations>"


def asap_annotation(corners: Corners, group: str, name: str = "A0", kind: str = "Polygon") -> str:
    points = [f'<Coordinate Order="{n}" X="{x}" Y="{y}"/>' for n, (x, y) in enumerate(corners)]
    body = f"<Coordinates>{''.join(points[::-1])}</Coordinates>"  # in any order
    return f'<Annotation Name="{name}" Type="{kind}" PartOfGroup="{group}">{body}</Annotation>'


def layer(name: str, *regions: str) -> str:
    return f'<Annotation Id="1" Name="{name}"><Regions>{"".join(regions)}</Regions></Annotation>'


def region(corners: Corners, tag: str, kind: str, text: str = "", negative: int = 0) -> str:
    points = "".join(f'<{tag} X="{x}" Y="{y}"/>' for x, y in corners)
    return f'<Region Type="{kind}" Text="{text}" NegativeROA="{negative}"><Vertices>{points}</Vertices></Region>'


def layers(*parts: str) -> str:
    return f'<?xml version="1.0"?><Annotations MicronsPerPixel="0.25">{"".join(parts)}</Annotations>'


TWO = {
    "ASAP": asap(asap_annotation(LEFT, "Tumor"), asap_annotation(RIGHT, "Stroma", kind="Spline")),
    "ImageScope": layers(layer("Tumor", region(LEFT, "Vertex", "0")), layer("Stroma", region(RIGHT, "Vertex", "0"))),
    "HALO": layers(layer("Tumor", region(LEFT, "V", "Polygon")), layer("Stroma", region(RIGHT, "V", "Polygon"))),
}


@pytest.mark.parametrize("program", TWO)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_regions_label_the_spots_inside(tmp_path: Path, program: str, encoding: str) -> None:
    polygons = read(tmp_path, TWO[program], encoding)
    assert polygons.notes == (f"regions.xml: read as annotations of {program}",)
    after = attach_labels(Grid().section(), polygons, Vocabulary())
    assert labels(after) == ["cancer", "cancer", "normal", "normal"] * SIDE
    assert set(after.counts.obs["annotation"]) == {"Tumor", "Stroma"}


def test_a_gzipped_file_is_read(tmp_path: Path) -> None:
    (tmp_path / "regions.xml.gz").write_bytes(gzip.compress(TWO["ASAP"].encode()))
    assert isinstance(read_labels(tmp_path / "regions.xml.gz"), Polygons)


def test_an_annotation_of_no_group_is_called_by_its_name(tmp_path: Path) -> None:
    annotations = (asap_annotation(LEFT, "None", "Tumor"), asap_annotation(RIGHT, "None", "Normal"))
    assert read(tmp_path, asap(*annotations)).values == ("Tumor", "Normal")


def test_the_texts_of_regions_are_classes_where_the_layer_says_less(tmp_path: Path) -> None:
    regions = (region(LEFT, "Vertex", "0", "Tumor"), region(RIGHT, "Vertex", "0", "Stroma"))
    assert read(tmp_path, layers(layer("Layer 1", *regions))).values == ("Tumor", "Stroma")
    commented = region(LEFT, "Vertex", "0", "look here"), region(RIGHT, "Vertex", "0", "and here")
    assert read(tmp_path, layers(layer("Tumor", *commented))).values == ("Tumor", "Tumor")


def test_the_description_of_a_layer_is_its_class_if_it_has_no_name(tmp_path: Path) -> None:
    attributes = '<Attributes><Attribute Name="Description" Id="0" Value="Tumor"/></Attributes>'
    text = layers(layer("", region(LEFT, "Vertex", "0"))).replace("<Regions>", f"{attributes}<Regions>")
    assert read(tmp_path, text).values == ("Tumor",)


def test_two_corners_are_a_box_or_an_ellipse_and_lines_and_points_are_left_out(tmp_path: Path) -> None:
    corners = [(0.0, 0.0), (10.0, 20.0)]
    for tag, box, ellipse, arrow in (("V", "Rectangle", "Ellipse", "Ruler"), ("Vertex", "1", "2", "3")):
        parts = (region(corners, tag, kind) for kind in (box, ellipse, arrow))
        polygons = read(tmp_path, layers(layer("Tumor", *parts)))
        assert [shape.area for shape in polygons.shapes] == pytest.approx([200.0, 3.14159 * 50], rel=0.01)
        assert polygons.notes[1] == "regions.xml: left out: 1 without an area"
    dot = asap_annotation(corners[:1], "Tumor", kind="Dot")
    assert len(read(tmp_path, asap(asap_annotation(LEFT, "Tumor"), dot)).shapes) == 1


def test_a_negative_region_is_cut_out_of_its_layer_only(tmp_path: Path) -> None:
    hole = [(200.0, 300.0), (300.0, 300.0), (300.0, 400.0), (200.0, 400.0)]
    tumour = layer("Tumor", region(LEFT, "V", "Polygon"), region(hole, "V", "Polygon", negative=1))
    polygons = read(tmp_path, layers(tumour, layer("Stroma", region(LEFT, "V", "Polygon"))))
    assert [shape.area for shape in polygons.shapes] == [400 * 800 - 100 * 100, 400 * 800]
    assert "regions.xml: regions that are cut out of the others: 1" in polygons.notes


@pytest.mark.parametrize(
    ("text", "phrase"),
    [
        ("<svg/>", "is XML <svg>, not annotations of ASAP, ImageScope or HALO"),
        ("<annotations><ndpviewstate/></annotations>", "NDP.view writes nm from the centre of the slide"),
        ("<Annotations/>", "is XML <Annotations>"),
        (asap(), "has no region with a class, but no region"),
        (layers(layer("", region(LEFT, "V", "Polygon"))), "but 1 without a class"),
        (asap(asap_annotation([(1, 2), (3, 4)], "Tumor")), "but 1 without an area"),
        (TWO["HALO"].replace('X="150"', 'X="left"'), "has the coordinate X='left'"),
        (TWO["HALO"].replace('X="150"', 'X="nan"'), "has the coordinate X='nan'"),
        ("<!DOCTYPE html><html></html>", "is a web page"),
    ],
)
def test_other_xml_is_refused_by_name_with_a_remedy(tmp_path: Path, text: str, phrase: str) -> None:
    with pytest.raises(LabelError, match=phrase.replace("(", r"\(")) as caught:
        read(tmp_path, text)
    assert "regions.xml" in str(caught.value)
    assert caught.value.hint
