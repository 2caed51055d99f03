"""The accuracy protocol: train every contender on the same splits, weights and batches, and judge its test logits."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar, Literal

import torch

from harness.base import Component, Spec, name_of, schemas
from harness.dynamic import DYNAMIC, dynamic
from harness.errors import BenchError, Skip
from harness.exchange import Case, Job, Outcome, Session, Values
from harness.fields import Count, NonNegative, Positive, Schema, kind_in
from harness.hookspecs import hookimpl
from harness.kinds import Model, Protocol, Trainer
from harness.protocols._judge import OFFERS, Answers, applies, at_the_end, judge, score
from harness.protocols._split import split
from harness.protocols._trials import blocks, chosen
from harness.streams import generator, number


class Accuracy(Protocol):
    """Trains classifiers from scratch and compares them on held-out examples: of one class, many labels, or in groups.

    Each seed draws a stratified 60/20/20 split, initial weights, batches and label noise from streams of its own.
    """

    version: ClassVar[int] = 2
    epochs: Count = 30
    batch: Count = 64
    optimizer: Literal["adam", "sgd"] = "adam"
    lr: Positive = 0.01
    weight_decay: NonNegative = 0.0
    lr_schedule: Literal["constant", "cosine"] = "constant"
    normalize_gradient: bool = False
    amp: bool = False

    needs: ClassVar[Mapping[str, Spec | None]] = {
        "dataset": None,
        "model": {"name": "mlp"},
        "loss": None,
        "trainer": {"name": "auto"},
    }
    contenders: ClassVar[Sequence[str]] = ("loss", "trainer")
    offers: ClassVar[Sequence[str]] = OFFERS

    def setup(self, case: Case) -> Session:
        """Choose the trainer for this cell. Raises Skip with the reason where it cannot run."""
        return Training(self, case)


class Training(Session):
    """One cell: the same data set, model, loss and settings for every seed."""

    def __init__(self, settings: Accuracy, case: Case) -> None:
        self._settings = settings
        self._case = case
        self._data = case.artifacts["dataset"]
        loss: Any = case.parts["loss"]
        if not applies(loss, self._data.task):
            raise Skip(f"the loss is not for the data set's task, {self._data.task}")
        first = self._job(case.parts, [0], [settings.lr], case.folder)
        trainer: Any = case.parts["trainer"]
        self._trainer: Trainer
        self._trainer, why = trainer.choose(first)
        reason = self._trainer.skip(first)
        if reason:
            raise Skip(f"{name_of(type(self._trainer))}: {reason}")
        self.width = self._trainer.width
        self.notes = [why] if why else []

    def tune(self) -> Mapping[str, Any]:
        """The trial with the best mean validation score over the tuning seeds."""
        plan = self._case.tune
        if plan is None:
            return {"tuned": {}, "trials": []}
        metric = self._case.measure[plan["on"]]
        if not applies(metric, self._data.task):
            raise Skip(f"{plan['on']}, to tune on, is not for the data set's task, {self._data.task}")
        if metric.better is None:
            raise BenchError(f"{plan['on']} describes and judges nothing, so nothing can be tuned on it")
        trials: list[dict[str, Any]] = plan["trials"]
        if self._data.part is not None and not bool((self._data.part == 1).any()):
            raise BenchError("the data set has no validation part, so nothing can be tuned on it")
        scores: list[list[float]] = [[] for _ in trials]
        for lanes in blocks(trials, plan["seeds"], self.width):
            job, outcome = self._try(trials, lanes)
            if outcome.validation is None:
                raise BenchError(f"{self._trainer!r} gives no validation logits, so nothing can be tuned with it")
            for k, (trial, _) in enumerate(lanes):
                scores[trial].append(score(metric, self._answers(job, outcome, k, "validation")))
        return chosen(trials, scores, metric.better)

    def _try(self, trials: Sequence[Mapping[str, Any]], lanes: Sequence[tuple[int, int]]) -> tuple[Job, Outcome]:
        """Train one block of (trial, seed) lanes; a block that is not full is filled up by repeating its lanes."""
        full = [lanes[k % len(lanes)] for k in range(self.width)]
        lr = [trials[trial].get("lr", self._settings.lr) for trial, _ in full]
        trial, seed = lanes[0]
        folder = self._case.folder / f"trial-{trial}-seed-{seed}"
        job = self._job(self._with_choice(trials[trial]), [seed for _, seed in full], lr, folder)
        return job, self._trainer.fit(job)

    def measure(self, seeds: Sequence[int], tuned: Mapping[str, Any]) -> Values:
        """Train a block of seeds and judge each on its own test part."""
        lr = [tuned.get("lr", self._settings.lr)] * len(seeds)
        folder = self._case.folder / f"seed-{seeds[0]}"
        job = self._job(self._with_choice(tuned), seeds, lr, folder)
        outcome = self._trainer.fit(job)
        values = Values(seeds=list(seeds), metrics={name: list(v) for name, v in outcome.metrics.items()})
        values.extra = {f"learned {name}": list(v) for name, v in outcome.learned.items()}
        if outcome.test is not None:
            self._judge(values, outcome, job)
        return values

    def _with_choice(self, choice: Mapping[str, Any]) -> dict[str, Component]:
        """The components with the tuned fields put in: `{"focal.gamma": 2.0}` changes the part named focal."""
        changed = dict(self._case.parts)
        for key, value in choice.items():
            name, _, field = key.rpartition(".")
            for kind, part in changed.items():
                if name and name_of(type(part)) == name:
                    chosen = self._value(schemas(type(part))[field], value)
                    changed[kind] = dataclasses.replace(part, **{field: chosen})  # type: ignore[type-var]
        return changed

    def _value(self, schema: Schema, value: Any) -> Any:
        """A tuned value in the field's own type: a component, a learned or scheduled number, or the value itself."""
        if not isinstance(value, Mapping):
            return value
        kind = kind_in(schema)
        return self._case.build(kind, value) if kind else dynamic(value) if set(value) <= set(DYNAMIC) else value

    def _judge(self, values: Values, outcome: Outcome, job: Job) -> None:
        judged = [judge(self._case.measure, self._answers(job, outcome, k, "test")) for k in range(len(values.seeds))]
        for label in self._case.measure:
            if label not in judged[0]:  # it is not for the task
                values.metrics[label] = None
                continue
            values.metrics[label] = [one[label][0] for one in judged]
            values.units[label] = (
                torch.stack([one[label][1].double() for one in judged]).numpy(),
                torch.stack([one[label][2] for one in judged]).numpy(),
            )
        assert outcome.test is not None
        lost = [s for s, one in zip(values.seeds, outcome.test, strict=True) if not bool(torch.isfinite(one).all())]
        if lost:
            values.notes.append(f"diverged: {', '.join(str(s) for s in lost)}")

    def _answers(self, job: Job, outcome: Outcome, k: int, name: str) -> Answers:
        """The k-th seed's logits on its test or validation part."""
        logits, on, part = getattr(outcome, name), outcome.validation, getattr(job, name)
        validation = None if on is None else (on[k].cpu(), job.validation.labels[k])
        loss = at_the_end(job.loss, outcome.learned, k)
        return Answers(logits[k].cpu(), part.of(k), self._data.task, loss, validation)

    def _job(self, parts: Mapping[str, Component], seeds: Sequence[int], lr: Sequence[float], folder: Path) -> Job:
        architecture = parts["model"]
        assert isinstance(architecture, Model)
        data = self._data

        def model(k: int = 0) -> torch.nn.Module:
            with torch.random.fork_rng(devices=[]):
                torch.default_generator.manual_seed(number(seeds[k], "weights"))  # no call queued for CUDA
                return architecture.build(data.inputs.shape[-1], data.classes)

        train, validation, test = split(data, seeds, self._case.split)
        loss: Any = parts["loss"]
        return Job(
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
            report=self._case.report,
        )


@hookimpl
def components() -> list[type[Component]]:
    """This protocol."""
    return [Accuracy]
