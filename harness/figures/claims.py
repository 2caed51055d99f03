"""Claims: every test of a claim as an interval, beside the line that it must lie on the right side of."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from types import MappingProxyType
from typing import TYPE_CHECKING

from harness.figures.run import StoredRun
from harness.figures.style import COLORS, FAINT, headed, sheet, ticked
from harness.report.claimed import pair, place, sentence
from harness.results import PAIRED, Claim, ClaimTest, Outcome

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

MOST = 48
"""Number of tests that a figure shows: those that fail first, then those nearest to the line."""
FAR = 50.0
"""Ratio of the largest to a typical estimate above which the axis is logarithmic on both sides of the line."""
LOOKS: Mapping[Outcome, tuple[str, str, str]] = MappingProxyType(
    {
        Outcome.FAILS: (COLORS[1], "X", "fails"),
        Outcome.UNDECIDED: (FAINT, "o", "undecided"),
        Outcome.HOLDS: (COLORS[0], "o", "holds"),
        Outcome.SAME: (COLORS[2], "D", "identical"),
    }
)
"""Color, marker and word of an outcome."""


def figures(run: StoredRun) -> dict[str, Callable[[], Figure]]:
    """Return claim-1, claim-2, ... for every claim with a test that has numbers."""
    return {
        f"claim-{number}": partial(_figure, run, claim)
        for number, claim in enumerate(run.run.claims, 1)
        if any(test.estimate is not None for test in claim.tests)
    }


def _figure(run: StoredRun, claim: Claim) -> Figure:
    known = [test for test in claim.tests if test.estimate is not None]
    shown = sorted(known, key=lambda test: _nearness(claim, test))[:MOST]
    shown = [test for test in known if test in shown]
    figure, (axes,) = sheet(1, 1, 6.2, 0.9 + 0.17 * len(shown), aside=1.2)
    _draw(axes, claim, shown)
    handles, labels = axes.get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside right center")
    caption = [f"{sentence(run.run, claim)}.", "Bars are 95 % intervals, not adjusted for the number of tests."]
    caption += [f"{len(known) - len(shown)} more tests are further from the line."] if len(shown) < len(known) else []
    return headed(figure, claim.claim or claim.source, [*caption, run.run.run])


def _nearness(claim: Claim, test: ClaimTest) -> tuple[bool, float]:
    return test.outcome is not Outcome.FAILS, abs((test.estimate or 0.0) - claim.line)


def _draw(axes: Axes, claim: Claim, tests: Sequence[ClaimTest]) -> None:
    line = claim.line
    axes.axvline(line, color=FAINT, linewidth=0.8)
    margin = claim.within or 0.0
    for side in (-1, 1) if margin else ():
        axes.axvline(line + side * margin, color=FAINT, linewidth=0.8, linestyle=(0, (4, 2)))
    for outcome, (color, marker, word) in LOOKS.items():
        rows = [(height, test) for height, test in enumerate(tests) if test.outcome is outcome]
        if rows:
            heights, means = [height for height, _ in rows], [test.estimate or 0.0 for _, test in rows]
            ends = [[max(0.0, _beyond(test, sign)) for _, test in rows] for sign in (-1, 1)]
            axes.errorbar(means, heights, xerr=ends, fmt=marker, color=color, label=word, linewidth=0.9)
    axes.set_yticks(range(len(tests)), [_name(claim, test) for test in tests], fontsize=7)
    axes.set_ylim(len(tests) - 0.5, -0.5)
    number = f"lead in {claim.metric}" if claim.lead else claim.metric
    axes.set_xlabel(number if claim.form not in PAIRED else f"difference in {number}, right as claimed")
    sizes = sorted(abs((test.estimate or 0.0) - line) for test in tests)
    typical = sizes[len(sizes) // 2]
    if claim.form in PAIRED and typical > 0 and sizes[-1] > FAR * typical:
        axes.set_xscale("symlog", linthresh=typical)
    else:
        ticked(axes.xaxis)


def _beyond(test: ClaimTest, sign: int) -> float:
    """Return how far the interval reaches beyond the estimate on one side."""
    end = test.low if sign < 0 else test.high
    return 0.0 if end is None else sign * (end - (test.estimate or 0.0))


def _name(claim: Claim, test: ClaimTest) -> str:
    where = place(test)
    return f"{pair(claim, test)}{f' on {where}' if where else ''}{' (opposite)' if test.reversed else ''}"
