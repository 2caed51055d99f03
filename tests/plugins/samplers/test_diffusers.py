"""Our samplers beside those of the library diffusers: the same points visited; where the library is wrong, how."""

from __future__ import annotations

import math
import warnings
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

import harness
from tests.conftest import Bench
from tests.plugins.sampling import Recorder, Straight, TwoPoints, double, down, flow, sampler

diffusers = pytest.importorskip("diffusers")
LINEAR = harness.component("schedule", "linear")
TRAILING = {"timestep_spacing": "trailing"}
PLMS = {"skip_prk_steps": True, "set_alpha_to_one": True}


def trailing(steps: int) -> Tensor:
    return torch.linspace(1000, 0, steps + 1, dtype=torch.float64)


def path(made: Any, times: Tensor, x: Tensor) -> tuple[list[float], list[Tensor]]:
    """The times and points at which the network was asked, and x_0."""
    denoiser = Recorder(TwoPoints())
    end = made.sample(denoiser, None, x, times, harness.NoiseSource(2))
    return [*denoiser.times, 0.0], [*denoiser.points, end]


def start() -> Tensor:
    return torch.randn(64, 3, generator=torch.Generator().manual_seed(5))


@pytest.mark.parametrize("steps", [5, 10, 20, 50])
@pytest.mark.parametrize(
    ("ours", "theirs", "config"),
    [
        (("ddim", {}), "DDIMScheduler", {}),
        (("ddim_ode", {"form": "euler"}), "EulerDiscreteScheduler", {}),
        (("dpm_solver_pp", {"solver_order": 1}), "DPMSolverMultistepScheduler", {"solver_order": 1}),
        (("dpm_solver_pp", {}), "DPMSolverMultistepScheduler", {}),
        (("unipc", {}), "UniPCMultistepScheduler", {}),
        (("unipc", {"solver_order": 1}), "UniPCMultistepScheduler", {"solver_order": 1}),
        (("unipc", {"solver_order": 3}), "UniPCMultistepScheduler", {"solver_order": 3}),
        (("pndm", {}), "PNDMScheduler", PLMS),
        (("edm_heun", {}), "HeunDiscreteScheduler", {}),
    ],
)
def test_the_same_points_are_visited(ours: Any, theirs: str, config: dict[str, Any], steps: int) -> None:
    """Trailing times, the last step to 0; from the library's own start, which for Heun is not quite x_T."""
    times, points = path(sampler("diffusers", scheduler=theirs, config=TRAILING | config), trailing(steps), start())
    again, found = path(sampler(ours[0], **ours[1]), trailing(steps), points[0])
    assert times == again
    for one, other in zip(points, found, strict=True):
        assert (one - other).abs().max() < 1e-4


def apart(order: int, steps: int) -> float:
    """How far apart DEIS and ours are; the library's last step ends at our t = 1, which we visit on the way to 0."""
    config = TRAILING | {"solver_order": order}
    theirs = sampler("diffusers", scheduler="DEISMultistepScheduler", config=config)
    times, points = path(theirs, trailing(steps), start())
    grid = torch.cat([trailing(steps)[:-1], double(1, 0)])
    again, found = path(sampler("deis", solver_order=order), grid, points[0])
    assert times[:-1] == again[:-2] and again[-2] == 1
    return max(float((one - other).abs().max()) for one, other in zip(points, found[:-1], strict=True))


