"""Values of one column of a CSV file: what its cells are, as float32 numbers."""

from __future__ import annotations

import math
import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Sequence
from decimal import Decimal, InvalidOperation
from typing import Any, Literal

import numpy
from numpy.typing import NDArray

from harness import BenchError

from ._csv_text import shown

Numbers = NDArray[numpy.float32]
Form = Literal["empty", "boolean", "number", "text"]

MISSING = frozenset({"", "na", "n/a", "#n/a", "<na>", "nan", "nat", "null", "none", "?"})
"""Cells without a value, in any case of letters."""

LONGEST = max(map(len, MISSING))

GROUPS = 4
"""Number of groups of texts, and of texts in a group, that a note shows."""

BOOLEAN = {"true": 1.0, "false": 0.0}
DECIMAL_COMMA = re.compile(r"[-+]?\d*,\d+")
LARGEST = float(numpy.finfo(numpy.float32).max)
FAR = 1024
"""Multiple of a column's spread up to which its values may lie from 0 and be differences of float64."""

ROUNDING = 16 * float(numpy.finfo(numpy.float64).eps)
SPREADS = (1e-30, 1e37)
"""Spreads at which float32 has room for the standardized column and its scale."""


def is_missing(cell: str) -> bool:
    """Return whether a cell is empty or a word for no value."""
    return len(cell) <= LONGEST and cell.lower() in MISSING


def numbers(cells: Sequence[str]) -> NDArray[numpy.float64] | None:
    """Return cells as numbers that float32 can hold; None if one of them is no such number, or there are none.

    Python's digits_with_underscores are no numbers here.
    """
    try:
        found = numpy.array(list(map(float, cells)))
    except ValueError:
        return None
    fits = len(cells) > 0 and bool((numpy.abs(found) <= LARGEST).all())
    return found if fits and not any("_" in cell for cell in cells) else None


def exact(text: str) -> Decimal | None:
    """Return a text as an exact number, so that long identifiers stay distinct; None if it is not a finite one."""
    try:
        value = Decimal(text)
    except InvalidOperation:
        return None
    return value if value.is_finite() and "_" not in text else None


def form(cells: Sequence[str]) -> Form:
    """Return what a column is by its cells with a value: numbers if half of them, or of the distinct ones, look so."""
    if not cells:
        return "empty"
    if all(cell.lower() in BOOLEAN for cell in cells):
        return "boolean"
    counts = Counter(cells)
    like = [cell for cell in counts if looks_like_number(cell)]
    most = 2 * len(like) >= len(counts) or 2 * sum(counts[cell] for cell in like) >= len(cells)
    return "number" if most else "text"


def looks_like_number(cell: str) -> bool:
    """Return whether a cell is meant as a number, even one that cannot be used: infinite, too large, with a comma."""
    try:
        float(cell.replace("_", ""))
    except ValueError:
        return DECIMAL_COMMA.fullmatch(cell) is not None
    return True


def problem(cell: str, name: str) -> str | None:
    """Return what is wrong with a cell of a column of numbers, or None."""
    if numbers([cell]) is not None:
        return None
    comma = ": a number has a point and no comma" if DECIMAL_COMMA.fullmatch(cell) else ""
    return f"{shown(cell)} in {shown(name)} is not a finite number{comma}"


def measured(
    values: NDArray[numpy.float64], cells: Sequence[str], name: str, centered: bool
) -> tuple[Numbers, str | None]:
    """Return a column of numbers [n], written as `cells`, in float32, and a note on it, or None.

    With `centered` the column's lower median, one of its values, is subtracted exactly, and the result does not depend
    on an offset of the whole column; else only where float32 could not hold the column otherwise. Raises BenchError
    for a column that is constant up to rounding, or that float32 cannot resolve even about its median.
    """
    spread, magnitude = float(numpy.ptp(values)), float(numpy.abs(values).max())
    if spread == 0 and len(set(map(Decimal, cells))) == 1:
        same = values - values[0] if centered else values
        return same.astype(numpy.float32), None
    middle = int(numpy.argsort(values, kind="stable")[(len(values) - 1) // 2])
    if spread <= ROUNDING * magnitude:
        about = f"spreads by {spread:.3g} about {cells[middle]}"
        raise BenchError(f"the column {shown(name)} is constant up to rounding: it {about}; ignore it")
    far = magnitude > FAR * spread
    fits = SPREADS[0] < spread < SPREADS[1]
    if fits and not centered and not far and resolved(values):
        return values.astype(numpy.float32), None
    if far:
        center = Decimal(cells[middle])
        gaps = numpy.array([float(Decimal(cell) - center) for cell in cells])
    else:
        gaps = values - values[middle]
    if not fits or not resolved(gaps):
        why = f"its {len(numpy.unique(gaps)):,} values spread by {spread:.3g} about {cells[middle]}"
        raise BenchError(f"float32 cannot resolve the column {shown(name)}: {why}; change its unit or ignore it")
    shifted = f"{cells[middle]} is subtracted from {shown(name)}, which float32 could not resolve otherwise"
    return gaps.astype(numpy.float32), None if centered else shifted


def resolved(values: NDArray[numpy.float64]) -> bool:
    """Return whether float32 keeps apart all but a fifth of the distinct values, at their own distances."""
    distinct = numpy.unique(values)
    gaps = numpy.diff(distinct, prepend=-math.inf, append=math.inf)
    nearest = numpy.minimum(gaps[:-1], gaps[1:])
    error = numpy.abs(distinct.astype(numpy.float32).astype(numpy.float64) - distinct)
    return bool((error > nearest / 2).mean() <= 0.2)


def differently_written(texts: Iterable[str]) -> str:
    """Return the groups of texts that `alike` finds, in words; empty if there are none."""
    groups = alike(texts)
    more = f" and {len(groups) - GROUPS} more groups" if len(groups) > GROUPS else ""
    return ", ".join(" and ".join(map(shown, group[:GROUPS])) for group in groups[:GROUPS]) + more


def categories(cells: Iterable[str]) -> list[str]:
    """Return the distinct texts in order: by value where all are numbers, else by text."""
    found = set(cells)
    values = {text: exact(text) for text in found}
    if any(value is None for value in values.values()):
        return sorted(found)
    order: dict[str, Any] = values
    return sorted(found, key=lambda text: (order[text], text))


def alike(texts: Iterable[str]) -> list[list[str]]:
    """Return groups of texts that differ in nothing but how a number, letters or spaces are written."""
    groups: dict[object, list[str]] = {}
    for text in texts:
        value = exact(text)
        folded = " ".join(unicodedata.normalize("NFKC", text).casefold().split())
        groups.setdefault(folded if value is None else value, []).append(text)
    return [group for group in groups.values() if len(group) > 1]
