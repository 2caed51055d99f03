"""Schedulers of diffusers that count in sigma, of EDM and of flow matching, beside ours and beside their formulas."""

from __future__ import annotations

import itertools
import math
import re
from typing import Any

import pytest
import torch
from numpy.polynomial import Polynomial
from scipy.optimize import brentq
from torch import Tensor

import harness
from plugins.samplers._brownian import Brownian, Draws
from tests.plugins.sampling import Recorder, TwoPoints, double, gaussian, sampler

diffusers = pytest.importorskip("diffusers")
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of how the library converts tensors for numpy 2
SCHEDULE = TwoPoints.schedule
KARRAS, TRAILING = {"use_karras_sigmas": True}, {"timestep_spacing": "trailing"}


def start(n: int = 64) -> Tensor:
    return torch.randn(n, 3, generator=torch.Generator().manual_seed(5))


def path(made: Any, times: Tensor, x: Tensor) -> tuple[list[float], list[Tensor]]:
    """The times and points at which the network was asked, and x_0."""
    denoiser = Recorder(TwoPoints())
    end = made.sample(denoiser, None, x, times, harness.NoiseSource(2))
    return denoiser.times, [*denoiser.points, end]


def theirs(name: str, config: dict[str, Any], steps: int = 10) -> tuple[list[float], list[Tensor]]:
    return path(sampler("diffusers", scheduler=name, config=config), torch.linspace(1000, 0, steps + 1), start())


def sigma(t: float) -> float:
    return float(SCHEDULE.sigma(double(t)))


def levels(name: str, steps: int = 10, **config: Any) -> list[float]:
    """Levels at which the library itself has a scheduler on the betas of the schedule step."""
    kept = SCHEDULE.alpha_bar(torch.arange(1001, dtype=torch.float64))
    scheduler = getattr(diffusers, name)(trained_betas=(1 - kept[1:] / kept[:-1]).tolist(), **config)
    scheduler.set_timesteps(steps)
    return list(dict.fromkeys(scheduler.sigmas.double().tolist()))[:-1]


def exact(x: Tensor, s: float) -> Tensor:
    """E[x_0 | x_0 + s e = x] of the target, in double precision."""
    t = brentq(lambda t: sigma(t) - s, 0, 1000, xtol=1e-12) if s < sigma(1000) else 1000.0
    return harness.DiffusionModel(TwoPoints(), None).x0(x / math.hypot(1, s), t)


@pytest.mark.parametrize("steps", [1, 10])
@pytest.mark.parametrize(
    ("name", "config"),
    [
        ("EulerDiscreteScheduler", {}),
        ("EulerDiscreteScheduler", KARRAS),
        ("EulerDiscreteScheduler", KARRAS | {"timestep_type": "continuous", "prediction_type": "v_prediction"}),
        ("EulerDiscreteScheduler", {"use_exponential_sigmas": True}),
        ("EulerDiscreteScheduler", TRAILING | {"rescale_betas_zero_snr": True}),
        ("DPMSolverMultistepScheduler", KARRAS | {"solver_order": 1}),
        ("DPMSolverSinglestepScheduler", KARRAS | {"solver_order": 1}),
        ("CogVideoXDDIMScheduler", TRAILING),
        ("EDMEulerScheduler", {}),
        ("EDMEulerScheduler", {"prediction_type": "v_prediction", "sigma_data": 2.0}),
        ("EDMEulerScheduler", {"sigma_schedule": "exponential", "sigma_max": 50, "sigma_min": 0.02}),
        ("EDMDPMSolverMultistepScheduler", {"solver_order": 1}),
        ("FlowMatchEulerDiscreteScheduler", {}),
        ("FlowMatchEulerDiscreteScheduler", {"shift": 3.0}),
        ("FlowMatchEulerDiscreteScheduler", {"shift": 0.5, "use_karras_sigmas": True}),
    ],
)
def test_first_order_is_ddim_at_the_same_times(name: str, config: dict[str, Any], steps: int) -> None:
    """Euler's method in sigma, in the s of flows and in the exponential form are the step of DDIM (Song, 2021, eq. 12).

    From the start of theirs, which for some is not quite x_T.
    """
    times, points = theirs(name, config, steps)
    again, found = path(sampler("ddim"), double(*times, 0), points[0])
    assert times == again and len(times) == steps
    for one, other in zip(points, found, strict=True):
        assert (one - other).abs().max() < 2e-4


