"""A run as one canonical file, fit for version control: the same run gives the same bytes, and a row is a line."""

from __future__ import annotations

import json

from harness.report import render
from harness.results import Run


def frozen(run: Run) -> str:
    """Return the result JSON of a run with sorted keys, one line for each key and each row."""
    found = json.loads(render(run, "json"))
    rows = [f"  {_line(row)}" for row in found.pop("cells")]
    lines = [f" {json.dumps(key)}: {_line(value)}" for key, value in found.items()]
    lines.append(' "cells": [\n' + ",\n".join(rows) + "\n ]")
    return "{\n" + ",\n".join(sorted(lines)) + "\n}\n"


def _line(value: object) -> str:
    return json.dumps(value, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
