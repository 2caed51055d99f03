"""Learned and scheduled fields of a loss: where they start, and the value of each at a step."""

from __future__ import annotations

import math

import torch

from harness import Learn, dynamic_fields, with_values


class Moving:
    """The fields of a loss that change during training.

    A learned field is trained through a free number: its logarithm where the field must be positive, its logit where
    the field has two bounds, its distance from the bound through softplus where it has one, else itself.
    """

    def __init__(self, loss):
        self.loss = loss
        found = list(dynamic_fields(loss))
        self._learned = [
            (path, value.start, _bounds(schema)) for path, value, schema in found if isinstance(value, Learn)
        ]
        self._scheduled = [(path, value) for path, value, _ in found if not isinstance(value, Learn)]

    @property
    def start(self):
        """The free numbers at the first step, one for each learned field."""
        return torch.tensor([_free(start, *bounds) for _, start, bounds in self._learned])

    def at(self, free, progress):
        """The loss with this step's values; `free` is what `start` was, trained so far."""
        values = {path: _field(u, *bounds) for (path, _, bounds), u in zip(self._learned, free, strict=True)}
        values |= {path: torch.tensor(schedule.at(progress)) for path, schedule in self._scheduled}
        return with_values(self.loss, values) if values else self.loss

    def learned(self, free):
        """`{"transform.alpha": values}` for the report; `free` is [seeds, fields]."""
        return {
            ".".join(path): _field(free[:, column], *bounds).tolist()
            for column, (path, _, bounds) in enumerate(self._learned)
        }


def _bounds(schema):
    branch = next(b for b in schema.get("anyOf", [schema]) if b.get("type") == "number")
    return branch.get("exclusiveMinimum"), branch.get("minimum"), branch.get("maximum")


def _free(value, above, least, most):
    if above is not None:
        return math.log(value - above)
    if least is not None and most is not None:
        share = min(max((value - least) / (most - least), 1e-6), 1 - 1e-6)
        return math.log(share / (1 - share))
    if least is not None:
        return math.log(math.expm1(max(value - least, 1e-6)))
    return value


def _field(free, above, least, most):
    if above is not None:
        return above + free.exp()
    if least is not None and most is not None:
        return least + (most - least) * free.sigmoid()
    if least is not None:
        return least + torch.nn.functional.softplus(free)
    return free
