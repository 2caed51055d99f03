"""Completion manifests: a file in the folder of a shard's run that says how the shard ended, written at its end."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from harness.errors import BenchError
from harness.results.codec import data, dumps, typed
from harness.results.store import write
from harness.results.values import Shard

NAME = "shard.json"
SCHEMA = 1


@dataclass(frozen=True)
class Manifest:
    """How a shard of a suite ended: its run, and the identities of the cells that `failed`."""

    run: str
    suite: str
    shard: Shard
    failed: tuple[str, ...] = ()
    schema: int = SCHEMA

    @property
    def is_complete(self) -> bool:
        """Whether no cell is measured when the same shard is run again."""
        return not self.failed


def keep(results: Path, manifest: Manifest) -> None:
    """Store the manifest of a run in the run's folder. Raises BenchError for an error of the system."""
    write(results / "runs" / manifest.run / NAME, dumps(data(manifest)))


def kept(results: Path) -> Iterator[Manifest]:
    """Yield every manifest under a results folder that can be read, in the order of the runs."""
    for file in sorted((results / "runs").glob(f"*/{NAME}")):
        try:
            found = typed(Manifest, json.loads(file.read_bytes()))
        except (OSError, ValueError, RecursionError, BenchError):
            continue  # the records count, not what a manifest says of them
        if found.schema <= SCHEMA:
            yield found
