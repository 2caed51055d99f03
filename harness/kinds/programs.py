"""Input of trainers that run programs of the user's."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any

PROGRAM_INPUTS: Mapping[str, str] = MappingProxyType(
    {
        "seed": "the seed; one of its own for every trial of tuning",
        "folder": "a working folder of this row and seed, which survives an interruption",
        "device": "cpu or cuda",
        "data": "an .npz file with the seed's split of the data set, which is then one of the harness's",
    }
)
"""Placeholders of a program's command beside the axes and settings of the suite, with their meaning."""

OUTCOME_INPUTS = ("outcome", "outcome_per_example")
"""Inputs of metrics under an external trainer, which has no others: what its program reported, see `TrainingResult`."""


@dataclass(frozen=True, kw_only=True)
class Job:
    """Input of an external trainer: train once for every seed in `seeds`.

    `values` maps every placeholder to its text: those of `harness.PROGRAM_INPUTS`, settings, axes of the suite.
    `settings` are the protocol's settings; `lr` [s] is the learning rate of each seed; `folder` survives a resume;
    `on_progress(done, total)` moves the progress bar.
    """

    settings: Any
    seeds: Sequence[int]
    lr: Sequence[float]
    device: str
    folder: Path
    on_progress: Callable[..., None]
    values: Mapping[str, str] = field(default_factory=dict)
