"""Requirements on the return values of components, checked at the first call of a run and by `bench check`.

Every function takes the component and its return value, and raises BenchError: one line with file:line of the method,
the value returned and the value expected. Nothing is drawn and nothing is changed.
"""

from __future__ import annotations

import contextlib
import math
import pickle
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from harness.base import Component
from harness.discovery.networks import called
from harness.discovery.signatures import method_place
from harness.errors import BenchError, Skip, own_line

if TYPE_CHECKING:
    from harness.kinds import Metric, Model
    from harness.kinds.classification import TrainingResult

SYMMETRIC = 256
"""Largest dimension at which all eigenvalues of a matrix estimate are checked; beyond it only the diagonal."""


NETWORK = "a torch.nn.Module"


def wrong(component: Component, method: str, found: str, expected: str) -> BenchError:
    """Return the error for a return value: `mine.py:8: Mine.__call__ returned [7, 7], expected [7] or []`."""
    cls = type(component)
    name = cls.__name__ if "import_path" in vars(cls) else f"{cls.__name__}.{method}"
    file, _, line = method_place(cls, method).rpartition(":")
    return BenchError(f"{name} {found}, expected {expected}", f"{Path(file).name}:{line}")


def shown(value: Any) -> str:
    """Describe a return value briefly: a tensor's shape, its type if it is not floating, else the class."""
    if not isinstance(value, Tensor):
        return "None" if value is None else f"a {type(value).__name__}"
    return f"{[*value.shape]}{'' if value.is_floating_point() else f' of {value.dtype}'}"


def tensor(component: Component, method: str, value: Any, shapes: Sequence[Sequence[int]], what: str = "") -> Tensor:
    """Return the value, a floating tensor of one of the shapes; `what` describes the input for the message."""
    if isinstance(value, Tensor) and value.is_floating_point() and tuple(value.shape) in {tuple(s) for s in shapes}:
        return value
    expected = " or ".join(str([*shape]) for shape in shapes)
    raise wrong(component, method, f"returned {shown(value)}{what}", f"a floating tensor {expected}")


def finite(component: Component, method: str, value: Tensor, what: str = "") -> Tensor:
    """Return the value, free of NaN and infinity."""
    if bool(torch.isfinite(value).all()):
        return value
    raise wrong(component, method, f"returned numbers that are not finite{what}", "finite ones")


class Untouched:
    """Tensors that belong to the caller: `check` raises BenchError if they were changed in place."""

    def __init__(self, given: Mapping[str, Any], exactly: bool = False) -> None:
        """`exactly` compares the numbers too; otherwise only torch's version counters are compared."""
        tensors = {name: value for name, value in given.items() if isinstance(value, Tensor)}
        tracked = {name: value for name, value in tensors.items() if not value.is_inference()}
        self._before = {name: (value, value._version) for name, value in tracked.items()}
        self._copies = {name: value.detach().clone() for name, value in tensors.items()} if exactly else {}

    def check(self, component: Component, method: str = "__call__") -> None:
        """Raises BenchError if a tensor was changed."""
        for name, (value, version) in self._before.items():
            copy = self._copies.get(name)
            same = copy is None or torch.equal(copy.nan_to_num(), value.detach().nan_to_num())
            if value._version != version or not same:
                raise wrong(component, method, f"changed its {name} in place", f"{name} to be left as given")


class Attributes:
    """The attributes of a component: `check` raises BenchError if a call changed them, since seeds would share them."""

    def __init__(self, component: Component) -> None:
        self._component, self._before = component, self._now(component)

    def check(self, method: str) -> None:
        """Raises BenchError with the first attribute that has changed."""
        now = self._now(self._component)
        for name in (*now, *(name for name in self._before if name not in now)):
            if now.get(name) != self._before.get(name):
                raise wrong(self._component, method, f"changed its attribute {name}", "none that seeds could share")

    @staticmethod
    def _now(component: Component) -> dict[str, bytes]:
        """Attributes by name, as bytes; those that have no such form are left out."""
        found = {}
        for name, value in vars(component).items():
            with contextlib.suppress(Exception):  # not everything can be pickled
                found[name] = pickle.dumps(value)
        return found


def loss_value(loss: Component, value: Any, examples: int, method: str = "__call__") -> Tensor:
    """Return one floating number for each example, or group, or a scalar."""
    return tensor(loss, method, value, [(examples,), ()], f" for {examples} examples")


