"""Samplers in the form of k-diffusion: a function of one's own, and the library's beside ours where it can be imported."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

import harness
from tests.conftest import Bench
from tests.plugins.sampling import Recorder, TwoPoints, double, gaussian, sampler

OWN = '''
import random

import torch


def euler(model, x, sigmas, extra_args=None, callback=None, disable=None, s_noise=0.0, noise_sampler=None):
    """Euler's method in sigma, with half of the noise of DDPM.

    It has a callback that it is not given.
    """
    for here, there in zip(sigmas[:-1], sigmas[1:]):
        x0 = model(x, here * x.new_ones(len(x)), **(extra_args or {}))
        up = s_noise * there * (1 - (there / here) ** 2).sqrt()
        down = (there**2 - up**2).sqrt()
        x = x0 + down / here * (x - x0)
        if up > 0:
            x = x + up * noise_sampler(here, there)
    return x


def plain(model, x, sigmas):
    """The same without noise and with nothing else to say, asking twice."""
    model(x, sigmas[:1].expand(len(x)))
    return euler(model, x, sigmas)


def churned(model, x, sigmas, s_noise=1.0):
    """Ancestral steps that draw by torch.randn_like."""
    return euler(model, x, sigmas, s_noise=s_noise, noise_sampler=lambda here, there: torch.randn_like(x))


def unseeded(model, x, sigmas):
    """Draws from torch's own generator."""
    return euler(model, x, sigmas, s_noise=1.0, noise_sampler=lambda here, there: torch.randn(x.shape))


def levels(model, x, sigma_min, sigma_max, n):
    """Chooses its levels."""


def two(model, x):
    """Takes no levels."""


def power(model, x, sigmas, exponent):
    """Needs an option."""
    return euler(model, x, sigmas)


class Euler:
    """No function."""
