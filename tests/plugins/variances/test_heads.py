"""Heads of reverse variances: what they learn, how near the optimum it is, and what there is without them."""

from __future__ import annotations

import math
from itertools import pairwise
from typing import Any

import pytest
import torch
from torch import Tensor

import harness
from tests.plugins.estimates import posterior_variance, summary
from tests.plugins.sampling import double, even, sampler


def fitted(name: str, ready: Any, n: int = 2048, **fields: Any) -> tuple[Any, dict[str, Any]]:
    variance = harness.component("variance", name, **fields)
    data = ready.training_samples(n, torch.Generator().manual_seed(0))
    return variance, variance.fit(ready, data, torch.Generator().manual_seed(1)) | {"denoiser": ready}


def noisy(ready: Any, t: float, n: int = 256) -> tuple[Tensor, Tensor, Tensor]:
    """x_0, x_t, eps_hat."""
    kept = float(ready.schedule.alpha_bar(double(t)))
    x0 = ready.sample(n, torch.Generator().manual_seed(5))
    noise = torch.randn(x0.shape, generator=torch.Generator().manual_seed(int(t)))
    x = kept**0.5 * x0 + (1 - kept) ** 0.5 * noise
    return x0, x, ready.eps(x, t)


@pytest.fixture(scope="module")
def digits64() -> Any:
    return harness.denoiser("fitted_mixture")


@pytest.mark.verify
@pytest.mark.parametrize("name", ["sn", "npr"])
def test_on_the_64_dimensional_mixture_it_is_nearer_the_optimum_than_a_number(name: str, digits64: Any) -> None:
    """At least twice as near, by what the steps lose over the exact diagonal, in 10, 25 and 50 steps: 300 of training."""
    variance, given = fitted(name, digits64, steps=300, draws=500)
    made = sampler("ddpm")
    for steps in (10, 25, 50):
        times = even(steps)
        _, _, added, share = made.transition(digits64.schedule, times)
        lost = {"number": 0.0, "head": 0.0}
        for k, (t, s) in enumerate(pairwise(times.tolist()[:-1])):
            _, x, eps = noisy(digits64, t, 128)
            truth = digits64.posterior_covariance(x, t).diagonal(dim1=1, dim2=2).double()
            right = added[k] + share[k] * truth
            head = posterior_variance(variance, given, x, t, s, eps).double()
            for who, c in (("number", truth.mean()), ("head", head)):
                ratio = right / (added[k] + share[k] * c)
                lost[who] += float((ratio - 1 - ratio.log()).mean()) / 2
        assert lost["head"] < lost["number"] / 2, steps


@pytest.mark.parametrize("name", ["sn", "npr"])
def test_c_is_for_each_element_positive_and_may_be_averaged(name: str) -> None:
    ready = harness.denoiser("ring8")
    for head in (True, False):
        variance, given = fitted(name, ready, steps=3, draws=64, head=head)
        _, x, eps = noisy(ready, 200.0)
        c = posterior_variance(variance, given, x, 200.0, 100.0, eps)
        assert c.shape == x.shape and bool((c >= 0).all() and c.isfinite().all())
        alike = harness.component("variance", name, steps=3, draws=64, head=head, form="isotropic")
        mean = posterior_variance(alike, given, x, 200.0, 100.0, eps)
        torch.testing.assert_close(mean, c.mean(1, keepdim=True).expand_as(c))
        assert ("no head" in summary(variance, given)) != head and "from 64 draws" in summary(variance, given)


def test_without_a_head_sn_looks_at_eps_alone_and_npr_at_the_time_alone() -> None:
    ready, t = harness.denoiser("ring8"), 200.0
    kept = float(ready.schedule.alpha_bar(double(t)))
    x0, x, eps = noisy(ready, t, 4096)
    sn, given = fitted("sn", ready, head=False, draws=64)
    expected = ((1 - kept) / kept * (1 - eps.square())).clamp(min=0)
    torch.testing.assert_close(posterior_variance(sn, given, x, t, 0.0, eps), expected, rtol=1e-4, atol=1e-6)
    npr, given = fitted("npr", ready, head=False, draws=2000)
    c = posterior_variance(npr, given, x, t, 0.0, eps)
    assert torch.equal(c[0], c[1])
    torch.testing.assert_close(c[0], (x0 - ready.x0(x, t)).square().mean(0), rtol=0.15, atol=0)


@pytest.mark.verify
def test_npr_knows_of_a_guess_that_is_wrong_and_sn_does_not() -> None:
    """On N(0, 0.25) with eps + 0.3: the error has 0.09 B / A more than the posterior, whatever x_t is."""
    inner = harness.component("denoiser", "gaussian", variance=0.25, dim=2)
    wrong, t = harness.denoiser("imperfect", denoiser=inner, shift=0.3), 400.0
    kept = float(wrong.schedule.alpha_bar(double(t)))
    left, more = 0.25 * (1 - kept) / (0.25 * kept + 1 - kept), 0.09 * (1 - kept) / kept
    _, x, eps = noisy(wrong, t, 512)
    found = {}
    for name in ("npr", "sn"):
        variance, given = fitted(name, wrong, steps=400, draws=1000)
        found[name] = float((posterior_variance(variance, given, x, t, 0.0, eps) - left - more).abs().mean())
    assert found["npr"] < 0.15 * (left + more) and found["sn"] > 3 * found["npr"]


