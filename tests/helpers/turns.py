"""A protocol in lockstep that costs nothing: every turn is a line in the file that the environment variable TURNS names."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Literal

from harness import Case, Count, Loss, Metric, Protocol, Ruling, Session, Skip, Values, hookimpl


class Turns(Protocol):
    """The number of a turn is the loss's value; the first `warm` blocks do not count, `most` are enough."""

    warm: Count = 2
    most: Count | None = None

    needs: ClassVar[Mapping[str, Any]] = {"loss": None}
    contenders: ClassVar[Sequence[str]] = ("loss",)
    offers: ClassVar[Sequence[str]] = ("number",)
    lockstep: ClassVar[bool] = True

    def setup(self, case: Case) -> Session:
        """Nothing to prepare, but for the loss that is skipped."""
        loss: Any = case.parts["loss"]
        if loss.how == "skip":
            raise Skip("impossible")
        return Turn(self, case)


class Turn(Session):
    """Takes turns."""

    def __init__(self, settings: Turns, case: Case) -> None:
        self.settings, self.case = settings, case

    def measure(self, seeds: Sequence[int], tuned: Mapping[str, Any]) -> Values:
        loss: Any = self.case.parts["loss"]
        number = loss(seeds[0], self.case)
        with open(os.environ["TURNS"], "a") as stream:
            stream.write(f"{seeds[0]}|{loss}|{os.getpid()}|{self.case.baseline['loss']}\n")
        metrics: dict[str, list[float] | None] = {label: [number] for label in self.case.measure}
        return Values(seeds, metrics, extra={"number": [number]}, raw={"number": [[number, number]]})

    def rule(self, blocks: Any, spent: float) -> Ruling:
        """Asked of the baseline: its own number stands first, and who fell out is in no block."""
        assert blocks[0][0]["number"] == [self.case.parts["loss"].value]
        assert len({len(block) for block in blocks}) == 1
        counted = len(blocks) - self.settings.warm
        return Ruling(self.settings.warm, "enough" if counted == self.settings.most else None, ["shaky"])


class Each(Loss):
    """Always the same number, or something goes wrong at the fourth turn."""

    value: float = 1.0
    how: Literal["good", "skip", "raise", "exit"] = "good"

    def __call__(self, turn: int, case: Case) -> Any:
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
