"""What a results folder has, and what of a result is the same whenever it is measured."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any


def stable(result: Any) -> Any:
    """A result without what says when and for how long it was measured."""
    return {
        **{key: value for key, value in result.items() if key not in ("run", "seconds")},
        "cells": [{k: v for k, v in cell.items() if k not in ("seconds", "peak_memory")} for cell in result["cells"]],
    }


def records(folder: Path) -> list[Any]:
    """Every record of a results folder."""
    files = sorted((folder / "records").glob("*.jsonl"))
    return [json.loads(line) for file in files for line in file.read_text().splitlines()]
