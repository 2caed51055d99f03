"""Reasons and issues in words: one sentence for every kind."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import TYPE_CHECKING

from harness.results import (
    Blocks,
    ComparedFeatures,
    Issue,
    IssueKind,
    Reason,
    ReasonKind,
    ReferenceKind,
    Shard,
    StopReason,
    Weakness,
)

if TYPE_CHECKING:
    from harness.results.store import Damage

NO_REASON = "no reason given"
FEW = 4
"""Number of rows of an issue that are named; the others are counted."""
SIDES = 6
"""The same number for a comparison of two runs."""

_REASONS: Mapping[ReasonKind, str] = MappingProxyType(
    {
        ReasonKind.SAID: "{text}",
        ReasonKind.ARTIFACT: "artifact {name} {status}: {text}",
        ReasonKind.NO_DEVICE: "torch sees no {device} device here",
        ReasonKind.EXCLUDED: "not ranked: {text}",
        ReasonKind.NOT_FINITE: "{count} of {total} seeds have no finite value and are left out",
        ReasonKind.FEWER: "{count} of {total} seeds are not there, which other rows have",
        ReasonKind.INFINITE: "{count} of {total} seeds have no finite value, and the mean is infinite",
        ReasonKind.BOTH_SIGNS: (
            "{count} of {total} seeds have no finite value, with infinities of both signs: the mean is undefined"
        ),
        ReasonKind.ONE_SEED: "one seed and no results per example: no interval",
        ReasonKind.SPREAD_NOT_FINITE: "the spread is not finite",
        ReasonKind.NO_ROW: "no row of this problem is {name}",
        ReasonKind.NO_PARTNER: "no row is the same but for {name}",
        ReasonKind.BASELINE_ENDED: "the baseline's row is {status}: {cause}",
        ReasonKind.BASELINE_EXCLUDED: "the baseline's row is not ranked: {text}",
        ReasonKind.BASELINE_LACKS: "the baseline's row has no {name}",
        ReasonKind.NO_COMMON_SEED: "no seed has a finite value in both rows",
        ReasonKind.ONE_PAIR: "one seed says nothing about other seeds",
        ReasonKind.SPREAD_UNKNOWN: "the same difference at all of only {count} seeds: its spread is unknown",
        ReasonKind.DROPPED: "{count} of {total} seeds left out: one of the two rows has no value there",
        ReasonKind.CONTROL: "a control, which stands beside the contenders and is not tested",
        ReasonKind.LEFT_OUT: "the row or its baseline's was left out of this run, and nothing is stored of it",
        ReasonKind.INFINITE_IN_ONE: "{count} of {total} seeds are infinite in one of the two rows",
        ReasonKind.ON_THRESHOLD: (
            "a decision threshold lies on a data point, and the side on which a seed ends explains the difference"
        ),
        ReasonKind.NEGLIGIBLE: "significant, but too small to matter",
        ReasonKind.ROW_ENDED: "{status}: {cause}",
        ReasonKind.ROW_LACKS: "the row has no {name}",
        ReasonKind.BASELINE_ZERO: "there are no percentages of a baseline's mean of 0",
        ReasonKind.NOT_REPEATED: "measured again in fresh processes the regression was not proven",
        ReasonKind.NOT_CONFIRMED: "it could not be confirmed: {cause}",
    }
)
"""Templates with the fields of a reason; `text` is never empty, and `cause` is a reason in words."""

_WEAK: Mapping[Weakness, str] = MappingProxyType(
    {
        Weakness.CORE_SHARE: "timed while the process had only {value:.0%} of its core",
        Weakness.LOAD: "timed under a load of {value:.1f} on {bound:.0f} cores",
        Weakness.CLOCK: "timed while the clock moved between {value:.0f} and {bound:.0f} MHz",
        Weakness.THROTTLED: "timed while the processor was throttled",
        Weakness.GPU_THROTTLED: "timed while heat or power held the GPU back, at {value:.0f} MHz",
    }
)

_ISSUES: Mapping[IssueKind, str] = MappingProxyType(
    {
        IssueKind.TUNING_EDGE: "the tuned {name} is the {side} that was tried ({value:g}) for {rows}: widen the grid",
        IssueKind.NO_BETTER_THAN_MAJORITY: (
            "{rows}: accuracy {value:.3g}, while the most frequent class alone has {bound:.3g}: "
            "check the data, the scale of its columns and the learning rate before any comparison"
        ),
        IssueKind.FEW_TEST_EXAMPLES: (
            "{rows}: {count} test examples for {total} classes: use more data, or a problem with fewer classes"
        ),
        IssueKind.USELESS_DENOISER: (
            "{name} predicts data with the mean squared error {value:.3g} at equal signal and noise, the mean of the "
            "data has {bound:.3g}: check its weights, its prediction_type and the times it expects ({rows})"
        ),
        IssueKind.ONE_VALUE: (
            "every row and seed has the {metric} {value:.4g} ({rows}): it distinguishes nothing here"
        ),
        IssueKind.SAME_SEEDS: "every seed of {rows} has the same {metric}: check that it depends on the seed",
        IssueKind.WEAK_TIMING: "{weak}: {rows}",
        IssueKind.NOISY_MACHINE: (
            "this is a noisy machine for timing: in bench doctor, {value:.1%} of {count} A/A pairs differ ({name})"
        ),
        IssueKind.UNKNOWN_MACHINE: "nothing is known of this machine's false alarms, bench doctor finds out",
        IssueKind.CONTROL_OFF: (
            "{metric} is not to be trusted{where}: the control {rows} has {value:.3g}, "
            "where a perfect sampler has {bound:g} ({p})"
        ),
        IssueKind.NOT_FINITE: "{rows}: {count} of {total} seeds have no finite {metric}; the others are compared",
        IssueKind.INFINITE: "{rows}: {count} of {total} seeds have an infinite {metric}, so it is not compared",
        IssueKind.BOTH_SIGNS: (
            "{rows}: {count} of {total} seeds have an infinite {metric}, of both signs, so its mean is undefined and "
            "it is not compared"
        ),
        IssueKind.ONE_SEED: "one seed: no verdict, since one seed says nothing about other seeds",
        IssueKind.FEW_SEEDS: "{count} seeds: {freedom} of freedom, so only large differences can be detected",
        IssueKind.SAME_ROWS: "identical to {name} in every metric, and counted as one row with it: {rows}",
        IssueKind.LEFT_OUT: "{count} of {total} {name} left out of this run{corrected}",
        IssueKind.CHANGED: "{name}: {before} before, {after} after",
        IssueKind.OTHER_CODE: "measured by other code, or with other parameters or settings: {rows}",
        IssueKind.SAME_NUMBERS: "the same numbers in both runs: {rows}",
        IssueKind.TIMES_OF_TWO_RUNS: (
            "times of two runs show a trend and prove nothing, the machine may have changed: {metric}"
        ),
        IssueKind.ONLY_IN_ONE: "only {side}: {rows}",
        IssueKind.NO_PARTNER: "without a partner in {before}, of {name}: {rows}",
        IssueKind.METRIC_IN_ONE: "measured only {side}: {metric}",
    }
)
_TWO_RUNS = frozenset({IssueKind.OTHER_CODE, IssueKind.SAME_NUMBERS, IssueKind.ONLY_IN_ONE})

_STOPS: Mapping[StopReason, Callable[[Blocks], str]] = MappingProxyType(
    {
        StopReason.PRECISE: lambda blocks: f"every ratio is known to ±{blocks.bound or 0:.1%}",
        StopReason.BUDGET: lambda blocks: f"the budget of {blocks.bound or 0:g} s was used",
        StopReason.ALL_BLOCKS: lambda _: "all blocks asked for were measured",
    }
)


def reason(why: Reason) -> str:
    """Describe why a result is missing, or a remark about it, as a clause without a full stop."""
    return _REASONS[why.kind].format(
        name=why.name,
        text=why.text or NO_REASON,
        status=why.status,
        count=why.count,
        total=why.total,
        cause=_cause(why),
        device=(why.name or "").upper(),
    )


def _cause(why: Reason) -> str:
    if why.cause is not None:
        return reason(why.cause)
    return NO_REASON if why.status is None else f"the row was {why.status}"


def issue(each: Issue) -> str:
    """Describe an issue of a run, as a clause without a full stop."""
    return _ISSUES[each.kind].format(
        rows=together(each.rows, SIDES if each.kind in _TWO_RUNS else FEW),
        metric=each.metric,
        where=f" on {each.problem}" if each.problem else "",
        name=each.name,
        side=each.side,
        before="none" if each.before is None else each.before,
        after="none" if each.after is None else each.after,
        value=each.value or 0.0,
        bound=each.bound or 0.0,
        p=adjusted(each.p),
        count=each.count,
        total=each.total,
        weak=_weak(each) if each.kind is IssueKind.WEAK_TIMING else "",
        corrected=_corrected(each) if each.kind is IssueKind.LEFT_OUT else "",
        freedom=counted((each.count or 1) - 1, "degree"),
    )


def damage(each: Damage) -> str:
    """Say which file of records cannot be read whole, and why."""
    lines = f"{counted(each.lines, 'line')} cannot be read, the first is line {each.first}"
    why = " ".join(each.why.split())[:200]
    return f"{each.file}: {lines if each.first else 'skipped'} ({why}); what they held is measured again"


def shard(found: Shard | None) -> list[str]:
    """Say which part of a suite a run is, in two sentences; none for a run over all cells."""
    whole = "The same command without --shard reports all of them; gates and --fail-on are judged there."
    return [line for said in part(found) for line in (f"This is {said}.", whole)]


def part(found: Shard | None) -> list[str]:
    """Name the part of a suite that a shard is; nothing without one."""
    if found is None:
        return []
    return [f"shard {found.number} of {found.of}: {found.cells:,} of {counted(found.total, 'cell')}"]


def _corrected(each: Issue) -> str:
    """Describe the comparisons that the corrections count, for rows that were left out; empty without a comparison."""
    if not each.value:
        return ""
    unknown = f", of which {each.bound:.0f} are not stored and count with p = 1" if each.bound else ""
    return f"; corrected for all {each.value:.0f} comparisons{unknown}"


def _weak(each: Issue) -> str:
    return _WEAK[Weakness(str(each.name))].format(value=each.value or 0.0, bound=each.bound or 0.0)


def blocks(found: Blocks) -> str:
    """Describe the course of an interleaved measurement."""
    return f"blocks: {found.count} after {found.warm} to warm up; {_STOPS[found.stop](found)}"


_REFERENCES: Mapping[ReferenceKind, str] = MappingProxyType(
    {
        ReferenceKind.DATASET: "{size:,} of the data set {name}",
        ReferenceKind.STATS: "the statistics in {name}, of an unknown number of samples, whose bias stays",
        ReferenceKind.DATA: "{size:,} real data",
        ReferenceKind.TARGET: "the target, known exactly",
    }
)


def compared_features(found: ComparedFeatures) -> str:
    """Describe the features that metrics compared, and their reference."""
    done = [f"rounded to {found.rounding}"] if found.rounding else []
    done += [f"resized to {found.resize}"] if found.resize else []
    how = f", {' and '.join(done)}" if done else ""
    against = _REFERENCES[found.reference].format(name=found.name, size=found.size)
    return f"features {found.feature} [{found.width:,}]{how}: {found.samples:,} samples against {against}"


def together(names: Sequence[str], most: int = SIDES) -> str:
    """Join the first of some names, and the number of further ones."""
    return ", ".join(names[:most]) + (f" and {len(names) - most} more" if len(names) > most else "")


def adjusted(p: float | None) -> str:
    """Format an adjusted p-value: `adjusted p = 0.012`.

    >>> adjusted(0.0123), adjusted(1e-9)
    ('adjusted p = 0.012', 'adjusted p < 0.001')
    """
    return "no p" if p is None else "adjusted p < 0.001" if p < 0.001 else f"adjusted p = {p:.2g}"


def about(count: int) -> str:
    """Round up to two significant digits.

    >>> about(1234), about(7)
    ('1,300', '7')
    """
    step = 10 ** max(len(str(count)) - 2, 0)
    return f"{-(-count // step) * step:,}"


def counted(n: int, noun: str) -> str:
    """Format a number with its noun: `1 seed`, `32 seeds`."""
    return f"{n:,} {noun}" + ("" if n == 1 else "s")


def singular(noun: str) -> str:
    """Return the singular of a noun: `seed` of `seeds`."""
    return noun.removesuffix("s")
