"""Requirements on a denoiser: it predicts each sample independently, and its exact statistics fit its data."""

from __future__ import annotations

import functools
import math
import time

import torch
from torch import Tensor

from harness import artifacts
from harness.conformance import contract, first_call
from harness.conformance.draws import undrawn
from harness.diffusion.model import DiffusionModel, NoiseSource
from harness.errors import Skip
from harness.inputs import call_with_inputs
from harness.kinds import Denoiser
from harness.random import generator

PATIENCE, FIRST = 60.0, 3.0
"""Seconds that training may take here, and seconds after which the total is extrapolated."""

MANY = 4096
"""Draws with which exact statistics are compared; fewer for large samples."""

VALUES = 2**20
"""Maximum of numbers that the draws contain together."""

DEVIATIONS = 5.0
"""Standard errors that count as chance: in a set of a thousand comparisons one in 500 sets exceeds it."""

ROUNDING = 1e-4
"""Relative tolerance for float32: matrix products round differently in batches of another size."""

SHARES = (0.02, 0.3, 1.0)
"""Times at which checks run, as shares of T."""

LATTICE = 401
"""Points along each axis of the lattice over which a density is summed."""


def declared(denoiser: Denoiser) -> tuple[bool | None, str]:
    """Shape, schedule and range are valid."""
    wrong = []
    if not denoiser.shape or not all(isinstance(n, int) and n > 0 for n in denoiser.shape):
        wrong.append(f"shape {denoiser.shape!r} is not one or more whole numbers above 0")
    if denoiser.data_range is not None and not denoiser.data_range[0] < denoiser.data_range[1]:
        wrong.append(f"data_range {denoiser.data_range!r} does not rise")
    facts = f"shape {[*denoiser.shape]}, predicts {denoiser.prediction_type}, {denoiser.parameterization}"
    return not wrong, f"declared: {'; '.join(wrong) or facts}"


def prediction(denoiser: Denoiser) -> tuple[bool | None, str]:
    """The prediction is finite and has the shape of x_t, which stays unchanged, at one time or one for each sample."""
    model = _loaded(denoiser)
    for t in _times(model):
        first_call.try_denoiser(model, t)
    x, times = _noisy(model, 5), torch.tensor(_times(model)).double()[torch.arange(5) % len(SHARES)]
    kept = contract.Untouched({"x_t": x, "t": times}, exactly=True)
    guess = model.unguided(x, times)
    contract.finite(denoiser, "predict", contract.prediction(denoiser, guess, x))
    kept.check(denoiser, "predict")
    return guess.dtype == x.dtype, f"prediction: {contract.shown(guess)} in {guess.dtype} for x_t in {x.dtype}"


def repeats(denoiser: Denoiser) -> tuple[bool | None, str]:
    """The same input gives the same prediction twice."""
    model = _loaded(denoiser)
    x, off = _noisy(model, 5), 0.0
    for t in _times(model):
        off = max(off, float((model.eps(x, t) - model.eps(x, t)).abs().max()))
    return not off, f"repeats: asked twice its guesses {f'differ by {off:.2g}' if off else 'are the same'}"


def batches(denoiser: Denoiser) -> tuple[bool | None, str]:
    """A prediction depends neither on the other samples nor on their times."""
    model = _loaded(denoiser)
    x, times = _noisy(model, 6), torch.tensor(_times(model)).double()[torch.arange(6) % len(SHARES)]
    whole = model.eps(x, times)
    alone = torch.cat([model.eps(x[k : k + 1], float(times[k])) for k in range(len(x))])
    off = float((whole - alone).abs().max() / alone.abs().max().clamp(min=1))
    said = "are the same" if off <= ROUNDING else f"differ by {off:.2g}, relative"
    return off <= ROUNDING, f"batches: one by one, at a time each, the guesses {said}"


def useful(denoiser: Denoiser) -> tuple[bool | None, str]:
    """The prediction of x_0 is better than the mean of the data, at a time with enough signal."""
    model = _loaded(denoiser)
    data = model.training_samples(_many(model), generator(0, "data"))
    if data is None:
        raise Skip("there are no data to compare its predictions with")
    if float(data.std(0).max()) == 0:
        raise Skip("the data are a single point")
    t = _times(model)[0]
    kept = float(model.schedule.alpha_bar(torch.tensor(t).double()))
    noise = torch.randn(data.shape, generator=generator(0, "noise")).to(data)
    with torch.no_grad():
        off = (model.x0(kept**0.5 * data + (1 - kept) ** 0.5 * noise, t) - data).double().square().mean()
    share = float(off / (data - data.mean(0)).double().square().mean())
    return share < 1, f"useful: at t = {t:g} its guess misses by {share:.3g} of what the mean of the data does, squared"


