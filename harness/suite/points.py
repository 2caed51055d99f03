"""Points of an axis: component specs and setting values, with their labels in tables."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from harness.base import component_name, label
from harness.fields import Json
from harness.suite import values
from harness.suite.cells import Point
from harness.suite.expand import Choice, Expander, axis_items
from harness.suite.nodes import Items, Node, Pairs, Word, got
from harness.suite.source import Place, shown

LONGEST = 1000
"""Letters of a word on an axis that holds no components."""


def points(expander: Expander, node: Node, kind: str, plain: bool = False) -> list[Point]:
    """Return the points of a kind under `vary`, or of an axis of `plain` words and numbers.

    Equal points, equal labels and empty lists are mistakes.
    """
    read = _plain if plain else _labelled
    items = axis_items(node, listy=False)
    listed = items.items if isinstance(items, Items) else (node,)
    if not listed:
        expander.findings.add(node.place, f"an empty list: {kind} needs at least one point")
    found: list[Point] = []
    seen: dict[str, Place] = {}
    for item in listed:
        found += [point for point in read(expander, item, kind) if _is_new(expander, point, item.place, seen)]
    return found


def setting_points(found: Sequence[Json]) -> list[Point]:
    """Return the points of a setting with several values."""
    return [Point(value_label(value), value) for value in found]


def value_label(value: Json) -> str:
    """Return a setting's value as in a table: `0.1`, `true`, `gaussian(scale=2.0)`."""
    if isinstance(value, Mapping) and "name" in value:
        return label(value)
    return label({"name": "", "": value})[2:-1]


def _is_new(expander: Expander, point: Point, place: Place, seen: dict[str, Place]) -> bool:
    point_key, label_key = values.key(point.value), f"label {point.label}"
    if point_key in seen:
        expander.findings.add(place, f"{shown(point.label)[1:-1]} is here twice, first on line {seen[point_key].line}")
    elif label_key in seen:
        what = f"two points have the label {shown(point.label)}, first on line {seen[label_key].line}"
        expander.findings.add(place, f"{what}: distinguish them with `as`")
    else:
        seen[point_key] = seen[label_key] = place
        return True
    return False


def _plain(expander: Expander, node: Node, axis: str) -> list[Point]:
    """Return a word or number as a point."""
    if isinstance(node, Word) and node.value is not None:
        text = node.value if isinstance(node.value, str) else node.text
        endless = isinstance(node.value, float) and not math.isfinite(node.value)
        if not text.strip() or not text.isprintable() or len(text) > LONGEST or endless:
            expander.findings.add(node.place, f"{axis}: expected a short printable word or a number, got {got(node)}")
        return [Point(value_label(node.value), node.value)]
    what = f"{axis}: under a trainer that runs a program an axis holds words and numbers, got {got(node)}"
    expander.findings.add(node.place, what)
    return []


def titled(expander: Expander, node: Node, kind: str) -> tuple[str | None, list[Choice]]:
    """Return the label beside a written component, `{NAME: {...}, as: LABEL}`, or None, and all its expansions."""
    title: str | None = None
    if isinstance(node, Pairs) and (said := node.get("as")) is not None:
        node = Pairs(node.place, tuple(pair for pair in node.pairs if pair[0].text != "as"))
        title = _title(expander, said)
    found = expander.choices(node, kind)
    if title is not None and not found:
        expander.findings.failed.add(title)
    return title, found


def titled_label(title: str | None, choice: Choice) -> str:
    """Return the label of one expansion: its own, or the title with the fields that vary."""
    return label(choice.spec) if title is None else label({"name": title, **choice.varied})


def _labelled(expander: Expander, node: Node, kind: str) -> list[Point]:
    title, found = titled(expander, node, kind)
    facts = expander.table[kind, component_name(found[0].spec)].get("facts", {}) if found else {}
    unused_kinds = tuple(facts.get("unused_kinds", ()))
    return [Point(titled_label(title, choice), choice.spec, unused_kinds) for choice in found]


def _title(expander: Expander, node: Node) -> str | None:
    title = node.value.strip() if isinstance(node, Word) and isinstance(node.value, str) else ""
    if 0 < len(title) <= 100 and title.isprintable():
        return title
    expander.findings.add(node.place, f"as: expected a short printable text, got {got(node)}")
    return None
