"""Copies of published data sets: folders that `bench fetch` fills and that alone are read afterwards."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import torch
from torch import Generator, Tensor

from harness import BenchError

SPLITS = {"train": 0, "training": 0, "val": 1, "valid": 1, "validation": 1, "dev": 1, "test": 2}
"""Name of a part of a split -> its number."""


HELD_OUT = 10
"""One training example of so many is for validation where a split has no such part."""


def parts(numbers: Sequence[int], generator: Generator) -> tuple[Tensor, tuple[str, ...]]:
    """Return the part [n] of every example, a tenth of training as validation where there is none, and notes."""
    found = torch.tensor(numbers)
    if bool((found == 1).any()):
        return found, ()
    training = (found == 0).nonzero()[:, 0]
    drawn = training[torch.randperm(len(training), generator=generator)[: len(training) // HELD_OUT]]
    found[drawn] = 1
    return found, (
        f"{len(drawn):,} of {len(training):,} training examples are the validation part, the same each seed",
    )


def check_copy(path: str, name: str) -> None:
    """Check that a folder has a file. Raises BenchError with the command that downloads a copy if it has none."""
    if not has_copy(path):
        raise BenchError(f"no copy of {name} here: `bench fetch SUITE.yaml` downloads it, where there is a network")


def has_copy(path: str) -> bool:
    """Return whether there is a file below a folder."""
    return any(file.is_file() for file in Path(path).rglob("*"))


def files(path: str) -> set[Path]:
    """Return the files below a folder; none where there is no folder."""
    return {file for file in Path(path).rglob("*") if file.is_file()}


def unreachable(name: str, error: Exception) -> BenchError:
    """Return the error for a download that failed."""
    return BenchError(f"{name} cannot be downloaded: {_said(error)}")


def incomplete(name: str, error: Exception) -> BenchError:
    """Return the error for a copy that lacks something."""
    return BenchError(f"no complete copy of {name}, which `bench fetch SUITE.yaml` downloads: {_said(error)}")


def _said(error: Exception) -> str:
    said = str(error).strip().splitlines()
    return f"{type(error).__name__}{f': {said[0]}' if said else ''}"