@pytest.mark.parametrize("name", ["EulerDiscreteScheduler", "HeunDiscreteScheduler", "DPMSolverMultistepScheduler"])
def test_the_network_is_asked_at_the_level_of_the_step(name: str) -> None:
    """The library rounds times to whole ones, or takes them from straight lines between levels."""
    times, _ = theirs(name, KARRAS)
    assert [sigma(t) for t in dict.fromkeys(times)] == pytest.approx(levels(name, **KARRAS), rel=1e-3)
    assert any(t != round(t) for t in times)


def test_flow_matching_spans_the_schedule_whatever_its_shift() -> None:
    for shift in (1.0, 3.0):
        times, _ = theirs("FlowMatchEulerDiscreteScheduler", {"shift": shift})
        assert times[0] == pytest.approx(1000, abs=0.01) and times == sorted(times, reverse=True)
    levels = [sigma(t) / (1 + sigma(t)) for t in theirs("FlowMatchEulerDiscreteScheduler", {})[0]]
    assert levels == pytest.approx(torch.linspace(levels[0], 0.001, 10).tolist(), rel=1e-4)


@pytest.mark.parametrize("config", [KARRAS, {}])
def test_heun_is_ours_at_the_same_times(config: dict[str, Any]) -> None:
    times, points = theirs("HeunDiscreteScheduler", config)
    _, found = path(sampler("edm_heun"), double(*dict.fromkeys(times), 0), points[0])
    for one, other in zip(points, found, strict=True):
        assert (one - other).abs().max() < 2e-4


@pytest.mark.parametrize(
    ("name", "config"), [("EDMDPMSolverMultistepScheduler", {}), ("DPMSolverMultistepScheduler", KARRAS)]
)
def test_dpm_solver_pp_is_ours_at_the_same_times(name: str, config: dict[str, Any]) -> None:
    times, points = theirs(name, config)
    _, found = path(sampler("dpm_solver_pp"), double(*times, 0), points[0])
    for one, other in zip(points, found, strict=True):
        assert (one - other).abs().max() < 2e-4


def test_heun_for_flows_is_heuns_method_in_their_own_s() -> None:
    """Written out in double precision: dx/ds = e - x_0 = (x - x_0) / s."""
    times, points = theirs("FlowMatchHeunDiscreteScheduler", {"shift": 2.0}, 12)
    grid = [sigma(t) / (1 + sigma(t)) for t in dict.fromkeys(times)]
    x = points[0].double() * math.hypot(1 - grid[0], grid[0])

    def slope(x: Tensor, s: float) -> Tensor:
        return (x - exact(x / (1 - s), s / (1 - s))) / s

    for here, there in itertools.pairwise(grid):
        first = slope(x, here)
        x = x + (there - here) * (first + slope(x + (there - here) * first, there)) / 2
    x = x - grid[-1] * slope(x, grid[-1])
    assert (points[-1] - x).abs().max() < 5e-4


@pytest.mark.verify
def test_dpm_2_is_the_midpoint_method_in_the_logarithm_of_sigma() -> None:
    """The slope at the geometric mean of both levels, taken from Euler's point there (Karras et al., 2022, appendix)."""
    _, points = theirs("KDPM2DiscreteScheduler", TRAILING)
    grid = levels("KDPM2DiscreteScheduler", **TRAILING)
    x = points[0].double() * math.hypot(1, grid[0])
    for here, there in itertools.pairwise(grid):
        middle = math.sqrt(here * there)
        between = x + (middle - here) * (x - exact(x, here)) / here
        x = x + (there - here) * (between - exact(between, middle)) / middle
    x = exact(x, grid[-1])
    assert (points[-1] - x).abs().max() < 5e-4


