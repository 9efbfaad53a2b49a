"""What every platform reader must satisfy, with and without an example to read."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from spacrd_core.contracts.expect import expect, expect_options
from spacrd_core.errors import ContractError, InputError
from spacrd_core.section.section import Given, Section, Verdict

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from spacrd_core.section.section import Reader

TOLERANCE = 0.02  # between the um/px a section states and the one its positions have


def check_reader(reader: Reader, example: Path | None = None, given: Given | None = None) -> None:
    """Check everything a reader promises; an example is read and its section checked.

    Raises
    ------
    ContractError
        With the first promise that is broken.
    """
    for check in READER_CHECKS:
        check(reader)
    if example is not None:
        section = read_example(reader, example, given)
        for check_section in SECTION_CHECKS:
            check_section(section)


def has_options(reader: Reader) -> None:
    """Its options are a model that refuses unknown settings."""
    expect_options(reader)


def refuses_nonsense(reader: Reader) -> None:
    """It recognises no nonsense, raises nothing at it, and says why not."""
    for path in _nonsense():
        verdict = reader.recognises(path)
        expect(isinstance(verdict, Verdict), f"recognises must return a Verdict, not {verdict!r}")
        expect(not verdict, f"recognises must refuse {path.name}, which is no section")
        expect(verdict.reason, f"recognises must say why it refuses {path.name}")


def explains_what_it_cannot_read(reader: Reader) -> None:
    """Reading nonsense raises an input error, nothing else."""
    for path in _nonsense():
        try:
            reader.read(path, Given())
        except InputError:
            continue
        except Exception as error:
            raise ContractError(
                f"reading {path.name} must raise an InputError, it raised {type(error).__name__}: {error}"
            ) from error
        raise ContractError(f"reading {path.name} must raise an InputError, it raised nothing")


def read_example(reader: Reader, example: Path, given: Given | None = None) -> Section:
    """Return the section of an example, which the reader must recognise."""
    verdict = reader.recognises(example)
    expect(verdict, f"recognises must accept the example {example}, it said: {verdict.reason}")
    section = reader.read(example, given or Given())
    expect(isinstance(section, Section), f"read must return a Section, not {type(section).__name__}")
    return section


def has_sizes(section: Section) -> None:
    """The section says its platform, um/px, spot size and shape, and pitch."""
    expect(section.platform, "a section must name its platform")
    sizes = {name: getattr(section, name) for name in ("um_per_px", "spot_um", "pitch_um")}
    expect(all(np.isfinite(size) and size > 0 for size in sizes.values()), f"sizes must be positive, not {sizes}")
    expect(section.spot_shape in ("disc", "square"), f"a spot is a 'disc' or a 'square', not {section.spot_shape!r}")


def has_raw_counts(section: Section) -> None:
    """Counts are whole numbers in CSR, spots by genes, and both axes have names of their own."""
    counts = section.counts
    layout = getattr(counts.X, "format", type(counts.X).__name__)
    expect(layout == "csr", f"counts must be sparse CSR of shape {counts.shape}, not {layout}")
    values = counts.X.data
    expect((values >= 0).all() and (values == np.rint(values)).all(), "counts must be whole numbers, none below 0")
    for axis, names in (("spot", counts.obs_names), ("gene", counts.var_names)):
        expect(len(names) > 0 and names.is_unique, f"every {axis} must have a name of its own, {len(names)} were given")
    _expect_columns("var", counts.var, ("symbol", "gene_id"))


def has_positions(section: Section) -> None:
    """Spots have positions in um and in px, which agree with the um/px, and lie a pitch apart."""
    spots = section.counts.obs
    _expect_columns("obs", spots, ("x_um", "y_um", "x_px", "y_px"))
    um, px = (spots[[f"x_{unit}", f"y_{unit}"]].to_numpy(dtype=float) for unit in ("um", "px"))
    expect(np.isfinite(um).all() and np.isfinite(px).all(), "positions must be finite")
    if len(spots) < 2:
        return
    found = float(np.linalg.norm(um.std(axis=0)) / np.linalg.norm(px.std(axis=0)))  # the frames may be turned
    agrees = abs(found / section.um_per_px - 1) < TOLERANCE
    expect(agrees, f"um_per_px is {section.um_per_px:.4g}, but the positions in um and px differ by {found:.4g}")
    pitch = _nearest(um)
    agrees = abs(pitch / section.pitch_um - 1) < 0.15
    expect(agrees, f"pitch_um is {section.pitch_um:.4g}, but neighbouring spots lie {pitch:.4g} um apart")


def has_a_slide_that_fits(section: Section) -> None:
    """The image, if any, exists, and its um/px and scale agree with the section's um/px."""
    if section.slide is None:
        return
    expect(section.slide.path.exists(), f"the slide {section.slide.path} does not exist")
    found = section.slide.um_per_px * section.slide.scale
    agrees = abs(found / section.um_per_px - 1) < TOLERANCE
    expect(
        agrees, f"the slide's um_per_px x scale must be the section's um_per_px {section.um_per_px:.4g}: {found:.4g}"
    )


def says_where_it_comes_from(section: Section) -> None:
    """Every file that was read is named, with its checksum."""
    expect(section.sources, "a section must name the files it was read from (Source.of)")
    for source in section.sources:
        expect(len(source.sha256) == 64, f"the source {source.path} must have a SHA-256, not {source.sha256!r}")


def _nonsense() -> Iterator[Path]:
    """Give a path that does not exist, an empty folder, and files of noise."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        noise = np.random.default_rng(0).integers(0, 256, 4096, dtype=np.uint8).tobytes()
        for file in ("noise.bin", "noise.tsv.gz", "noise.h5", "noise.csv"):
            (folder / file).write_bytes(noise)
            yield folder / file
        (folder / "empty").mkdir()
        yield folder / "empty"
        yield folder / "absent"


def _expect_columns(table: str, frame: object, wanted: tuple[str, ...]) -> None:
    columns = list(getattr(frame, "columns", ()))
    missing = [name for name in wanted if name not in columns]
    expect(not missing, f"counts.{table} must have the columns {', '.join(wanted)}; missing: {', '.join(missing)}")


def _nearest(um: np.ndarray[tuple[int, ...], np.dtype[np.float64]]) -> float:
    from scipy.spatial import cKDTree  # noqa: PLC0415 - heavy, and only here

    distances, _ = cKDTree(um).query(um, k=2)
    return float(np.median(distances[:, 1]))


READER_CHECKS: tuple[Callable[[Reader], None], ...] = (has_options, refuses_nonsense, explains_what_it_cannot_read)
SECTION_CHECKS: tuple[Callable[[Section], None], ...] = (
    has_sizes,
    has_raw_counts,
    has_positions,
    has_a_slide_that_fits,
    says_where_it_comes_from,
)
