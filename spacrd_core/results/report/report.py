"""The report: one self-contained HTML file that loads no other file and needs no network."""

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
from spacrd_core.results.report.reliability_view import (
    DIAGRAM_SIZE,
    build_reliability_views,
    platforms_without_held_out,
)
from spacrd_core.results.report.viewport import PALETTE
from spacrd_core.results.result import LABEL_NAMES, MODALITY_NAMES

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

    from spacrd_core.results.report.section_view import SectionView
    from spacrd_core.results.result import Provenance

PALETTE_STEPS = 64
STYLESHEETS = ("page.css", "stage.css", "print.css")
SCRIPTS = ("spots.js", "draw.js", "camera.js", "report.js")


def write_report(
    path: Path,
    sections: Sequence[SectionView],
    provenance: Provenance,
    *,
    reliability: Mapping[str, Mapping[str, Any]] | None = None,
) -> None:
    """Write the table of sections, the picture and calls of every section, and their provenance.

    The file replaces an earlier report only when it is complete. ``reliability`` is the detector's reliability on
    held-out patients by platform, as in its ``metrics.json``; it is empty if no patient was held out, and None leaves
    the chapter out.
    """
    style, script = _read_assets(*STYLESHEETS), _read_assets(*SCRIPTS)
    reliability_views = build_reliability_views(reliability or {})
    page = _template().render(
        sections=sections,
        provenance=provenance,
        reliability=None if reliability is None else reliability_views,
        without_held_out=platforms_without_held_out(
            (str(section.summary["platform"]) for section in sections), reliability_views
        ),
        side=DIAGRAM_SIZE,
        out_of_distribution=[section.summary["section"] for section in sections if section.summary["unlike_training"]],
        untrusted=[
            f"{section.summary['section']} ({section.summary['no_regions_reason']})"
            for section in sections
            if section.summary["no_regions_reason"] and not section.summary["unlike_training"]
        ],
        modalities=MODALITY_NAMES,
        labels=list(LABEL_NAMES.values()),
        palette=[to_hex(colour) for colour in colormaps[PALETTE].resampled(PALETTE_STEPS)(range(PALETTE_STEPS))],
        style=Markup(style),  # noqa: S704 - files of this package
        script=Markup(script),  # noqa: S704 - files of this package
        policy=f"default-src 'none'; img-src data:; style-src {_csp_hash(style)}; script-src {_csp_hash(script)}",
    )
    _replace_text(path, page)


def _replace_text(path: Path, text: str) -> None:
    with TemporaryDirectory(prefix=".spacrd-", dir=path.parent) as staging:
        staged = Path(staging) / path.name
        staged.write_text(text, encoding="utf-8")
        sync(staged)
        staged.replace(path)


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


def _read_assets(*names: str) -> str:
    """Return template files of this package, concatenated."""
    folder = resources.files("spacrd_core.results") / "templates"
    return "\n".join((folder / name).read_text(encoding="utf-8") for name in names)


def _csp_hash(text: str) -> str:
    """Return the hash that allows this text, and no injected one, in the content security policy."""
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"