def test_lms_is_the_adams_bashforth_method_in_sigma() -> None:
    """Of order 4: the polynomial through the last slopes, integrated exactly."""
    _, points = theirs("LMSDiscreteScheduler", TRAILING)
    grid = [*levels("LMSDiscreteScheduler", **TRAILING), 0.0]
    x, slopes = points[0].double() * math.hypot(1, grid[0]), []
    for k, (here, there) in enumerate(itertools.pairwise(grid)):
        slopes.insert(0, (x - exact(x, here)) / here)
        known = [grid[k - j] for j in range(min(k + 1, 4))]
        for j, slope in enumerate(slopes[:4]):
            others = [s for i, s in enumerate(known) if i != j]
            basis = Polynomial.fromroots(others) if others else Polynomial([1.0])
            total = (basis / math.prod(known[j] - s for s in others)).integ()
            x = x + (total(there) - total(here)) * slope
    assert (points[-1] - x).abs().max() < 1e-3


def law(made: Any, steps: int, n: int = 20_000) -> tuple[Tensor, Tensor]:
    """Mean and deviation of x_0 on normal data, from one x_T."""
    model = gaussian(dim=3)
    x = start(1).repeat(n, 1)
    end = made.sample(model, None, x, torch.linspace(1000, 0, steps + 1, dtype=torch.float64), harness.NoiseSource(4))
    return end.double().mean(0), end.double().std(0)


@pytest.mark.verify
@pytest.mark.parametrize("steps", [2, 5])
def test_ancestral_euler_has_the_law_of_ddpm(steps: int) -> None:
    """sigma_up^2 = sigma_s^2 (1 - sigma_s^2 / sigma_t^2) is the posterior variance of DDPM, the rest the step of DDIM."""
    found = law(sampler("diffusers", scheduler="EulerAncestralDiscreteScheduler", config=TRAILING), steps)
    known = law(sampler("ddpm"), steps)
    error = math.sqrt(2 / 20_000) * known[1]
    assert ((found[0] - known[0]).abs() < 5 * error).all() and ((found[1] - known[1]).abs() < 5 * error).all()


@pytest.mark.verify
def test_flow_lcm_has_the_law_of_its_formula() -> None:
    """x_s = (1 - s) x_0hat + s e anew from every step: the first of two on one x_T."""
    made, denoiser = (
        sampler("diffusers", scheduler="FlowMatchLCMScheduler", config={"shift": 3.0}),
        Recorder(TwoPoints()),
    )
    x = start(1).repeat(20_000, 1)
    made.sample(denoiser, None, x, torch.linspace(1000, 0, 4), harness.NoiseSource(4))
    s = sigma(denoiser.times[1]) / (1 + sigma(denoiser.times[1]))
    reached = denoiser.points[1].double() * math.hypot(1 - s, s)
    hoped = (1 - s) * harness.DiffusionModel(TwoPoints(), None).x0(denoiser.points[0][:1].double(), 1000.0)[0]
    assert ((reached.mean(0) - hoped).abs() < 5 * s / math.sqrt(20_000)).all()
    assert ((reached.std(0) / s - 1).abs() < 5 / math.sqrt(40_000)).all()


SIGMA = ["EulerDiscreteScheduler", "LMSDiscreteScheduler", "HeunDiscreteScheduler", "DPMSolverMultistepScheduler"]
SLOW = [pytest.param("KDPM2DiscreteScheduler", marks=pytest.mark.verify)]
WHOLE = ["DDIMScheduler", "DEISMultistepScheduler", "UniPCMultistepScheduler"]
DRAWN = ["DDPMScheduler", "EulerAncestralDiscreteScheduler", "LCMScheduler", "SASolverScheduler"]


