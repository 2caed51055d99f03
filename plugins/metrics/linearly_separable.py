"""Test for linear separability of the data."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, ClassVar

import numpy

from harness import Metric, hookimpl

if TYPE_CHECKING:
    from torch import Tensor


class LinearlySeparable(Metric):
    """Test for a linear model that classifies every example correctly.

    1 where there is one, else 0. A property of the data, not of the contender; a description. inputs [n, d], target [n]
    -> scalar. Decided by a linear program: weights and biases with s_y - s_j >= 1 for every example and every other
    class j. NaN where the program is not solved.
    """

    tasks: ClassVar = ("classes",)
    higher_is_better: ClassVar[bool | None] = None

    def __call__(self, inputs: Tensor, target: Tensor) -> float:
        from scipy.optimize import linprog

        rows = _gaps(inputs.double().numpy(), target.numpy())
        if not len(rows):
            return 1.0
        found = linprog(numpy.zeros(rows.shape[1]), A_ub=-rows, b_ub=-numpy.ones(len(rows)), bounds=(None, None))
        return {0: 1.0, 2: 0.0}.get(found.status, math.nan)


def _gaps(inputs: Any, target: Any) -> Any:
    """Matrix with one row for every example and wrong class, whose product with all weights and biases is s_y - s_j."""
    shifted = inputs - inputs.mean(0)
    columns = numpy.c_[shifted / numpy.maximum(numpy.abs(shifted).max(0), 1e-300), numpy.ones(len(inputs))]
    one_hot = numpy.eye(target.max() + 1)
    signs = one_hot[target][:, None] - one_hot  # [n, classes, classes]; the label against itself is a row of zeros
    rows = (signs[..., None] * columns[:, None, None]).reshape(-1, signs.shape[-1] * columns.shape[1])
    return rows[(target[:, None] != numpy.arange(len(one_hot))).ravel()]


@hookimpl
def components() -> list[type[Metric]]:
    """The component classes of this module."""
    return [LinearlySeparable]
