"""Requirements on a data set: a complete table, the same at every load, that can be split and learned from."""

from __future__ import annotations

import copy
from collections.abc import Mapping

import torch
from torch import Tensor

from harness import artifacts
from harness.conformance import contract
from harness.kinds import Dataset
from harness.kinds.classification import Examples
from harness.protocols.accuracy.split import split

SEEDS = (0, 1)

APART = 100.0
"""Ratio of the spreads of two columns above which the data count as not standardized."""


def table(dataset: Dataset) -> tuple[bool | None, str]:
    """Inputs, targets and parts have the right shapes, types and ranges."""
    data = _loaded(dataset)
    shape = " x ".join(str(size) for size in data.inputs.shape)
    return True, f"table: {shape}, {data.classes} classes, task {data.task}"


def classes(dataset: Dataset) -> tuple[bool | None, str]:
    """Every class, or the presence and absence of every label, occurs."""
    data = _loaded(dataset)
    if data.targets.is_floating_point():
        shares = data.targets.flatten(0, -2).mean(0)
        never = ((shares == 0) | (shares == 1)).nonzero().flatten().tolist()
        low, high = float(shares.min()), float(shares.max())
        said = f"{never} never or always there" if never else f"each in {low:.1%} to {high:.1%} of the examples"
        return not never, f"classes: {said}"
    counts = data.targets.flatten().bincount(minlength=data.classes)
    absent = (counts == 0).nonzero().flatten().tolist()
    said = f"{absent} without an example" if absent else f"{int(counts.min()):,} to {int(counts.max()):,} examples each"
    return not absent, f"classes: {said}"


def repeats(dataset: Dataset) -> tuple[bool | None, str]:
    """The same generator gives the same table, whatever the state of the global generators."""
    found = []
    for seed in SEEDS:
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            found.append(_loaded(dataset))
    same = all(_equal(getattr(found[0], name), getattr(found[1], name)) for name in ("inputs", "targets", "part"))
    return same, f"repeats: loaded twice it is {'the same' if same else 'another table'}"


def parts(dataset: Dataset) -> tuple[bool | None, str]:
    """Every seed has training, validation and test examples, none in two parts."""
    data = _loaded(dataset)
    found = split(data, SEEDS, "seed")
    sizes = [part.index.shape[1] for part in found]
    both = set(found.train.index[0].tolist()) & set(found.test.index[0].tolist())
    drawn = data.part is None
    said = f"{sizes[0]:,} training, {sizes[1]:,} validation and {sizes[2]:,} test examples"
    if both:
        return False, f"parts: {len(both)} training examples are test examples too"
    empty = not sizes[0] or not sizes[2]
    return not empty, f"parts: {said}, {'drawn by each seed' if drawn else 'fixed by the data set'}"


def scale(dataset: Dataset) -> tuple[bool | None, str]:
    """Columns have similar spreads, or are standardized by the seed's own training rows."""
    data = _loaded(dataset)
    spread = data.inputs.flatten(0, -1 - len(data.input_shape)).double().std(0)
    spread = spread[spread > 0]
    if not len(spread):
        return None, "scale: all columns are constant"
    ratio = float(spread.max() / spread.min())
    said = f"columns spread from {float(spread.min()):.3g} to {float(spread.max()):.3g}"
    if data.standardize:
        return True, f"scale: {said}, standardized by every seed"
    return True if ratio <= APART else None, f"scale: {said}, not standardized"


def memory(dataset: Dataset) -> tuple[bool | None, str]:
    """Loading leaves the component's attributes unchanged."""
    before = copy.deepcopy(vars(dataset))
    _loaded(dataset)
    changed = sorted(name for name in {*before, *vars(dataset)} if before.get(name) != vars(dataset).get(name))
    return (
        not changed,
        f"memory: {', '.join(changed)} changed by loading" if changed else "memory: unchanged by loading",
    )


def try_again(dataset: Dataset, table: Mapping[str, object]) -> None:
    """Load a data set once more. Raises BenchError if it is another table."""
    again = dataset.load(torch.Generator().manual_seed(0))
    for name in ("inputs", "targets", "part"):
        one, other = table[name], getattr(again, name, None)
        if (one is None) != (other is None) or not (one is None or _equal(torch.as_tensor(one), other)):
            raise contract.wrong(dataset, "load", f"returned other {name} the second time", "one table for a generator")


def _loaded(dataset: Dataset) -> Examples:
    data = dataset.load(torch.Generator().manual_seed(0))
    artifacts.check(data)
    return data


def _equal(one: Tensor | None, other: Tensor | None) -> bool:
    if one is None or other is None:
        return one is other
    return (
        one.shape == other.shape
        and torch.equal(one.isnan(), other.isnan())
        and torch.equal(one.nan_to_num(), other.nan_to_num())
    )


CHECKS = (table, classes, repeats, parts, scale, memory)
