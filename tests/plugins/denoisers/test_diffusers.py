"""The denoiser `diffusers`, beside the library's own pipeline and schedulers on tiny pipelines saved here."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from harness import BenchError, DiffusionModel
from harness.discovery.registry import component

diffusers: Any = pytest.importorskip("diffusers")

SCHEDULERS: dict[str, dict[str, Any]] = {
    "epsilon": {"prediction_type": "epsilon"},
    "sample": {"prediction_type": "sample", "beta_schedule": "scaled_linear"},
    "v_prediction": {"prediction_type": "v_prediction", "beta_schedule": "squaredcos_cap_v2"},
}


def network(out: int = 1, classes: int | None = None) -> Any:
    torch.manual_seed(0)
    blocks = {"down_block_types": ("DownBlock2D",) * 2, "up_block_types": ("UpBlock2D",) * 2}
    sizes = {"block_out_channels": (8, 16), "layers_per_block": 1, "norm_num_groups": 4, "add_attention": False}
    sizes |= {"num_class_embeds": classes}
    return diffusers.UNet2DModel(sample_size=8, in_channels=1, out_channels=out, **sizes, **blocks)


def saved(folder: Path, kind: str = "DDIMScheduler", out: int = 1, classes: int | None = None, **options: Any) -> str:
    options = {"num_train_timesteps": 100, "clip_sample": False} | options
    diffusers.DDPMPipeline(network(out, classes), getattr(diffusers, kind)(**options)).save_pretrained(folder / "pipe")
    return str(folder / "pipe")


def ready(pipeline: str) -> DiffusionModel:
    made = component("denoiser", "diffusers", pipeline=pipeline)
    return DiffusionModel(made, made.load("cpu"))


def noisy(n: int = 5) -> Tensor:
    return torch.randn(n, 1, 8, 8, generator=torch.Generator().manual_seed(1))


@pytest.mark.parametrize("prediction_type", SCHEDULERS)
def test_what_the_pipeline_says_of_itself(tmp_path: Path, prediction_type: str) -> None:
    pipeline = saved(tmp_path, **SCHEDULERS[prediction_type])
    made = component("denoiser", "diffusers", pipeline=pipeline)
    theirs = diffusers.DDPMPipeline.from_pretrained(pipeline, local_files_only=True).scheduler
    assert (made.shape, made.prediction_type, made.discrete_time, made.data_range) == (
        (1, 8, 8),
        prediction_type,
        True,
        (-1.0, 1.0),
    )
    assert made.schedule.num_train_timesteps == 100
    whole = made.schedule.alpha_bar(torch.arange(1, 101, dtype=torch.float64))
    torch.testing.assert_close(whole, theirs.alphas_cumprod.double(), rtol=1e-5, atol=0)
    assert float(made.schedule.alpha_bar(torch.zeros((), dtype=torch.float64))) == 1
    between = made.schedule.alpha_bar(torch.linspace(0, 100, 777, dtype=torch.float64))
    assert bool((between.diff() < 0).all())


@pytest.mark.verify
@pytest.mark.parametrize("prediction_type", SCHEDULERS)
@pytest.mark.parametrize("t", [1, 40, 90])
def test_a_guess_is_what_the_librarys_own_step_guesses(tmp_path: Path, prediction_type: str, t: int) -> None:
    pipeline = saved(tmp_path, **SCHEDULERS[prediction_type])
    theirs = diffusers.DDPMPipeline.from_pretrained(pipeline, local_files_only=True)
    x = noisy()
    with torch.no_grad():
        output = theirs.unet(x, t - 1).sample
    step = theirs.scheduler
    step.set_timesteps(100)
    answer = step.step(output, t - 1, x)
    x0, eps = ready(pipeline).x0_and_eps(x, float(t))
    torch.testing.assert_close(x0, answer.pred_original_sample, rtol=1e-4, atol=1e-4)
    before = ready(pipeline).schedule.alpha_bar(torch.tensor(float(t - 1), dtype=torch.float64)).float()
    if t > 1:  # the library's first time keeps its A_1 where ours goes to data, A_0 = 1
        torch.testing.assert_close(
            before.sqrt() * x0 + (1 - before).sqrt() * eps, answer.prev_sample, rtol=1e-4, atol=1e-4
        )


def test_times_are_rounded_to_whole_ones(tmp_path: Path) -> None:
    own = ready(saved(tmp_path))
    assert torch.equal(own.eps(noisy(), 30.4), own.eps(noisy(), 30.0))
    assert not torch.equal(own.eps(noisy(), 30.4), own.eps(noisy(), 31.0))


def test_every_sample_has_its_own_time(tmp_path: Path) -> None:
    own = ready(saved(tmp_path))
    t = torch.tensor([1.0, 50.0, 100.0], dtype=torch.float64)
    alone = torch.cat([own.eps(noisy(3)[k : k + 1], float(t[k])) for k in range(3)])
    torch.testing.assert_close(own.eps(noisy(3), t), alone, rtol=1e-4, atol=1e-6)


def test_guesses_of_variances_are_left_out(tmp_path: Path) -> None:
    pipeline = saved(tmp_path, out=2, kind="DDPMScheduler", variance_type="learned_range")
    own = ready(pipeline)
    with torch.no_grad():
        both = own.net(noisy(), 29).sample
    torch.testing.assert_close(own.eps(noisy(), 30.0), both[:, :1])
    step = diffusers.DDPMScheduler.from_pretrained(pipeline, subfolder="scheduler").step(both, 29, noisy())
    torch.testing.assert_close(own.x0(noisy(), 30.0), step.pred_original_sample, rtol=1e-4, atol=1e-4)


def test_a_folder_that_is_not_there_or_holds_something_else(tmp_path: Path) -> None:
    saved(tmp_path)
    for name, message in [
        ("pip", "no folder .*pip, did you mean pipe"),
        ("pipe/scheduler", "pipe/scheduler: unet cannot be read"),
    ]:
        with pytest.raises(BenchError, match=message) as caught:
            component("denoiser", "diffusers", pipeline=str(tmp_path / name)).load("cpu")
        assert "\n" not in str(caught.value)


def test_a_word_is_a_folder_and_an_id_has_an_owner(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    saved(tmp_path)

    def to_fetch(name: str) -> str | None:
        found: str | None = component("denoiser", "diffusers", pipeline=name).to_fetch()
        return found

    def refusal(name: str) -> str:
        with pytest.raises(BenchError) as caught:
            to_fetch(name)
        return str(caught.value)

    assert to_fetch("pipe") is None
    assert to_fetch("someone/no-such-pipeline") == "someone/no-such-pipeline"
    assert refusal("pip") == "diffusers: no folder pip, did you mean pipe?"
    assert refusal("gpt2") == "diffusers: no folder gpt2 (choose from pipe); an id of the hub is OWNER/NAME"
    assert refusal("pipe/unit") == "diffusers: no folder pipe/unit, did you mean unet?"  # `pipe` is here: no owner
    assert "no folder a/b/c" in refusal("a/b/c")


def test_a_prediction_type_nobody_knows(tmp_path: Path) -> None:
    pipeline = Path(saved(tmp_path))
    file = pipeline / "scheduler" / "scheduler_config.json"
    file.write_text(file.read_text().replace("epsilon", "epsilom"))
    with pytest.raises(BenchError, match="no prediction_type 'epsilom', did you mean epsilon"):
        _ = component("denoiser", "diffusers", pipeline=str(pipeline)).prediction_type


def test_a_network_with_class_embeddings_is_given_labels(tmp_path: Path) -> None:
    """Of 4 embeddings the last is that of no class: guidance is done by hand with the library's network."""
    pipeline = saved(tmp_path, classes=4)
    made = component("denoiser", "diffusers", pipeline=pipeline, null_label=3)
    assert made.classes == 3 and component("denoiser", "diffusers", pipeline=pipeline).classes == 4
    own, labels = DiffusionModel(made, made.load("cpu"), guidance=2.0), torch.tensor([0, 2, 1, 1, 0])
    with torch.no_grad(), own.given(labels):
        found = own.eps(noisy(), 30.0)
        free, chosen = (own.net(noisy(), 29, class_labels=each).sample for each in (torch.full((5,), 3), labels))
    torch.testing.assert_close(found, free + 2 * (chosen - free))
    assert own.evaluated == 10 and not torch.equal(free, chosen)


