"""Conformance checks: every stock sampler passes, wrong components do not, and the laws they say are derived by hand."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Any, ClassVar, Literal

import numpy
import pytest
import torch
from torch import Tensor

import harness
from harness import DiffusionModel, Loss, NoiseSource, Sampler, Transform
from harness.conformance import Verdict, check_component
from harness.conformance.loss import draws
from harness.conformance.sampler.response import NotLinear, respond, sampled
from tests.plugins.estimates import posterior_variance
from tests.plugins.sampling import double, even, law, sampler

SAMPLERS = sorted(harness.components("sampler"))
LINEAR = harness.component("schedule", "linear")


def verdicts(component: Any) -> dict[str, Verdict]:
    return {verdict.name: verdict for verdict in check_component(component)}


@pytest.mark.verify
@pytest.mark.parametrize("name", SAMPLERS)
def test_every_stock_sampler_passes(name: str) -> None:
    made = sampler(name)
    if name == "k_diffusion":
        pytest.importorskip("k_diffusion", exc_type=ImportError)
    found = check_component(made)
    assert [verdict.says for verdict in found if verdict.passed is False] == []
    applies = {verdict.name for verdict in found if verdict.passed}
    assert applies >= {"law", "end", "floor", "inputs", "output", "repeats", "batches"}
    assert ("order" in applies) == (made.order is not None)


def test_a_kind_without_checks_has_none() -> None:
    assert check_component(harness.component("prior", "normal")) == []


ORDERS = [("ddim_ode", {"form": "euler"}, 1), ("deis", {"solver_order": 3}, 3), ("unipc", {"solver_order": 3}, 4)]
ORDERS += [("dpm_solver_pp", {"solver_order": order}, order) for order in (1, 3)]


@pytest.mark.parametrize(("name", "fields", "right"), ORDERS)
def test_the_order_is_observed(name: str, fields: dict[str, Any], right: int) -> None:
    from harness.conformance.sampler.convergence import order

    passed, says = order(sampler(name, **fields))
    head, _, observed = says.rpartition(" ")
    assert passed and head == f"order claimed {right}, observed" and float(observed) == pytest.approx(right, abs=0.15)


# SPEC: data N(0, v) with v = 0.25, x_T ~ N(0, 1), linear schedule of 1000 steps, even spacing, no noise at s = 0.
TABLE = {
    ("ddpm", "", 0): (0.104222, 0.246125),
    ("ddpm", "", "beta"): (0.358521, 0.250752),
    ("ddpm", "", "exact"): (0.249900, 0.249900),
    ("ddim", "", 0): (0.130763, 0.248498),
    ("ddim", "", "exact"): (0.249904, 0.249908),
    ("ddim", "eta", 0): (0.126081, 0.247981),
}


@pytest.mark.verify
@pytest.mark.parametrize(("row", "values"), TABLE.items(), ids=lambda part: "-".join(map(str, part)))
def test_the_published_variances_come_out(row: tuple[str, str, Any], values: tuple[float, float]) -> None:
    name, eta, c = row
    target = harness.denoiser("gaussian", variance=0.25)
    made = sampler(name, **({"eta": 0.5} if eta else {}))
    variance = harness.component("variance", "exact" if c == "exact" else "beta")

    def covariance(x: Tensor, t: float, s: float, eps: Tensor) -> Any:
        return posterior_variance(variance, {"denoiser": target}, x, t, s, eps) if c else 0.0

    for steps, value in zip((10, 1000), values, strict=True):
        mean, found = respond(made, target, even(steps), covariance).law(double(0), torch.eye(1).double())
        assert float(found) == pytest.approx(value, abs=6e-7) and float(mean) == pytest.approx(0, abs=1e-12)


def test_a_response_is_what_a_table_says_in_every_dimension() -> None:
    target = harness.denoiser("gaussian", variance=0.25, mean=2.0, dim=3)
    made = sampler("ddpm")
    response = respond(made, target, even(7))
    by_hand = law(made.plan(LINEAR, even(7)), LINEAR, 0.25)
    assert torch.allclose(response.start, by_hand[0] * torch.eye(3).double(), atol=1e-14)
    # A sample's share of a draw is 3 numbers; each moves its own coordinate. The last step draws none.
    shares = response.noise.reshape(-1, 3, 3)
    assert torch.allclose(shares, by_hand[1:-1, None, None] * torch.eye(3).double(), atol=1e-14)
    kept = LINEAR.alpha_bar(double(1000))
    # Data that all lie 2 further: so does x_0, once x_T lies sqrt(A_T) 2 further.
    assert torch.allclose(response.offset + 2 * kept.sqrt() * by_hand[0], double(2, 2, 2), atol=1e-12)


class Euler(Sampler):
    """The probability flow, step by step, from which the wrong ones below depart in one thing each."""

    unused_kinds: ClassVar[Sequence[str]] = ("variance",)
    order: ClassVar[float | None] = 1

    def sample(
        self,
        denoiser: DiffusionModel,
        covariance: Callable[..., Tensor] | None,
        x: Tensor,
        times: Tensor,
        noise: NoiseSource,
    ) -> Tensor:
        kept = denoiser.schedule.alpha_bar(times).tolist()
        for step, (t, (now, then)) in enumerate(zip(times.tolist(), pairwise(kept), strict=False)):
            x = self.step(denoiser, x, t, now, then, step, noise)
        return x

    def step(
        self, denoiser: DiffusionModel, x: Tensor, t: float, now: float, then: float, step: int, noise: NoiseSource
    ) -> Tensor:
        x0, eps = denoiser.x0_and_eps(x, t)
        return then**0.5 * x0 + (1 - then) ** 0.5 * eps


def noisy(x0: Tensor, eps: Tensor, now: float, then: float, z: Tensor, share: float = 1.0) -> Tensor:
    """A step of DDPM, whose noise has `share` of its variance."""
    added = (1 - now / then) * (1 - then) / (1 - now)
    return then**0.5 * x0 + (1 - then - added) ** 0.5 * eps + (share * added) ** 0.5 * z


class Boaster(Euler):
    """Claims too much."""

    order: ClassVar[float | None] = 2


class Greedy(Euler):
    """Writes over x_T."""

    def sample(self, denoiser: Any, covariance: Any, x: Tensor, times: Tensor, noise: NoiseSource) -> Tensor:
        return x.copy_(super().sample(denoiser, covariance, x, times, noise))


class Hurried(Euler):
    """Forgets the last step."""

    def sample(self, denoiser: Any, covariance: Any, x: Tensor, times: Tensor, noise: NoiseSource) -> Tensor:
        return super().sample(denoiser, covariance, x, times[:-1], noise)


class Crowded(Euler):
    """Has noise that is the same for every batch."""

    order: ClassVar[float | None] = None

    def step(
        self, denoiser: DiffusionModel, x: Tensor, t: float, now: float, then: float, step: int, noise: NoiseSource
    ) -> Tensor:
        z = torch.randn(x.shape, generator=torch.Generator().manual_seed(step)).to(x)
        return noisy(*denoiser.x0_and_eps(x, t), now, then, z)


class Wilful(Crowded):
    """Draws where nobody can draw again."""

    def step(
        self, denoiser: DiffusionModel, x: Tensor, t: float, now: float, then: float, step: int, noise: NoiseSource
    ) -> Tensor:
        return noisy(*denoiser.x0_and_eps(x, t), now, then, torch.randn_like(x))


class Loud(Crowded):
    """Twice the noise, however many the steps."""

    def step(
        self, denoiser: DiffusionModel, x: Tensor, t: float, now: float, then: float, step: int, noise: NoiseSource
    ) -> Tensor:
        return noisy(*denoiser.x0_and_eps(x, t), now, then, noise(step, x), 2.0)


class Clipped(Euler):
    """Keeps every guess of x_0 within the tenth part of what there is, in no linear way."""

    def step(
        self, denoiser: DiffusionModel, x: Tensor, t: float, now: float, then: float, step: int, noise: NoiseSource
    ) -> Tensor:
        x0, eps = denoiser.x0_and_eps(x, t)
        return then**0.5 * x0.clamp(0.95, 1.05) + (1 - then) ** 0.5 * eps


class Twice(Euler):
    """Asks twice a step and does not say so."""

    def step(
        self, denoiser: DiffusionModel, x: Tensor, t: float, now: float, then: float, step: int, noise: NoiseSource
    ) -> Tensor:
        denoiser.eps(x, t)
        return super().step(denoiser, x, t, now, then, step, noise)


class Lazy(Twice):
    """Asks twice a step and takes fewer steps than it may."""

    def steps_for_nfe(self, nfe: int) -> int:
        return nfe // 3


class Coarse(Euler):
    """Answers in float32, whatever x_T is in."""

    def sample(self, denoiser: Any, covariance: Any, x: Tensor, times: Tensor, noise: NoiseSource) -> Tensor:
        return super().sample(denoiser, covariance, x.float(), times, noise)


class Broken(Euler):
    """Raises."""

    def sample(self, denoiser: Any, covariance: Any, x: Tensor, times: Tensor, noise: NoiseSource) -> Tensor:
        raise ValueError("not today\nnor tomorrow")


class Wild(Euler):
    """Gives NaN."""

    def sample(self, denoiser: Any, covariance: Any, x: Tensor, times: Tensor, noise: NoiseSource) -> Tensor:
        return x * float("nan")


def test_the_sampler_they_depart_from_passes() -> None:
    found = verdicts(Euler())
    assert [verdict for verdict in found.values() if verdict.passed is False] == []
    assert found["order"].says == "order claimed 1, observed 1.00"
    assert found["times"].passed is None


WRONG = [
    (Boaster, "order", "order claimed 2, observed 1.00"),
    (Greedy, "inputs", "inputs: x_T written over"),
    (Hurried, "end", "end: of the noise before the last step 1.00 is left in data of a single point"),
    (Hurried, "evaluations", "evaluations: steps_for_nfe(10) is 10, but 11 steps take 10"),
    (Crowded, "batches", "batches: 128 samples at once differ by "),
    (Wilful, "repeats", "repeats: from the same noise samples differ by "),
    (Loud, "law", "law of N(1, 0.25): variance "),
    (Clipped, "law", "law of N(1, 0.25): variance "),
    (Loud, "floor", "floor: MMD² × 10⁴ on ring8 "),
    (Twice, "evaluations", "evaluations: steps_for_nfe(10) is 10, which takes 20"),
    (Lazy, "evaluations", "evaluations: steps_for_nfe(10) is 3, but 4 steps take 8"),
    (Coarse, "output", "output: torch.float32 came out for x_T in torch.float64"),
    (Broken, "law", "law: ValueError: not today"),
    (Wild, "law", "law: samples in 1"),
]


@pytest.mark.parametrize(("wrong", "name", "says"), WRONG, ids=lambda part: getattr(part, "__name__", None))
def test_a_wrong_sampler_is_told_what_is_wrong(wrong: type[Sampler], name: str, says: str) -> None:
    import harness.conformance.sampler as kind

    check = next(each for each in kind.CHECKS if each.__name__ == name)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(kind, "CHECKS", (check,))
        (verdict,) = check_component(wrong())
    assert verdict.passed is False and verdict.says.startswith(says), verdict.says


def test_a_sampler_that_is_not_linear_is_judged_by_samples() -> None:
    from harness.conformance.sampler.convergence import law as check

    target = harness.denoiser("gaussian", variance=0.25)
    with pytest.raises(NotLinear, match="twice the input is not twice the output"):
        respond(Clipped(), target, even(10))
    assert " by 16384 samples: twice the input" in check(Clipped())[1]
    passed, says = check(sampler("iid"))
    assert passed and says.endswith("by 16384 samples: it draws other things than normal noise")


def test_the_exact_law_is_that_of_many_samples() -> None:
    target, made = harness.denoiser("gaussian", variance=0.25, mean=1.0), sampler("ddim", eta=0.7)
    x = torch.randn(40_000, 1, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    found = sampled(made, target, x, even(6), NoiseSource(3))
    mean, variance = respond(made, target, even(6)).law(double(0), torch.eye(1).double())
    assert float(found.mean()) == pytest.approx(float(mean), abs=4 * float(variance.sqrt()) / 200)
    assert float(found.var()) == pytest.approx(float(variance), rel=4 * (2 / 40_000) ** 0.5)


class Upside(Transform):
    """The order turned round."""

    def __call__(self, logits: Tensor) -> Tensor:
        return (-logits).softmax(-1)


class Unshifted(Transform):
    """Not what it claims: the square of the logits."""

    properties: ClassVar[Sequence[str]] = ("shift",)

    def __call__(self, logits: Tensor) -> Tensor:
        return logits.square().softmax(-1)


class Detached(Transform):
    """A gradient that is not its own, probabilities that add up to 2, a logarithm of another function."""

    def __call__(self, logits: Tensor) -> Tensor:
        return (logits * 2 - logits.detach()).softmax(-1) * 2

    def log(self, logits: Tensor) -> Tensor:
        return logits.log_softmax(-1)


class Falling(Transform):
    """NaN for hopeless gaps."""

    def __call__(self, logits: Tensor) -> Tensor:
        return logits.exp() / logits.exp().sum(-1, keepdim=True)


@pytest.mark.parametrize(
    ("wrong", "failed"),
    [
        (Upside, {"order"}),
        (Unshifted, {"shift"}),
        (Detached, {"normalized", "logarithm", "gradient"}),
        (Falling, {"positive", "normalized"}),
    ],
)
def test_a_wrong_transform_fails_what_it_breaks(wrong: type[Transform], failed: set[str]) -> None:
    assert {verdict.name for verdict in check_component(wrong()) if verdict.passed is False} == failed


class Backwards(Loss):
    """Prefers the wrong answer."""

    def __call__(self, logits: Tensor, target: Tensor) -> Tensor:
        return -torch.nn.functional.cross_entropy(logits, target, reduction="none")


class Halved(Loss):
    """A value of the wrong shape, a gradient that is half of it."""

    def __call__(self, logits: Tensor, target: Tensor) -> Tensor:
        value = torch.nn.functional.cross_entropy(logits, target, reduction="none")
        return (value / 2 + value.detach() / 2)[:, None]


class Remembers(Loss):
    """Counts its calls on itself."""

    def __call__(self, logits: Tensor, target: Tensor) -> Tensor:
        object.__setattr__(self, "calls", getattr(self, "calls", 0) + 1)
        return torch.nn.functional.cross_entropy(logits, target, reduction="none")


class Drawing(Loss):
    """Scaled by a number from somewhere."""

    source: Literal["random", "numpy.random", "torch", "generator", "entropy"] = "torch"

    def __call__(self, logits: Tensor, target: Tensor, generator: torch.Generator) -> Tensor:
        draw = {
            "random": random.random,
            "numpy.random": numpy.random.normal,
            "torch": lambda: float(torch.rand(())),
            "generator": lambda: float(torch.rand((), generator=generator)),
            "entropy": lambda: numpy.random.default_rng().random(),
        }[self.source]
        return (2 + draw()) * torch.nn.functional.cross_entropy(logits, target, reduction="none")


@pytest.mark.parametrize(
    ("source", "passed"),
    [("random", None), ("numpy.random", None), ("torch", True), ("generator", True), ("entropy", False)],
)
def test_a_draw_that_stacked_seeds_would_share_is_told(source: str, passed: bool | None) -> None:
    before = random.getstate(), numpy.random.get_state()[1].tobytes(), torch.get_rng_state()
    found, says = draws(Drawing(source=source))
    assert found is passed
    assert (f"from {source}, which stacked seeds would share" in says) == (passed is None)
    assert random.getstate() == before[0] and numpy.random.get_state()[1].tobytes() == before[1]
    assert torch.equal(torch.get_rng_state(), before[2])
    failed = {name for name, verdict in verdicts(Drawing(source=source)).items() if verdict.passed is False}
    assert failed == ({"draws", "gradient", "mapped"} if passed is False else set())


@pytest.mark.parametrize(
    ("wrong", "failed"),
    [(Backwards, {"preference"}), (Halved, {"shape", "gradient"}), (Remembers, {"memory"})],
)
def test_a_wrong_loss_fails_what_it_breaks(wrong: type[Loss], failed: set[str]) -> None:
    assert {verdict.name for verdict in check_component(wrong()) if verdict.passed is False} == failed


def test_a_learned_field_has_the_value_it_starts_with() -> None:
    found = verdicts(harness.component("transform", "entmax", alpha=harness.Learned(1.5)))
    assert all(verdict.passed for verdict in found.values()), found
