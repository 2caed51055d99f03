"""Artifacts that several cells share: made once, stored atomically, memory-mapped by every cell."""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from harness.base import Component
from harness.discovery.signatures import method_place
from harness.errors import BenchError, near_miss
from harness.kinds import Dataset, Denoiser
from harness.kinds.classification import Examples

if TYPE_CHECKING:
    from torch import Tensor

INPUTS = {"classes": ("examples",), "multilabel": ("examples",), "grouped": ("groups", "items")}
"""First dimensions of a table's inputs, by task; further ones are the shape of one input of a model."""


def alone(component: Component, on_progress: Callable[..., None]) -> Mapping[str, object]:
    """Make the artifact of a component that needs no other: a data set's table, or a denoiser's weights."""
    if isinstance(component, Dataset):
        data = loaded(component)
        return {field.name: getattr(data, field.name) for field in dataclasses.fields(data)}
    if isinstance(component, Denoiser):
        return trained(component, on_progress)
    raise BenchError(f"a {component.kind} has no artifact of its own")


def store(content: Mapping[str, object], to: Path) -> str:
    """Write an artifact under `to` and return the SHA-256 of the file."""
    import torch

    to.parent.mkdir(parents=True, exist_ok=True)
    with to.open("wb") as stream:  # given a name instead, torch writes that name into the file
        torch.save(dict(content), stream)
    return hashlib.sha256(to.read_bytes()).hexdigest()


def trained(denoiser: Denoiser, on_progress: Callable[..., None]) -> dict[str, Tensor]:
    """Train a denoiser with a fixed seed, so that every suite and script gets the same weights."""
    import torch

    return denoiser.train(torch.Generator().manual_seed(0), on_progress)


def loaded(component: Dataset) -> Examples:
    """Load and check a data set's table. Raises BenchError with the part that does not fit."""
    import torch

    data = component.load(torch.Generator().manual_seed(0))
    try:
        check(data)
    except BenchError as error:
        file, _, line = method_place(type(component), "load").rpartition(":")
        place = f"{Path(file).name}:{line}"
        raise BenchError(f"{type(component).__name__}.load: {error.what}", place) from None
    most = int(data.targets.bincount().max()) if data.task == "classes" else len(data.targets)
    if data.part is None and most < 3:
        raise BenchError(f"too few examples to split: no class has more than {most}")
    return data


def read(kind: str, file: Path) -> Examples | dict[str, Tensor]:
    """Read an artifact, memory-mapped: a data set's table; for other kinds tensors by name."""
    import torch

    content = torch.load(file, mmap=True, weights_only=True)
    if kind == "dataset":
        return Examples(**content)
    tensors: dict[str, Tensor] = content
    return tensors


def check(data: Examples) -> None:
    """Check shapes, types and class numbers of a data set. Raises BenchError with the part that does not fit."""
    import torch

    if not isinstance(data, Examples):
        raise BenchError(f"a data set's load() must return harness.Examples, not {type(data).__name__}")
    if data.task not in INPUTS:
        raise BenchError(f"unknown task {data.task!r}{near_miss(data.task, INPUTS)}")
    inputs, shape = data.inputs, INPUTS[data.task]
    if not isinstance(inputs, torch.Tensor) or inputs.ndim <= len(shape) or inputs.dtype != torch.float32:
        raise BenchError(f"a data set's inputs must be a float32 tensor [{', '.join(shape)}, ...]")
    if not inputs.numel():
        raise BenchError(f"a data set's inputs {[*inputs.shape]} are empty")
    bad = inputs.isinf() if data.missing else ~torch.isfinite(inputs)
    if bad.any():
        raise BenchError(f"row {int(bad.flatten(1).any(1).nonzero()[0])} of the inputs is not finite")
    if not isinstance(data.notes, tuple) or not all(isinstance(note, str) for note in data.notes):
        raise BenchError("a data set's notes must be a tuple of texts")
    if not isinstance(data.classes, int) or data.classes < 2:
        raise BenchError(f"a data set needs two classes or more, it has {data.classes!r}")
    _check_targets(data)
    if not 0 <= data.label_noise <= 1 or not data.imbalance >= 1:
        raise BenchError("label_noise must be between 0 and 1 and imbalance at least 1")
    _check_parts(data)


def _check_targets(data: Examples) -> None:
    """Check the targets: class numbers or shares of labels, one for each example, or for each item of a group."""
    import torch

    targets, each = data.targets, data.inputs.shape[: len(INPUTS[data.task])]
    soft = isinstance(targets, torch.Tensor) and targets.is_floating_point() and data.task != "classes"
    if soft or data.task == "multilabel":
        if not isinstance(targets, torch.Tensor) or targets.shape != (*each, data.classes) or not soft:
            raise BenchError(f"a data set's targets must be a float32 tensor {[*each, data.classes]}")
        if not bool(((targets >= 0) & (targets <= 1)).all()):
            raise BenchError("targets must be between 0 and 1")
        return
    if not isinstance(targets, torch.Tensor) or targets.shape != each or targets.dtype != torch.int64:
        what = "[examples]" if data.task == "classes" else "[groups, items]"
        raise BenchError(f"a data set's targets must be an int64 tensor {what}")
    if targets.numel() == 0 or int(targets.min()) < 0 or int(targets.max()) >= data.classes:
        raise BenchError(f"targets must be class numbers from 0 to {data.classes - 1}")


def _check_parts(data: Examples) -> None:
    """Check a given split: its parts have the right shape, and training and test parts are not empty."""
    import torch

    part = data.part
    if part is None:
        return
    if not isinstance(part, torch.Tensor) or part.shape != data.targets.shape[:1] or part.is_floating_point():
        raise BenchError("a data set's part must be an integer tensor [examples]")
    if int(part.min()) < 0 or int(part.max()) > 2:
        raise BenchError("a data set's part must hold 0 train, 1 validation or 2 test")
    for number, name in ((0, "training"), (2, "test")):
        if not bool((part == number).any()):
            raise BenchError(f"a data set's part leaves no {name} examples")
