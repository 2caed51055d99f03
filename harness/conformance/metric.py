"""Requirements on a metric: it accepts a protocol's inputs, ranks in its own direction, and changes no input."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from harness.conformance import contract
from harness.conformance.metric_inputs import OFFERS, Pair, pairs
from harness.errors import BenchError, Skip, near_miss
from harness.inputs import accepted, required
from harness.kinds import Metric

CHANCE = 1e-3
"""Relative difference tolerated after reordering: sums round differently and jackknife groups change."""


def offered(metric: Metric) -> tuple[bool | None, str]:
    """A stock protocol offers the inputs that it requires."""
    needed = required(metric)
    able = [protocol for protocol, names in OFFERS.items() if set(needed) <= set(names)]
    if not able:
        offers = {name for names in OFFERS.values() for name in names}
        lost = next((f"{name}{near_miss(name, offers).suggestion}" for name in needed if name not in offers), None)
        return None, f"offered: no stock protocol offers {lost or ' and '.join(needed)}"
    return True, f"offered: {', '.join(needed) or 'nothing it needs'}, by {', '.join(able)}"


def value(metric: Metric) -> tuple[bool | None, str]:
    """The value is a finite number, or one for each example, or absent, with or without a reason."""
    found = {_judged(metric, pair.better, pair) for pair in _pairs(metric)}
    numbers = sorted(number for number in found if number is not None)
    if not numbers:
        return None, "value: none for the generated inputs"
    finite = all(map(math.isfinite, numbers))
    return finite, f"value: {', '.join(f'{number:.4g}' for number in numbers)} for a good answer"


def direction(metric: Metric) -> tuple[bool | None, str]:
    """The obviously better contender has the better value."""
    if metric.higher_is_better is None:
        return None, "direction: it describes, and none is claimed"
    matches, said = [], []
    for pair in _pairs(metric):
        better, worse = _judged(metric, pair.better, pair), _judged(metric, pair.worse, pair)
        if better is not None and worse is not None and better != worse:
            matches.append((better > worse) == metric.higher_is_better)
            said.append(f"{better:.4g} for the better and {worse:.4g} for the worse in {pair.protocol}")
    if not matches:
        raise Skip("no generated input is better or worse by it")
    claim = "higher" if metric.higher_is_better else "lower"
    wrong = [text for right, text in zip(matches, said, strict=True) if not right]
    return not wrong, f"direction: {claim} is better, {(wrong or said)[0]}"


def inputs(metric: Metric) -> tuple[bool | None, str]:
    """Inputs stay unchanged."""
    for pair in _pairs(metric):
        given = accepted(metric, pair.better)
        kept = contract.Untouched(given, exactly=True)
        _answer(metric, given)
        kept.check(metric)
    return True, "inputs: left as they were"


def repeats(metric: Metric) -> tuple[bool | None, str]:
    """The same inputs give the same value twice, whatever the state of the global generators."""
    found = []
    for seed in (0, 1):
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            found.append([_judged(metric, pair.better, pair) for pair in _pairs(metric)])
    for one, other in zip(*found, strict=True):
        if one != other:
            return False, f"repeats: {one} and then {other} for the same"
    return True, "repeats: the same value twice"


def order(metric: Metric) -> tuple[bool | None, str]:
    """The value does not depend on the order of the examples or samples."""
    asked = [pair for pair in _pairs(metric) if pair.rows & {*accepted(metric, pair.better)}]
    if not asked:
        raise Skip("it takes no examples")
    for pair in asked:
        count = len(pair.better[next(iter(pair.rows))])
        mixed = torch.randperm(count, generator=torch.Generator().manual_seed(0))
        moved = {k: v[mixed] if k in pair.rows and isinstance(v, Tensor) else v for k, v in pair.worse.items()}
        one, other = _judged(metric, pair.worse, pair), _judged(metric, moved, pair)
        if one is not None and other is not None and not math.isclose(one, other, rel_tol=CHANCE, abs_tol=CHANCE):
            return False, f"order: {one:.6g}, and {other:.6g} with the examples in another order, in {pair.protocol}"
    return True, "order: that of the examples does not count"


def _pairs(metric: Metric) -> list[Pair]:
    found = pairs(metric)
    if not found:
        raise Skip("no stock protocol offers what it asks for")
    return found


def _answer(metric: Metric, given: Mapping[str, Any]) -> Any:
    """Return the value; None if it has none, or accepts only special inputs, such as one column and two classes."""
    try:
        return metric(**given)
    except (Skip, BenchError):
        return None


def _judged(metric: Metric, given: Mapping[str, Any], pair: Pair) -> float | None:
    """Return the metric's value. Raises BenchError if its shape is not the one that the protocol takes."""
    answer = _answer(metric, accepted(metric, given))
    if pair.protocol != "accuracy":
        return contract.number(metric, answer)
    found = contract.scores(metric, answer, given["target"])
    return None if found is None else float(found.double().mean())


CHECKS = (offered, value, direction, inputs, repeats, order)
