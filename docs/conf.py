"""The site of the documentation: `make docs` writes it to build/site. The source is the repository itself."""

from __future__ import annotations

import importlib.metadata
import re
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sphinx.application import Sphinx

project = "Touchstone"
author = "the Touchstone developers"
copyright = author
release = importlib.metadata.version("touchstone-bench")
extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon", "sphinx.ext.mathjax", "sphinx_copybutton"]
source_suffix = {".md": "markdown", ".rst": "restructuredtext"}
include_patterns = ["*.md", "docs/**.md", "docs/**.rst", "results/README.md", "results/reference/*.md"]
root_doc = "docs/index"
html_theme = "furo"
html_title = "Touchstone"
html_static_path = [str(folder) for folder in [Path(__file__).parents[1] / "build" / "static"] if folder.exists()]
mathjax_path = "mathjax/tex-svg.js"
myst_enable_extensions = ["dollarmath"]
myst_heading_anchors = 4
autodoc_typehints = "description"
copybutton_selector = "div.highlight-console pre, div.highlight-yaml pre, div.highlight-python pre"
default_role = "code"
suppress_warnings = [
    "toc.not_included",
    "myst.header",
]  # the reports of reference runs: reached by links, below a title


def setup(app: Sphinx) -> None:
    """Let the tables of pages that an index shows be its table of contents too; stars in docstrings are stars."""
    app.connect("source-read", _with_contents)
    app.connect("autodoc-process-docstring", _with_plain_stars)
    app.connect("build-finished", _with_start)


def _with_contents(app: Sphinx, name: str, source: list[str]) -> None:
    if name in ("docs/index", "docs/articles/index"):
        pages = dict.fromkeys(re.findall(r"^\| \[[^\]]+\]\((\S+?)\.md\)", source[0], re.M))
        listed = [*pages, *(["api"] if name == root_doc else [])]
        source[0] += "\n".join(["\n```{toctree}", ":hidden:", *listed, "```", ""])


def _with_plain_stars(app: Sphinx, what: str, name: str, thing: object, options: object, lines: list[str]) -> None:
    lines[:] = [re.sub(r"(`[^`]*`)|\*", lambda found: found[1] or r"\*", line) for line in lines]


def _with_start(app: Sphinx, error: Exception | None) -> None:
    start = '<!doctype html><meta charset="utf-8"><meta http-equiv="refresh" content="0; url=docs/index.html">'
    Path(app.outdir, "index.html").write_text(start)
