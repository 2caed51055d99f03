"""The generation protocol: what contenders share, what does not matter, what is counted, what settings do."""

from __future__ import annotations

import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar

import pytest
import torch
from torch import Tensor

import harness
from harness import CellContext, Metric, Sampler, Skip, component

SEEN: list[dict[str, Any]] = []


class Seeing(Sampler):
    """Keeps what it is given and answers it."""

    pause: float = 0.0

    def sample(self, model: Any, covariance: Any, x: Tensor, times: Tensor, noise: Any) -> Tensor:
        time.sleep(self.pause)
        SEEN.append({"x": x.clone(), "times": times, "noise": [noise(step, x) for step in range(len(times) - 1)]})
        return x


class Asking(Sampler):
    """Adds unit noise at the last step where it is asked to."""

    def sample(
        self, model: Any, covariance: Any, x: Tensor, times: Tensor, noise: Any, noise_last_step: bool = False
    ) -> Tensor:
        return x + noise("last", x) if noise_last_step else x


class Slow(harness.Denoiser):
    """Takes its time for every answer; unbounded guesses of bounded data."""

    shape: tuple[int, ...] = (2,)
    schedule: harness.Schedule = component("schedule", "linear")
    data_range: ClassVar[tuple[float, float]] = (-0.5, 0.5)
    pause: float = 0.0

    def load(self, device: str) -> None:
        return None

    def sample(self, net: Any, n: int, generator: torch.Generator) -> Tensor:
        return torch.zeros(n, 2)

    def predict(self, net: Any, x: Tensor, t: Tensor) -> Tensor:
        time.sleep(self.pause)
        return torch.zeros_like(x)


class Whole(Slow):
    """Knows whole times only."""

    discrete_time: ClassVar[bool] = True


class Kept(Metric):
    """Keeps the samples."""

    higher_is_better: ClassVar[bool | None] = False
    found: ClassVar[list[Tensor]] = []

    def __call__(self, samples: Tensor) -> float:
        self.found.append(samples)
        return float(samples.mean())


class Costs(Metric):
    """Keeps both times."""

    higher_is_better: ClassVar[bool | None] = False
    found: ClassVar[list[tuple[float, float]]] = []

    def __call__(self, sampler_seconds: float, denoiser_seconds: float) -> float:
        self.found.append((sampler_seconds, denoiser_seconds))
        return sampler_seconds + denoiser_seconds


@pytest.fixture(autouse=True)
def _nothing_seen() -> None:
    for kept in (SEEN, Kept.found, Costs.found):
        kept.clear()


def built(kind: str, said: Any) -> Any:
    return component(kind, said) if isinstance(said, str) else said


def session(
    folder: Path, sampler: Any, denoiser: Any = "grid25", metrics: Mapping[str, Metric] | None = None, **settings: Any
) -> Any:
    """A session of the stock protocol; `spacing` and `variance` are among the settings, None leaves the part away."""
    said = {"spacing": "even", "variance": "beta_tilde", "prior": "normal", "feature": "pixels"}
    said |= {kind: settings.pop(kind) for kind in list(settings) if kind in said}
    parts = {kind: built(kind, name) for kind, name in said.items() if name is not None}
    case = CellContext(
        components={"denoiser": built("denoiser", denoiser), "sampler": built("sampler", sampler), **parts},
        build=lambda kind, spec: component(kind, **spec),
        metrics=metrics or {"kept": Kept()},
        tune=None,
        artifacts={},
        split="seed",
        device="cpu",
        folder=folder,
        on_progress=lambda *_: None,
    )
    return component("protocol", "generation", **{"steps": 4, "samples": 128, **settings}).setup(case)


def sampled(*args: Any, seed: int = 0, **settings: Any) -> Tensor:
    before = len(Kept.found)
    session(*args, **settings).measure([seed], {})
    return Kept.found[before]  # samples moved by rounding come after them


def measured() -> list[dict[str, Any]]:
    """What the sampler saw of whole runs: each session tries it on fewer samples before."""
    return [seen for seen in SEEN if len(seen["x"]) == 128]


