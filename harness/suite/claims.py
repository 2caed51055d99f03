"""Claims that a suite tests against its measurements: orders, equalities, bounds, values and trends."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from harness.base import Spec, component_name
from harness.discovery.descriptions import facts_of
from harness.errors import near_miss
from harness.fields import Json, Schema
from harness.suite.expand import Expander
from harness.suite.nodes import Items, Node, Pairs, Word, got, is_null
from harness.suite.rows import Axes, matches, on_axis, some, where
from harness.suite.sections import POSITIVE, Entries, JsonSchema, finite, listed, metric_label, text, unknown_keys
from harness.suite.source import Findings, shown

if TYPE_CHECKING:
    from harness.results.values import Label

KINDS = ("theorem", "expected", "open", "ours")
"""Keys for the source of a claim: proved, expected, left open, or the suite's own."""
COMPARED = ("order", "equal")
TRENDS = ("rises", "falls")
FORMS = (*COMPARED, "max", "min", "value", *TRENDS)
"""Keys for what is claimed."""
TEXTS = ("claim", "topic", "control")
PLACES = ("where", "fails_on")
KEYS = (*KINDS, "metric", *FORMS, "within", "lead", *PLACES, *TEXTS)
NUMBER: Schema = {"type": "number"}


def claims(node: Node | None, axes: Axes, metrics: Mapping[str, Spec], expander: Expander) -> list[dict[str, Json]]:
    """Return every claim as data of `harness.results.ClaimRule`; `axes` are those that vary."""
    found = []
    for item in listed(node) if node is not None and not is_null(node) else ():
        if not isinstance(item, Pairs):
            message = f"claims: expected a mapping with a source and what is claimed, got {got(item)}"
            expander.findings.add(item.place, message)
        elif (claim := _claim(item, axes, metrics, expander)) is not None:
            found.append(claim)
    return found


def _claim(item: Pairs, axes: Axes, metrics: Mapping[str, Spec], expander: Expander) -> dict[str, Json] | None:
    findings = expander.findings
    unknown_keys(item, KEYS, "claims", findings)
    kind = _one(item, KINDS, "where it is from", findings)
    form = _one(item, FORMS, "what is claimed", findings)
    if kind is None or form is None:
        return None
    said = {name: text(item.get(name), f"claims.{name}", findings) for name in (kind, *TEXTS)}
    metric = _metric(item, {name: component_name(spec) for name, spec in metrics.items()}, findings)
    places = {key: where(item.get(key), axes, f"claims.{key}", findings, several=True) for key in PLACES}
    numbers = _numbers(item, form, findings)
    points, lead = _points(item, form, axes, findings), _lead(item, axes, findings)
    if points and lead and (both := points[0].keys() & lead[0].keys()):
        message = f"claims.lead: {form} runs along {min(both)} too, the two need axes of their own"
        findings.add(item.place, message)
    if metric is not None and (lead or form == "order"):
        _check_direction(item, "lead" if lead else form, metric, metrics[metric], expander)
    if metric is None or points is None or lead is None or numbers is None or None in places.values():
        return None
    only = {key: {on: [p.entry for p in those] for on, those in (found or {}).items()} for key, found in places.items()}
    texts = {name: said[name] for name in TEXTS}
    return {"kind": kind, "source": said[kind], "form": form, "metric": metric, "points": points, "lead": lead,
            **numbers, **only, **texts}  # fmt: skip


def _one(item: Pairs, keys: tuple[str, ...], meaning: str, findings: Findings) -> str | None:
    """Return the one key of several that is written, or None with a mistake noted."""
    found = [key for key in keys if not is_null(item.get(key))]
    if len(found) != 1:
        findings.add(item.place, f"claims: write {meaning}, under one of {', '.join(keys[:-1])} and {keys[-1]}")
    return found[0] if len(found) == 1 else None


def _metric(item: Pairs, metrics: Entries, findings: Findings) -> str | None:
    said = item.get("metric")
    if isinstance(said, Word) and not is_null(said):
        return metric_label(said.text, said.place, "claims.metric", metrics, findings)
    if said is not None and not is_null(said):
        findings.add(said.place, f"claims.metric: expected a name, got {got(said)}")
        return None
    return next(iter(metrics), None)


def _check_direction(item: Pairs, key: str, metric: str, spec: Spec, expander: Expander) -> None:
    """Note an order or a lead in a metric of which neither direction is better, or a lead in one compared by ratio."""
    facts = facts_of(expander.table["metric", component_name(spec)], spec)
    if facts.get("higher_is_better", True) is None:
        expander.findings.add(item.place, f"claims.{key}: {metric} only describes, no value of it is better")
    elif key == "lead" and facts.get("relative_margin") is not None:
        expander.findings.add(item.place, f"claims.lead: {metric} is compared by ratio, a lead is a difference")


def _numbers(item: Pairs, form: str, findings: Findings) -> dict[str, float | None] | None:
    """Return the bound and the margin of a claim, or None with a mistake noted."""
    found: dict[str, float | None] = {"bound": None, "within": None}
    node, margin = item.get(form), item.get("within")
    if form in ("max", "min", "value") and node is not None:
        numbers = finite(node, NUMBER, f"claims.{form}", findings)
        if not numbers:
            return None
        found["bound"] = numbers[0]
    if form not in ("equal", "value"):
        if margin is not None and not is_null(margin):
            findings.add(margin.place, f"claims.within: {form} has no margin, only equal and value have one")
            return None
        return found
    if margin is None or is_null(margin):
        findings.add(item.place, f"claims.{form}: within is missing, the largest difference that does not matter")
        return None
    numbers = finite(margin, POSITIVE, "claims.within", findings)
    found["within"] = numbers[0] if numbers else None
    return found if numbers else None