@pytest.mark.parametrize("kind", ["v_prediction", pytest.param("sample", marks=pytest.mark.verify)])
@pytest.mark.parametrize("name", [*SIGMA, *SLOW, *WHOLE, *DRAWN])
def test_the_network_may_be_asked_for_another_prediction(name: str, kind: str) -> None:
    """The same samples as from the noise, or one line where the library itself has no such step."""
    try:
        _, found = theirs(name, TRAILING | {"prediction_type": kind})
    except harness.BenchError as error:
        said = str(error)
        assert re.search(f"the scheduler {name}: .*prediction_type", said) and "\n" not in said
        scheduler = getattr(diffusers, name)(prediction_type=kind)
        scheduler.set_timesteps(10)
        with pytest.raises((NotImplementedError, ValueError)):
            scheduler.step(start(), scheduler.timesteps[0], start())
        return
    assert (found[-1] - theirs(name, TRAILING | {"prediction_type": "epsilon"})[1][-1]).abs().max() < 1e-3


def test_defect_pndm_averages_v_of_different_times() -> None:
    """It makes eps of their mean, with the levels of the last: not the same samples as from eps."""
    v, eps = (theirs("PNDMScheduler", TRAILING | {"prediction_type": kind})[1] for kind in ("v_prediction", "epsilon"))
    assert (v[-1] - eps[-1]).abs().max() > 0.1


@pytest.mark.parametrize(
    ("name", "config", "message"),
    [
        ("IPNDMScheduler", {}, "IPNDMScheduler is not built on betas: its noise levels cannot be"),
        ("CMStochasticIterativeScheduler", {}, "is not built on betas"),
        ("ScoreSdeVeScheduler", {}, "has no step"),
        ("DDIMInverseScheduler", {}, "DDIMInverseScheduler runs from data to noise"),
        ("FlowMatchEulerDiscreteScheduler", {"invert_sigmas": True}, "runs from data to noise"),
        ("RePaintScheduler", {}, "steps from more than a prediction, t and x: original_image"),
        ("DDIMScheduler", {"prediction_type": "flow_prediction"}, "must be one of epsilon, sample, v_prediction, not"),
        ("DDIMScheduler", {"beta_sched": "linear"}, "has no setting 'beta_sched', did you mean beta_schedule"),
        ("FlowMatchEulerDiscreteScheduler", {"beta_schedule": "linear"}, "has no setting 'beta_schedule'"),
        (
            "DPMSolverMultistepScheduler",
            {"use_flow_sigmas": True, "prediction_type": "flow_prediction"},
            "use_flow_sigmas stands for other noise levels",
        ),
    ],
)
def test_what_cannot_sample_from_a_denoiser_says_why(name: str, config: dict[str, Any], message: str) -> None:
    reason = sampler("diffusers", scheduler=name, config=config).skip(TwoPoints())
    assert reason and re.search(message, reason) and "\n" not in reason


@pytest.mark.parametrize(
    ("name", "config", "message"),
    [
        ("EDMEulerScheduler", {"sigma_max": 300}, "asked at sigma = 300, and the last of its schedule is 157.4"),
        ("FlowMatchEulerDiscreteScheduler", {"use_dynamic_shifting": True}, "cannot take 10 steps: .*mu"),
    ],
)
def test_what_goes_beyond_the_schedule_says_where(name: str, config: dict[str, Any], message: str) -> None:
    with pytest.raises(harness.BenchError, match=message):
        theirs(name, config)


class Ending(harness.Schedule):
    """Nothing is left of the data at T."""

    def alpha_bar(self, t: Tensor) -> Tensor:
        return (1 - torch.as_tensor(t, dtype=torch.float64) / self.num_train_timesteps) ** 2


@pytest.mark.parametrize("name", ["EDMEulerScheduler", "FlowMatchEulerDiscreteScheduler"])
def test_an_infinite_level_is_no_start(name: str) -> None:
    made = TwoPoints()
    object.__setattr__(made, "schedule", Ending())
    assert "the sigma of T, which is infinite" in str(sampler("diffusers", scheduler=name).skip(made))


