"""The copy-number profile of a section as a picture: arms along the genome, tumour-like tissue against the rest."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

import numpy as np
from matplotlib import rc_context
from matplotlib.figure import Figure

from spacrd_core.copy_number.positions import human_positions
from spacrd_core.copy_number.result import MIN_GENES
from spacrd_core.errors import InputError
from spacrd_core.outputs import has_signature

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from matplotlib.axes import Axes

    from spacrd_core.copy_number.result import ArmChange, CopyNumber, Segment
    from spacrd_core.results.result import SectionResult

PICTURE_FORMATS = ("png", "svg", "pdf")
INCHES, DPI = (11.0, 3.0), 200
AXES = (0.06, 0.13, 0.935, 0.85)  # left, bottom, width and height without a title, in shares of the picture
GAIN, LOSS, STEADY, RUN = "#b2182b", "#2166ac", "#555555", "#b0b0b0"
SHADE, LINE = "#f2f2f2", "#999999"
BEHIND_NAMES = {"facecolor": "white", "edgecolor": "none", "alpha": 0.7, "pad": 0.5}  # lines may cross a name
MIN_LIMIT = 0.3  # log2 ratio: noise must not fill the picture
METADATA = {  # undated; the maker is the signature of a file
    "png": {"Software": "SpaCRD"},
    "svg": {"Date": None, "Creator": "SpaCRD"},
    "pdf": {"CreationDate": None, "Creator": "SpaCRD"},
}
SIGNATURE, SIGNATURE_BYTES = b"SpaCRD", 4096  # near the beginning of a file, or the end of a PDF


def write_profile(result: SectionResult, path: Path) -> None:
    """Write the profile as a picture; the suffix of the path is the format."""
    figure = draw_profile(result.copy_number, title=f"{result.section_id}: {result.copy_number.sentence}")
    _save(figure, path, path.suffix.removeprefix("."))


def is_own_profile(path: Path) -> bool:
    """Return whether a file is empty, or a picture that SpaCRD has drawn."""
    if not has_signature(path):
        return False
    with path.open("rb") as stream:
        beginning = stream.read(SIGNATURE_BYTES)
        stream.seek(max(path.stat().st_size - SIGNATURE_BYTES, 0))
        return not beginning or SIGNATURE in beginning or SIGNATURE in stream.read()


def profile_unsupported(result: SectionResult) -> InputError | None:
    """Return why a section has no profile; None if it has one."""
    copy_number = result.copy_number
    if copy_number.segments:
        return None
    return InputError(
        f"section '{result.section_id}' has no copy-number profile: {copy_number.unknown_reason}",
        hint=f"a profile needs {MIN_GENES} well measured genes of a human section, and calls of this version of SpaCRD",
    )


def profile_svg(copy_number: CopyNumber) -> bytes:
    """Return the profile as SVG, without a title."""
    buffer = io.BytesIO()
    _save(draw_profile(copy_number), buffer, "svg")
    return buffer.getvalue()


def draw_profile(copy_number: CopyNumber, title: str = "") -> Figure:
    """Return a figure of the profile: runs of genes as thin lines, arms as thick ones, coloured if gained or lost."""
    figure = Figure(figsize=INCHES, dpi=DPI, layout="constrained" if title else None)  # a title may need two lines
    axes = figure.add_subplot() if title else figure.add_axes(AXES)
    starts = _draw_chromosomes(axes)
    _draw_runs(axes, copy_number.segments, starts)
    for arm in copy_number.arms:
        _draw_arm(axes, arm, _extent([run for run in copy_number.segments if run.arm == arm.arm], starts))
    values = [part.log2_ratio for part in copy_number.segments] + [arm.log2_ratio for arm in copy_number.arms]
    limit = 1.2 * max(np.abs(values).max(initial=0.0), MIN_LIMIT)
    axes.set(ylim=(-limit, limit), ylabel="log2 ratio, tumour-like / rest", xlabel="chromosome")
    axes.axhline(0, color=LINE, linewidth=0.8, zorder=0)
    axes.set_title(title, loc="left", fontsize=10, parse_math=False, wrap=True)
    return figure


def _draw_runs(axes: Axes, runs: Sequence[Segment], starts: dict[str, float]) -> None:
    """Draw all runs as one collection: matplotlib takes most of its time for single lines."""
    first, last = np.array([_extent([run], starts) for run in runs]).reshape(-1, 2).T
    axes.hlines([run.log2_ratio for run in runs], first, last, colors=RUN, linewidth=1.5)


def _draw_arm(axes: Axes, arm: ArmChange, extent: tuple[float, float]) -> None:
    """Draw the mean of an arm, with its name if it is gained or lost."""
    if not arm.changed:
        _draw_line(axes, extent, arm.log2_ratio, STEADY, width=1.5)
        return
    colour, side, offset = (GAIN, "bottom", 4) if arm.log2_ratio > 0 else (LOSS, "top", -4)
    _draw_line(axes, extent, arm.log2_ratio, colour, width=3)
    axes.annotate(
        arm.short_name,
        (sum(extent) / 2, arm.log2_ratio),
        (0, offset),
        textcoords="offset points",
        ha="center",
        va=side,
        fontsize=9,
        color=colour,
        bbox=BEHIND_NAMES,
    )


def _draw_line(axes: Axes, extent: tuple[float, float], height: float, colour: str, *, width: float) -> None:
    axes.plot(extent, (height, height), color=colour, linewidth=width)


def _extent(runs: list[Segment], starts: dict[str, float]) -> tuple[float, float]:
    """The first and last position of neighbouring runs along the picture."""
    start = starts[runs[0].chromosome]
    return start + runs[0].start, start + runs[-1].end


def _draw_chromosomes(axes: Axes) -> dict[str, float]:
    """Shade every other chromosome and mark the centromeres; return where each chromosome starts."""
    positions = human_positions()
    ends = positions.start + positions.length
    starts: dict[str, float] = {}
    at = 0.0
    for chromosome in np.unique(positions.chromosome).tolist():
        length = float(ends[positions.chromosome == chromosome].max())
        short_arm = float(ends[positions.arm == f"{chromosome}p"].max(initial=0))
        if chromosome % 2:
            axes.axvspan(at, at + length, color=SHADE, linewidth=0, zorder=0)
        axes.axvline(at + short_arm, color=LINE, linewidth=0.5, linestyle=":", zorder=0)
        axes.text(
            at + length / 2, -0.03, chromosome, transform=axes.get_xaxis_transform(), ha="center", va="top", size=8
        )
        starts[f"chr{chromosome}"] = at
        at += length
    axes.set(xlim=(0, at), xticks=[])
    axes.xaxis.labelpad = 14
    axes.spines[["top", "right"]].set_visible(False)
    return starts


def _save(figure: Figure, target: Path | io.BytesIO, form: str) -> None:
    """Save a figure: text stays text, and equal profiles give equal files."""
    with rc_context({"svg.fonttype": "none", "svg.hashsalt": "spacrd"}):
        figure.savefig(target, format=form, metadata=METADATA[form])
