"""Conformance checks of a sampler's convergence with more steps: its order, its output law, its remaining error."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise

import torch
from torch import Tensor

from harness.conformance.sampler.response import Ledger, NotLinear, respond, sampled
from harness.conformance.stock import component, target
from harness.diffusion.model import DiffusionModel, NoiseSource
from harness.errors import Skip
from harness.kinds import Sampler
from harness.random import generator

MEAN, VARIANCE = 1.0, 0.25
"""Mean and variance of the normal data on which all results are known in closed form."""

REFINED = (20, 40, 80, 160, 320)
"""Numbers of steps at which the order is observed."""

RESOLVED = 1e-6
"""Relative errors below this count as 0: rounding of 1 - A_t near the data, and float32."""

HALF_A_STEP = 0.3
"""Allowed shortfall of an observed order: stock samplers are within 0.15 at these steps, orders differ by 0.5."""

STEPS = (10, 25, 100, 1000)
"""Numbers of steps at which the output law is shown; not judged at the first, where opposite errors may cancel."""

DRAWS = 16384
"""Number of samples that estimate the law if it is not known exactly."""

LADDER = (10, 30, 100, 300)
"""Numbers of steps between which the error on a target with many modes has to decrease."""

GROUPS, EACH = 8, 512
"""Independent groups of samples, with the same x_T and noise at every number of steps: differences are paired."""

DEVIATIONS = 3.0
"""Standard errors that count as noise: with 8 groups and no difference, 1 in 100 exceeds it on one side."""


def order(sampler: Sampler) -> tuple[bool | None, str]:
    """Observe the slope of log error against log K on normal data: least squares over the last three resolved errors.

    Without requested noise the error is that of the map from x_T to x_0, against the probability flow; else that of
    the output variance, the weak order. The grid is that of Karras et al. (2022) down to a level of 1e-5, so that
    the last step, to 0, does not limit the order.
    """
    claimed = sampler.order
    if "spacing" in sampler.unused_kinds:
        raise Skip("it takes its own times")
    schedule = component("schedule", "edm", sigma_min=1e-5)
    data, grid = target("gaussian", variance=VARIANCE, schedule=schedule), component("spacing", "karras")
    try:
        errors = [_flow_error(sampler, data, grid.times(schedule, steps)) for steps in REFINED]
    except NotLinear as reason:
        raise Skip(reason) from None
    kept = [(math.log(steps), math.log(e)) for steps, e in zip(REFINED, errors, strict=True) if e > RESOLVED][-3:]
    said = "order not claimed" if claimed is None else f"order claimed {claimed:g}"
    if len(kept) < 2:
        return None if claimed is None else True, f"{said}; exact to {RESOLVED:g} in {REFINED[0]} steps"
    observed = -_slope(kept)
    passed = None if claimed is None else observed >= claimed - HALF_A_STEP
    return passed, f"{said}, observed {observed:.2f}"


def _flow_error(sampler: Sampler, data: DiffusionModel, times: Tensor) -> float:
    """Return the relative error. On centered normal data the flow scales every deviation by the same factor."""
    variance = _start(data, times, 0.0)[1]
    shares = (torch.arange(8, dtype=torch.float64) + 0.5) / 8
    points = variance.sqrt() * torch.special.ndtri(shares)[:, None]
    noise = Ledger()
    found = sampled(sampler, data, points, times, noise)
    if not noise.asked:
        right = (VARIANCE / variance).sqrt() * points
        return float((found - right).square().mean().sqrt() / right.square().mean().sqrt())
    response = respond(sampler, data, times)
    return abs(float(response.law(torch.zeros(1).double(), variance)[1]) / VARIANCE - 1)


def _slope(points: Sequence[tuple[float, float]]) -> float:
    """Return the slope of the least-squares line through the points."""
    middle, level = (sum(part) / len(points) for part in zip(*points, strict=True))
    rise = sum((x - middle) * (y - level) for x, y in points)
    return float(rise / sum((x - middle) ** 2 for x, _ in points))


def law(sampler: Sampler) -> tuple[bool | None, str]:
    """Compare mean and variance of the output on normal data, on the even grid of the linear schedule.

    Exact if the sampler is linear, else estimated from samples. Their distance (2-Wasserstein) from the data has to
    decrease from 25 steps on, overall at least like the square root of the steps, until it reaches what a last step
    without noise omits: Cov[x_0 | x_1].
    """
    data, grid = target("gaussian", mean=MEAN, variance=VARIANCE), component("spacing", "even")
    trajectories = [grid.times(data.schedule, steps) for steps in STEPS]
    doubt, how = 0.0, ""
    try:
        laws = [_exact(sampler, data, times) for times in trajectories]
    except NotLinear as reason:
        laws = [_empirical(sampler, data, times) for times in trajectories]
        doubt, how = DEVIATIONS * math.sqrt(1.5 / DRAWS), f" by {DRAWS} samples: {reason}"
    errors = [math.hypot(mean - MEAN, variance**0.5 - VARIANCE**0.5) / VARIANCE**0.5 for mean, variance in laws]
    kept = float(data.schedule.alpha_bar(trajectories[0][-2]))
    least = doubt + (1 - kept) / (kept * VARIANCE + 1 - kept)
    falls = all(later <= max(sooner, least) for sooner, later in pairwise(errors[1:]))
    enough = errors[-1] <= max(errors[1] / math.sqrt(STEPS[-1] / STEPS[1]), least)
    means, variances = (_listed(part, "{:.4f}") for part in zip(*laws, strict=True))
    found = f"variance {variances} and mean {means} in {_listed(STEPS)} steps"
    return falls and enough, f"law of N({MEAN:g}, {VARIANCE:g}): {found}{how}"


def _exact(sampler: Sampler, data: DiffusionModel, times: Tensor) -> tuple[float, float]:
    mean, variance = respond(sampler, data, times).law(*_start(data, times, MEAN))
    return float(mean), float(variance)


def _empirical(sampler: Sampler, data: DiffusionModel, times: Tensor) -> tuple[float, float]:
    mean, variance = _start(data, times, MEAN)
    normal = torch.randn(DRAWS, 1, dtype=torch.float64, generator=generator(0, "x_T"))
    found = sampled(sampler, data, mean + variance.sqrt() * normal, times, NoiseSource(0))
    return float(found.mean()), float(found.var())


def _start(data: DiffusionModel, times: Tensor, mean: float, variance: float = VARIANCE) -> tuple[Tensor, Tensor]:
    """Return mean [1] and covariance [1, 1] of x_T under the forward process."""
    kept = data.schedule.alpha_bar(times[:1])
    return kept.sqrt() * mean, (kept * variance + 1 - kept)[:, None]


def end(sampler: Sampler) -> tuple[bool | None, str]:
    """On data that are a single point, as sharp as an image, the last step, to 0, has to remove its noise.

    The remainder is measured in units of the noise where that step begins; the trapezoidal rule leaves a half.
    """
    data = target("gaussian", mean=MEAN, variance=0.0)
    times = component("spacing", "even").times(data.schedule, STEPS[0])
    mean, variance = _start(data, times, MEAN, 0.0)
    start = mean + variance.sqrt() * torch.tensor([[-1.0], [1.0]]).double()
    found = sampled(sampler, data, start, times, NoiseSource(0))
    left = float((found - MEAN).square().mean().sqrt() / data.schedule.sigma(times[-2]))
    return left <= 0.501, f"end: of the noise before the last step {left:.2f} is left in data of a single point"


def floor(sampler: Sampler) -> tuple[bool | None, str]:
    """MMD^2, exact for the target, decreases with the steps on `ring8` to the level of independent data."""
    data = target("ring8")
    start = torch.randn(GROUPS * EACH, *data.shape, generator=generator(0, "x_T"))
    grid = component("spacing", "even")
    errors = [
        _discrepancies(sampled(sampler, data, start, grid.times(data.schedule, steps), NoiseSource(0)), data)
        for steps in LADDER
    ]
    perfect = _discrepancies(data.sample(len(start), generator(0, "data")), data)
    falls = all(_excess(later - sooner) <= DEVIATIONS for sooner, later in pairwise(errors))
    there = _excess(errors[-1] - perfect) <= DEVIATIONS
    shown = _listed([1e4 * float(each.mean()) for each in errors], "{:.1f}")
    doubt = 1e4 * float(perfect.std()) / math.sqrt(GROUPS)
    found = f"{shown} in {_listed(LADDER)} steps, {1e4 * float(perfect.mean()):.1f} ± {doubt:.1f} for independent data"
    return falls and there, f"floor: MMD² × 10⁴ on ring8 {found}"


def _discrepancies(samples: Tensor, data: DiffusionModel) -> Tensor:
    """Return MMD^2 of each group [GROUPS]."""
    metric, moments = component("metric", "mmd"), data.moments()
    groups = samples.reshape(GROUPS, EACH, *data.shape)
    return torch.tensor([metric(group, group, moments, data) for group in groups], dtype=torch.float64)


def _excess(differences: Tensor) -> float:
    """Return the mean of paired differences in standard errors; 0 if all are 0."""
    mean, error = float(differences.mean()), float(differences.std()) / math.sqrt(len(differences))
    return mean / error if error else 0.0


def _listed(numbers: Sequence[float], form: str = "{}") -> str:
    """Format numbers in sequence, or one for all if they look alike."""
    shown = [form.format(number) for number in numbers]
    return shown[0] if len({*shown}) == 1 else ", ".join(shown)