@pytest.mark.parametrize("name", ["EulerDiscreteScheduler", "DPMSolverMultistepScheduler", "DDIMScheduler"])
def test_a_schedule_that_ends_in_noise_alone_is_followed_from_a_finite_level(name: str) -> None:
    """At a time so near to T that the network still tells x_0, which at T itself it cannot from eps."""
    made = TwoPoints()
    object.__setattr__(made, "schedule", Ending())
    config = TRAILING | ({"solver_order": 1} if "Multistep" in name else {"steps_offset": 0})
    begins = config | ({"timestep_spacing": "leading"} if name == "DDIMScheduler" else {})
    model, again = Recorder(made), Recorder(made)
    x = start()
    end = sampler("diffusers", scheduler=name, config=begins).sample(
        model, None, x, torch.zeros(11), harness.NoiseSource(2)
    )
    assert (model.times[0] > 999) == (name != "DDIMScheduler")
    known = sampler("ddim").sample(again, None, model.points[0], double(*model.times, 0), harness.NoiseSource(2))
    assert (end - known).abs().max() < (1e-2 if name == "DDIMScheduler" else 2e-3)


def test_the_words_for_other_betas_are_said_to_have_no_effect() -> None:
    config = {"rescale_betas_zero_snr": True, "beta_schedule": "linear", "prediction_type": "v_prediction"}
    assert [*sampler("diffusers", config=config).overridden()] == ["rescale_betas_zero_snr", "beta_schedule"]
    assert sampler("diffusers", scheduler="EDMEulerScheduler", config={"sigma_max": 80}).overridden() == {}


def test_draws_of_a_brownian_motion_are_correlated_where_they_overlap() -> None:
    """Cov of the increments over [a, b] and [c, d] is the length of what they share; a bridge is drawn in between."""
    motion = Brownian(Draws(harness.NoiseSource(3)), torch.empty(40_000, 1))
    pairs = [(9.0, 4.0), (4.0, 1.0), (9.0, 1.0), (6.0, 2.0), (16.0, 5.0)]
    found = torch.stack([motion(*pair)[:, 0] for pair in pairs])
    shared = double(*([max(0.0, min(a, c) - max(b, d)) for c, d in pairs] for a, b in pairs))
    lengths = shared.diagonal()
    known = shared / (lengths[:, None] * lengths).sqrt()
    assert (found.double() @ found.double().T / 40_000 - known).abs().max() < 5 * math.sqrt(2 / 40_000)
    assert torch.equal(motion(9.0, 1.0), found[2][:, None]) and float(motion(4.0, 4.0).abs().max()) == 0


@pytest.mark.verify
def test_a_solver_of_an_sde_draws_from_the_seed_and_has_the_law_of_the_librarys_own_noise() -> None:
    pytest.importorskip("torchsde")
    made, x = sampler("diffusers", scheduler="DPMSolverSDEScheduler"), start().repeat(2, 1)
    noise, times = harness.NoiseSource(9), torch.linspace(1000, 0, 8)
    whole = made.sample(Recorder(TwoPoints()), None, x, times, noise)
    parts = [made.sample(Recorder(TwoPoints()), None, x[k : k + 64], times, noise.after(k)) for k in (0, 64)]
    assert torch.equal(torch.cat(parts), whole) and not torch.equal(whole[:64], whole[64:])
    ours = law(made, 4)
    own = made.made(gaussian().schedule)
    own.scheduler.set_timesteps(4)
    model, point = gaussian(dim=3), start(1).repeat(20_000, 1)
    own.start(point, noise)
    own.scheduler.noise_sampler, point = None, point * own.spread()
    for t in own.scheduler.timesteps:
        x0, eps = model.x0_and_eps(*own.given(point, t))
        point = own.scheduler.step(own.answer(point, x0, eps), t, point, return_dict=False)[0]
    error = math.sqrt(2 / 20_000) * point.double().std(0)
    assert ((ours[0] - point.double().mean(0)).abs() < 5 * error).all()
    assert ((ours[1] - point.double().std(0)).abs() < 5 * error).all()
