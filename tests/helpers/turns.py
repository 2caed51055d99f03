"""An interleaved protocol that costs nothing: every turn is a line in the file that the environment variable TURNS names."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Literal

from harness import (
    CellContext,
    CellRunner,
    Loss,
    Measurements,
    Metric,
    PositiveInt,
    Protocol,
    Skip,
    StoppingDecision,
    hookimpl,
)
from harness.results import Issue, IssueKind, StopReason
from harness.results.statements import Weakness

SHAKY = Issue(IssueKind.WEAK_TIMING, name=Weakness.THROTTLED)


class Turns(Protocol):
    """The number of a turn is the loss's value; the first `warm` blocks do not count, `most` are enough."""

    warm: PositiveInt = 2
    most: PositiveInt | None = None

    required_kinds: ClassVar[Mapping[str, Any]] = {"loss": None}
    compared_kinds: ClassVar[Sequence[str]] = ("loss",)
    metric_inputs: ClassVar[Sequence[str]] = ("number",)
    interleaved: ClassVar[bool] = True

    def setup(self, case: CellContext) -> CellRunner:
        """Nothing to prepare, but for the loss that is skipped."""
        loss: Any = case.components["loss"]
        if loss.how == "skip":
            raise Skip("impossible")
        return Turn(self, case)


class Turn(CellRunner):
    """Takes turns."""

    def __init__(self, settings: Turns, case: CellContext) -> None:
        self.settings, self.case = settings, case

    def measure(self, seeds: Sequence[int], tuned: Mapping[str, Any]) -> Measurements:
        loss: Any = self.case.components["loss"]
        number = loss(seeds[0], self.case)
        with open(os.environ["TURNS"], "a") as stream:
            stream.write(f"{seeds[0]}|{loss}|{os.getpid()}|{self.case.baseline['loss']}\n")
        metrics: dict[str, list[float] | None] = {label: [number] for label in self.case.metrics}
        return Measurements(seeds, metrics, auxiliary={"number": [number]}, raw_samples={"number": [[number, number]]})

    def should_stop(self, blocks: Any, spent: float) -> StoppingDecision:
        """Asked of the baseline: its own number stands first, and who fell out is in no block."""
        assert blocks[0][0]["number"] == [self.case.components["loss"].value]
        assert len({len(block) for block in blocks}) == 1
        counted = len(blocks) - self.settings.warm
        return StoppingDecision(
            self.settings.warm, StopReason.PRECISE if counted == self.settings.most else None, 0.5, [SHAKY]
        )


class Each(Loss):
    """Always the same number, or something goes wrong at the fourth turn."""

    value: float = 1.0
    how: Literal["good", "skip", "raise", "exit"] = "good"

    def __call__(self, turn: int, case: CellContext) -> Any:
        if turn == 3 and self.how == "raise":
            raise ValueError("tired")
        if turn == 3 and self.how == "exit":
            os._exit(3)
        return self.value


class Score(Metric):
    """The number itself."""

    def __call__(self, number: Any) -> Any:
        return number


@hookimpl
def components() -> list[type]:
    """Everything a suite needs."""
    return [Turns, Each, Score]
