"""Selection of rows: those that compete, their baseline, and subsets: `group_by`, `baseline`, `where`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from harness.base import component_name, same_name
from harness.suite.cells import Point
from harness.suite.imports import split_kind
from harness.suite.nodes import Items, Node, Pairs, Word, got, is_null
from harness.suite.points import value_label
from harness.suite.sections import listed, pick
from harness.suite.source import Findings, shown

if TYPE_CHECKING:
    from harness.results.values import Label

Axes = Mapping[str, Sequence[Point]]


def group_by(node: Node | None, known: Sequence[str], findings: Findings) -> list[str] | None:
    """Return the axes that define a problem, or None if nothing is written."""
    if node is None or is_null(node):
        return None
    if not listed(node):
        findings.add(node.place, "group_by: an empty list")
    found: list[str] = []
    for item in listed(node):
        name = same_name(item.value) if isinstance(item, Word) and isinstance(item.value, str) else None
        if name is None:
            findings.add(item.place, f"group_by: expected the name of an axis, got {got(item)}")
        elif known and name not in known:
            findings.add(item.place, f"group_by: no axis {shown(name)}", name, known)
        elif name in found:
            findings.add(item.place, f"group_by: {name} is here twice")
        else:
            found.append(name)
    return found


def baseline(node: Node | None, axes: Axes, findings: Findings) -> str | dict[str, Label] | None:
    """Return the label of the contender to compare with, or axis -> label; `axes` are those that compete."""
    if node is None or is_null(node):
        return None
    if isinstance(node, Pairs):
        return _by_axis(node, axes, findings)
    if not isinstance(node, Word):
        findings.add(node.place, f"baseline: expected the name of a contender or a mapping axis: name, got {got(node)}")
        return None
    return _by_name(node, node.value if isinstance(node.value, str) else value_label(node.value), axes, findings)


def _by_name(node: Word, word: str, axes: Axes, findings: Findings) -> str | None:
    said, name = split_kind(word)
    name = name if said else word
    found = {axis: pick(name, _entries(points)) for axis, points in axes.items() if said in (None, axis)}
    found = {axis: labels for axis, labels in found.items() if labels}
    if not found:
        choices = [point.label for points in axes.values() for point in points]
        if choices and not findings.excuses(name):
            findings.add(node.place, f"baseline: no contender {shown(word)} in this suite", name, choices)
        return None
    axis, labels = next(iter(found.items()))
    opened = [other for other, points in axes.items() if other != axis and len(points) > 1]
    what = f"baseline: {shown(word)} "
    if len(found) > 1:
        findings.add(node.place, f"{what}is in {' and '.join(found)}: write {{{axis}: {name}}}")
    elif len(labels) > 1:
        findings.add(node.place, f"{what}stands for {len(labels)} contenders: choose from {some(labels)}")
    elif opened:
        rest = "".join(f", {other}: ..." for other in opened)
        also = f"{{{axis}: {name}{rest}}} for one row a problem, {{{axis}: {name}}} to compare along {axis} only"
        findings.add(node.place, f"{what}leaves {' and '.join(opened)} open: write {also}")
    return labels[0]


def some(labels: Sequence[str]) -> str:
    """Return the first few of the choices."""
    return ", ".join(labels[:8]) + (", ..." if len(labels) > 8 else "")


def _by_axis(node: Pairs, axes: Axes, findings: Findings) -> dict[str, Label]:
    result: dict[str, Label] = {}
    if not node.pairs:
        findings.add(node.place, "baseline: an empty mapping")
    for axis, word, value in node.named():
        if axis not in axes:
            if axes:
                findings.add(word.place, f"baseline: {shown(word.text)} is no axis that competes here", word.text, axes)
            continue
        found = on_axis(value, axes[axis], axis, f"baseline.{axis}", findings)
        if found is not None:
            result[axis] = found.entry
    return result


def on_axis(node: Node, points: Sequence[Point], axis: str, what: str, findings: Findings) -> Point | None:
    """Return the one point of an axis that a word matches, or None with a mistake noted; `what` begins the message."""
    if isinstance(node, Items | Pairs):
        findings.add(node.place, f"{what}: expected a name, got {got(node)}")
        return None
    found = matches(node, points, axis)
    if len(found) > 1:
        choices = some([p.label for p in found])
        findings.add(node.place, f"{what}: {shown(node.text)} stands for {len(found)} points: choose from {choices}")
    elif not found and points and not findings.excuses(node.text):
        findings.add(node.place, f"{what}: no point {shown(node.text)}", node.text, [p.label for p in points])
    return found[0] if len(found) == 1 else None


def matches(node: Word, points: Sequence[Point], axis: str) -> list[Point]:
    """Return the points of an axis that a word matches: equal numbers, that label, or else that component."""
    by_value = [p for p in points if type(p.value) in (int, float) and not isinstance(node.value, bool | str)]
    equal = [p for p in by_value if p.value == node.value]
    said, name = split_kind(node.text)
    labels = pick(name if said == axis else node.text, _entries(points))
    return equal or [p for p in points if p.label in labels]


def _entries(points: Sequence[Point]) -> dict[str, str]:
    return {p.label: component_name(p.spec) if "name" in p.spec else p.label for p in points}


def where(
    node: Node | None, axes: Axes, what: str, findings: Findings, several: bool = False
) -> dict[str, list[Point]] | None:
    """Return axis -> its chosen points: one, or several from a list if `several`; None after a mistake."""
    if node is None or is_null(node):
        return {}
    if not isinstance(node, Pairs):
        findings.add(node.place, f"{what}: expected a mapping, axis: value, got {got(node)}")
        return None
    found: dict[str, list[Point | None]] = {}
    for axis, word, value in node.named():
        if axis in axes:
            items = listed(value) if several else [value]
            found[axis] = [on_axis(item, axes[axis], axis, f"{what}.{axis}", findings) for item in items]
        else:
            found[axis] = [None]
            findings.add(word.place, f"{what}: {shown(word.text)} is no axis that varies here", word.text, axes)
    known = {axis: [point for point in points if point is not None] for axis, points in found.items()}
    return known if known == found else None
