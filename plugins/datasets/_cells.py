"""Values of typed columns as the texts that a CSV file would hold."""

from __future__ import annotations

from collections.abc import Iterable


def cells(values: Iterable[object]) -> list[str]:
    """Return each value as a text, a missing one (None, NaN) as an empty text."""
    return ["" if value is None or value != value else str(value).strip() for value in values]
