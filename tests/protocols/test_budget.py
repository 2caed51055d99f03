"""Network evaluations: counted in samples that the network sees; rows off their budget are not ranked."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

import harness
from harness import DiffusionModel, Sampler, component
from tests.protocols.test_generation import Kept, session


class Probes(harness.Variance):
    """Asks the network four more times for each step."""

    def posterior_variance(self, model: Any, fitted: Any, x_t: Tensor, t: float, s: float, eps: Tensor, /) -> Tensor:
        return torch.stack([model.x0(x_t + 1e-3 * k, t) for k in range(4)]).var(0)


class Restart(Sampler):
    """Takes one step, however many are asked for."""

    unused_kinds = ("variance",)

    def sample(self, model: Any, covariance: Any, x: Tensor, times: Tensor, noise: Any) -> Tensor:
        return model.x0(x, float(times[0]))  # type: ignore[no-any-return]


class Guided(harness.Denoiser):
    """Runs its network on a doubled batch, or twice."""

    apart: bool = False
    shape = (2,)
    data_range = (-5.0, 5.0)

    def load(self, device: str) -> nn.Module:
        return nn.Linear(2, 2)

    def predict(self, net: Any, x: Tensor, t: Tensor) -> Tensor:
        if self.apart:
            return (2 * net(x) - net(x)).detach()  # type: ignore[no-any-return]
        a, b = net(torch.cat([x, x])).chunk(2)
        return (2 * a - b).detach()  # type: ignore[no-any-return]

    def sample(self, net: Any, n: int, generator: torch.Generator) -> Tensor:
        return torch.randn(n, 2, generator=generator)


NFE = {"nfe": component("metric", "nfe"), "kept": Kept()}


@pytest.mark.parametrize(
    ("words", "used", "ranked"),
    [
        ({"sampler": "ddim", "nfe": 10}, 10, True),
        ({"sampler": "ddpm", "nfe": 10, "variance": Probes()}, 46, False),
        ({"sampler": Restart(), "nfe": 5}, 1, False),
        ({"sampler": Restart(), "nfe": 2}, 1, True),
        ({"sampler": "edm_heun", "nfe": 10}, 9, True),
        ({"sampler": "iid", "nfe": 10}, 0, True),
        ({"sampler": "ddim", "nfe": 10, "denoiser": Guided()}, 20, False),
        ({"sampler": "ddim", "nfe": 10, "denoiser": Guided(apart=True)}, 20, False),
        ({"sampler": "ddim", "steps": 10, "denoiser": Guided()}, 20, True),
    ],
    ids=lambda value: str(value) if isinstance(value, dict) else None,
)
def test_rows_off_their_budget_are_not_ranked(words: dict[str, Any], used: int, ranked: bool, tmp_path: Path) -> None:
    found = session(tmp_path, **{"metrics": NFE, "steps": 4, **words}).measure([0], {})
    assert found.metrics["nfe"] == [pytest.approx(used, abs=1)]
    assert (found.excluded_reason is None) == ranked, found.excluded_reason
    if not ranked:
        assert f"{words['nfe']} are the budget" in found.excluded_reason


def test_a_network_counts_every_sample_it_sees() -> None:
    for apart in (False, True):
        denoiser = Guided(apart=apart)
        model = DiffusionModel(denoiser, denoiser.load("cpu"))
        model.eps(torch.zeros(7, 2), 10.0)
        assert model.evaluated == 14
    exact = harness.denoiser("gaussian", dim=2)
    exact.eps(torch.zeros(7, 2), 10.0)
    assert exact.evaluated == 7