def drawing(denoiser: Denoiser) -> tuple[bool | None, str]:
    """Data are independent, finite, in range, and the same from the same generator."""
    model = _loaded(denoiser)
    data, again = (denoiser.sample(model.net, 64, generator(0, "data")) for _ in range(2))
    if data is None or again is None:
        raise Skip("there are no data to draw")
    contract.finite(denoiser, "sample", contract.tensor(denoiser, "sample", data, [(64, *model.shape)]))
    low, high = denoiser.data_range or (-math.inf, math.inf)
    inside = bool(((data >= low) & (data <= high)).all())
    same = torch.equal(data, again)
    said = "" if inside else f"outside [{low:g}, {high:g}]; "
    return inside and same, f"drawing: {said}{'the same' if same else 'others'} from the same generator"


def moments(denoiser: Denoiser) -> tuple[bool | None, str]:
    """Mean and covariance are those of the drawn data."""
    model, data = _drawn(denoiser)
    known = model.moments()
    if known is None:
        raise Skip("they are not known")
    mean, covariance = (part.double() for part in known)
    d = data.shape[1]
    contract.tensor(denoiser, "moments", known[0], [(d,)]), contract.tensor(denoiser, "moments", known[1], [(d, d)])
    gaps = data - mean
    products = gaps[:, :, None] * gaps[:, None] if d <= 32 else gaps.square()
    worst = max(_errors(gaps), _errors(products - (covariance if d <= 32 else covariance.diagonal())))
    return worst <= DEVIATIONS, f"moments: within {worst:.1f} standard errors of those of {len(data):,} draws"


def density(denoiser: Denoiser) -> tuple[bool | None, str]:
    """The density integrates to 1 in one or two dimensions; in more its score has the mean of every density's score."""
    model, data = _drawn(denoiser)
    shaped = data.float().view(-1, *model.shape)
    known = denoiser.log_prob(model.net, shaped)
    if known is None:
        raise Skip("it is not known")
    contract.finite(denoiser, "log_prob", contract.tensor(denoiser, "log_prob", known, [(len(data),)]))
    if data.shape[1] <= 2:
        total = _total(model, data)
        return abs(total - 1) <= 0.01, f"density: it sums up to {total:.4f}"
    with torch.enable_grad():
        x = shaped.clone().requires_grad_()
        found = denoiser.log_prob(model.net, x)
        assert found is not None
        score = torch.autograd.grad(found.sum(), x)[0].flatten(1).double()
    worst = _errors(score * (data - data.mean(0)) + 1)  # E[x_i d/dx_i log p] = -1, by parts
    return worst <= DEVIATIONS, f"density: its score is within {worst:.1f} standard errors of one that sums up to 1"


def posterior(denoiser: Denoiser) -> tuple[bool | None, str]:
    """E[(x_0 - x_0hat)^2 | x_t] is on average the squared error of the prediction."""
    model, data = _drawn(denoiser)
    worst, d = 0.0, data.shape[1]
    for t in _times(model):
        x, guess = _guessed(model, data, t)
        times = torch.full((len(x),), t).double()
        known = denoiser.posterior_covariance(model.net, x, times.round() if model.discrete_time else times)
        if known is None:
            raise Skip("it is not known")
        contract.tensor(denoiser, "posterior_covariance", known, [(len(x), d, d)])
        off = (data - guess).square() - known.double().diagonal(dim1=1, dim2=2)
        worst = max(worst, _errors(off))
    return worst <= DEVIATIONS, f"posterior: within {worst:.1f} standard errors of what guesses are off by"


def reverse(denoiser: Denoiser) -> tuple[bool | None, str]:
    """Draws of x_0 given x_t have, together with x_t, the joint distribution of data and noisy data."""
    model, data = _drawn(denoiser)
    worst = 0.0
    for t in _times(model):
        x, _ = _guessed(model, data, t)
        times = torch.full((len(x),), t).double()
        times = times.round() if model.discrete_time else times
        found = denoiser.sample_posterior(model.net, x, times, NoiseSource(1))
        if found is None:
            raise Skip("no exact draws of x_0 given x_t")
        contract.tensor(denoiser, "sample_posterior", found, [tuple(x.shape)])
        drawn, seen = found.flatten(1).double(), x.flatten(1).double()
        gaps = (drawn - data, drawn * seen - data * seen, drawn.square() - data.square())
        worst = max(worst, *map(_errors, gaps))
    return worst <= DEVIATIONS, f"reverse: draws given x_t are within {worst:.1f} standard errors of the data"


