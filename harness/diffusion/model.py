"""A loaded denoiser, ready for sampling, and the normal draws of samplers."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import torch
from torch import Tensor

from harness.diffusion import derivatives
from harness.diffusion.conversions import CONVERT, DIVIDED, TIMES, Level
from harness.diffusion.derivatives import samples
from harness.errors import BenchError, Skip
from harness.inputs import accepted, call_with_inputs
from harness.kinds.denoising import Denoiser, Schedule
from harness.random import generator

BLOCK = 64
"""Samples that share a stream of noise, so that a sample does not depend on the size of its batch."""


class NoiseSource:
    """Normal draws by (seed, step, block of 64 samples). `first` is the number of the first sample of this batch."""

    def __init__(self, seed: int, first: int = 0) -> None:
        if first % BLOCK:
            raise BenchError(f"a batch of samples must start at a multiple of {BLOCK}, not at {first}")
        self.seed, self.first = seed, first

    def __call__(self, step: int | str, x: Tensor) -> Tensor:
        """Return draws in the shape, type and device of x [b, ...]; drawn in float32 on the CPU."""
        return self.drawn(step, len(x), lambda n, stream: torch.randn(n, *x.shape[1:], generator=stream)).to(x)

    def drawn(self, step: int | str, n: int, draw: Callable[[int, torch.Generator], Tensor]) -> Tensor:
        """Return n draws of `draw(64, generator)`, a block at a time, each block with its own stream."""
        blocks = range(self.first // BLOCK, -(-(self.first + n) // BLOCK))
        return torch.cat([draw(BLOCK, generator(self.seed, "noise", step, block)) for block in blocks])[:n]

    def after(self, samples: int) -> NoiseSource:
        """Return the noise of the batch that starts so many samples later."""
        return NoiseSource(self.seed, self.first + samples)


class DiffusionModel:
    """A loaded denoiser, as passed to samplers and variances.

    Whatever the network predicts, `eps` and `x0` agree: x_t = sqrt(A_t) x_0 + sqrt(B_t) eps. With `clip` the predicted
    x_0 is clipped to the data's range and eps is recomputed from it. `evaluated` counts samples given to the network,
    every call of a `torch.nn.Module` with its own batch; `seconds` is the time spent there. `differentiated` counts
    samples that derivatives pass through the network, backward or forward. Both are true under `torch.func.vmap`.
    A denoiser with classes predicts for the labels of `given`; with a `guidance` other than 1 every prediction is
    u + guidance (c - u), c that for the labels and u that for none (Ho and Salimans, 2022): two evaluations.
    """

    def __init__(
        self, denoiser: Denoiser, net: Any, device: str = "cpu", clip_x0: bool = False, guidance: float | None = None
    ) -> None:
        self.denoiser, self.net, self.device = denoiser, net, device
        self.schedule: Schedule = denoiser.schedule
        self.shape = tuple(denoiser.shape)
        self.data_range, self.discrete_time = denoiser.data_range, denoiser.discrete_time
        self.evaluated, self.differentiated, self.seconds = 0, 0, 0.0
        self._rows = 0
        self._is_module = isinstance(net, torch.nn.Module)
        if self._is_module:
            net.register_forward_pre_hook(self._count, with_kwargs=True)
            net.register_forward_hook(lambda _, __, answer: self._watch(answer))
        self.labels: Tensor | None = None
        self.guidance = 1.0 if guidance is None else guidance
        self._check_labels()
        self._known_levels: dict[float, tuple[float, float]] = {}
        self._convert = CONVERT[denoiser.prediction_type]
        self._scaled = denoiser.parameterization == "ve"
        self._bounds = self.data_range if clip_x0 else None
        if clip_x0 and self.data_range is None:
            raise BenchError(f"{denoiser!r} has no range to clip to")

    def _count(self, _: torch.nn.Module, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> None:
        """Count the samples of one call of the network: guidance on a doubled batch counts twice."""
        first = next((each for each in (*args, *kwargs.values()) if isinstance(each, Tensor) and each.ndim), None)
        self._rows += 0 if first is None else samples(first)

    def _watch(self, answer: object) -> None:
        """Count the derivatives that pass through an answer of the network, now or later."""
        found = derivatives.first(answer)
        if found is None:
            return
        self.differentiated += derivatives.forward(found)
        if found.requires_grad:
            found.register_hook(self._passed)

    def _passed(self, gradient: Tensor) -> None:
        self.differentiated += samples(gradient)

    def eps(self, x: Tensor, t: Tensor | float) -> Tensor:
        """Return the noise predicted in x_t [b, *shape] at one time, or one for each sample."""
        return self.x0_and_eps(x, t)[1]

    def x0(self, x: Tensor, t: Tensor | float) -> Tensor:
        """Return the data predicted from x_t: E[x_0 | x_t] if the denoiser is exact."""
        return self.x0_and_eps(x, t)[0]

    def x0_and_eps(self, x: Tensor, t: Tensor | float) -> tuple[Tensor, Tensor]:
        """Return (x_0, eps) from one evaluation of the network. Raises BenchError for a wrong shape or NaN."""
        times = self._times(x, t)
        a, b = self._levels(x, t, times)
        self._check_signal(a, times)
        guess = self.predicted(x / a if self._scaled else x, times)
        x0, eps = self._convert(x, guess, a, b)
        if self._bounds is not None:
            x0 = x0.clamp(*self._bounds)
            eps = (x - a * x0) / b
        if not bool(torch.isfinite(derivatives.plain(x0).sum())):
            where = f"{self.denoiser!r} answered NaN or infinity at t = {float(times.flatten()[0]):g}"
            raise BenchError(f"{where}; do its prediction_type, parameterization and time fit the network?")
        return x0, eps

    def predicted(self, x: Tensor, times: Tensor) -> Tensor:
        """Return the prediction at times [b] for x_t in the form the network takes, for the labels and guided."""
        if self.guidance == 1:
            return self._checked(self.unguided(x, times), x)
        null = {"labels": torch.full((len(x),), self.null_label, device=x.device)}
        free = self._checked(self._asked(x, times, null), x)
        if self.guidance == 0:
            return free
        guess = self._checked(self.unguided(x, times), x)
        return free + self.guidance * (guess - free)

    def unguided(self, x: Tensor, times: Tensor) -> Any:
        """Return what the denoiser answers for the labels, whatever that is."""
        return self._asked(x, times, self._given(x))

    def _asked(self, x: Tensor, times: Tensor, given: Mapping[str, Tensor]) -> Any:
        """Ask the network once, and count."""
        started, before = time.perf_counter(), self._rows
        guess = call_with_inputs(self.denoiser.predict, self.net, x, self.network_time(times), **given)
        self.evaluated += self._rows - before or samples(x)
        if not self._is_module:
            self._watch(guess)
        self.seconds += time.perf_counter() - started
        return guess

    def _checked(self, guess: object, x: Tensor) -> Tensor:
        if isinstance(guess, Tensor) and guess.shape == x.shape:
            return guess
        found = [*guess.shape] if isinstance(guess, Tensor) else type(guess).__name__
        raise BenchError(f"{self.denoiser!r} answered {found} for samples {[*x.shape]}")

    @contextlib.contextmanager
    def given(self, labels: Tensor | int | None) -> Iterator[None]:
        """Predict for these class labels [b] inside a `with`, or for one that is that of every sample."""
        before, self.labels = self.labels, None if labels is None else torch.as_tensor(labels)
        try:
            yield
        finally:
            self.labels = before

    @property
    def evaluations(self) -> int:
        """Network evaluations of one prediction: two with guidance."""
        return 1 if self.guidance in (0, 1) else 2

    @property
    def null_label(self) -> int:
        """The label that stands for none."""
        null, classes = self.denoiser.null_label, self.denoiser.classes
        return null if null is not None else classes or 0

    def _given(self, x: Tensor) -> dict[str, Tensor]:
        """Return the labels of samples x by name, empty for a denoiser without classes. Raises Skip without labels."""
        if self.denoiser.classes is None:
            return {}
        if self.labels is None or (self.labels.ndim and len(self.labels) != len(x)):
            raise Skip(f"{self.denoiser!r} predicts for class labels, and these {len(x):,} samples have none")
        return {"labels": self.labels.to(x.device).expand(len(x))}

    def _check_labels(self) -> None:
        denoiser = self.denoiser
        if denoiser.classes is None and self.guidance != 1:
            raise BenchError(f"guidance: {denoiser!r} is unconditional: it declares no classes")
        if denoiser.classes is not None and not accepted(denoiser.predict, {"labels": None}, 3):
            raise BenchError(f"{denoiser!r} declares {denoiser.classes} classes, and its predict takes no labels")

    def sample(self, n: int, generator: torch.Generator) -> Tensor:
        """Return independent data [n, *shape]. Raises BenchError if the denoiser cannot draw them."""
        hint = "; give real data as its `reference`" if hasattr(self.denoiser, "reference") else ""
        return self._known(self.denoiser.sample(self.net, n, generator), f"data to draw{hint}")

    def training_samples(self, n: int, generator: torch.Generator) -> Tensor | None:
        """Return n draws of the training data [n, *shape], or else of the real data; None if there are neither."""
        found, data = self.denoiser.training_samples(self.net, n, generator), self.reference_data()
        if found is None and data is not None:
            found = data[torch.randint(len(data), (n,), generator=generator)]
        return None if found is None else found.to(self.device)

    def moments(self) -> tuple[Tensor, Tensor] | None:
        """Return the exact mean [d] and covariance [d, d] of the data; None where unknown."""
        return self.denoiser.moments(self.net)

    def log_prob(self, x: Tensor) -> Tensor:
        """Return the exact log density [b] of data, nats. Raises BenchError where unknown."""
        return self._known(self.denoiser.log_prob(self.net, x), "an exact density")

    def hidden_features(self, x: Tensor, t: Tensor | float) -> Tensor | None:
        """Return the input of the network's last layer, [b, n] or [b, n, h, w]; None if there is none."""
        times = self._times(x, t)
        scaled = x / self._levels(x, t, times)[0] if self._scaled else x
        given = (self.net, scaled, self.network_time(times))
        return call_with_inputs(self.denoiser.hidden_features, *given, **self._given(x))

    def posterior_covariance(self, x: Tensor, t: Tensor | float) -> Tensor:
        """Return exact second moments of x_0 - x_0hat given x_t [b, d, d]. Raises BenchError where unknown."""
        return self._known(self._posterior(x, t), "an exact posterior")

    def squared_error(self, off: Tensor, x: Tensor, t: Tensor | float) -> Tensor:
        """Return E[(x_0 - x_0hat)^2 | x_t], float64: `posterior` [b, d, d] if known, else the square of `off` [b, d].

        `off` [b, *shape] is x_0 - x_0hat for the x_0 from which x_t was made.
        """
        known = self._posterior(x, t)
        return off.flatten(1).double().square() if known is None else known.double()

    def sample_posterior(self, x: Tensor, t: Tensor | float, noise: Callable[..., Tensor]) -> Tensor:
        """Return an exact draw of x_0 given x_t. Raises BenchError if the denoiser cannot draw it."""
        self._check_unguided()
        given = (self.net, x, self._times(x, t), noise)
        found = call_with_inputs(self.denoiser.sample_posterior, *given, **self._given(x))
        return self._known(found, "an exact reverse kernel")

    def _posterior(self, x: Tensor, t: Tensor | float) -> Tensor | None:
        self._check_unguided()
        given = (self.net, x, self._times(x, t))
        return call_with_inputs(self.denoiser.posterior_covariance, *given, **self._given(x))

    def _check_unguided(self) -> None:
        if self.guidance != 1:
            raise Skip(f"{self.denoiser!r}: a guided prediction is that of no posterior")

    def reference_data(self) -> Tensor | None:
        """Return real data to compare with; None for a target that is known exactly."""
        found = self.denoiser.reference_data(self.net)
        return None if found is None else found.to(self.device)

    def network_time(self, times: Tensor) -> Tensor:
        """Return what the network is given for times [b], by the denoiser's `time`."""
        return TIMES[self.denoiser.time](times, self.schedule)

    def _check_signal(self, a: Level, times: Tensor) -> None:
        """Raise BenchError where nothing is left of the data and the prediction is divided by what is left."""
        divides = self._scaled or self.denoiser.prediction_type in DIVIDED
        if divides and not (bool(a.all()) if isinstance(a, Tensor) else a):
            what = "x_t / sqrt(A_t)" if self._scaled else self.denoiser.prediction_type
            raise BenchError(
                f"{self.schedule!r} leaves nothing of the data at t = {float(times.flatten().max()):g} (A_t = 0), "
                f"where {what} does not tell x_0; a network that predicts v_prediction or sample does"
            )

    def _times(self, x: Tensor, t: Tensor | float) -> Tensor:
        times = torch.as_tensor(t, dtype=torch.float64, device=x.device).expand(len(x))
        return times.round().clamp(min=1) if self.discrete_time else times

    def _levels(self, x: Tensor, t: Tensor | float, times: Tensor) -> tuple[Level, Level]:
        """Return sqrt A_t and sqrt B_t, as numbers if all samples share one time, which is cached for every step."""
        if isinstance(t, Tensor) and t.ndim:
            kept = self.schedule.alpha_bar(times)
            a, b = (part.sqrt().to(x).view(-1, *[1] * (x.ndim - 1)) for part in (kept, 1 - kept))
            return a, b
        t = float(t)
        if t not in self._known_levels:
            kept = self.schedule.alpha_bar(times[:1].cpu())
            self._known_levels[t] = (float(kept.sqrt()), float((1 - kept).sqrt()))
        return self._known_levels[t]

    def _known(self, value: Tensor | None, what: str) -> Tensor:
        if value is None:
            raise BenchError(f"{self.denoiser!r} has no {what}")
        return value