def distribution(
    component: Component, method: str, p: Tensor, logits: Tensor, labels: bool = False, complete: bool = True
) -> Tensor:
    """Return probabilities [..., n] of logits [..., n]: each in [0, 1], with sum 1 unless they are of `labels`.

    Checked up to rounding in their type, on rows of finite logits. With `complete` NaN is an error; without it
    NaN is ignored, for logits that diverged in training.
    """
    found = tensor(component, method, p, [tuple(logits.shape)], f" for logits {[*logits.shape]}").detach()
    rows = found[torch.isfinite(logits).all(-1)].double()
    if not complete:
        rows = rows[~rows.isnan().any(-1)]
    if not rows.numel():
        return found
    slack = torch.finfo(found.dtype).eps ** 0.5
    low, high, sums = float(rows.min()), float(rows.max()), rows.sum(-1)
    if not (low >= -slack and high <= 1 + slack):
        extreme = low if not low >= -slack else high
        raise wrong(component, method, f"returned {extreme:.6g} as a probability", "numbers in [0, 1]")
    if not labels and not bool(((sums - 1).abs() <= slack).all()):
        off = float(sums[(sums - 1).abs().argmax()])
        raise wrong(component, method, f"returned probabilities that add up to {off:.6g}", "a sum of 1")
    return found


def number(metric: Metric, value: Any) -> float | None:
    """Return one number, or None if the metric does not apply."""
    if value is None:
        return None
    if isinstance(value, (int, float)) or getattr(value, "ndim", None) == 0:
        return float(value)
    raise wrong(metric, "__call__", f"returned {shown(value)}", "one number, or None")


def scores(metric: Metric, value: Any, target: Tensor) -> Tensor | None:
    """Return a number per example [m], per item or label if the target [m, ...] has them, or one []; None if absent."""
    if value is None:
        return None
    found = torch.as_tensor(value) if isinstance(value, (int, float)) or hasattr(value, "ndim") else None
    leading = [tuple(target.shape[:k]) for k in range(target.ndim + 1)]
    if found is not None and tuple(found.shape) in leading and not found.is_complex():
        return found
    expected = f"[{target.shape[0]}], a number for each example, or one number"
    raise wrong(metric, "__call__", f"returned {shown(value)} for {target.shape[0]} examples", expected)


def network_output(model: Component, logits: Any, rows: int, classes: int) -> Tensor:
    """Return logits [rows, classes] of the network that a model built."""
    if isinstance(logits, Tensor) and logits.ndim == 2 and len(logits) == rows and logits.shape[1] != classes:
        found = f"built a network that returns {logits.shape[1]} outputs for {classes} classes"
        raise wrong(model, "build", found, f"{classes}")
    if isinstance(logits, Tensor) and logits.is_floating_point() and tuple(logits.shape) == (rows, classes):
        return logits
    found = f"built a network that returns {shown(logits)} for {rows} examples"
    raise wrong(model, "build", found, f"{[rows, classes]}")


def training_result(trainer: Component, result: TrainingResult, parts: Mapping[str, Sequence[int]]) -> None:
    """Check logits [seeds, examples, ..., classes] on every part for which the trainer returns logits."""
    for name in ("test", "validation"):
        logits = getattr(result, name, None)
        if logits is not None:
            tensor(trainer, "fit", logits, [parts[name]], f" as the logits of the {name} part")


def levels(schedule: Component, found: Any, t: Tensor) -> None:
    """Check alpha_bar at rising times: numbers in [0, 1] that do not rise, the first above 0."""
    values = tensor(schedule, "alpha_bar", found, [tuple(t.shape)], f" for times {[*t.shape]}").double()
    inside = bool((values >= 0).all()) and bool((values <= 1).all()) and float(values[0]) > 0
    if not inside or bool((values.diff() > 0).any()):
        pairs = ", ".join(f"{float(a):g} at t = {float(b):g}" for a, b in zip(values, t, strict=True))
        raise wrong(schedule, "alpha_bar", f"returned {pairs}", "numbers that fall from at most 1 to at least 0")


def network(model: Model, shape: Sequence[int], outputs: int) -> torch.nn.Module:
    """Build the network for inputs of a shape: a number of columns, or several dimensions."""
    inputs = shape[0] if len(shape) == 1 else tuple(shape)
    try:
        built: object = called(model.build, inputs, outputs)
    except (BenchError, Skip):
        raise
    except Exception as error:
        said = f"{type(error).__name__}: {error}".splitlines()[0]
        raise wrong(
            model, "build", f"failed on inputs={inputs}: {said}{own_line(error, ours=False)}", NETWORK
        ) from error
    if isinstance(built, torch.nn.Module):
        return built
    raise wrong(model, "build", f"returned {shown(built)}", NETWORK)


def prediction(denoiser: Component, guess: Any, x: Tensor) -> Tensor:
    """Return a denoiser's prediction for x_t [b, *shape]."""
    return tensor(denoiser, "predict", guess, [tuple(x.shape)], f" for x_t {[*x.shape]}")