def unlike(a: Tensor, b: Tensor) -> bool:
    """Whether two samples are different draws, not the same ones rounded otherwise."""
    return float((a - b).abs().median()) > 0.1


def test_contenders_start_alike_and_get_the_same_noise(tmp_path: Path) -> None:
    for pause in (0.0, 0.001):
        session(tmp_path, Seeing(pause=pause)).measure([3], {})
    one, other = measured()
    assert torch.equal(one["x"], other["x"]) and torch.equal(one["times"], other["times"])
    assert all(torch.equal(a, b) for a, b in zip(one["noise"], other["noise"], strict=True))
    everything = [one["x"], *one["noise"]]
    assert all(unlike(a, b) for i, a in enumerate(everything) for b in everything[:i])


@pytest.mark.verify
def test_a_row_says_that_its_times_are_rounded(tmp_path: Path) -> None:
    said = ["times are rounded for whole"]
    assert session(tmp_path, "ddim", Whole(), spacing="log_snr", steps=7).notes == said
    assert session(tmp_path, "ddim", Whole(), spacing="even", steps=7).notes == []
    assert session(tmp_path, "ddim", Slow(), spacing="log_snr", steps=7).notes == []


def test_a_stock_sampler_starts_where_the_others_do(tmp_path: Path) -> None:
    """The first step of DDIM, done by hand from what another sampler was given."""
    session(tmp_path, Seeing(), steps=1).measure([3], {})
    ready = harness.denoiser("grid25")
    expected = ready.x0(measured()[0]["x"], 1000.0)
    assert torch.allclose(sampled(tmp_path, "ddim", steps=1, seed=3), expected, atol=1e-5)


@pytest.mark.verify
def test_seeds_are_reproducible_and_differ(tmp_path: Path) -> None:
    first, again, other = (sampled(tmp_path, "ddpm", seed=seed) for seed in (5, 5, 6))
    assert torch.equal(first, again) and unlike(first, other)
    run = session(tmp_path, "ddpm")
    run.measure([6], {})
    run.measure([5], {})
    assert torch.equal(Kept.found[-1], first), "an earlier seed of the same session left something behind"


@pytest.mark.verify
@pytest.mark.parametrize("sampler", ["ddpm", "unipc", "exact_kernel", "iid"])
def test_samples_do_not_depend_on_the_batch_to_the_bit(sampler: str, tmp_path: Path) -> None:
    """130 samples at once; in 64, 64 and 2; and in blocks of 128, the next multiple of 64, where 100 are asked for."""
    whole, *others = (sampled(tmp_path, sampler, samples=130, batch=batch) for batch in (2048, 64, 100))
    assert all(torch.equal(each, whole) for each in others)


@pytest.mark.verify
def test_more_samples_are_the_same_ones_and_others(tmp_path: Path) -> None:
    fewer, more = (sampled(tmp_path, "ddpm", samples=samples) for samples in (128, 192))
    assert torch.equal(more[:128], fewer)


@pytest.mark.verify
@pytest.mark.parametrize(
    ("sampler", "settings", "nfe"),
    [
        ("ddim", {"steps": 7}, 7),
        ("edm_heun", {"steps": 7}, 13),
        ("pndm", {"steps": 7}, 8),
        ("iid", {"steps": 7}, 0),
        ("ddim", {"nfe": 7}, 7),
        ("edm_heun", {"nfe": 7}, 7),
        ("edm_heun", {"nfe": 8}, 7),
        ("pndm", {"nfe": 7}, 7),
        ("ddim", {"nfe": 7, "steps": 99}, 7),
        ("ddim", {"steps": 7, "variance": component("variance", "exact")}, 7),
    ],
)
def test_evaluations_are_counted(sampler: str, settings: dict[str, Any], nfe: int, tmp_path: Path) -> None:
    """A sample each; what a variance or a metric asks of the denoiser besides is not the sampler's."""
    measure = {"nelbo": component("metric", "nelbo"), "nfe": component("metric", "nfe")}
    values = session(tmp_path, sampler, metrics=measure, samples=130, batch=64, **settings).measure([0], {})
    assert values.metrics["nfe"] == [nfe]


