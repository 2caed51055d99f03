"""What several cells share and somebody must make first: made once, stored whole, memory-mapped by every cell."""

from __future__ import annotations

import dataclasses
import hashlib
import os
from pathlib import Path
from typing import Any

from harness.base import Component
from harness.errors import BenchError
from harness.kinds import Data, Dataset

MADE = ("dataset",)
"""The kinds whose components are turned into an artifact before any cell starts."""


def make(component: Component, to: Path) -> dict[str, Any]:
    """Make the artifact of a component and store it under `to`; answers what it holds, for the report."""
    import torch

    if not isinstance(component, Dataset):
        raise BenchError(f"nothing can be made beforehand of a {component.kind}")
    data = component.load(torch.Generator().manual_seed(0))
    check(data)
    to.parent.mkdir(parents=True, exist_ok=True)
    part = to.with_suffix(f".{os.getpid()}.part")
    torch.save({field.name: getattr(data, field.name) for field in dataclasses.fields(data)}, part)
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

    inputs, targets = data.inputs, data.targets
    if not isinstance(inputs, torch.Tensor) or inputs.ndim != 2 or inputs.dtype != torch.float32:
        raise BenchError("a data set's inputs must be a float32 tensor [examples, features]")
    if not isinstance(targets, torch.Tensor) or targets.shape != inputs.shape[:1] or targets.dtype != torch.int64:
        raise BenchError("a data set's targets must be an int64 tensor [examples]")
    if not torch.isfinite(inputs).all():
        raise BenchError(f"row {int((~torch.isfinite(inputs)).any(1).nonzero()[0])} of the inputs is not finite")
    if len(targets) == 0 or int(targets.min()) < 0 or int(targets.max()) >= data.classes:
        raise BenchError(f"targets must be class numbers from 0 to {data.classes - 1}")
