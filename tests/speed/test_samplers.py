"""What a sampler costs beside the network, a step on 256 x 64 numbers, against the library diffusers; one thread."""

from __future__ import annotations

import importlib
import time
import warnings
from collections.abc import Callable

import pytest
import torch
from pytest_benchmark.fixture import BenchmarkFixture
from torch import Tensor

import harness

diffusers = pytest.importorskip("diffusers")
STEPS, SHAPE = 25, (256, 64)
LINEAR = harness.component("schedule", "linear")
SAMPLERS = harness.components("sampler")
run = importlib.import_module("harness.stock.samplers._linear").run


class Answer:
    """In place of a loaded denoiser: always the same eps, and x_0 by the one formula that the library has in its step."""

    schedule = LINEAR

    def __init__(self, times: Tensor) -> None:
        self.eps = torch.randn(SHAPE, generator=torch.Generator().manual_seed(1))
        kept = LINEAR.alpha_bar(times[:-1])
        self.parts = dict(
            zip(
                times.tolist(), zip(kept.rsqrt().tolist(), LINEAR.sigma(times[:-1]).tolist(), strict=True), strict=False
            )
        )

    def x0_and_eps(self, x: Tensor, t: float) -> tuple[Tensor, Tensor]:
        part, ratio = self.parts[t]
        return (x * part).sub_(self.eps, alpha=ratio), self.eps


def best(run: Callable[[], object], before: Callable[[], object], rounds: int = 50) -> float:
    """Least CPU seconds of a run, what comes before it not counted."""
    spent = []
    for _ in range(rounds):
        before()
        start = time.process_time()
        run()
        spent.append(time.process_time() - start)
    return min(spent)


@pytest.mark.parametrize(
    ("name", "scheduler", "least"),
    [
        ("ddim", "DDIMScheduler", 5),
        ("dpm_solver_pp", "DPMSolverMultistepScheduler", 8),
        ("unipc", "UniPCMultistepScheduler", 8),
        ("deis", "DEISMultistepScheduler", None),
        ("pndm", "PNDMScheduler", None),
        ("edm_heun", "HeunDiscreteScheduler", None),
    ],
)
def test_overhead_of_a_step(benchmark: BenchmarkFixture, name: str, scheduler: str, least: float | None) -> None:
    """CPU time over evaluations of the network; plans and the library's times are made beforehand."""
    times = torch.linspace(1000, 0, STEPS + 1, dtype=torch.float64)
    made, answer, noise = SAMPLERS[name](), Answer(times), harness.NoiseSource(0)
    x = torch.randn(SHAPE, generator=torch.Generator().manual_seed(2))
    options = {"DDIMScheduler": {"clip_sample": False}, "PNDMScheduler": {"skip_prk_steps": True}}.get(scheduler, {})
    plan, threads = made.plan(LINEAR, times), torch.get_num_threads()
    torch.set_num_threads(1)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        library = getattr(diffusers, scheduler)(timestep_spacing="trailing", **options)

        def theirs() -> None:
            now = x
            for t in library.timesteps:
                now = library.step(answer.eps, t, now, return_dict=False)[0]

        spent = {
            "diffusers": best(theirs, lambda: library.set_timesteps(STEPS)),
            "ours": best(lambda: run(plan, answer, None, x, noise), lambda: None),
            "plan": best(lambda: made.plan(LINEAR, times), lambda: None),
        }
    benchmark.pedantic(lambda: made.sample(answer, None, x, times, noise), rounds=20)
    torch.set_num_threads(threads)
    us = {who: seconds / len(plan.scale) * 1e6 for who, seconds in spent.items()}
    gain = us["diffusers"] / us["ours"]
    benchmark.extra_info.update(us, gain=gain)
    shown = ", ".join(f"{who} {each:.1f}" for who, each in us.items())
    print(f"\n{name}: us for each evaluation beside the network: {shown}; {gain:.1f} x less")
    if least is not None and benchmark.enabled:
        assert gain >= least
