"""A run as the JSON of pytest-benchmark, for `pytest-benchmark compare` and other readers of that format."""

from __future__ import annotations

import datetime
import json
from importlib.metadata import version

from harness.report.benchmarks import benchmarks
from harness.results import Run

MACHINE = ("machine", "system", "python", "torch", "device", "threads")


def render(run: Run, width: int | None = None) -> str:
    """Render the file; `width` is not used. Raises BenchError as `harness.report.benchmarks` does."""
    found = [one.as_dict(include_data=True) for one in benchmarks(run)]
    environment = run.environment
    whole = {
        "machine_info": {key: environment.get(key) for key in MACHINE},
        "commit_info": {
            "id": environment.get("commit"),
            "dirty": bool(environment.get("dirty")),
            "project": run.suite,
            "branch": None,
        },
        "benchmarks": found,
        "datetime": datetime.datetime.now(datetime.UTC).isoformat(),
        "version": version("pytest-benchmark"),
    }
    return json.dumps(whole, indent=2) + "\n"
