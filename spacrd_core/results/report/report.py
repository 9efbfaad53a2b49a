"""The report: one HTML file that needs nothing else, neither other files nor a network."""

from __future__ import annotations

import base64
import hashlib
from importlib import resources
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import jinja2
from markupsafe import Markup
from matplotlib import colormaps
from matplotlib.colors import to_hex

from spacrd_core.files import sync
from spacrd_core.results.report.reliability_view import SIDE, never_held_out, view_reliability
from spacrd_core.results.report.viewport import PALETTE
from spacrd_core.results.result import CLASSES, TOPS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

    from spacrd_core.results.report.section_view import SectionView
    from spacrd_core.results.result import Provenance

SHADES = 64
STYLES = ("page.css", "stage.css", "print.css")
SCRIPTS = ("calls.js", "draw.js", "camera.js", "report.js")


def write_report(
    path: Path,
    sections: Sequence[SectionView],
    provenance: Provenance,
    *,
    reliability: Mapping[str, Mapping[str, Any]] | None = None,
) -> None:
    """Write the cohort's table, every section's picture and calls, and where they come from.

    An earlier report stays as it was until this one is whole.
    ``reliability`` holds, by platform, how reliable the detector's probabilities were on patients held out, as its
    ``metrics.json`` has it, and nothing where no patient was held out; None leaves this out of the report.
    """
    style, script = _static(*STYLES), _static(*SCRIPTS)
    held_out = view_reliability(reliability or {})
    page = _template().render(
        sections=sections,
        provenance=provenance,
        reliability=None if reliability is None else held_out,
        unmeasured=never_held_out((str(section.summary["platform"]) for section in sections), held_out),
        side=SIDE,
        strange=[section.summary["section"] for section in sections if section.summary["unlike_training"]],
        tops=TOPS,
        classes=[kind.name for kind in CLASSES.values()],
        palette=[to_hex(colour) for colour in colormaps[PALETTE].resampled(SHADES)(range(SHADES))],
        style=Markup(style),  # noqa: S704 - files of this package
        script=Markup(script),  # noqa: S704 - files of this package
        policy=f"default-src 'none'; img-src data:; style-src {_source(style)}; script-src {_source(script)}",
    )
    _replace(path, page)


def _replace(path: Path, text: str) -> None:
    with TemporaryDirectory(prefix=".spacrd-", dir=path.parent) as aside:
        made = Path(aside) / path.name
        made.write_text(text, encoding="utf-8")
        sync(made)
        made.replace(path)


def _template() -> jinja2.Template:
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("spacrd_core.results"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.policies["json.dumps_kwargs"] = {"allow_nan": False, "separators": (",", ":")}
    return environment.get_template("report.html.j2")


def _static(*names: str) -> str:
    """Return some files of ours as one text."""
    folder = resources.files("spacrd_core.results") / "templates"
    return "\n".join((folder / name).read_text(encoding="utf-8") for name in names)


def _source(text: str) -> str:
    """Return what a content security policy calls this text: nothing but ours runs, whatever slips into the page."""
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"
