"""The contract of platform readers, with and without an example section."""

from __future__ import annotations

import tempfile
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from PIL import Image

from spacrd_core.contracts.expect import expect, expect_options
from spacrd_core.errors import ContractError, InputError
from spacrd_core.plugin_errors import PASSED_ON, describe_error
from spacrd_core.section.section import ImageInputs, Recognition, Section

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from spacrd_core.section.section import Reader

MPP_TOLERANCE = 0.02  # relative difference between the um/px of a section and that of its positions
PITCH_TOLERANCE = 0.15
SCALE_TOLERANCE = 1e-6
BLANK_PX = 1000  # longest side of the image that is given with an example without one


class Example(NamedTuple):
    """A reader, the path of a section that it reads, and what the user gives besides the path."""

    reader: Reader
    path: Path
    inputs: ImageInputs = ImageInputs()


def check_reader(reader: Reader, example: Path | None = None, inputs: ImageInputs | None = None) -> None:
    """Run all checks on a reader, and on the section of an example if there is one.

    Raises
    ------
    ContractError
        For the first check that fails.
    """
    for check in READER_CHECKS:
        check(reader)
    if example is not None:
        section = read_example(reader, example, inputs)
        for check_section in SECTION_CHECKS:
            check_section(section)
        for check_example in EXAMPLE_CHECKS:
            check_example(Example(reader, example, inputs or ImageInputs()))


def has_options(reader: Reader) -> None:
    """The options are a model that rejects unknown settings."""
    expect_options(reader)


def rejects_unreadable_paths(reader: Reader) -> None:
    """Unreadable paths are not recognised, with a reason and without an exception."""
    for path in _unreadable_paths():
        recognition = reader.recognises(path)
        expect(isinstance(recognition, Recognition), f"recognises must return a Recognition, found {recognition!r}")
        expect(not recognition, f"recognises must reject {path.name}, which is not a section")
        expect(recognition.reason, f"recognises must give a reason for rejecting {path.name}")


def raises_input_errors(reader: Reader) -> None:
    """Reading an unreadable path raises an input error and no other error."""
    for path in _unreadable_paths():
        try:
            reader.read(path, ImageInputs())
        except InputError:
            continue
        except PASSED_ON:
            raise
        except BaseException as error:
            raise ContractError(
                f"reading {path.name} must raise an InputError, but raised {describe_error(error)}"
            ) from error
        raise ContractError(f"reading {path.name} must raise an InputError, but raised nothing")


def read_example(reader: Reader, example: Path, inputs: ImageInputs | None = None) -> Section:
    """Return the section of an example, which the reader must recognise."""
    recognition = reader.recognises(example)
    expect(recognition, f"recognises must accept the example {example}, but rejected it: {recognition.reason}")
    section = reader.read(example, inputs or ImageInputs())
    expect(isinstance(section, Section), f"read must return a Section, found {type(section).__name__}")
    return section


def has_sizes(section: Section) -> None:
    """The section has a platform, um/px, spot size and shape, and a pitch."""
    expect(section.platform, "a section must name its platform")
    sizes = {name: getattr(section, name) for name in ("um_per_px", "spot_um", "pitch_um")}
    expect(all(np.isfinite(size) and size > 0 for size in sizes.values()), f"sizes must be positive, found {sizes}")
    expect(
        section.spot_shape in ("disc", "square"), f"spot_shape must be 'disc' or 'square', found {section.spot_shape!r}"
    )


def has_raw_counts(section: Section) -> None:
    """Counts are whole numbers in CSR, spots by genes, and the names of both axes are unique."""
    counts = section.counts
    layout = getattr(counts.X, "format", type(counts.X).__name__)
    expect(layout == "csr", f"counts must be sparse CSR of shape {counts.shape}, found {layout}")
    values = counts.X.data
    expect((values >= 0).all() and (values == np.rint(values)).all(), "counts must be whole numbers and not negative")
    for axis, names in (("spot", counts.obs_names), ("gene", counts.var_names)):
        expect(names.is_unique, f"every {axis} must have a unique name, found {len(names)} names")
    expect(len(counts.obs_names) > 0, "a section must have spots")
    expect(len(counts.var_names) > 0 or section.slide, "a section must have genes or a slide")
    _expect_columns("var", counts.var, ("symbol", "gene_id"))


