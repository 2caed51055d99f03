"""What several cells share and somebody must make first: made once, stored whole, memory-mapped by every cell."""

from __future__ import annotations

import dataclasses
import hashlib
import os
from pathlib import Path
from typing import Any

from harness.base import Component
from harness.errors import BenchError
from harness.exchange import Data
from harness.kinds import Dataset

MADE = ("dataset",)
"""The kinds whose components are turned into an artifact before any cell starts."""


def make(component: Component, to: Path) -> dict[str, Any]:
    """Make the artifact of a component and store it under `to`; answers what it holds, for the report."""
    import torch

    if not isinstance(component, Dataset):
        raise BenchError(f"nothing can be made beforehand of a {component.kind}")
    data = component.load(torch.Generator().manual_seed(0))
    check(data)
    most = int(data.targets.bincount().max())
    if data.part is None and most < 3:
        raise BenchError(f"too few examples to split: no class has more than {most}")
    to.parent.mkdir(parents=True, exist_ok=True)
    part = to.with_suffix(f".{os.getpid()}.part")
    with part.open("wb") as stream:  # given a name instead, torch writes that name into the file
        torch.save({field.name: getattr(data, field.name) for field in dataclasses.fields(data)}, stream)
    digest = hashlib.sha256(part.read_bytes()).hexdigest()
    part.replace(to)
    return {"examples": len(data.inputs), "classes": data.classes, "digest": digest}


def read(file: Path) -> Data:
    """An artifact, memory-mapped."""
    import torch

    return Data(**torch.load(file, mmap=True, weights_only=True))


def check(data: Data) -> None:
    """A data set is usable: shapes, types and class numbers fit. Raises BenchError saying what does not."""
    import torch

    if not isinstance(data, Data):
        raise BenchError(f"a data set's load() must return harness.Data, not {type(data).__name__}")
    inputs, targets = data.inputs, data.targets
    if not isinstance(inputs, torch.Tensor) or inputs.ndim != 2 or inputs.dtype != torch.float32:
        raise BenchError("a data set's inputs must be a float32 tensor [examples, features]")
    if not isinstance(targets, torch.Tensor) or targets.shape != inputs.shape[:1] or targets.dtype != torch.int64:
        raise BenchError("a data set's targets must be an int64 tensor [examples]")
    if not torch.isfinite(inputs).all():
        raise BenchError(f"row {int((~torch.isfinite(inputs)).any(1).nonzero()[0])} of the inputs is not finite")
    if data.classes < 2:
        raise BenchError(f"a data set needs two classes or more, it has {data.classes}")
    if len(targets) == 0 or int(targets.min()) < 0 or int(targets.max()) >= data.classes:
        raise BenchError(f"targets must be class numbers from 0 to {data.classes - 1}")
    if not 0 <= data.label_noise <= 1 or not data.imbalance >= 1:
        raise BenchError("label_noise must be between 0 and 1 and imbalance at least 1")
    _check_parts(data)


def _check_parts(data: Data) -> None:
    """The parts of a table that brings them fit, and there is something to train on and something to test on."""
    import torch

    part = data.part
    if part is None:
        return
    if not isinstance(part, torch.Tensor) or part.shape != data.targets.shape or part.is_floating_point():
        raise BenchError("a data set's part must be an integer tensor [examples]")
    if int(part.min()) < 0 or int(part.max()) > 2:
        raise BenchError("a data set's part must hold 0 train, 1 validation or 2 test")
    for number, name in ((0, "training"), (2, "test")):
        if not bool((part == number).any()):
            raise BenchError(f"a data set's part leaves no {name} examples")