'''


@pytest.fixture(autouse=True)
def own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "own_samplers.py").write_text(OWN)
    monkeypatch.syspath_prepend(str(tmp_path))


def named(path: str, **options: Any) -> Any:
    return harness.component("sampler", path, **({"options": options} if options else {}))


def start(n: int = 64) -> Tensor:
    return torch.randn(n, 3, generator=torch.Generator().manual_seed(5))


def even(steps: int = 10) -> Tensor:
    return torch.linspace(1000, 0, steps + 1, dtype=torch.float64)


def path(made: Any, times: Tensor, x: Tensor) -> tuple[list[float], list[Tensor]]:
    """The times and points at which the network was asked, and x_0."""
    denoiser = Recorder(TwoPoints())
    end = made.sample(denoiser, None, x, times, harness.NoiseSource(2))
    return denoiser.times, [*denoiser.points, end]


@pytest.mark.parametrize("times", [even(), even(1), double(1000, 700.3, 650.1, 20, 0.5, 0)])
def test_a_function_of_ones_own_is_ddim(times: Tensor) -> None:
    """At the times of the spacing, on x_t made of x_0 + sigma e."""
    visited, points = path(named("own_samplers:euler"), times, start())
    assert visited == times[:-1].tolist()
    for one, other in zip(points, path(sampler("ddim"), times, start())[1], strict=True):
        assert (one - other).abs().max() < 1e-4


@pytest.mark.verify
@pytest.mark.parametrize("name", ["euler", "churned"])
def test_its_noise_has_the_law_of_ddpm_and_is_that_of_the_seed(name: str) -> None:
    """By a sampler of noise and by `torch.randn_like`: whatever the batch, and without a touch of torch's own seed."""
    made, x, noise = named(f"own_samplers:{name}", s_noise=1.0), start().repeat(2, 1), harness.NoiseSource(9)
    before = torch.get_rng_state()
    whole = made.sample(gaussian(dim=3), None, x, even(4), noise)
    parts = [made.sample(gaussian(dim=3), None, x[k : k + 64], even(4), noise.after(k)) for k in (0, 64)]
    assert torch.equal(torch.cat(parts), whole) and not torch.equal(whole[:64], whole[64:])
    assert torch.equal(torch.get_rng_state(), before)
    many = start(1).repeat(20_000, 1)
    found, known = (
        each.sample(gaussian(dim=3), None, many, even(4), noise).double() for each in (made, sampler("ddpm"))
    )
    error = math.sqrt(2 / 20_000) * known.std(0)
    assert ((found.mean(0) - known.mean(0)).abs() < 5 * error).all()
    assert ((found.std(0) - known.std(0)).abs() < 5 * error).all()


def test_its_evaluations_are_counted() -> None:
    assert [named("own_samplers:euler").steps_for_nfe(n) for n in (1, 10)] == [1, 10]
    assert [named("own_samplers:plain").steps_for_nfe(n) for n in (1, 2, 10)] == [0, 1, 9]
    model = Recorder(TwoPoints())
    named("own_samplers:plain").sample(model, None, start(), even(9), harness.NoiseSource(0))
    assert model.evaluated == 10 * 64


@pytest.mark.parametrize(
    ("name", "options", "message"),
    [
        (
            "unseeded",
            {},
            r"unseeded draws random numbers that are not those of the seed: draw by torch.randn_like\(x\) or",
        ),
        ("levels", {}, "levels chooses its levels itself: it takes sigma_max, where sigmas are given"),
        ("power", {}, "power needs the option 'exponent'"),
        ("euler", {"s_nois": 1}, "euler has no option 's_nois', did you mean s_noise"),
        ("two", {}, r"two takes \(model, x\), expected \(model, x, sigmas\)"),
        ("Euler", {}, "a sampler must be a subclass of harness.Sampler"),
        ("eular", {}, "has no 'eular', did you mean euler"),
    ],
)
def test_a_mistake_is_named(name: str, options: dict[str, Any], message: str) -> None:
    with pytest.raises(harness.BenchError, match=message) as caught:
        path(named(f"own_samplers:{name}", **options), even(), start())
    assert "\n" not in str(caught.value)


def test_levels_out_of_reach_are_named() -> None:
    with pytest.raises(harness.BenchError, match="times of a sampler must fall to 0"):
        path(named("own_samplers:euler"), double(1000, 500, 700, 0), start())
    made = TwoPoints()
    object.__setattr__(made, "schedule", Ending())
    with pytest.raises(harness.BenchError, match="asked at sigma = inf, and the last of its schedule is inf"):
        named("own_samplers:euler").sample(Recorder(made), None, start(), even(), harness.NoiseSource(0))
    named("own_samplers:euler").sample(Recorder(made), None, start(), double(990, 500, 0), harness.NoiseSource(0))


class Ending(harness.Schedule):
    """Nothing is left of the data at T."""

    def alpha_bar(self, t: Tensor) -> Tensor:
        return (1 - torch.as_tensor(t, dtype=torch.float64) / self.num_train_timesteps) ** 2


SUITE = """
protocol: generation
vary: {denoiser: ring8, sampler: [ddim, "own_samplers:euler", {"own_samplers:euler": {options: {s_noise: 1.0}}, as: noisy}], spacing: karras}
settings: {nfe: 8, samples: 128}
seeds: 2
metrics: [fid_proxy, nfe]
baseline: ddim
"""


@pytest.mark.verify
def test_a_suite_names_a_function_in_a_file_beside_it(bench: Bench) -> None:
    bench.write("own_samplers.py", OWN)
    bench.write("s.yaml", SUITE)
    ddim, own, noisy = bench("s.yaml", "--json", "-", timeout=300).json["cells"]
    values = [cell["metrics"]["fid_proxy"]["values"] for cell in (ddim, own, noisy)]
    assert values[1] == pytest.approx(values[0], rel=1e-3) and values[2] != pytest.approx(values[0], rel=1e-3)
    assert all(cell["metrics"]["nfe"]["values"] == [8, 8] for cell in (ddim, own, noisy))


# The library itself, where it is installed: it needs torchvision, clip and others.


def library() -> Any:
    return pytest.importorskip("k_diffusion.sampling", exc_type=Exception)


def test_without_the_library_its_functions_are_skipped() -> None:
    try:
        import k_diffusion.sampling  # noqa: F401
    except Exception:
        assert "samplers of k-diffusion need the library" in str(sampler("k_diffusion").skip(TwoPoints()))
    else:
        assert sampler("k_diffusion").skip(TwoPoints()) is None
        said = sampler("k_diffusion", function="sample_dpmpp2m").skip(TwoPoints())
        assert "no function 'sample_dpmpp2m', did you mean sample_dpmpp_2m" in str(said)


@pytest.mark.parametrize(
    ("function", "ours", "fields"),
    [
        ("sample_euler", "ddim", {}),
        ("sample_heun", "edm_heun", {}),
        ("sample_dpmpp_2m", "dpm_solver_pp", {}),
    ],
)
def test_functions_of_the_library_are_ours(function: str, ours: str, fields: dict[str, Any]) -> None:
    library()
    for made in (sampler("k_diffusion", function=function), named(f"k_diffusion.sampling:{function}")):
        visited, points = path(made, even(), start())
        again, found = path(sampler(ours, **fields), even(), start())
        assert visited == again
        for one, other in zip(points, found, strict=True):
            assert (one - other).abs().max() < 2e-4
    assert sampler("k_diffusion", function=function).steps_for_nfe(9) == sampler(ours, **fields).steps_for_nfe(9)


@pytest.mark.verify
@pytest.mark.filterwarnings("ignore:Should have:UserWarning")  # of its Brownian tree, about rounding
@pytest.mark.parametrize(
    "function", ["sample_dpmpp_sde", "sample_dpmpp_2m_sde", "sample_euler_ancestral", "sample_heun"]
)
def test_random_functions_of_the_library_have_the_law_of_its_own_noise(function: str) -> None:
    sampling, noise = library(), harness.NoiseSource(4)
    churn = {"s_churn": 4.0, "s_tmax": 50.0} if function == "sample_heun" else {}
    made, x = sampler("k_diffusion", function=function, options=churn), start(1).repeat(20_000, 1)
    found = made.sample(gaussian(dim=3), None, x, even(4), noise).double()
    model, sigmas = gaussian(dim=3), TwoPoints.schedule.sigma(even(4)).float()

    def denoised(x: Tensor, sigma: Tensor) -> Tensor:
        kept = (1 / (1 + sigma.double() ** 2))[:, None]
        t = next((t for t, s in zip(even(4).tolist(), sigmas.tolist(), strict=True) if s == float(sigma[0])), None)
        scale = kept.sqrt().to(x)
        return model.x0(x * scale, t) if t is not None else model.x0(x * scale, time(float(sigma[0])))

    def time(s: float) -> float:
        from scipy.optimize import brentq

        return float(brentq(lambda t: float(TwoPoints.schedule.sigma(double(t))) - s, 0.0, 1000.0))

    torch.manual_seed(0)
    known = getattr(sampling, function)(
        denoised, x * (1 + sigmas[0] ** 2).sqrt(), sigmas, disable=True, **churn
    ).double()
    error = math.sqrt(2 / 20_000) * known.std(0)
    assert ((found.mean(0) - known.mean(0)).abs() < 5 * error).all()
    assert ((found.std(0) - known.std(0)).abs() < 5 * error).all()