def has_positions(section: Section) -> None:
    """Spots have positions in um and px that agree with the um/px, and neighbours are one pitch apart."""
    spots = section.counts.obs
    _expect_columns("obs", spots, ("x_um", "y_um", "x_px", "y_px"))
    um, px = (spots[[f"x_{unit}", f"y_{unit}"]].to_numpy(dtype=float) for unit in ("um", "px"))
    expect(np.isfinite(um).all() and np.isfinite(px).all(), "positions must be finite")
    if len(spots) < 2:
        return
    measured = float(np.linalg.norm(um.std(axis=0)) / np.linalg.norm(px.std(axis=0)))  # the frames may be rotated
    agrees = abs(measured / section.um_per_px - 1) < MPP_TOLERANCE
    expect(
        agrees, f"um_per_px is {section.um_per_px:.4g}, but the ratio of the positions in um and px is {measured:.4g}"
    )
    pitch = _neighbour_distance(um)
    agrees = abs(pitch / section.pitch_um - 1) < PITCH_TOLERANCE
    expect(agrees, f"pitch_um is {section.pitch_um:.4g}, but neighbouring spots are {pitch:.4g} um apart")


def has_a_slide_that_fits(section: Section) -> None:
    """The image, if any, exists, and its um/px and scale agree with the um/px of the section."""
    if section.slide is None:
        return
    expect(section.slide.path.exists(), f"the slide {section.slide.path} does not exist")
    product = section.slide.um_per_px * section.slide.scale
    agrees = abs(product / section.um_per_px - 1) < MPP_TOLERANCE
    expect(
        agrees,
        f"um_per_px x scale of the slide must be the section's um_per_px {section.um_per_px:.4g}, found {product:.4g}",
    )


def names_its_sources(section: Section) -> None:
    """The sources of the section list every file that was read, with its checksum."""
    expect(section.sources, "a section must name the files it was read from (Source.from_path)")
    expect(section.names_its_image, "a section with a slide must name its file as a source with the role 'image'")
    for source in section.sources:
        expect(len(source.sha256) == 64, f"the source {source.path} must have a SHA-256, found {source.sha256!r}")


def uses_the_given_image_scale(example: Example) -> None:
    """An image scale given by the user becomes the scale of the slide, unless the reader refuses it."""
    reader, path, inputs = example
    with _image_to_give(read_example(reader, path, inputs)) as (image, scale):
        try:
            slide = reader.read(path, replace(inputs, image=image, image_scale=scale)).slide
        except InputError:
            return
    if slide is not None:
        kept = abs(slide.scale / scale - 1) < SCALE_TOLERANCE
        expect(kept, f"image_scale={scale:.4g} was given, but the scale of the slide is {slide.scale:.4g}")


@contextmanager
def _image_to_give(section: Section) -> Iterator[tuple[Path | None, float]]:
    """Yield the image of a section, or a blank one if it has none, and a scale that is not the image's own."""
    slide = section.slide
    if slide is not None:
        yield (None if slide.pixels is not None else slide.path), slide.scale / 2
        return
    width, height = section.counts.obs[["x_px", "y_px"]].to_numpy(dtype=float).max(axis=0)
    scale = BLANK_PX / max(width, height, 1.0)
    with tempfile.TemporaryDirectory() as name:
        file = Path(name) / "blank.png"
        Image.new("RGB", (BLANK_PX, BLANK_PX), "white").save(file)
        yield file, scale


def _unreadable_paths() -> Iterator[Path]:
    """Yield files of noise, an empty folder, and a path that does not exist."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        noise = np.random.default_rng(0).integers(0, 256, 4096, dtype=np.uint8).tobytes()
        for file in ("noise.bin", "noise.tsv.gz", "noise.h5", "noise.csv"):
            (folder / file).write_bytes(noise)
            yield folder / file
        (folder / "empty").mkdir()
        yield folder / "empty"
        yield folder / "absent"


def _expect_columns(table: str, frame: object, required: tuple[str, ...]) -> None:
    columns = list(getattr(frame, "columns", ()))
    missing = [name for name in required if name not in columns]
    expect(not missing, f"counts.{table} must have the columns {', '.join(required)}; missing: {', '.join(missing)}")


def _neighbour_distance(um: np.ndarray[tuple[int, ...], np.dtype[np.float64]]) -> float:
    from scipy.spatial import cKDTree  # noqa: PLC0415 - heavy, and only here

    distances, _ = cKDTree(um).query(um, k=2)
    return float(np.median(distances[:, 1]))


READER_CHECKS: tuple[Callable[[Reader], None], ...] = (has_options, rejects_unreadable_paths, raises_input_errors)
SECTION_CHECKS: tuple[Callable[[Section], None], ...] = (
    has_sizes,
    has_raw_counts,
    has_positions,
    has_a_slide_that_fits,
    names_its_sources,
)
EXAMPLE_CHECKS: tuple[Callable[[Example], None], ...] = (uses_the_given_image_scale,)
