"""A report as one HTML file that needs nothing else: no other file, no server, no network."""

from __future__ import annotations

import hashlib
from base64 import b64encode
from collections.abc import Sequence
from importlib.resources import files

from harness.report.html.content import Picture, Subject, part
from harness.report.html.matrix import beside
from harness.results import Run

__all__ = ["Picture", "Subject", "page", "render"]

TEMPLATE, STYLE, SCRIPT = "page.html", "style.css", "script.js"


def render(run: Run, width: int | None = None) -> str:
    """Render a run without figures, which need the folder of its records; `width` is not used."""
    remark = "Figures need the records of the run: bench report RUN --format html draws them."
    return page([Subject(run, remark=remark)])


def page(subjects: Sequence[Subject]) -> str:
    """Render one run, or several side by side.

    The page's own policy admits its style and its script by their digests, images inside it, and nothing else, so that
    no name in a result can become code.
    """
    from jinja2 import Environment, PackageLoader, StrictUndefined

    made = Environment(
        loader=PackageLoader(__name__, "."),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    parts = [part(subject, f"r{number}-") for number, subject in enumerate(subjects, 1)]
    style, script = (files(__name__).joinpath(name).read_text("utf-8") for name in (STYLE, SCRIPT))
    content = {"style": style, "script": script, "style_hash": _digest(style), "script_hash": _digest(script)}
    runs = beside([each.view for each in parts], [each.prefix for each in parts])
    return made.get_template(TEMPLATE).render(parts=parts, beside=runs, **content)


def _digest(text: str) -> str:
    """Return the digest of a script or style, as a content security policy names it."""
    return f"sha256-{b64encode(hashlib.sha256(text.encode()).digest()).decode()}"
