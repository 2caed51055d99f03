"""Contenders over several problems: pooled differences, ranks, and the chance that a run is better."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

import numpy as np

from harness.analysis.differences import ALPHA, Cells
from harness.analysis.pairing import Partner, is_control, naming, text
from harness.analysis.ranks import typical
from harness.analysis.verdicts import Found, finite, margin_of
from harness.results import Bounded, Comparison, MeasuredRun, MetricInfo, Overall, Pooled, Ratio, Standing, Verdict
from harness.statistics import pooled, ratios
from harness.statistics.clusters import Array
from harness.statistics.paired import Difference, holm

_GROWING = frozenset({None, "s", "seconds", "B", "bytes"})
"""Units whose numbers may grow with the problem, so that a difference on one is not a difference on another."""
_DATA = ("dataset", "denoiser")
"""Kinds whose component is where the data come from: problems with the same one are not independent."""
_APART = 10.0
"""Ratio of two problems' typical values from which such numbers have no common scale."""
_MOST = 700.0
"""Logarithm above which a ratio is no number of float64."""


class _Link(NamedTuple):
    """A contender's comparison on one problem, by row numbers, with its difference and verdict."""

    row: int
    partner: int
    found: Difference
    entry: Comparison


def overall(
    run: MeasuredRun,
    cells: Cells,
    links: Sequence[Partner],
    same: Sequence[int],
    found: Mapping[str, Mapping[int, Found]],
    compared: Sequence[Mapping[str, Comparison]],
    own: int,
) -> Iterator[Overall]:
    """Yield the contenders over all problems, for the first metric and those that the question asks for.

    There is nothing for a single problem. `found` are differences by metric and row, `compared` the comparisons; the
    first `own` rows are those of the run.
    """
    names = dict.fromkeys([metric.label for metric in run.metrics[:1]] + [ask.metric for ask in run.asks])
    for metric in (run.metric(name) for name in names):
        if metric.label in found:
            one = _Metric(run, cells, links, same, metric, own)
            if len(one.places) > 1:
                yield one.overall(found[metric.label], compared)


