"""An HTML page of the report: self-contained, it loads no other file and needs no network."""

from __future__ import annotations

import base64
import hashlib
from functools import cache
from importlib import resources
from typing import TYPE_CHECKING, Any

import jinja2
from markupsafe import Markup

from spacrd_core.replacement import replace_text

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path


def write_page(path: Path, template: str, *, styles: Sequence[str], scripts: Sequence[str], **values: Any) -> None:
    """Write a page from a template, its style sheets and its scripts; it replaces an earlier one when it is complete.

    The policy of the page allows its own style and script, pictures within the page, and nothing else.
    """
    style, script = _read_assets(*styles), _read_assets(*scripts)
    policy = f"default-src 'none'; img-src data:; style-src {_csp_hash(style)}; script-src {_csp_hash(script)}"
    text = _template(template).render(
        style=Markup(style),  # noqa: S704 - files of this package
        script=Markup(script),  # noqa: S704 - files of this package
        policy=policy,
        **values,
    )
    path.parent.mkdir(exist_ok=True)
    replace_text(path, text)


@cache
def _template(name: str) -> jinja2.Template:
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("spacrd_core.results"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.policies["json.dumps_kwargs"] = {"allow_nan": False, "separators": (",", ":")}
    return environment.get_template(name)


@cache
def _read_assets(*names: str) -> str:
    """Return template files of this package, concatenated."""
    folder = resources.files("spacrd_core.results") / "templates"
    return "\n".join((folder / name).read_text(encoding="utf-8") for name in names)


def _csp_hash(text: str) -> str:
    """Return the hash that allows this text, and no injected one, in the content security policy."""
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"