def features(denoiser: Denoiser) -> tuple[bool | None, str]:
    """Input of the last layer is finite, [b, n], or [b, n, h, w] for images."""
    model = _loaded(denoiser)
    x = _noisy(model, 5)
    found = model.hidden_features(x, _times(model)[1])
    if found is None:
        raise Skip("it has none")
    contract.finite(denoiser, "hidden_features", found)
    right = found.ndim in (2, 4) and len(found) == len(x)
    return right, f"features: {contract.shown(found)} for {len(x)} samples"


@functools.lru_cache(maxsize=1)  # the checks of one component follow on each other, and training takes longest
def _found(denoiser: Denoiser) -> DiffusionModel | Skip:
    began = time.monotonic()

    def on_progress(done: float, total: float, **_: float) -> None:
        spent = time.monotonic() - began
        if spent > FIRST and spent / max(done / total, 1e-9) > PATIENCE:
            raise Skip(f"training it would take {spent / max(done / total, 1e-9):,.0f} s: say fewer steps of it")

    try:
        with undrawn():
            weights = artifacts.trained(denoiser, on_progress) if denoiser.needs_artifact() else {}
    except Skip as reason:
        return reason
    found = DiffusionModel(denoiser, call_with_inputs(denoiser.load, "cpu", weights=weights))
    if denoiser.classes is not None:  # what is known of the data is true of all classes together
        found.labels = torch.tensor(found.null_label)
    return found


def _loaded(denoiser: Denoiser) -> DiffusionModel:
    found = _found(denoiser)
    if isinstance(found, Skip):
        raise Skip(str(found))
    return found


def _times(model: DiffusionModel) -> list[float]:
    return [max(1.0, float(round(share * model.schedule.num_train_timesteps))) for share in SHARES]


def _noisy(model: DiffusionModel, n: int) -> Tensor:
    return torch.randn(n, *model.shape, generator=generator(0, "x"))


def _many(model: DiffusionModel) -> int:
    return max(64, min(MANY, VALUES // math.prod(model.shape) ** 2 if math.prod(model.shape) > 32 else MANY))


def _drawn(denoiser: Denoiser) -> tuple[DiffusionModel, Tensor]:
    """Return the model and independent data [n, d], float64. Raises Skip if it has none."""
    model = _loaded(denoiser)
    data = denoiser.sample(model.net, _many(model), generator(0, "data"))
    if data is None:
        raise Skip("there are no data to compare it with")
    return model, data.flatten(1).double()


def _guessed(model: DiffusionModel, data: Tensor, t: float) -> tuple[Tensor, Tensor]:
    """Return x_t [n, *shape] of data [n, d], and the prediction of x_0 [n, d]."""
    kept = float(model.schedule.alpha_bar(torch.tensor(t).double()))
    noise = torch.randn(data.shape, generator=generator(0, "noise"), dtype=torch.float64)
    x = (kept**0.5 * data + (1 - kept) ** 0.5 * noise).float().view(-1, *model.shape)
    with torch.no_grad():
        return x, model.x0(x, t).flatten(1).double()


def _errors(off: Tensor) -> float:
    """Return the largest distance of the mean of [n, ...] from 0 in standard errors; rounding errors count as 0."""
    error = off.std(0) / len(off) ** 0.5
    scale = off.abs().max().clamp(min=1)
    return float((off.mean(0).abs() / error.clamp(min=float(1e-6 * scale))).max())


def _total(model: DiffusionModel, data: Tensor) -> float:
    """Return the sum of the density over a lattice around the data."""
    low, high = data.amin(0), data.amax(0)
    reach = ((high - low) / 2).clamp(min=1e-3)
    axes = [torch.linspace(float(a - r), float(b + r), LATTICE) for a, b, r in zip(low, high, reach, strict=True)]
    points = torch.cartesian_prod(*axes).view(-1, *model.shape)
    cell = math.prod(float(axis[1] - axis[0]) for axis in axes)
    rows = [model.log_prob(part).double().exp().sum() for part in points.split(65536)]
    return float(torch.stack(rows).sum()) * cell


CHECKS = (
    declared,
    prediction,
    repeats,
    batches,
    useful,
    drawing,
    moments,
    density,
    posterior,
    reverse,
    features,
)