class _Metric:
    """The rows of a run with one metric, by contender and problem; controls and excluded rows are none of them."""

    def __init__(
        self,
        run: MeasuredRun,
        cells: Cells,
        links: Sequence[Partner],
        same: Sequence[int],
        metric: MetricInfo,
        own: int,
    ) -> None:
        self.run, self.cells, self.links, self.same, self.metric = run, cells, links, same, metric
        rows, self.where = naming(run)
        self.by_ratio = metric.relative_margin is not None
        self.table: dict[str, dict[str, int]] = {}
        """Contender -> problem -> row number."""
        for index, row in enumerate(run.cells[:own]):
            if metric.label in cells[index] and row.excluded is None and not is_control(run, row):
                self.table.setdefault(text(row.vary, rows), {})[text(row.vary, self.where)] = index
        self.places = list(dict.fromkeys(place for each in self.table.values() for place in each))
        self.has_scale = not self.by_ratio and self._has_scale()

    def _has_scale(self) -> bool:
        """Return whether differences on the problems are on one scale: by the unit, or by their typical values."""
        if self.metric.unit not in _GROWING:
            return True
        sizes = []
        for place in self.places:
            rows = [each[place] for each in self.table.values() if place in each]
            means = [abs(typical(self.cells[index][self.metric.label], self.metric)) for index in rows]
            known = [mean for mean in means if math.isfinite(mean)]
            sizes.append(float(np.median(known)) if known else math.nan)
        known = [size for size in sizes if math.isfinite(size)]
        return bool(known) and max(known) <= _APART * min(known)

    def overall(self, found: Mapping[int, Found], compared: Sequence[Mapping[str, Comparison]]) -> Overall:
        """Return the metric over all problems."""
        linked = {name: self._links(own, found, compared) for name, own in self.table.items()}
        means = {name: self._pooled(each) for name, each in linked.items() if self._poolable(each)}
        adjusted = dict(zip(means, holm([mean.p for mean in means.values()]), strict=True))
        ranks, names = self._ranks()
        ranked = {} if ranks is None else dict(zip(names, ranks.means.tolist(), strict=True))
        return Overall(
            metric=self.metric.label,
            problems=len(self.places),
            standings=tuple(
                Standing(
                    row=name,
                    baseline=linked[name][0].entry.baseline if linked[name] else None,
                    pooled=self._told(means[name], adjusted[name], linked[name]) if name in means else None,
                    mean_rank=ranked.get(name),
                    interquartile_mean=self._middle(own),
                    improvement=self._improvement(linked[name]),
                )
                for name, own in self.table.items()
            ),
            friedman_p=None if ranks is None else ranks.p,
            critical_difference=None if ranks is None else ranks.critical_difference,
        )

    def _links(
        self, own: Mapping[str, int], found: Mapping[int, Found], compared: Sequence[Mapping[str, Comparison]]
    ) -> list[_Link]:
        """Return the tested comparisons of a contender, one for each problem that has one."""
        linked = []
        for index in own.values():
            difference, entry = found.get(index, (None, None))[0], compared[index].get(self.metric.label)
            partner = self.links[index].index
            if difference is not None and entry is not None and entry.verdict is not None and partner is not None:
                linked.append(_Link(index, partner, difference, entry))
        return linked

    def _poolable(self, linked: Sequence[_Link]) -> bool:
        """Return whether there are several differences on one scale; a row identical to its baseline has none."""
        differs = any(each.entry.verdict is not Verdict.IDENTICAL for each in linked)
        several = len({self._data(each.row) for each in linked}) > 1
        return several and differs and (self.has_scale or self.by_ratio)

    def _data(self, index: int) -> str:
        """Return where the data of a row come from; without data set and denoiser every problem has its own."""
        row = self.run.cells[index]
        parts = [row.parameters[kind] for kind in _DATA if kind in row.parameters]
        names = [str(part.get("name")) for part in parts if isinstance(part, Mapping)]
        return " / ".join(names) or text(row.vary, self.where)

    def _pooled(self, linked: Sequence[_Link]) -> pooled.Pooled:
        """Return the mean difference over problems, or the mean logarithm of the ratio.

        Problems on the same data share their seeds and examples. They count as one, with the mean of their differences
        and of their errors, the most that the error of that mean can be.
        """
        effects = [(each.found.difference, each.found.error) for each in linked]
        if self.by_ratio:
            bases = [self.cells[each.partner][self.metric.label].sample() for each in linked]
            effects = [ratios.as_log(each.found, base) for each, base in zip(linked, bases, strict=True)]
        groups: dict[str, list[tuple[float, float]]] = {}
        for each, effect in zip(linked, effects, strict=True):
            groups.setdefault(self._data(each.row), []).append(effect)
        values, errors = zip(*(np.mean(group, axis=0).tolist() for group in groups.values()), strict=True)
        return pooled.pooled(values, errors)

    def _told(self, mean: pooled.Pooled, p_holm: float | None, linked: Sequence[_Link]) -> Pooled:
        by_ratio = self.by_ratio
        verdicts = [each.entry.verdict for each in linked]
        ends = [finite(each) for each in (mean.effect, mean.low, mean.high)]
        ratio = [None if each is None else math.exp(min(each, _MOST)) for each in ends]
        return Pooled(
            difference=None if by_ratio else ends[0],
            low=None if by_ratio else ends[1],
            high=None if by_ratio else ends[2],
            p=mean.p,
            p_holm=p_holm,
            problems=len(linked),
            better=verdicts.count(Verdict.BETTER),
            worse=verdicts.count(Verdict.WORSE),
            verdict=None if p_holm is None else self._verdict(mean, p_holm),
            spread=finite(mean.spread),
            ratio=Ratio(ratio[0], ratio[1], ratio[2]) if by_ratio and ratio[0] is not None else None,
        )

    def _verdict(self, mean: pooled.Pooled, p_holm: float) -> Verdict:
        """Return the verdict on a mean; one within a margin is never better or worse, as on a single problem."""
        margin = margin_of(self.run, self.metric)
        if margin is not None and self.by_ratio:
            margin = math.log1p(margin)
        if margin is not None and pooled.within(mean, margin) <= ALPHA:
            return Verdict.EQUIVALENT
        least = margin if margin is not None and self.by_ratio else 0.0
        if p_holm > ALPHA or abs(mean.effect) <= least:
            return Verdict.UNDECIDED
        return Verdict.BETTER if (mean.effect > 0) == bool(self.metric.higher_is_better) else Verdict.WORSE

    def _ranks(self) -> tuple[pooled.Ranks | None, list[str]]:
        """Return the ranks of contenders with every value on every problem, and their names; repeated rows tie."""
        table = {}
        for name, own in self.table.items():
            cells = [self.cells[self.same[own[place]]][self.metric.label] for place in self.places if place in own]
            if len(cells) == len(self.places) and all(np.isfinite(each.values).all() for each in cells):
                table[name] = [typical(each, self.metric) for each in cells]
        if len(table) < 2:
            return None, []
        columns = np.array([*table.values()]).T
        return pooled.mean_ranks(columns, bool(self.metric.higher_is_better)), list(table)

    def _middle(self, own: Mapping[str, int]) -> Bounded | None:
        """Return the interquartile mean of a contender; None without a common scale, or with unequal seeds."""
        scores = [self.cells[index][self.metric.label].values for index in own.values()]
        whole = len(scores) == len(self.places) and len({len(each) for each in scores}) == 1
        if not self.has_scale or not whole or not np.isfinite(scores).all():
            return None
        return _bounded(pooled.interquartile_mean(scores))

    def _improvement(self, linked: Sequence[_Link]) -> Bounded | None:
        """Return the probability of improvement over the baseline; None without common seeds on several problems."""
        if len(linked) < 2 or self.metric.label in self.run.unpaired:
            return None
        pairs = [self._pair(each.row, each.partner) for each in linked]
        if not all(len(one) for one, _ in pairs):
            return None
        ours, theirs = zip(*pairs, strict=True)
        return _bounded(pooled.improvement(ours, theirs, bool(self.metric.higher_is_better)))

    def _pair(self, index: int, partner: int) -> tuple[Array, Array]:
        """Return the values of two rows at the seeds where both are finite."""
        one, other = (self.cells[place][self.metric.label] for place in (index, partner))
        seeds = one.shared(other)
        x, y = (np.asarray(each.sample(seeds).values, float) for each in (one, other))
        keep = np.isfinite(x) & np.isfinite(y)
        return x[keep], y[keep]


def _bounded(found: pooled.Bootstrapped) -> Bounded:
    return Bounded(found.value, finite(found.low), finite(found.high))