def test_a_learned_range_is_between_beta_tilde_and_beta_and_depends_on_the_step() -> None:
    ready = harness.denoiser("gaussian", variance=0.25, dim=2)
    variance, given = fitted("learned_range", ready, steps=300)
    assert variance.depends_on_s
    for t, s in ((2.0, 1.0), (20.0, 10.0), (500.0, 1.0), (1.0, 0.0)):
        kept = float(ready.schedule.alpha_bar(double(t)))
        _, x, eps = noisy(ready, t)
        c = posterior_variance(variance, given, x, t, s, eps)
        assert c.shape == x.shape and bool((c >= 0).all() and (c <= (1 - kept) * 1.001).all())
    # Where it matters, at small t, the bound wants sigma^2 = lambda^2 + gamma^2 Cov[x_0 | x_t].
    t, s = 2.0, 1.0
    _, x, eps = noisy(ready, t)
    _, _, added, share = sampler("ddpm").transition(ready.schedule, double(t, s))
    kept = float(ready.schedule.alpha_bar(double(t)))
    best = float(added[0] + share[0] * 0.25 * (1 - kept) / (0.25 * kept + 1 - kept))
    learned = float(added[0] + share[0] * posterior_variance(variance, given, x, t, s, eps).double().mean())
    beta = float(added[0] + share[0] * (1 - kept))
    assert abs(math.log(learned / best)) < 0.2 * math.log(beta / float(added[0]))


def trained(**fields: Any) -> Any:
    made = harness.component("denoiser", "digits", steps_of_training=2, **fields)
    return harness.DiffusionModel(
        made, made.load("cpu", weights=made.train(torch.Generator().manual_seed(0), lambda *_: None))
    )


def test_clipped_no_element_passes_the_largest_variance_of_its_range() -> None:
    """An untrained network's error is far beyond 1 at large t, and data lie in [-1, 1]."""
    ready = trained()
    x0 = ready.training_samples(8, torch.Generator().manual_seed(0))
    x = 0.05 * x0 + torch.randn(x0.shape, generator=torch.Generator().manual_seed(1))
    for name in ("sn", "npr"):
        free, given = fitted(name, ready, 32, head=False, draws=32, clip=False)
        clipped = harness.component("variance", name, head=False, draws=32, clip=True)
        before = posterior_variance(free, given, x, 900.0, 800.0, ready.eps(x, 900.0))
        after = posterior_variance(clipped, given, x, 900.0, 800.0, ready.eps(x, 900.0))
        assert float(before.max()) > 1
        torch.testing.assert_close(after, before.clamp(max=1), rtol=0, atol=0)
    assert harness.component("variance", "sn").clip and not harness.component("variance", "npr").clip


@pytest.mark.parametrize("network", ["mlp", "unet"])
def test_a_head_sees_the_frozen_trunk_of_a_network(network: str) -> None:
    ready = trained(network=network)
    x, t = torch.randn(3, 1, 8, 8, generator=torch.Generator().manual_seed(0)), torch.full((3,), 300.0).double()
    before = {name: part.clone() for name, part in ready.net.state_dict().items()}
    seen = ready.hidden_features(x, t)
    assert seen.shape == ((3, 192) if network == "mlp" else (3, 16, 8, 8))
    for name in ("npr", "learned_range"):
        more = {"draws": 8} if name == "npr" else {}
        variance, given = fitted(name, ready, 32, steps=2, **more)
        assert "first" not in given and given["out"].shape[1] == seen.shape[1]
        assert posterior_variance(variance, given, x, 300.0, 200.0, ready.eps(x, 300.0)).shape == x.shape
    assert all(torch.equal(part, before[name]) for name, part in ready.net.state_dict().items())


def test_what_the_last_layer_makes_of_the_trunk_is_the_answer() -> None:
    ready = trained(network="unet")
    x, t = torch.randn(3, 1, 8, 8, generator=torch.Generator().manual_seed(0)), torch.full((3,), 300.0).double()
    torch.testing.assert_close(ready.net.leave(ready.hidden_features(x, t)), ready.eps(x, t), rtol=1e-4, atol=1e-5)


def test_the_trunk_of_a_pipeline_is_what_its_last_layer_is_given(tmp_path: Any) -> None:
    pytest.importorskip("diffusers")
    from tests.plugins.denoisers.test_diffusers import noisy as images
    from tests.plugins.denoisers.test_diffusers import ready as loaded
    from tests.plugins.denoisers.test_diffusers import saved

    ready = loaded(saved(tmp_path))
    seen = ready.hidden_features(images(), 30.0)
    answer = ready.net.conv_out(ready.net.conv_act(ready.net.conv_norm_out(seen)))
    torch.testing.assert_close(answer, ready.eps(images(), 30.0), rtol=1e-4, atol=1e-5)
