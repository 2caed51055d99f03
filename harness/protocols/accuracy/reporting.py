"""One cell of the accuracy protocol whose trainer runs a program: metrics judge what the program reports."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from harness.base import attribute, data_of, schemas
from harness.command_line import placed
from harness.conformance import contract
from harness.errors import BenchError
from harness.inputs import call_with_inputs
from harness.kinds import ExternalTrainer, Metric
from harness.kinds.classification import Examples, TrainingResult
from harness.kinds.evaluation import CellContext, CellRunner, Measurements
from harness.kinds.programs import Job
from harness.protocols.accuracy.settings import AccuracySettings
from harness.protocols.accuracy.split import Split, split
from harness.protocols.accuracy.tuning import Trial, chosen
from harness.protocols.judging import unless_skipped

TUNING = 2**31
"""Distance of the seeds of tuning from negative ones, since many libraries take seeds from 0 to 2**31 - 1 alone."""

SPLIT = "split.npz"
"""File in the working folder with the seed's split of the data set."""


class Judged(NamedTuple):
    """Value of a metric, and the values [m] of which it is the mean with the numbers [m] of their examples, if any."""

    value: float
    values: Tensor | None = None
    examples: Tensor | None = None


class Reporting(CellRunner):
    """One cell: the same command and values for every seed, which is a block of its own."""

    def __init__(self, settings: AccuracySettings, case: CellContext, trainer: ExternalTrainer) -> None:
        self._settings, self._case, self._trainer = settings, case, trainer
        self._data: Examples | None = case.artifacts.get("dataset")
        self.block_size = 1
        self.notes = [] if self._data is None else list(self._data.notes)

    def tune(self) -> Mapping[str, object]:
        """Return the trial with the best mean of the metric over the tuning seeds."""
        plan = self._case.tune
        if plan is None:
            return {"tuned": {}, "trials": []}
        label, trials = plan["metric"], plan["trials"]
        metric = self._case.metrics[label]
        if metric.higher_is_better is None:
            raise BenchError(f"{label} has no better direction, so nothing can be tuned on it")
        lanes = [(number, -1 - k) for number in range(len(trials)) for k in range(plan["seeds"])]
        scores: list[list[float]] = [[] for _ in trials]
        for done, (number, seed) in enumerate(lanes):
            scores[number].append(self._score(label, seed, trials[number], f"trial-{number}-seed-{seed}"))
            self._case.on_progress(done + 1, len(lanes))
        return chosen(trials, scores, metric.higher_is_better)

    def _score(self, label: str, seed: int, trial: Trial, name: str) -> float:
        """Return the metric of one seed of a trial; it is kept, since an interruption would cost all trials."""
        kept = self._case.folder / f"{name}.json"
        with contextlib.suppress(OSError, ValueError, TypeError):  # not there, or not whole
            return float(json.loads(kept.read_text()))
        skipped: dict[str, str] = {}
        result = self._trained(seed, trial, name)
        found = unless_skipped(label, skipped, partial(_judged, self._case.metrics[label], result))
        if found is None:
            raise BenchError(f"nothing can be tuned on {label}: {skipped.get(label, 'it does not apply here')}")
        kept.write_text(json.dumps(found.value))
        return found.value

    def measure(self, seeds: Sequence[int], tuned: Trial) -> Measurements:
        """Run the program for one seed and let the metrics judge what it reports."""
        result = self._trained(seeds[0], tuned, f"seed-{seeds[0]}")
        values = Measurements(seeds=list(seeds), metrics={})
        for label, metric in self._case.metrics.items():
            found = unless_skipped(label, values.skipped, partial(_judged, metric, result))
            values.metrics[label] = None if found is None else [found.value]
            if found is not None and found.values is not None and found.examples is not None:
                values.per_example[label] = found.values[None], found.examples[None]
        return values

    def _trained(self, seed: int, trial: Trial, folder: str) -> TrainingResult:
        result = self._trainer.fit(self._job(seed, trial, self._case.folder / folder))
        if not isinstance(result, TrainingResult) or len(result.outcome) != 1:
            found = f"returned {contract.shown(result)}"
            raise contract.wrong(self._trainer, "fit", found, "harness.TrainingResult with an outcome for each seed")
        return result

    def _job(self, seed: int, trial: Trial, folder: Path) -> Job:
        case, settings = self._case, self._settings
        folder.mkdir(parents=True, exist_ok=True)
        lr = trial.get("lr", settings.lr)
        plain = {name: data_of(getattr(settings, attribute(name))) for name in schemas(type(settings))}
        labels = {kind: repr(part) for kind, part in case.components.items()}
        own = {"seed": seed if seed >= 0 else TUNING + seed, "folder": str(folder), "device": case.device}
        if self._data is not None:
            own["data"] = str(_written(split(self._data, [seed], case.split), folder / SPLIT))
        return Job(
            settings=settings,
            seeds=[seed],
            lr=[lr if isinstance(lr, (int, float)) else settings.lr],
            device=case.device,
            folder=folder,
            on_progress=case.on_progress,
            values=placed({**plain, "lr": lr, **labels, **case.values, **own}),
        )


def _written(parts: Split, file: Path) -> Path:
    """Write a seed's split: inputs, standardized, and targets of each part, and the numbers of its examples."""
    arrays: dict[str, np.ndarray] = {}
    for name, part in parts._asdict().items():
        arrays |= {f"{name}_inputs": part.inputs.numpy(), f"{name}_targets": part.targets.numpy()}
        arrays[f"{name}_index"] = part.index[0].numpy()
    with file.open("wb") as stream:
        np.savez(stream, allow_pickle=False, **arrays)
    return file


def _judged(metric: Metric, result: TrainingResult) -> Judged | None:
    """Return a metric's value on the only seed, or its values for each example; None if it has none."""
    per_example = {key: values[0] for key, values in result.per_example.items()}
    value = call_with_inputs(metric, outcome=result.outcome[0], outcome_per_example=per_example)
    if isinstance(value, Tensor) and value.ndim == 1 and len(value):
        examples = result.examples[0] if result.examples is not None else torch.arange(len(value))
        return Judged(float(value.double().mean()), value.double(), examples)
    number = contract.number(metric, value)
    return None if number is None else Judged(number)
