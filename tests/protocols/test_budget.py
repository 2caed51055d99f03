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


class Differentiating(harness.Variance):
    """Passes derivatives through the network, in one of the ways that torch has."""

    way: str = "grad"

    def posterior_variance(self, model: Any, fitted: Any, x_t: Tensor, t: float, s: float, eps: Tensor, /) -> Tensor:
        probes = torch.stack([torch.ones_like(x_t), -torch.ones_like(x_t), torch.ones_like(x_t)])

        def x0(x: Tensor) -> Tensor:
            return model.x0(x, t)  # type: ignore[no-any-return]

        if self.way in ("grad", "batched"):
            with torch.enable_grad():
                x = x_t.clone().requires_grad_()
                given = probes if self.way == "batched" else probes[0]
                torch.autograd.grad(x0(x), x, given, is_grads_batched=self.way == "batched")
        elif self.way == "vjp":
            torch.func.vmap(torch.func.vjp(x0, x_t)[1])(probes)
        elif self.way == "jvp":
            torch.func.jvp(x0, (x_t,), (probes[0],))
        elif self.way == "linearize":
            torch.func.linearize(x0, x_t)[1](probes[0])
        elif self.way == "mapped jvp":
            torch.func.vmap(lambda v: torch.func.jvp(x0, (x_t,), (v,))[1])(probes)
        elif self.way == "jacrev":
            torch.func.vmap(torch.func.jacrev(lambda row: x0(row[None])[0]))(x_t)
        elif self.way == "mapped":
            torch.func.vmap(x0)(x_t + probes)
        return torch.ones_like(x_t)


class Trained(Guided):
    """A network that derivatives pass through."""

    module: bool = True

    def load(self, device: str) -> Any:
        return nn.Linear(2, 2) if self.module else torch.eye(2)

    def predict(self, net: Any, x: Tensor, t: Tensor) -> Tensor:
        return net(x) if self.module else x @ net  # type: ignore[no-any-return]


STEPS, ESTIMATES = 4, 3
"""Evaluations of the sampler itself, and estimates it asks for: none for the last step, which adds no noise."""


@pytest.mark.filterwarnings("ignore:.torch.jit.script. is deprecated")  # of torch.func.jvp itself
@pytest.mark.parametrize("module", [True, False])
@pytest.mark.parametrize(
    ("way", "evaluated", "passes"),
    [
        ("none", 0, 0),
        ("grad", 1, 1),
        ("vjp", 1, 3),
        ("jvp", 1, 1),
        ("mapped jvp", 1, 3),
        ("jacrev", 1, 2),  # one for each of the two outputs
        ("mapped", 3, 0),
    ],
)
def test_derivatives_are_counted_apart_and_in_samples(
    way: str, evaluated: int, passes: int, module: bool, tmp_path: Path
) -> None:
    words: dict[str, Any] = {"sampler": "ddpm", "steps": STEPS, "denoiser": Trained(module=module)}
    found = session(tmp_path, **{"metrics": NFE, **words, "variance": Differentiating(way=way)}).measure([0], {})
    assert found.metrics["nfe"] == found.auxiliary["used nfe"] == [STEPS + ESTIMATES * evaluated]
    assert found.auxiliary.get("derivative passes", [0]) == [ESTIMATES * passes]


@pytest.mark.filterwarnings("ignore:.torch.jit.script. is deprecated")  # of torch.func.linearize itself
@pytest.mark.parametrize(
    ("way", "said"),
    [("batched", r"is_grads_batched.* map the function of torch.func.vjp"), ("linearize", "use torch.func.jvp")],
)
def test_passes_that_cannot_be_counted_are_refused(way: str, said: str, tmp_path: Path) -> None:
    words: dict[str, Any] = {"sampler": "ddpm", "steps": STEPS, "denoiser": Trained()}
    with pytest.raises(harness.BenchError, match=said):
        session(tmp_path, **{"metrics": NFE, **words, "variance": Differentiating(way=way)}).measure([0], {})


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
@pytest.mark.verify
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