def test_a_null_label_that_has_no_embedding(tmp_path: Path) -> None:
    pipeline = saved(tmp_path, classes=4)
    made = component("denoiser", "diffusers", pipeline=pipeline)
    own = DiffusionModel(made, made.load("cpu"), guidance=2.0)
    with pytest.raises(BenchError, match=r"embeds the labels 0 to 3: name the one .* null_label: 3"), own.given(0):
        own.eps(noisy(), 30.0)
    for said, message in (
        (2, "embeds the labels 0 to 3, of which the last may be it"),
        (0, "embeds the labels 0 to 3"),
    ):
        with pytest.raises(BenchError, match=f"diffusers.null_label: {said}: the network {message}"):
            _ = component("denoiser", "diffusers", pipeline=pipeline, null_label=said).classes
    plain = saved(tmp_path / "plain")
    with pytest.raises(BenchError, match="the network takes no labels"):
        _ = component("denoiser", "diffusers", pipeline=plain, null_label=3).classes


def test_what_the_pipelines_scheduler_says_in_vain(tmp_path: Path) -> None:
    pipeline = saved(tmp_path, clip_sample=True, timestep_spacing="trailing", set_alpha_to_one=True)
    assert component("denoiser", "diffusers", pipeline=pipeline).overridden() == {
        "scheduler": "the suite's sampler",
        "scheduler.timestep_spacing": "the suite's spacing",
        "scheduler.clip_sample": "the setting clip_x0",
    }