def _points(item: Pairs, form: str, axes: Axes, findings: Findings) -> list[dict[str, Label]] | None:
    """Return the places that a claim compares, in order; empty where it compares none, None after a mistake."""
    node = item.get(form)
    if form in TRENDS and node is not None:
        return _along(node, form, axes, findings)
    if form not in COMPARED:
        return []
    if not isinstance(node, Items) or len(node.items) < 2:
        what = "the best first" if form == "order" else "which are equal"
        findings.add((node or item).place, f"claims.{form}: expected a list of two points or more, {what}")
        return None
    return _listed(node, form, axes, findings)


def _lead(item: Pairs, axes: Axes, findings: Findings) -> list[dict[str, Label]] | None:
    """Return the place that leads and the one that it leads; empty without a lead, None after a mistake."""
    node = item.get("lead")
    if node is None or is_null(node):
        return []
    if not isinstance(node, Items) or len(node.items) != 2:
        findings.add(node.place, "claims.lead: expected a list of two points, the one that leads first")
        return None
    return _listed(node, "lead", axes, findings)


def _listed(node: Items, form: str, axes: Axes, findings: Findings) -> list[dict[str, Label]] | None:
    """Return places written as names or as mappings."""
    items = node.items
    if all(isinstance(each, Pairs) for each in items):
        return _places([each for each in items if isinstance(each, Pairs)], form, axes, findings)
    words = [each for each in items if isinstance(each, Word)]
    if len(words) < len(items):
        findings.add(node.place, f"claims.{form}: write all points as names, or all as mappings, axis: name")
        return None
    return _named(words, form, axes, findings)


def _along(node: Node, form: str, axes: Axes, findings: Findings) -> list[dict[str, Label]] | None:
    """Return the points of an axis in the order of the suite."""
    if isinstance(node, Word) and node.text in axes:
        return [{node.text: point.entry} for point in axes[node.text]]
    name = node.text if isinstance(node, Word) else ""
    message = f"claims.{form}: expected an axis that varies here, got {got(node)}"
    findings.add(node.place, message, name, axes)
    return None


def _named(words: list[Word], form: str, axes: Axes, findings: Findings) -> list[dict[str, Label]] | None:
    """Return the points of the one axis on which every name matches one."""
    for axis, points in axes.items():
        found = [matches(word, points, axis) for word in words]
        if all(len(each) == 1 for each in found):
            return [{axis: each[0].entry} for each in found]
    labels = {point.label for points in axes.values() for point in points}
    lost = next((w for w in words if not any(matches(w, p, a) for a, p in axes.items())), words[0])
    if labels and not findings.excuses(lost.text):
        what = f"claims.{form}: no axis has one point for each name, see {shown(lost.text)}"
        near = _nearest(lost, words, axes)
        findings.add(lost.place, what + (near or f": there are {some(sorted(labels))}"))
    return None


def _nearest(lost: Word, words: list[Word], axes: Axes) -> str:
    """Return the near miss of a name that no point has, first on the axis of most of the others; empty for none."""
    if any(matches(lost, points, axis) for axis, points in axes.items()):
        return ""
    common = sorted(axes.items(), key=lambda pair: -sum(len(matches(word, pair[1], pair[0])) == 1 for word in words))
    found = (near_miss(lost.text, [point.label for point in points]).suggestion for _, points in common)
    return next(filter(None, found), "")


def _places(items: list[Pairs], form: str, axes: Axes, findings: Findings) -> list[dict[str, Label]] | None:
    """Return places written as mappings: axis: name, or null where the axis has no effect."""
    found: list[dict[str, Label]] = []
    for item in items:
        place: dict[str, Label] = {}
        for axis, word, node in item.named():
            if axis not in axes:
                message = f"claims.{form}: {shown(word.text)} is no axis that varies here"
                findings.add(word.place, message, word.text, axes)
                continue
            point = None if is_null(node) else on_axis(node, axes[axis], axis, f"claims.{form}.{axis}", findings)
            if point is not None or is_null(node):
                place[axis] = point.entry if point else None
        found.append(place)
    complete = all(len(place) == len(item.pairs) for place, item in zip(found, items, strict=True))
    if complete and len({frozenset(place) for place in found}) > 1:
        findings.add(items[0].place, f"claims.{form}: every mapping must name the same axes")
        return None
    return found if complete else None


def json_schema() -> JsonSchema:
    """Return the JSON Schema of the key."""
    words: JsonSchema = {"type": "string", "minLength": 1}
    points: JsonSchema = {"type": "array", "minItems": 2}
    types: Mapping[str, JsonSchema] = {
        **{key: {"anyOf": [words, {"type": "null"}]} for key in (*KINDS, *TEXTS, *TRENDS)},
        **dict.fromkeys(COMPARED, points),
        "lead": {"anyOf": [{"type": "array", "minItems": 2, "maxItems": 2}, {"type": "null"}]},
        **{key: {"type": "number"} for key in ("max", "min", "value")},
        **{key: {"type": ["object", "null"]} for key in PLACES},
        "metric": {"type": ["string", "null"]},
        "within": {"type": "number", "exclusiveMinimum": 0},
    }
    claim = {"type": "object", "properties": {key: types[key] for key in KEYS}, "additionalProperties": False}
    return {"anyOf": [claim, {"type": "array", "items": claim}]}
