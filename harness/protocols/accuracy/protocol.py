"""The accuracy protocol: train every contender on the same splits, weights and batches, and compare test results."""

from __future__ import annotations

from harness.base import Component
from harness.hookspecs import hookimpl
from harness.kinds import ExternalTrainer
from harness.kinds.evaluation import CellContext, CellRunner
from harness.protocols.accuracy.reporting import Reporting
from harness.protocols.accuracy.session import Training
from harness.protocols.accuracy.settings import AccuracySettings


class Accuracy(AccuracySettings):
    """Trains classifiers from scratch and compares them on held-out examples.

    Examples of one class, with many labels, or in groups. Each seed draws a stratified 60/20/20 split, initial weights,
    batches and label noise from streams of its own.
    """

    def setup(self, case: CellContext) -> CellRunner:
        """Choose the trainer for this cell. Raises Skip with the reason if it cannot run."""
        trainer = case.components["trainer"]
        return Reporting(self, case, trainer) if isinstance(trainer, ExternalTrainer) else Training(self, case)


@hookimpl
def components() -> list[type[Component]]:
    """Return the component classes of this module."""
    return [Accuracy]
