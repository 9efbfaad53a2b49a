# ruff: noqa: INP001 - Sphinx runs this file; it belongs to no package
"""Build the documentation: the pages as they are in the repository, and the API reference from the docstrings.

The build needs no network. Set ``SPACRD_DOCS_INTERSPHINX=1`` to link types to the documentation of other projects.
"""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel
from pygments.lexers.special import TextLexer

import spacrd_core
import spacrd_core.testing

if TYPE_CHECKING:
    from pathlib import Path

    from sphinx.application import Sphinx

REPOSITORY = "https://github.com/spacrd/spacrd"

project = "SpaCRD"
author = "The SpaCRD developers"
copyright = author  # noqa: A001 - Sphinx reads this name
version = release = spacrd_core.__version__

extensions = ["myst_nb", "sphinx.ext.autodoc", "sphinx.ext.napoleon"]
myst_enable_extensions = ["colon_fence"]
myst_heading_anchors = 4  # the anchors that GitHub makes
nb_execution_mode = "off"  # tests/docs/test_notebooks.py runs them; the pages show what is stored
highlight_language = "none"  # a block without a language is output or a drawing

# autodoc changes the annotations of pydantic's classes as it reads; a model made after that fails. All are made here.
for name in spacrd_core.__all__:
    getattr(spacrd_core, name)
autodoc_default_options = {"member-order": "bysource", "exclude-members": "model_config"}
autodoc_preserve_defaults = True
autodoc_typehints_format = "short"
autodoc_class_signature = "mixed"
napoleon_google_docstring = False
napoleon_use_ivar = True
python_maximum_signature_line_length = 80

if os.environ.get("SPACRD_DOCS_INTERSPHINX"):
    extensions.append("sphinx.ext.intersphinx")
    intersphinx_mapping = {
        "python": ("https://docs.python.org/3", None),
        "numpy": ("https://numpy.org/doc/stable", None),
        "pandas": ("https://pandas.pydata.org/docs", None),
        "anndata": ("https://anndata.readthedocs.io/en/stable", None),
        "torch": ("https://docs.pytorch.org/docs/stable", None),
    }

html_theme = "sphinx_book_theme"
html_title = f"SpaCRD {release}"
html_static_path = ["_static"]
html_css_files = ["site.css"]
html_theme_options = {
    "repository_url": REPOSITORY,
    "repository_branch": "main",
    "path_to_docs": "docs",
    "use_repository_button": True,
    "use_source_button": True,
    "use_issues_button": True,
    "show_toc_level": 2,
    "navbar_persistent": [],  # the search is in the sidebar
}

# Links are written as they work in the repository; these are their targets on the site.
SITE = {
    "docs/": "/",
    "README.md": "/index.md",
    "CHANGELOG.md": "/project/changelog.md",
    "CONTRIBUTING.md": "/project/contributing.md",
    "CODE_OF_CONDUCT.md": "/project/conduct.md",
    "SECURITY.md": "/project/security.md",
    "CITATION.cff": f"{REPOSITORY}/blob/main/CITATION.cff",
    "LICENSE": f"{REPOSITORY}/blob/main/LICENSE",
}
ROOT_LINK = re.compile(rf"\]\((?:\.\./)*({'|'.join(map(re.escape, SITE))})")


def point_at_site(text: str) -> str:
    """Return the text with its links to ``docs/`` and to files of the root pointed at the site."""
    return ROOT_LINK.sub(lambda link: f"]({SITE[link[1]]}", text)


def on_source_read(_app: Sphinx, _page: str, source: list[str]) -> None:
    """Point the links of a page at the site."""
    source[0] = point_at_site(source[0])


def on_include_read(_app: Sphinx, _file: Path, _page: str, content: list[str]) -> None:
    """Point the links of an included file at the site."""
    content[0] = point_at_site(content[0])


def describe_fields(_app: Sphinx, what: str, _name: str, item: Any, _options: Any, lines: list[str]) -> None:
    """Add the descriptions of a pydantic model's fields to its docstring; they are in the model alone."""
    if what == "class" and issubclass(item, BaseModel) and item.model_fields:
        lines += ["", "Parameters", "----------"]
        for name, field in item.model_fields.items():
            lines += [name, f"    {field.description or ''}"]


def setup(app: Sphinx) -> None:
    """Connect the functions above."""
    app.connect("source-read", on_source_read)
    app.connect("include-read", on_include_read)
    app.connect("autodoc-process-docstring", describe_fields, priority=400)  # before napoleon reads the sections
    app.add_lexer("csv", TextLexer)
