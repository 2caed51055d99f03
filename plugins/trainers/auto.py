"""The default trainer: all seeds at once where that works and pays, else one at a time; it says which and why."""

from __future__ import annotations

from harness.stock.trainers.loop import Loop
from harness.stock.trainers.stacked import Stacked

from harness import Job, Outcome, Trainer, hookimpl

PAYS_UP_TO = 200_000
"""Parameters. Beyond this a single model keeps the processor busy and stacking gains nothing."""


class Auto(Trainer):
    """Picks `stacked` for networks it can map over seeds and that are small enough to gain from it, else `loop`."""

    def choose(self, job: Job) -> tuple[Trainer, str | None]:
        """The trainer and the reason, for the report."""
        reason = Stacked().skip(job)
        size = sum(weight.numel() for weight in job.model().parameters())
        if reason is None and size > PAYS_UP_TO:
            reason = f"stacking pays up to {PAYS_UP_TO:,} parameters, the model has {size:,}"
        if reason:
            return Loop(), f"trainer loop: {reason}"
        return Stacked(), "trainer stacked: all seeds of a block are trained at once"

    def fit(self, job: Job) -> Outcome:
        """Train with the trainer it picks."""
        return self.choose(job)[0].fit(job)


@hookimpl
def components() -> list[type[Trainer]]:
    """What this file brings."""
    return [Auto]
