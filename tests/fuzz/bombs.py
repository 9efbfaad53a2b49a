"""Small files that ask for hours or for all memory, of every kind that was found, and how each is read."""

import json
import random
import shutil
from collections.abc import Callable
from pathlib import Path

import h5py
import numpy as np
import pyarrow as pa
from bundles.labelled import annotation
from bundles.visium import VisiumBundle
from pyarrow import parquet

from fuzz.label_seeds import labels
from fuzz.seed import COARSE, LITTLE, Act, Seed, section, text
from fuzz.settings_seeds import SETTINGS
from fuzz.store_seeds import STORES

MILLION = 1_000_000
READS = {seed.name: seed for seed in (*SETTINGS, *STORES)}


def like(name: str, change: Act) -> Seed:
    """Return a seed whose whole files are changed before they are read."""
    seed = READS[name]

    def write(folder: Path) -> None:
        seed.write(folder)
        change(folder)

    return Seed(name, write, seed.read)


def sparse(name: str) -> Act:
    """Return how a file of a terabyte is made that has nothing on disk."""

    def write(folder: Path) -> None:
        with (folder / name).open("wb") as stream:
            stream.truncate(2**40)

    return write


def tangle(corners: int) -> str:
    """Return an outline whose every edge crosses a third of the others."""
    place = random.Random(1).random  # noqa: S311 - no secret
    ring = [[700 * place(), 700 * place()] for _ in range(corners)]
    return json.dumps([annotation([[*ring, ring[0]]])])


def strips(count: int) -> str:
    """Return bands across others, which leave a hole at every crossing."""
    ends = [(700 * number / count, 700 * (number + 0.5) / count) for number in range(count)]
    boxes = [(0, first, 700, last) for first, last in ends] + [(first, 0, last, 700) for first, last in ends]
    corners = [[[a, b], [c, b], [c, d], [a, d], [a, b]] for a, b, c, d in boxes]
    return json.dumps([annotation([ring]) for ring in corners])


def visium(change: Callable[[Path], object], **facts: object) -> Act:
    """Return how a Visium run is written that is changed then."""

    def write(folder: Path) -> None:
        facts.update(tissue=LITTLE, pose=COARSE, rows=7, columns=16, images=())
        VisiumBundle(**facts).write(folder)  # type: ignore[arg-type]
        change(folder)

    return write


def long_barcode(folder: Path) -> None:
    """Name one spot with a megabyte: as an array, the names of all spots would have one."""
    file = folder / "spatial" / "tissue_positions.csv"
    header, first, *rows = file.read_text().split("\n")
    far = "".join(f"{'A' * 12}{n:04d}-1,0,0,0,0,0\n" for n in range(5000))
    file.write_text("\n".join([header, "A" * MILLION + first, *rows]) + far)


def long_texts(folder: Path) -> None:
    """Say a hundred thousand times in a parquet file that a name has a megabyte."""
    file = folder / "spatial" / "tissue_positions.parquet"
    rows = 100_000
    names = pa.DictionaryArray.from_arrays(pa.array(np.zeros(rows, dtype="i4")), pa.array(["A" * MILLION]))
    others = dict.fromkeys(parquet.read_schema(file).names, pa.array(np.ones(rows)))
    parquet.write_table(pa.table(others | {"barcode": names}), file, store_schema=False)


def wide_features(folder: Path) -> None:
    """Give one row of a list of features a million cells: as a table, all rows would have them."""
    file = next(folder.rglob("features.tsv*"))
    lines = file.read_text().split("\n")
    file.write_text("\n".join([lines[0] + "\t" * MILLION, *lines[1:]]))


def twice_compressed(folder: Path) -> None:
    """Compress counts twice in an HDF5 file: a megabyte could hold a terabyte."""
    with h5py.File(folder / "filtered_feature_bc_matrix.h5", "r+") as file:
        values = file["matrix/data"][:]
        del file["matrix/data"]
        settings = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
        settings.set_chunk(values.shape)
        settings.set_deflate(9)
        settings.set_deflate(9)
        kind, space = h5py.h5t.py_create(values.dtype), h5py.h5s.create_simple(values.shape)
        stored = h5py.Dataset(h5py.h5d.create(file["matrix"].id, b"data", kind, space, settings))
        stored[:] = values


def many_chunks(folder: Path) -> None:
    """Declare shards of a billion chunks, whose index alone has sixteen gigabytes."""
    level = next((folder / "store" / "slides").rglob("0/zarr.json"))
    facts = json.loads(level.read_bytes())
    facts["chunk_grid"]["configuration"]["chunk_shape"] = [3, 2**15, 2**15]
    facts["codecs"][0]["configuration"]["chunk_shape"] = [3, 1, 1]
    level.write_text(json.dumps(facts))
    shutil.rmtree(level.with_name("c"))


CELLS = ",".join(f"c{number}" for number in range(300_000))
BOMBS = {
    "a config of a terabyte": like("config", sparse("a.toml")),
    "gene lists of a terabyte": like("gene lists", sparse("a.toml")),
    "a list of sections of a terabyte": like("cohort", sparse("a.csv")),
    "a manifest of a terabyte": like("store", sparse("store/spacrd.json")),
    "a detector's config of a terabyte": like("detector", sparse("detector/config.json")),
    "figures of a terabyte": like("detector", sparse("detector/metrics.json")),
    "labels of a terabyte": Seed("", sparse("a.csv"), labels("a.csv")),
    "a key of many parts": Seed("", text("a.toml", "a" + ".a" * 200_000 + " = 1\n"), READS["config"].read),
    "a table of many parts": Seed("", text("a.toml", "[a" + ".a" * 200_000 + "]\n"), READS["config"].read),
    "many unknown settings": Seed(
        "", text("a.toml", "".join(f"first_sed{n} = 1\n" for n in range(50_000))), READS["config"].read
    ),
    "many columns of a list of sections": Seed("", text("a.csv", f"path,{CELLS}\n{CELLS}\n"), READS["cohort"].read),
    "a row of labels without end": Seed("", text("a.csv", "id,label\n" + "," * 10 * MILLION), labels("a.csv")),
    "an outline that crosses itself": Seed("", text("a.geojson", tangle(1000)), labels("a.geojson")),
    "outlines that cross each other": Seed("", text("a.geojson", strips(3000)), labels("a.geojson")),
    "elements of XML": Seed("", text("a.xml", "<Annotations>" + "<a/>" * 20 * MILLION), labels("a.xml")),
    "a long name of a spot": Seed("", visium(long_barcode), section("visium")),
    "a long text in parquet": Seed("", visium(long_texts, positions="tissue_positions.parquet"), section("visium")),
    "a wide list of features": Seed("", visium(wide_features, matrix="mex"), section("visium")),
    "counts compressed twice": Seed("", visium(twice_compressed), section("visium")),
    "shards of many chunks": like("signed store", many_chunks),
}
