"""Reader and writer of result JSON. Numbers round-trip; a value that does not fit is reported with its place."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping
from typing import TypeVar

import msgspec

from harness.errors import BenchError, printable
from harness.fields import Json
from harness.results.earlier import upgraded
from harness.results.model import SCHEMA, Run
from harness.results.statements import Issue, Reason
from harness.results.values import Number

T = TypeVar("T")
REQUIRED = ("suite", "question", "run", "protocol", "cells")


def data(value: object) -> Json:
    """Convert a typed value to JSON data: null for numbers that JSON does not have."""
    return _finite(msgspec.to_builtins(value))


def stored(value: float) -> Number:
    """Convert a measured number to the form of records: infinity as text, NaN as None."""
    value = float(value)
    return value if math.isfinite(value) else None if math.isnan(value) else "inf" if value > 0 else "-inf"


def restored(number: Number) -> float:
    """Convert a number of a record back; None is NaN."""
    return math.nan if number is None else float(number)


def typed(kind: type[T], found: object) -> T:
    """Convert JSON data to a typed value. Raises BenchError with the key that does not fit."""
    try:
        return msgspec.convert(found, kind)
    except msgspec.ValidationError as error:
        raise BenchError(f"not a {kind.__name__}: {error}") from None


def to_json(run: Run, answer: str, reason: Callable[[Reason], str], issue: Callable[[Issue], str]) -> dict[str, Json]:
    """Return the result JSON of a run; descriptions in words accompany the data they are made from.

    `answer` becomes the key of that name; `reason` and `issue` describe data: every `why` gets a `reason` beside
    it, and `notices` become `issues`. Keys of only some metrics and protocols are left out where they are absent.
    """
    found = _without_absent(data(run))
    assert isinstance(found, dict)
    _explain(run, found, reason)
    return {**found, "answer": answer, "issues": [issue(each) for each in run.notices]}


def from_json(found: object, place: str | None = None) -> Run:
    """Read a run from its result JSON, ignoring descriptions. Raises BenchError for a later schema or a misfit.

    `place` is the JSON's origin, for the message.
    """
    if not isinstance(found, Mapping) or "schema" not in found:
        raise BenchError("no result: it has no schema", place)
    try:
        found = upgraded(found)
    except (KeyError, TypeError, ValueError, AttributeError):
        raise BenchError(f"not the JSON of a result of schema {found['schema']!r}", place) from None
    if found["schema"] != SCHEMA:
        raise BenchError(f"a result of schema {found['schema']!r}: this version reads schemas up to {SCHEMA}", place)
    missing = [key for key in REQUIRED if key not in found]
    if missing:
        raise BenchError(f"not the JSON of a result: no {', '.join(missing)}", place)
    try:
        return msgspec.convert(printable(found), Run)
    except msgspec.ValidationError as error:
        raise BenchError(f"not the JSON of a result: {error}", place) from None


def dumps(found: object) -> str:
    """Return JSON text in ASCII, indented, with a line break at the end. Raises ValueError for NaN and infinity."""
    return json.dumps(found, allow_nan=False, indent=2) + "\n"


ABSENT = frozenset(
    {
        *("infinite", "bootstrap", "quartiles", "outliers", "ratio", "blocks", "resolution", "same"),
        *("diverged", "tied_places", "on_threshold", "used", "derivative_passes", "compared_features", "overridden"),
        "learned",
        *("p_looks", "test_set", "shard"),
    }
)


def _without_absent(found: Json) -> Json:
    if isinstance(found, dict):
        kept = {key: value for key, value in found.items() if value is not None or key not in ABSENT}
        return {key: _without_absent(value) for key, value in kept.items()}
    return [_without_absent(value) for value in found] if isinstance(found, list) else found


def _explain(value: object, found: Json, reason: Callable[[Reason], str]) -> None:
    """Add a `reason` in words beside every `why`, at every depth."""
    if isinstance(found, list) and isinstance(value, (list, tuple)):
        for inner, data_of in zip(value, found, strict=True):
            _explain(inner, data_of, reason)
    elif isinstance(found, dict):
        for key, data_of in list(found.items()):
            inner = value.get(key) if isinstance(value, Mapping) else getattr(value, key, None)
            if key == "why":
                found["reason"] = reason(inner) if isinstance(inner, Reason) else None
            else:
                _explain(inner, data_of, reason)


def _finite(value: Json) -> Json:
    if isinstance(value, dict):
        return {key: _finite(inner) for key, inner in value.items()}
    if isinstance(value, (list, tuple)):
        return [_finite(inner) for inner in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
