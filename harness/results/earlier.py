"""Results of earlier schemas as data of the present one, so that a stored run can be reported for good.

Schema 1: rows, metrics and comparisons are the same under other names, reasons are sentences. Gates, claims and
remarks, which were sentences too, are left out.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

Data = dict[str, Any]

DIRECTIONS = {"higher": True, "lower": False}
RUN = {"measure": "metrics", "within": "group_by"}
METRIC = {"floor": "ideal", "caution": "caveat", "ratio": "relative_margin"}
ROW = {"peak_bytes": "peak_memory"}
VERDICTS = {"same": "equivalent"}
LEFT_OUT = ("gates", "claims", "answer", "warnings", "statements")


def upgraded(found: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return a result of an earlier schema in the form of the present one; any other as it is.

    Raises KeyError, TypeError, ValueError or AttributeError for data that have the form of neither.
    """
    while (step := UPGRADES.get(found["schema"])) is not None:
        found = step(found)
    return found


def _from_1(found: Mapping[str, Any]) -> Data:
    run = _renamed({key: value for key, value in found.items() if key not in LEFT_OUT}, RUN)
    metrics = [_renamed(_directed(each), METRIC) for each in run.get("metrics", ())]
    return {**run, "schema": 2, "metrics": metrics, "cells": [_row(each) for each in run["cells"]]}


def _row(found: Mapping[str, Any]) -> Data:
    row = _explained(_renamed(found, ROW))
    metrics = {label: _explained(_directed(each)) for label, each in row.get("metrics", {}).items()}
    return {**row, "metrics": metrics, "against": {k: _comparison(each) for k, each in row.get("against", {}).items()}}


def _comparison(found: Mapping[str, Any]) -> Data:
    verdict = found.get("verdict")
    return {**_explained(found), "verdict": VERDICTS.get(str(verdict), verdict)}


def _renamed(found: Mapping[str, Any], names: Mapping[str, str]) -> Data:
    return {names.get(key, key): value for key, value in found.items()}


def _directed(found: Mapping[str, Any]) -> Data:
    return {**found, "higher_is_better": DIRECTIONS.get(found["better"])}


def _explained(found: Mapping[str, Any]) -> Data:
    """Return the same with the sentence of its reason as data."""
    text = found.get("reason")
    return {**found, "why": None if text is None else {"kind": "said", "text": str(text)}}


UPGRADES: Mapping[object, Callable[[Mapping[str, Any]], Data]] = MappingProxyType({1: _from_1})