@pytest.mark.parametrize("steps", [20, 50])
@pytest.mark.parametrize("order", [1, 2, 3])
def test_deis_visits_the_same_points(order: int, steps: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the library computes its coefficients in double precision too."""
    spaced = diffusers.DEISMultistepScheduler.set_timesteps

    def precisely(scheduler: Any, *args: Any, **options: Any) -> None:
        spaced(scheduler, *args, **options)
        scheduler.sigmas = scheduler.sigmas.double()

    monkeypatch.setattr(diffusers.DEISMultistepScheduler, "set_timesteps", precisely)
    assert apart(order, steps) < 1e-4


@pytest.mark.parametrize(("scheduler", "steps"), [("DDPMScheduler", 10), ("EulerAncestralDiscreteScheduler", 7)])
def test_a_random_scheduler_does_not_depend_on_the_batch(scheduler: str, steps: int) -> None:
    made, x, noise = sampler("diffusers", scheduler=scheduler), start().repeat(4, 1), harness.NoiseSource(9)

    def batch(first: int, last: int) -> Tensor:
        return made.sample(Recorder(TwoPoints()), None, x[first:last], trailing(steps), noise.after(first))

    whole = batch(0, 256)
    assert torch.equal(torch.cat([batch(0, 64), batch(64, 192), batch(192, 256)]), whole)
    assert not torch.equal(whole[:64], whole[64:128])


def test_a_random_scheduler_has_the_law_of_ours() -> None:
    """The library's DDPM with the small variance against `ddpm`: one step of many samples from the same point."""
    config = TRAILING | {"variance_type": "fixed_small"}
    x = start()[:1].repeat(20_000, 1)
    seen = []
    for made in (sampler("diffusers", scheduler="DDPMScheduler", config=config), sampler("ddpm")):
        denoiser = Recorder(TwoPoints())
        made.sample(denoiser, None, x, trailing(5), harness.NoiseSource(4))
        seen.append(denoiser.points[1].double())
    error = math.sqrt(2 / 20_000) * seen[1].std(0)
    assert ((seen[0].mean(0) - seen[1].mean(0)).abs() < 5 * error).all()
    assert ((seen[0].std(0) - seen[1].std(0)).abs() < 5 * error).all()


@pytest.mark.parametrize(
    ("scheduler", "config", "steps"),
    [
        ("DDIMScheduler", None, 10),
        ("HeunDiscreteScheduler", None, 5),
        ("PNDMScheduler", {"skip_prk_steps": True}, 9),
        ("PNDMScheduler", None, 0),
    ],
)
def test_steps_are_those_of_the_scheduler(scheduler: str, config: dict[str, Any] | None, steps: int) -> None:
    """Of ten evaluations: K, 2 K - 1, K + 1; PNDM's own warm-up alone takes more than ten."""
    assert sampler("diffusers", scheduler=scheduler, config=config).steps_for_nfe(10) == steps


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"scheduler": "DDIMSchedular"}, "no scheduler 'DDIMSchedular', did you mean DDIMScheduler"),
        ({"scheduler": "UNet2DModel"}, "no scheduler 'UNet2DModel'"),
        ({"scheduler": "IPNDMScheduler"}, "is not built on betas"),
        ({"config": {"beta_sched": "linear"}}, "DDIMScheduler has no setting 'beta_sched', did you mean beta_schedule"),
        ({"config": {"prediction_type": "flow"}}, "prediction_type must be one of epsilon, sample, v_prediction"),
    ],
)
def test_a_mistake_is_named(fields: dict[str, Any], message: str) -> None:
    with pytest.raises(harness.BenchError, match=message) as caught:
        sampler("diffusers", **fields).sample(Recorder(TwoPoints()), None, start(), trailing(3), harness.NoiseSource(0))
    assert "\n" not in str(caught.value)
    assert sampler("diffusers", **fields).skip(TwoPoints()) == str(caught.value)


def test_a_scheduler_may_be_named_by_the_library() -> None:
    """The same sampler as the stock one with its field filled in, which is a field no more."""
    named = harness.component("sampler", "diffusers:UniPCMultistepScheduler", config=TRAILING)
    stock = sampler("diffusers", scheduler="UniPCMultistepScheduler", config=TRAILING)
    one, other = (path(made, trailing(10), start())[1] for made in (named, stock))
    assert all(torch.equal(a, b) for a, b in zip(one, other, strict=True))
    assert named.steps_for_nfe(7) == 7 and named.unused_kinds == stock.unused_kinds
    assert repr(named).startswith("diffusers:UniPCMultistepScheduler(")


LAZY = """
from diffusers import DDIMScheduler


class Lazy(DDIMScheduler):
    \"""DDIM that stays where it is.\"""

    def step(self, guess, t, sample, return_dict=False, eta=0.0, generator=None):
        return (sample,)
"""


def test_a_subclass_of_ones_own_is_named_by_its_import_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "lazy_schedulers.py").write_text(LAZY)
    monkeypatch.syspath_prepend(str(tmp_path))
    own = harness.component("sampler", "lazy_schedulers:Lazy", config=TRAILING)
    times, points = path(own, trailing(10), start())
    assert times == path(sampler("diffusers", config=TRAILING), trailing(10), start())[0]
    assert len(points) == 11 and all(torch.equal(point, start()) for point in points)
    assert repr(own).startswith("lazy_schedulers:Lazy(") and own.steps_for_nfe(7) == 7


@pytest.mark.parametrize(
    ("name", "fields", "message"),
    [
        (
            "diffusers:UniPCMultistepSchedular",
            {},
            "has no 'UniPCMultistepSchedular', did you mean UniPCMultistepScheduler",
        ),
        ("diffusers:DDIMScheduler", {"scheduler": "PNDMScheduler"}, "no field 'scheduler'"),
    ],
)
def test_a_mistake_in_a_name_is_named(name: str, fields: dict[str, Any], message: str) -> None:
    with pytest.raises(harness.BenchError, match=message) as caught:
        harness.component("sampler", name, **fields)
    assert "\n" not in str(caught.value)


# What is wrong in version 0.42.1. A test here that fails is good news: compare anew and take it out.


