"""Requirements on a reverse variance: estimates of Cov[x_0 | x_t] are independent, never negative and repeatable."""

from __future__ import annotations

import copy
import functools
from collections.abc import Mapping
from typing import Any, NamedTuple

import torch
from torch import Tensor

from harness.conformance import contract, first_call
from harness.conformance.draws import undrawn
from harness.conformance.stock import component, target
from harness.diffusion.model import DiffusionModel
from harness.errors import Skip
from harness.inputs import call_with_inputs
from harness.kinds import Denoiser, Variance
from harness.random import generator

VARIANCE, DIMENSIONS, LAST = 0.25, 2, 100
"""Normal data on which Cov[x_0 | x_t] is B_t v / (A_t v + B_t) in every direction: v, dimension, last time."""

TIMES = (100.0, 60.0, 25.5, 5.0, 1.0)

EXAMPLES = 1024
"""Number of data that the estimate is fitted to."""

ROUNDING = 1e-4
"""Tolerance for float32, relative to the largest estimate: matrix products round differently in other batch sizes."""

EXACT = 0.01
"""Relative error within which an estimate counts as exact."""


class Fitted(NamedTuple):
    """An estimate with its fitted statistics, the data that it was fitted to, and its attributes before."""

    model: DiffusionModel
    statistics: Mapping[str, Tensor]
    data: Tensor
    before: Mapping[str, Any]


def statistics(variance: Variance) -> tuple[bool | None, str]:
    """`fit` returns tensors by name, and leaves the data and the component unchanged."""
    fitted = _fitted(variance)
    if not torch.equal(fitted.data, _data(fitted.model)):
        return False, "statistics: the data were changed in place"
    changed = sorted({*vars(variance)} - {*fitted.before})
    changed += [name for name, value in fitted.before.items() if not _same(vars(variance).get(name), value)]
    if changed:
        return False, f"statistics: {', '.join(changed)} of the component changed by fitting"
    made = ", ".join(f"{name} {[*value.shape]}" for name, value in fitted.statistics.items())
    return True, f"statistics: {made or 'none are needed'}"


def shape(variance: Variance) -> tuple[bool | None, str]:
    """The estimate is a finite number, [b, *shape] or [b, d, d], never below 0, at every time."""
    found = [_checked(variance, t) for t in TIMES]
    kinds = sorted({contract.shown(c) if isinstance(c, Tensor) and c.ndim else "a number" for c in found})
    return True, f"shape: {' or '.join(kinds)} for {_rows()} samples in {DIMENSIONS} dimensions, none below 0"


def inputs(variance: Variance) -> tuple[bool | None, str]:
    """x_t, eps and the fitted statistics stay unchanged."""
    model, fitted, *_ = _fitted(variance)
    x, eps = _noisy(model, TIMES[1])
    kept = contract.Untouched({"x_t": x, "eps": eps, **fitted}, exactly=True)
    variance.posterior_variance(model, fitted, x, TIMES[1], TIMES[2], eps)
    kept.check(variance, "posterior_variance")
    return True, "inputs: left as they were"


def repeats(variance: Variance) -> tuple[bool | None, str]:
    """The same arguments give the same estimate twice, whatever the state of the global generators."""
    found = []
    for seed in (0, 1):
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            found.append([_tensor(_checked(variance, t)) for t in TIMES])
    off = max(float((a - b).abs().max()) for a, b in zip(*found, strict=True))
    return not off, f"repeats: asked twice the estimates {f'differ by {off:.2g}' if off else 'are the same'}"


def batches(variance: Variance) -> tuple[bool | None, str]:
    """An estimate for a sample does not depend on the other samples."""
    model, fitted, *_ = _fitted(variance)
    worst = 0.0
    for t in TIMES:
        x, eps = _noisy(model, t)
        whole = _tensor(variance.posterior_variance(model, fitted, x.clone(), t, 0.0, eps.clone()))
        alone = [
            _tensor(variance.posterior_variance(model, fitted, a[None], t, 0.0, b[None]))
            for a, b in zip(x, eps, strict=True)
        ]
        parts = torch.cat(alone) if whole.ndim else torch.stack(alone)
        worst = max(worst, float((whole - parts).abs().max()) / max(float(whole.abs().max()), 1e-30))
    same = worst <= ROUNDING
    return same, f"batches: one by one the estimates {'are the same' if same else f'differ by {worst:.2g}, relative'}"