def samples(sampler: Component, found: Any, x: Tensor) -> Tensor:
    """Return samples x_0 for x_T [b, *shape]."""
    return tensor(sampler, "sample", found, [tuple(x.shape)], f" for x_T {[*x.shape]}")


def estimate(variance: Component, c: Any, x: Tensor, eigenvalues: bool = True) -> None:
    """Check a reverse variance at x_t [b, *shape]: a number, [b, *shape] or [b, d, d], finite and never negative.

    Without `eigenvalues` only the diagonal of a matrix is checked. A linear operator, which has `matvec`, is not.
    """
    method, d = "posterior_variance", x[0].numel()
    if hasattr(c, "matvec"):
        return
    if isinstance(c, (int, float)) and not isinstance(c, bool):
        c = torch.tensor(float(c), dtype=torch.float64)
    found = tensor(variance, method, c, [(), tuple(x.shape), (len(x), d, d)], f" for x_t {[*x.shape]}").detach()
    finite(variance, method, found)
    matrix = found.ndim == 3 and tuple(found.shape) != tuple(x.shape)
    least = _least_eigenvalue(found, eigenvalues) if matrix else float(found.min())
    if least < 0:
        raise wrong(variance, method, f"returned {least:.3g} as a variance", "none below 0")


def _least_eigenvalue(matrices: Tensor, exactly: bool) -> float:
    """Return the least eigenvalue, 0 if it is negative by rounding alone; the least diagonal entry if not `exactly`."""
    matrices = matrices.double()
    diagonal = float(matrices.diagonal(dim1=1, dim2=2).min())
    if not exactly or matrices.shape[-1] > SYMMETRIC or diagonal < 0:
        return diagonal
    values = torch.linalg.eigvalsh(matrices)
    least, most = float(values.min()), float(values.abs().max())
    return least if least < -1e-5 * most else 0.0


def statistics(component: Component, fitted: Any, method: str = "fit") -> Mapping[str, Tensor]:
    """Return the result of a variance's `fit` or a feature's `prepare`: tensors by name, finite."""
    if isinstance(fitted, Mapping) and all(isinstance(v, Tensor) for v in fitted.values()):
        for value in fitted.values():
            finite(component, method, value)
        return fitted
    other = {k: v for k, v in fitted.items() if not isinstance(v, Tensor)} if isinstance(fitted, Mapping) else {}
    found = f"{shown(next(iter(other.values())))} under {next(iter(other))!r}" if other else shown(fitted)
    raise wrong(component, method, f"returned {found}", "a mapping of names to tensors")


def drawn(prior: Component, found: Any, shape: Sequence[int]) -> Tensor:
    """Return x_T of the requested shape."""
    return finite(prior, "draw", tensor(prior, "draw", found, [tuple(shape)], f" for the shape {[*shape]}"))


def features(feature: Component, found: Any, examples: int) -> Tensor:
    """Return vectors [n, d] of n samples."""
    if isinstance(found, Tensor) and found.ndim == 2 and len(found) == examples and found.is_floating_point():
        return finite(feature, "__call__", found)
    raise wrong(feature, "__call__", f"returned {shown(found)} for {examples} samples", f"[{examples}, d]")


def dissimilarities(dissimilarity: Component, found: Any, n: int, m: int) -> Tensor:
    """Return dissimilarities [n, m] of n points and m others."""
    values = tensor(dissimilarity, "__call__", found, [(n, m)], f" for {n} points and {m} others")
    if bool(values.isnan().any()):
        raise wrong(dissimilarity, "__call__", "returned NaN", "numbers")
    return values


def times(spacing: Component, found: Any, last: float, steps: int) -> Tensor:
    """Return float64 times, at most `steps` + 1, from `last` or below, strictly decreasing to 0."""
    try:
        is_complex = torch.as_tensor(found).is_complex()
        listed = torch.as_tensor(found if not is_complex else 0, dtype=torch.float64)  # a list keeps all its digits
    except (TypeError, ValueError, RuntimeError):
        listed = torch.empty(())
    if listed.ndim != 1:
        raise wrong(spacing, "times", f"returned {shown(found)}", "a vector of times")
    falls = len(listed) > 1 and bool((listed[1:] < listed[:-1]).all()) and float(listed[-1]) == 0
    if not falls or not math.isfinite(float(listed[0])):
        few = ", ".join(f"{float(t):g}" for t in listed[:5])
        found = f"gave times that do not decrease to 0: {few}{', ...' * (len(listed) > 5)}"
        raise wrong(spacing, "times", found, "strictly decreasing ones that end in 0")
    if len(listed) > steps + 1:
        raise wrong(spacing, "times", f"gave {len(listed) - 1} steps for {steps} asked for", f"{steps} at most")
    if float(listed[0]) > last:
        raise wrong(spacing, "times", f"gave times from {float(listed[0]):g}", f"none beyond {last:g}")
    return listed