def test_defect_ddim_on_linspace_does_not_step_along_its_own_times() -> None:
    scheduler = diffusers.DDIMScheduler(timestep_spacing="linspace", clip_sample=False)
    scheduler.set_timesteps(10)
    assert scheduler.timesteps[:2].tolist() == [999, 888]
    # Without noise to remove, x grows by sqrt(A_s / A_t) and shows which s was meant.
    grown = float(scheduler.step(torch.zeros(1), 999, torch.ones(1)).prev_sample) ** 2
    kept = scheduler.alphas_cumprod
    assert grown == pytest.approx(float(kept[899] / kept[999]), rel=1e-4)


def test_defect_the_large_variance_is_added_at_the_last_step_of_trailing_times() -> None:
    spread = {}
    for kind in ("fixed_large", "fixed_small"):
        scheduler = diffusers.DDPMScheduler(variance_type=kind, timestep_spacing="trailing", clip_sample=False)
        scheduler.set_timesteps(10)
        last, nothing = scheduler.timesteps[-1], torch.zeros(64, 64)
        generator = torch.Generator().manual_seed(0)
        spread[kind] = float(scheduler.step(nothing, last, nothing, generator=generator).prev_sample.std())
    assert spread["fixed_small"] < 1e-6
    # beta_{100|0} of the linear schedule is 1 - A_100 = 0.1030.
    assert spread["fixed_large"] == pytest.approx(math.sqrt(0.1030), rel=0.05)


@pytest.mark.parametrize("spacing", ["leading", "trailing", "linspace"])
def test_defect_the_logarithm_of_the_large_variance_is_not_a_number(spacing: str) -> None:
    scheduler = diffusers.DDPMScheduler(variance_type="fixed_large_log", timestep_spacing=spacing)
    scheduler.set_timesteps(10)
    out = scheduler.step(torch.zeros(8, 1), scheduler.timesteps[0], torch.zeros(8, 1)).prev_sample
    assert out.isnan().all()


def test_defect_deis_of_order_3_loses_half_its_digits() -> None:
    """Its coefficients are differences of large numbers, taken in single precision."""
    assert apart(3, 50) > 1e-4


def test_defect_one_generator_ties_a_sample_to_its_batch() -> None:
    scheduler = diffusers.DDPMScheduler(clip_sample=False)
    scheduler.set_timesteps(10)

    def first(batch: int) -> Tensor:
        x = torch.zeros(batch, 3)
        generator = torch.Generator().manual_seed(0)
        for t in scheduler.timesteps:
            x = scheduler.step(torch.zeros_like(x), t, x, generator=generator).prev_sample
        return x[0]

    assert not torch.allclose(first(1), first(4))


def test_defect_dpm_solver_pp_of_order_3_converges_at_order_2() -> None:
    """It counts half of the second difference; ours, which counts all of it, is of order 3 (test_sampler_laws).

    Many steps: the error of third order is the larger one at first and of the other sign, so slopes below 100 mislead.
    """
    schedule, v = Straight(num_train_timesteps=80), 0.25

    def error(order: int, count: int) -> float:
        levels = down(count)
        scheduler = diffusers.DPMSolverMultistepScheduler(
            solver_order=order, prediction_type="sample", lower_order_final=False
        )
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)
            scheduler.set_timesteps(count)
        scheduler.sigmas, scheduler.timesteps = levels, torch.arange(count)
        x = torch.ones(1, dtype=torch.float64)
        for t, sigma in enumerate(levels[:-1]):
            kept = 1 / (1 + sigma**2)
            x = scheduler.step(kept.sqrt() * v / (kept * v + 1 - kept) * x, t, x).prev_sample
        return abs(float(x) - flow(schedule, 80, v))

    slopes = {order: math.log(error(order, 160) / error(order, 640)) / math.log(4) for order in (2, 3)}
    assert slopes == {2: pytest.approx(2, abs=0.15), 3: pytest.approx(2, abs=0.15)}


@pytest.mark.verify
def test_betas_of_its_own_are_said_to_have_no_effect(bench: Bench) -> None:
    """Another beta_schedule gives the same samples, and the row says so as data and in the report."""
    written = "[{diffusers: {config: {beta_schedule: scaled_linear, timestep_spacing: trailing}}, as: theirs}, {diffusers: {config: {timestep_spacing: trailing}}, as: ours}]"
    bench.write(
        "s.yaml",
        f"protocol: generation\nvary: {{denoiser: gaussian, sampler: {written}}}\nmetrics: fid_proxy\nseeds: 2\n"
        "settings: {samples: 64, steps: 4}\n",
    )
    theirs, ours = bench("s.yaml", "--json", "-", timeout=300).json["cells"]
    assert theirs["overridden"] == {"sampler.beta_schedule": "the denoiser's schedule"}
    assert theirs["metrics"]["fid_proxy"]["values"] == ours["metrics"]["fid_proxy"]["values"]
    assert "overridden" not in ours
    assert "without effect: sampler.beta_schedule (the denoiser's schedule instead)" in bench("report", "last").out