def ends(variance: Variance) -> tuple[bool | None, str]:
    """The estimate depends on where the step ends only if `depends_on_s` says so."""
    model, fitted, *_ = _fitted(variance)
    found = []
    for s in (TIMES[1] - 1, TIMES[-1]):
        x, eps = _noisy(model, TIMES[1])
        found.append(_tensor(variance.posterior_variance(model, fitted, x, TIMES[1], s, eps)))
    differs = not torch.equal(*found)
    if differs and not variance.depends_on_s:
        return False, "ends: it depends on s, and depends_on_s is False"
    said = "" if differs == variance.depends_on_s else ", though it says that it may"
    return True, f"ends: it {'depends' if differs else 'does not depend'} on where the step ends{said}"


def law(variance: Variance) -> tuple[bool | None, str]:
    """Report the ratio of the estimate to the exact value on normal data.

    A variance that accepts only denoisers with a known posterior claims to be exact; any other may be off.
    """
    model = _fitted(variance).model
    shares = []
    for t in TIMES:
        kept = float(model.schedule.alpha_bar(torch.tensor(t, dtype=torch.float64)))
        right = (1 - kept) * VARIANCE / (kept * VARIANCE + 1 - kept)
        found = _tensor(_checked(variance, t))
        matrix = found.ndim == 3
        mean = float(found.diagonal(dim1=1, dim2=2).mean() if matrix else found.mean())
        shares.append(mean / right)
    exact = all(abs(share - 1) <= EXACT for share in shares)
    listed = ", ".join(f"{share:.3f}" for share in shares)
    said = f"law of N(0, {VARIANCE:g}): {listed} of Cov[x_0 | x_t] at t = {', '.join(f'{t:g}' for t in TIMES)}"
    claims = variance.skip(_Blind()) is not None
    return exact if claims or exact else None, f"{said}{', claimed to be exact' if claims else ''}"


class _Blind(Denoiser):
    """A network that offers predictions and no exact statistics."""

    shape = (DIMENSIONS,)

    def load(self, device: str, **inputs: Any) -> None:
        """Load nothing."""

    def predict(self, net: Any, x: Tensor, t: Tensor) -> Tensor:
        """Predict no noise."""
        return torch.zeros_like(x)


@functools.lru_cache(maxsize=1)  # the checks of one component follow on each other, and fitting takes longest
def _fitted(variance: Variance) -> Fitted:
    schedule = component("schedule", "linear", num_train_timesteps=LAST)
    model = target("gaussian", variance=VARIANCE, dim=DIMENSIONS, schedule=schedule)
    reason = variance.skip(model.denoiser)
    if reason:
        raise Skip(reason)
    before, data = copy.deepcopy(vars(variance)), _data(model)
    with undrawn():
        found = call_with_inputs(variance.fit, model, data, generator(0, "fit"), on_progress=_quietly)
    return Fitted(model, contract.statistics(variance, found), data, before)


def _quietly(*_: object, **__: object) -> None:
    """Ignore progress."""


def _data(model: DiffusionModel) -> Tensor:
    return model.sample(EXAMPLES, generator(0, "data"))


def _rows() -> int:
    return first_call.few(DIMENSIONS)


def _noisy(model: DiffusionModel, t: float) -> tuple[Tensor, Tensor]:
    """Return x_t of some data, and the noise predicted in it."""
    kept = float(model.schedule.alpha_bar(torch.tensor(t, dtype=torch.float64)))
    x0 = model.sample(_rows(), generator(1, "data"))
    x = kept**0.5 * x0 + (1 - kept) ** 0.5 * torch.randn(x0.shape, generator=generator(1, "noise"))
    return x, model.eps(x, t)


def _checked(variance: Variance, t: float) -> Any:
    """Return an estimate for the step from t halfway to 0, checked."""
    model, fitted, *_ = _fitted(variance)
    x, eps = _noisy(model, t)
    c = variance.bind(model, fitted)(x, t, t / 2, eps)
    contract.estimate(variance, c, x)
    return c


def _tensor(c: Any) -> Tensor:
    """Return an estimate as a tensor. Raises Skip for an operator, which cannot be examined further."""
    if hasattr(c, "matvec"):
        raise Skip("it is a linear operator")
    return torch.as_tensor(c, dtype=torch.float64).detach()


def _same(one: Any, other: Any) -> bool:
    return bool(torch.as_tensor(one == other).all())


CHECKS = (statistics, shape, inputs, repeats, batches, ends, law)
