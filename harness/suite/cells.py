"""A checked suite and its grid of cells."""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from harness.base import Spec
from harness.fields import Json

if TYPE_CHECKING:
    from harness.results.values import Label

DEVICE = "device"
"""Axis of several devices, which is no setting of a protocol."""


@dataclass(frozen=True)
class Point:
    """One value of an axis: the label shown, and a component's spec or a setting's plain value.

    `unused_kinds` are the axes that have no effect with it.
    """

    label: str
    value: Json
    unused_kinds: tuple[str, ...] = ()

    @property
    def entry(self) -> Label:
        """Entry in `Cell.vary`: a setting's plain value if it is one, else the label."""
        return self.value if self.value is None or isinstance(self.value, (str, int, float)) else self.label

    @property
    def is_component(self) -> bool:
        """Whether it is a component, and no word or number."""
        return isinstance(self.value, Mapping)

    @property
    def spec(self) -> Spec:
        """The component's spec; empty for a setting."""
        return dict(self.value) if isinstance(self.value, Mapping) else {}


@dataclass(frozen=True)
class Seeds:
    """Requested seeds; `split` is `seed` if every seed draws its own split or `fixed` if all share one."""

    seeds: tuple[int, ...]
    split: str = "seed"


@dataclass(frozen=True)
class Resources:
    """Share of a machine that one cell takes: cores, GPUs and MiB of memory; None where the suite does not say."""

    cpus: int | None = None
    gpus: int | None = None
    memory: int | None = None


@dataclass(frozen=True)
class Tune:
    """Tuning plan: `trials` for every contender on `seeds` seeds of its own.

    `metric` is the label of the metric that chooses (None: the first of `metrics`), `lr` the learning rates tried;
    `fields` maps `NAME.field` (name or label of a contender) to the values tried.
    """

    trials: int
    metric: str | None
    seeds: int
    lr: Sequence[float]
    fields: Mapping[str, Sequence[Json]]


@dataclass(frozen=True)
class Cell:
    """One point of the grid without its seeds.

    `vary` maps an axis to its label (a setting's plain value where that is a number, text, boolean or null), `parts` a
    kind to its spec, `settings` every setting of the protocol to its value, `values` an axis that holds words and
    numbers to that of this cell; `reference` is what the suite says of the reference beside its data set, a part;
    `device` is None if it is the run's, `revision` is None if it is the running code's.
    """

    vary: dict[str, Label]
    parts: dict[str, Spec]
    settings: dict[str, Json]
    device: str | None = None
    revision: str | None = None
    values: dict[str, Json] = field(default_factory=dict)
    reference: dict[str, Json] = field(default_factory=dict)


@dataclass(frozen=True)
class Suite:
    """A checked suite.

    `axes` holds the points of every kind the protocol needs, of the one `trainer` and of the data set of the
    `reference` where they are written, and of the settings and devices with more than one value; `varies` names the
    axes that distinguish cells, `contenders` those of them that compete. `settings` holds the settings with one
    value, defaults included. `metrics` maps a label to its spec. `baseline` is the label of one contender, or axis
    -> label; `group_by` is None where the suite does not say. `gates` are bounds that fail the run if a row breaks
    them, `claims` statements that the report tests, `asks` parts of the question with a metric, `published` numbers
    from papers as the result JSON has them, which are only shown. `resources` are what one cell takes of a machine.
    """

    name: str
    question: str
    file: Path
    protocol: str
    axes: dict[str, list[Point]]
    varies: tuple[str, ...]
    contenders: tuple[str, ...]
    settings: dict[str, Json]
    setting_names: tuple[str, ...]
    trainer: Spec | None
    tune: Tune | None
    seeds: Seeds
    metrics: dict[str, Spec]
    baseline: str | dict[str, Label] | None
    group_by: list[str] | None
    margin: dict[str, float] | float | None
    interval: str
    plugins: list[str]
    device: str
    gates: list[dict[str, Json]]
    claims: list[dict[str, Json]]
    asks: list[dict[str, Json]]
    published: list[dict[str, Json]]
    reference: dict[str, Json]
    resources: Resources

    def labels(self) -> dict[str, list[Label]]:
        """Return axis -> its entries of `Cell.vary`, for every axis that varies, in the order written."""
        return {axis: [point.entry for point in self.axes[axis]] for axis in self.varies}

    def size(self) -> int:
        """Return the number of cells; an upper bound if a point ignores an axis."""
        return math.prod(len(points) for points in self.axes.values())

    def cells(self) -> list[Cell]:
        """Return every cell; problems are outermost in the order written, contenders innermost.

        If a point ignores an axis, the points of that axis make one cell, in which the axis is null.
        """
        outer = [axis for axis in self.axes if axis not in self.contenders]
        order = [*outer, *(axis for axis in self.axes if axis in self.contenders)]
        found: dict[tuple[int | None, ...], Cell] = {}
        for points in itertools.product(*(self.axes[axis] for axis in order)):
            ignored = {axis for point in points for axis in point.unused_kinds}
            chosen = {axis: point for axis, point in zip(order, points, strict=True) if axis not in ignored}
            key = tuple(id(chosen[axis]) if axis in chosen else None for axis in order)
            if key not in found:
                found[key] = self._cell(chosen)
        return list(found.values())

    def _cell(self, chosen: Mapping[str, Point]) -> Cell:
        vary = {axis: chosen[axis].entry if axis in chosen else None for axis in self.varies}
        plain = (*self.setting_names, DEVICE)
        points = {axis: point for axis, point in chosen.items() if axis not in plain}
        parts = {axis: point.spec for axis, point in points.items() if point.is_component}
        values = {axis: point.value for axis, point in points.items() if not point.is_component}
        settings = {name: chosen[name].value if name in chosen else self.settings[name] for name in self.setting_names}
        device = str(chosen[DEVICE].value) if DEVICE in chosen else None
        return Cell(vary, parts, settings, device, values=values, reference=self.reference)
