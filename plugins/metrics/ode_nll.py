"""Likelihood of the probability flow."""

from __future__ import annotations

import math
from itertools import pairwise
from typing import TYPE_CHECKING, ClassVar

import torch
from torch import Tensor

from harness import Metric, hookimpl

if TYPE_CHECKING:
    from harness import DiffusionModel, NoiseSource, Sampler

EXACT = 4
"""Largest number of dimensions in which the divergence is computed exactly."""


class OdeNLL(Metric):
    """Negative log-likelihood of data under the probability flow.

    -log p of data, where p is the density to which the probability flow of the denoiser transports normal noise, in
    nats per dimension. A description: with few steps the value is off in either direction, often far below that of the
    data's own density, so a lower one is no better. Read it against the value at many steps: its distance from that is
    the error of the solver. reference [m, *shape], model, sampler, times, noise -> scalar. The flow dz/dr = eps,
    z = x / sqrt(A_t), is followed from data to noise along the sampler's own times by Heun's method, together with the
    logarithm of the volume (Song et al., 2021, "Score-based generative modeling", appendix D.2): exact in the limit of
    many steps, and no bound. Its divergence is exact up to 4 dimensions, beyond by one random probe per sample and time
    (Hutchinson, 1990), which is unbiased. At r = 0 the flow is stationary, for data that have a density. None for a
    sampler that does not follow the flow.
    """

    reference = """
    @inproceedings{song2021sde, author = {Song, Yang and Sohl-Dickstein, Jascha and Kingma, Diederik P. and Kumar,
      Abhishek and Ermon, Stefano and Poole, Ben}, title = {Score-Based Generative Modeling through Stochastic
      Differential Equations}, booktitle = {International Conference on Learning Representations}, year =
      {2021}}"""

    higher_is_better: ClassVar[bool | None] = None
    unit: ClassVar[str | None] = "nats/dim"

    def __call__(
        self, reference: Tensor, model: DiffusionModel, sampler: Sampler, times: Tensor, noise: NoiseSource
    ) -> float | None:
        if not sampler.is_probability_flow:
            return None
        up = times.flip(0).tolist()
        ratios: list[float] = model.schedule.sigma(times.flip(0)).tolist()
        z = reference.double()
        slope, growth = torch.zeros_like(z), z.new_zeros(len(z))
        volume = growth
        for k, ((r, further), t) in enumerate(zip(pairwise(ratios), up[1:], strict=True)):
            h, probe = further - r, noise(f"flow/{k}", reference).sign()
            ahead, _ = _flow(model, z + h * slope, t, probe, divergence=False)
            z = z + h * (slope + ahead) / 2
            volume = volume + h * growth / 2
            slope, growth = _flow(model, z, t, probe)
            volume = volume + h * growth / 2
        kept = float(model.schedule.alpha_bar(times[:1]))
        d = reference[0].numel()
        ends = -(kept * z.square().flatten(1).sum(1) + d * math.log(2 * math.pi / kept)) / 2
        return -float((ends + volume).mean()) / d


def _flow(model: DiffusionModel, z: Tensor, t: float, probe: Tensor, divergence: bool = True) -> tuple[Tensor, Tensor]:
    """Prediction eps at z [b, *shape] and its divergence in z [b]."""
    scale = float(model.schedule.alpha_bar(torch.tensor(t, dtype=torch.float64))) ** 0.5
    if not divergence:
        return model.eps(scale * z, t), torch.zeros(len(z)).to(z)
    with torch.enable_grad():
        point = z.detach().requires_grad_()
        eps = model.eps(scale * point, t)
        flat, found = eps.flatten(1), torch.zeros(len(z)).to(z)
        for direction in _directions(probe.to(z).flatten(1)):
            (pulled,) = torch.autograd.grad(flat, point, direction, retain_graph=True)
            found = found + (pulled.flatten(1) * direction).sum(1)
    return eps.detach(), found.detach()


def _directions(probe: Tensor) -> list[Tensor]:
    """Unit vectors of each axis, or one random direction: [b, d]."""
    d = probe.shape[1]
    return [torch.eye(d).to(probe)[k].expand_as(probe) for k in range(d)] if d <= EXACT else [probe]


@hookimpl
def components() -> list[type[Metric]]:
    """The component classes of this module."""
    return [OdeNLL]