@pytest.mark.verify
@pytest.mark.parametrize(("clip", "most"), [(True, 0.5), (False, 10.0)])
def test_clip_keeps_every_guess_in_the_range(clip: bool, most: float, tmp_path: Path) -> None:
    found = sampled(tmp_path, "ddim", Slow(), clip_x0=clip).abs().max()
    assert found == 0.5 if clip else found > most


def test_a_range_is_needed_to_clip(tmp_path: Path) -> None:
    with pytest.raises(harness.BenchError, match=r"grid25.* has no range to clip to"):
        session(tmp_path, "ddim", clip_x0=True)


@pytest.mark.verify
def test_noise_on_the_jump_to_data_is_added_where_a_sampler_can(tmp_path: Path) -> None:
    gaussian = component("denoiser", "gaussian", variance=0.25)
    settings = {"samples": 4096, "steps": 10, "variance": component("variance", "exact")}
    quiet, noisy = (sampled(tmp_path, "ddpm", gaussian, noise_last_step=asked, **settings) for asked in (False, True))
    # Of N(0, v) DDPM with the exact variance returns v where noise is kept at s = 0, .249900 where it is not; what the
    # last jump adds is v B_1 / (A_1 v + B_1) = 1e-4.
    assert float((noisy - quiet).var()) == pytest.approx(1e-4, rel=0.05)
    for sampler, changes in ((Asking(), True), (Seeing(), False), ("unipc", False), ("exact_kernel", False)):
        one, other = (sampled(tmp_path, sampler, noise_last_step=asked) for asked in (False, True))
        assert torch.equal(one, other) != changes, sampler


def test_time_is_that_of_the_network_and_that_of_the_rest(tmp_path: Path) -> None:
    """Each is at least what was slept there, and not what was slept in the other; only lower bounds and the sum."""
    began = time.perf_counter()
    session(tmp_path, "ddim", Slow(pause=0.02), metrics={"costs": Costs()}).measure([0], {})
    session(tmp_path, Seeing(pause=0.08), Slow(pause=0.02), metrics={"costs": Costs()}).measure([0], {})
    whole = time.perf_counter() - began
    (outside, inside), (around, none) = Costs.found
    assert inside >= 4 * 0.02 and none == 0 and around >= 0.08 and outside > 0
    assert outside + inside + around + none <= whole


@pytest.mark.parametrize(
    ("parts", "reason"),
    [
        ({"sampler": "exact_kernel"}, "sampler exact_kernel: slow.* has no exact reverse kernel"),
        ({"sampler": "ddpm", "variance": "exact"}, r"variance exact.*: slow.* has no exact posterior"),
    ],
)
def test_parts_that_do_not_go_together_are_a_reason(parts: dict[str, str], reason: str, tmp_path: Path) -> None:
    with pytest.raises(Skip, match=reason):
        session(tmp_path, denoiser=Slow(), **parts)


def test_a_sampler_may_have_times_of_its_own(tmp_path: Path) -> None:
    session(tmp_path, Seeing(), spacing=None, variance=None, nfe=5).measure([0], {})
    (seen,) = measured()
    assert len(seen["times"]) == 6 and seen["times"][-1] == 0


@pytest.mark.verify
@pytest.mark.parametrize("seed", [0, 1])
def test_data_to_compare_with_are_those_of_the_seed(seed: int, tmp_path: Path) -> None:
    found: list[tuple[Tensor, Tensor]] = []

    class Comparing(Metric):
        """Keeps what samples are compared with."""

        higher_is_better: ClassVar[bool | None] = False

        def __call__(self, reference: Tensor, reference_features: Tensor) -> float:
            found.append((reference, reference_features))
            return 0.0

    for sampler in ("ddim", "ddpm"):
        session(tmp_path, sampler, metrics={"comparing": Comparing()}).measure([seed], {})
    assert torch.equal(found[0][0], found[1][0]) and torch.equal(found[0][0].flatten(1), found[0][1])
    session(tmp_path, "ddim", metrics={"comparing": Comparing()}).measure([seed + 1], {})
    assert unlike(found[0][0], found[2][0])
