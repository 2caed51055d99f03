"""A result as the JSON of pytest-benchmark, for `pytest-benchmark compare` and whatever else reads it."""

from __future__ import annotations

import datetime
import json
from collections.abc import Mapping
from importlib.metadata import version
from typing import Any

from harness.report.benchmarks import benchmarks

MACHINE = ("machine", "system", "python", "torch", "device", "threads")


def render(result: Mapping[str, Any], width: int | None = None) -> str:
    """The file as text; `width` is not used. Raises BenchError as `harness.report.benchmarks` does."""
    found = [one.as_dict(include_data=True) for one in benchmarks(result)]
    environment = result.get("environment") or {}
    whole = {
        "machine_info": {key: environment.get(key) for key in MACHINE},
        "commit_info": {"id": environment.get("commit"), "dirty": False, "project": result["suite"], "branch": None},
        "benchmarks": found,
        "datetime": datetime.datetime.now(datetime.UTC).isoformat(),
        "version": version("pytest-benchmark"),
    }
    return json.dumps(whole, indent=2) + "\n"
