"""Keys of published numbers, matched to problems and contenders of the suite."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from harness.base import same_name
from harness.suite.cells import Point
from harness.suite.nodes import Node, Pairs, Word, got, is_null
from harness.suite.rows import Axes, matches, some
from harness.suite.source import Findings, shown

if TYPE_CHECKING:
    from harness.results.values import Label


@dataclass(frozen=True)
class Names:
    """Matches the keys under `values`; `where` has the one point chosen on some of the axes."""

    axes: Mapping[str, Sequence[Point]]
    contenders: Sequence[str]
    where: Mapping[str, Point]
    unmeasured: Sequence[str]
    findings: Findings

    def rows(self, node: Node | None) -> Iterator[tuple[Word, dict[str, Label], Node]]:
        """Yield (contender's key, axis -> entry, number) of `PROBLEM: {CONTENDER: number}` or `CONTENDER: number`."""
        if node is not None and not is_null(node) and (not isinstance(node, Pairs) or not node.pairs):
            what = "published.values: expected a mapping, problem: {contender: number}"
            self.findings.add(node.place, f"{what}, got {got(node)}")
        for word, value in node.pairs if isinstance(node, Pairs) else ():
            nested = isinstance(value, Pairs)
            problem = self._point(word, "problem") if nested else self._closed({}, self._side("problem"), word)
            for name, number in value.pairs if isinstance(value, Pairs) else ((word, value),):
                contender = self._only_published(name) or self._point(name, "contender")
                if problem is not None and contender is not None:
                    both = problem | contender
                    yield name, {axis: both[axis] for axis in self.axes if axis in both}, number

    def _side(self, noun: str) -> Axes:
        return {axis: p for axis, p in self.axes.items() if (axis in self.contenders) == (noun == "contender")}

    def _left(self, side: Axes) -> dict[str, Sequence[Point]]:
        """Return the points of some axes that `where` allows."""
        return {axis: [self.where[axis]] if axis in self.where else points for axis, points in side.items()}

    def _only_published(self, word: Word) -> dict[str, Label] | None:
        name = next((name for name in self.unmeasured if same_name(name) == same_name(word.text)), None)
        if name is None:
            return None
        side = self._left(self._side("contender"))
        axis = next((axis for axis, points in side.items() if len(points) > 1), self.contenders[0])
        return {other: points[0].entry for other, points in side.items() if len(points) == 1} | {axis: name}

    def _point(self, word: Word, noun: str) -> dict[str, Label] | None:
        """Return axis -> entry for every axis of problems or of contenders."""
        side, left = self._side(noun), self._left(self._side(noun))
        found = [(axis, point) for axis, points in side.items() for point in matches(word, points, axis)]
        found = [(axis, point) for axis, point in found if point in left[axis]]
        if len(found) > 1:  # a point already chosen by `where` does not match again
            found = [pair for pair in found if pair[0] not in self.where] or found
        if len(found) == 1:
            return self._closed(dict(found), side, word)
        labels = [point.label for points in left.values() for point in points]
        if found:
            what = f"stands for {len(found)} {noun}s: choose from {some([f'{axis} {p.label}' for axis, p in found])}"
            self.findings.add(word.place, f"published: {shown(word.text)} {what}")
        elif labels and not self.findings.excuses(word.text):
            also = " and not under unmeasured" if noun == "contender" else ""
            what = f"published: {shown(word.text)} is no {noun} of this suite{also}"
            self.findings.add(word.place, what, word.text, [*labels, *(self.unmeasured if also else ())])
        return None

    def _closed(self, chosen: Mapping[str, Point], side: Axes, word: Word) -> dict[str, Label] | None:
        """Return the chosen points with the only point of every other axis."""
        left = self._left(side)
        opened = [axis for axis, points in left.items() if axis not in chosen and len(points) > 1]
        if opened:
            more = ", ".join(f"{axis}: ..." for axis in opened)
            what = f"published: {shown(word.text)} leaves {' and '.join(opened)} open: write where: {{{more}}}"
            self.findings.add(word.place, what)
            return None
        return {axis: chosen.get(axis, points[0]).entry for axis, points in left.items() if points}
