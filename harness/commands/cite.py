"""References of a run: BibTeX of the components that it used, as they were when it was measured, and of Touchstone."""

from __future__ import annotations

from harness.discovery.references import merged
from harness.results import Run

TOOL = """@misc{{touchstone, author = {{{{The Touchstone maintainers}}}}, title = {{Touchstone: Honest Comparison of
  Machine-Learning Methods}}, note = {{Version {version}}}, year = {{2026}}}}"""
"""BibTeX of the program, of the version that measured the run, or that reads it where another program has."""


def bibliography(run: Run) -> str:
    """Return every entry once, sorted by key."""
    from harness import __version__

    tool = TOOL.format(version=run.environment.get("harness") or __version__)  # imported numbers were compared by this
    return "\n\n".join(map(str, merged([tool, *run.references.values()]))) + "\n"


def without(run: Run) -> list[str]:
    """Return the components of a run that have no reference, as `kind name`."""
    return [name for name, text in run.references.items() if not text]
