"""A run's context on this machine, as `execute_run` makes it."""

from __future__ import annotations

from pathlib import Path

from harness.engines.local import Local
from harness.results.store import Store
from harness.run.context import ExecutionConfig, RunContext
from harness.run.demands import demands
from harness.run.load import LoadedSuite
from harness.run.pipeline import planned
from harness.worker.supervisor import Server


def context(
    identity: str, folder: Path, prepared: LoadedSuite, conditions: ExecutionConfig, server: Server
) -> RunContext:
    """The context of a run of the suite in a folder."""
    whole = planned(prepared, conditions)
    engine = Local(demands(prepared, conditions, whole, server))
    return RunContext(identity, folder, whole, conditions, engine, Store(conditions.results, identity))
