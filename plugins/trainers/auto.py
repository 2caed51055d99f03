"""Default trainer: all seeds at once where that works and is faster, else one at a time."""

from __future__ import annotations

from harness import Trainer, TrainingJob, TrainingResult, hookimpl

from ._convolutions import faster_alone
from .loop import Loop
from .stacked import Stacked

PAYS_UP_TO = 200_000
"""Number of parameters beyond which one model keeps the processor busy, so that stacking has no advantage."""


class Auto(Trainer):
    """Picks `stacked` for small networks that can be mapped over seeds.

    For all others it picks `loop`. The report names the choice and the reason.
    """

    def resolve(self, job: TrainingJob) -> tuple[Trainer, str | None]:
        """The trainer and the reason, for the report."""
        reason = Stacked().skip(job)
        size = sum(weight.numel() for weight in job.model().parameters())
        if reason is None and size > PAYS_UP_TO:
            reason = f"stacking pays up to {PAYS_UP_TO:,} parameters, the model has {size:,}"
        reason = reason or faster_alone(job)
        if reason:
            return Loop(), f"trainer loop: {reason}"
        return Stacked(), "trainer stacked: all seeds of a block are trained at once"

    def fit(self, job: TrainingJob) -> TrainingResult:
        """Train with the trainer it picks."""
        return self.resolve(job)[0].fit(job)


@hookimpl
def components() -> list[type[Trainer]]:
    """The component classes of this module."""
    return [Auto]
