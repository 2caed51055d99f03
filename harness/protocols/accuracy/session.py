"""One cell of the accuracy protocol: train every seed of a block, evaluate each on its own held-out part."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import torch

from harness.base import Component, name_of, schemas
from harness.conformance import contract
from harness.conformance.draws import undrawn
from harness.dynamic import DYNAMIC, dynamic
from harness.errors import BenchError, Skip
from harness.fields import Schema, kind_in
from harness.kinds import Model, Trainer
from harness.kinds.classification import TrainingJob, TrainingResult
from harness.kinds.evaluation import CellContext, CellRunner, Measurements
from harness.protocols.accuracy.first_batch import try_first_batch
from harness.protocols.accuracy.scoring import (
    Answers,
    Judgment,
    applies,
    at_the_end,
    judge,
    near_decisions,
    on_decisions,
    score,
    try_metrics,
)
from harness.protocols.accuracy.settings import AccuracySettings
from harness.protocols.accuracy.split import split
from harness.protocols.accuracy.threshold import near_threshold, on_threshold
from harness.protocols.accuracy.tuning import blocks, chosen
from harness.protocols.judging import unless_skipped
from harness.random import generator, seed_host
from harness.results.statements import Issue, IssueKind
from harness.results.threshold import LEAST


class Training(CellRunner):
    """One cell: the same data set, model, loss and settings for every seed."""

    def __init__(self, settings: AccuracySettings, case: CellContext) -> None:
        self._settings = settings
        self._case = case
        self._data = case.artifacts["dataset"]
        loss: Any = case.components["loss"]
        if not applies(loss, self._data.task):
            raise Skip(f"the loss is not for the data set's task, {self._data.task}")
        first = self._job(case.components, [0], [settings.lr], case.folder)
        architecture: Any = case.components["model"]
        try_first_batch(first, architecture, self._data.task)
        trainer: Any = case.components["trainer"]
        self._trainer: Trainer
        self._trainer, why = trainer.resolve(first)
        reason = self._trainer.skip(first)
        if reason:
            raise Skip(f"{name_of(type(self._trainer))}: {reason}")
        self.block_size = self._trainer.seeds_per_block
        self._tried = False
        self.notes = [*self._data.notes, *([why] if why else [])]

    def tune(self) -> Mapping[str, Any]:
        """Return the trial with the best mean validation score over the tuning seeds."""
        plan = self._case.tune
        if plan is None:
            return {"tuned": {}, "trials": []}
        metric = self._case.metrics[plan["metric"]]
        if not applies(metric, self._data.task):
            raise Skip(f"{plan['metric']}, to tune on, is not for the data set's task, {self._data.task}")
        if metric.higher_is_better is None:
            raise BenchError(f"{plan['metric']} has no better direction, so nothing can be tuned on it")
        trials: list[dict[str, Any]] = plan["trials"]
        if self._data.part is not None and not bool((self._data.part == 1).any()):
            raise BenchError("the data set has no validation part, so nothing can be tuned on it")
        scores: list[list[float]] = [[] for _ in trials]
        for lanes in blocks(trials, plan["seeds"], self.block_size):
            job, outcome = self._try(trials, lanes)
            if outcome.validation is None:
                raise BenchError(f"{self._trainer!r} gives no validation logits, so nothing can be tuned with it")
            for k, (trial, _) in enumerate(lanes):
                value = score(plan["metric"], metric, self._answers(job, outcome, k, "validation"))
                scores[trial].append(value)
        return chosen(trials, scores, metric.higher_is_better)

    def _try(
        self, trials: Sequence[Mapping[str, Any]], lanes: Sequence[tuple[int, int]]
    ) -> tuple[TrainingJob, TrainingResult]:
        """Train one block of (trial, seed) lanes; repeat lanes to fill an incomplete block."""
        full = [lanes[k % len(lanes)] for k in range(self.block_size)]
        lr = [trials[trial].get("lr", self._settings.lr) for trial, _ in full]
        trial, seed = lanes[0]
        folder = self._case.folder / f"trial-{trial}-seed-{seed}"
        job = self._job(self._with_choice(trials[trial]), [seed for _, seed in full], lr, folder)
        return job, self._fitted(job)

    def _fitted(self, job: TrainingJob) -> TrainingResult:
        """Train a job. Raises BenchError for logits whose shape does not match the job's parts."""
        kept = contract.Attributes(self._trainer)
        outcome = self._trainer.fit(job)
        kept.check("fit")
        if not isinstance(outcome, TrainingResult):
            found = f"returned {contract.shown(outcome)}"
            raise contract.wrong(self._trainer, "fit", found, "harness.TrainingResult")
        items = self._data.inputs.shape[1 : self._data.inputs.ndim - len(self._data.input_shape)]
        parts = {"test": job.test, "validation": job.validation}
        shapes = {name: (*part.index.shape, *items, job.classes) for name, part in parts.items()}
        contract.training_result(self._trainer, outcome, shapes)
        free = {name: logits.detach() for name in parts if (logits := getattr(outcome, name)) is not None}
        return dataclasses.replace(outcome, **free)

    def measure(self, seeds: Sequence[int], tuned: Mapping[str, Any]) -> Measurements:
        """Train a block of seeds and evaluate each on its own test part."""
        lr = [tuned.get("lr", self._settings.lr)] * len(seeds)
        folder = self._case.folder / f"seed-{seeds[0]}"
        job = self._job(self._with_choice(tuned), seeds, lr, folder)
        outcome = self._fitted(job)
        values = Measurements(seeds=list(seeds), metrics={name: list(v) for name, v in outcome.metrics.items()})
        values.auxiliary = {f"learned {name}": list(v) for name, v in outcome.learned.items()}
        if outcome.epochs:
            values.auxiliary["used epochs"] = [float(epoch) for epoch in outcome.epochs]
        if outcome.test is not None:
            self._judge(values, outcome, job)
            if self._data.task == "classes":
                self._compare_with_majority(values, outcome.test, job)
        return values

    def _compare_with_majority(self, values: Measurements, test: torch.Tensor, job: TrainingJob) -> None:
        """Keep the accuracy of each seed and that of the most frequent class of its test part."""
        targets = [job.test.labels[k].cpu() for k in range(len(values.seeds))]
        right = [float((one.argmax(-1).cpu() == two).double().mean()) for one, two in zip(test, targets, strict=True)]
        values.auxiliary |= {"right": right, "majority": [float(t.bincount().max()) / len(t) for t in targets]}
        if len(targets[0]) < job.classes:
            few = Issue(IssueKind.FEW_TEST_EXAMPLES, count=len(targets[0]), total=job.classes)
            values.issues.append(few)

    def _with_choice(self, choice: Mapping[str, Any]) -> dict[str, Component]:
        """Return the components with the tuned fields: `{"focal.gamma": 2.0}` changes the component named focal."""
        changed = dict(self._case.components)
        for key, value in choice.items():
            name, _, field = key.rpartition(".")
            for kind, part in changed.items():
                if name and name_of(type(part)) == name:
                    chosen = self._value(schemas(type(part))[field], value)
                    changed[kind] = dataclasses.replace(part, **{field: chosen})  # type: ignore[type-var]
        return changed

    def _value(self, schema: Schema, value: Any) -> Any:
        """Return a tuned value in the field's own type: a component, a learned or scheduled number, a plain value."""
        if not isinstance(value, Mapping):
            return value
        kind = kind_in(schema)
        return self._case.build(kind, value) if kind else dynamic(value) if set(value) <= set(DYNAMIC) else value

    def _judge(self, values: Measurements, outcome: TrainingResult, job: TrainingJob) -> None:
        assert outcome.test is not None
        answers = [self._answers(job, outcome, k, "test") for k in range(len(values.seeds))]
        fit = {label: metric for label, metric in self._case.metrics.items() if applies(metric, self._data.task)}
        if not self._tried:
            self._tried = True
            try_metrics(fit.values(), answers[0])
        judged = [
            {label: unless_skipped(label, values.skipped, partial(judge, metric, one)) for label, metric in fit.items()}
            for one in answers
        ]
        for label in self._case.metrics:
            values.metrics[label] = None
            if any(one.get(label) for one in judged):
                self._keep(values, label, [one[label] for one in judged])
                self._tied(values, label, answers, [one[label] for one in judged])
        others = {label: metric for label, metric in fit.items() if not self._has_decisions(values, label, answers[0])}
        if len(answers) < LEAST:
            near = [near_decisions(others, one) for one in answers]
            values.near_threshold |= {label: [one.get(label) for one in near] for label in near[0]}
        else:
            values.on_threshold |= on_decisions(others, answers)
        lost = (outcome.test.isnan() | (outcome.test == torch.inf)).flatten(1).any(1).tolist()  # -inf masks a class
        values.diverged = [seed for seed, off in zip(values.seeds, lost, strict=True) if off]

    def _keep(self, values: Measurements, label: str, judged: Sequence[Judgment | None]) -> None:
        """Store one metric's values and each example's contribution; NaN for a seed on which it has no value."""
        known = next(one for one in judged if one is not None)
        empty = Judgment(math.nan, torch.full_like(known.contributions, math.nan, dtype=torch.float64), known.examples)
        whole = [one or empty for one in judged]
        values.metrics[label] = [one.value for one in whole]
        values.per_example[label] = (
            torch.stack([one.contributions.double() for one in whole]).numpy(),
            torch.stack([one.examples for one in whole]).numpy(),
        )

    @staticmethod
    def _has_decisions(values: Measurements, label: str, answers: Answers) -> bool:
        """Return whether a metric has a result for each example, of which `_tied` sees whether it is a decision."""
        kept = values.per_example.get(label)
        return kept is None or kept[0].shape[1] == len(answers.target)

    def _tied(
        self, values: Measurements, label: str, answers: Sequence[Answers], judged: Sequence[Judgment | None]
    ) -> None:
        """Store the shares of examples on the threshold, of few seeds those near it, for a mean of decisions."""
        whole = [(one.gaps, each) for one, each in zip(answers, judged, strict=True) if each is not None]
        if len(whole) < len(judged) or any(near.shape != each.contributions.shape for near, each in whole):
            return
        seeds = [(near, each.contributions, each.examples) for near, each in whole]
        if len(seeds) < LEAST:
            few = [near_threshold(*seed) for seed in seeds]
            values.near_threshold |= {label: few} if any(few) else {}
            return
        shares = on_threshold(*zip(*seeds, strict=True))
        if shares is not None:
            values.on_threshold[label] = shares

    def _answers(self, job: TrainingJob, outcome: TrainingResult, k: int, name: str) -> Answers:
        """Return the k-th seed's logits on its test or validation part."""
        logits, on, part = getattr(outcome, name), outcome.validation, getattr(job, name)
        validation = None if on is None else (on[k].cpu(), job.validation.labels[k])
        loss = at_the_end(job.loss, outcome.learned, k)
        return Answers(logits[k].cpu(), part.for_seed(k), self._data.task, loss, validation)

    def _job(
        self, parts: Mapping[str, Component], seeds: Sequence[int], lr: Sequence[float], folder: Path
    ) -> TrainingJob:
        architecture = parts["model"]
        assert isinstance(architecture, Model)
        data = self._data

        def model(k: int = 0) -> torch.nn.Module:
            with undrawn():
                seed_host(seeds[k], "weights")
                return contract.network(architecture, data.input_shape, data.classes)

        train, validation, test = split(data, seeds, self._case.split)
        loss: Any = parts["loss"]
        return TrainingJob(
            loss=loss,
            model=model,
            train=train,
            validation=validation,
            test=test,
            classes=data.classes,
            settings=self._settings,
            seeds=seeds,
            lr=lr,
            generator=lambda name, k=0: generator(seeds[k], name),
            device=self._case.device,
            folder=folder,
            on_progress=self._case.on_progress,
        )
