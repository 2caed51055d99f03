"""Definitions of a report's columns: those of metrics are what their authors wrote."""

from __future__ import annotations

import inspect
from dataclasses import dataclass

from harness.report.html.names import clean
from harness.report.parts import View
from harness.report.words import singular
from harness.results import MetricInfo

_DIRECTIONS = {
    True: "Higher is better.",
    False: "Lower is better.",
    None: "It describes: neither direction is better.",
}
_LOPSIDED = "An interval that is not symmetric is written [low, high]."
_SCALE = "Each problem has one scale. An arrow says that the interval goes on beyond the picture."
_VERDICT = (
    "Better or worse: the adjusted p is below 5 %. Equivalent: inside the margin that the suite gives, by two one-sided"
    " tests. Identical: equal to rounding. Undecided: none of these."
)


@dataclass(frozen=True)
class Definition:
    """Name of a column, and paragraphs that define it."""

    name: str
    paragraphs: tuple[str, ...]

    @property
    def brief(self) -> str:
        """The first paragraph."""
        return self.paragraphs[0]


def of_metric(metric: MetricInfo) -> Definition:
    """Return the definition of a metric by its author, then its direction, unit, ideal value and caveat."""
    facts = [_DIRECTIONS[metric.higher_is_better], f"Unit: {metric.unit}." if metric.unit else ""]
    facts += [f"A perfect contender has {metric.ideal:g}." if metric.ideal is not None else ""]
    facts += [f"Caveat: {metric.label} {metric.caveat}." if metric.caveat else ""]
    said = inspect.cleandoc(metric.definition or "").split("\n\n")
    paragraphs = [*filter(None, map(clean, said)), clean(" ".join(filter(None, facts)))]
    return Definition(clean(metric.label), tuple(paragraphs))


def of_columns(view: View) -> dict[str, Definition]:
    """Return the definitions of the other columns, by their keys."""
    noun = singular(view.run.replicates)
    by_ratio = bool(view.metrics) and view.metrics[0].relative_margin is not None
    what, none = ("Ratio to the baseline", 1) if by_ratio else ("Difference from the baseline", 0)
    drawn = f"{what}: the bar is its 95 % interval, the dot the estimate, and {none} is no difference."
    if not view.baselines:
        drawn = "The bar is the 95 % interval of the first metric, the dot its mean."
    texts = {
        "mean": (
            "mean ± half",
            f"Mean over {view.run.replicates}, and half the width of its 95 % interval. {_LOPSIDED}",
        ),
        "difference": ("vs baseline", f"{what} in the first metric, paired by {noun}, with its 95 % interval."),
        "bar": ("95 % interval", f"{drawn} {_SCALE}"),
        "verdict": ("verdict", _VERDICT),
        "p": ("p", "Two-sided p of the difference, adjusted by Holm for all comparisons of the metric."),
        "tuned": ("tuned", "Choice of the tuning, on validation data and seeds of its own."),
        "seconds": (f"s/{noun}", f"Seconds of measuring for each {noun}."),
    }
    return {key: Definition(name, (text,)) for key, (name, text) in texts.items()}
