"""Class labels and classifier-free guidance, against the exact scores of a mixture of normal distributions."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from harness import BenchError, Denoiser, DiffusionModel, Metric, Skip, component
from harness.conformance import check_component
from tests.protocols.test_generation import Kept, sampled, session

MEANS = [[-1.0, 0.0], [1.0, 0.5], [0.0, 2.0]]
T = 300.0


def model(guidance: float | None = None, **fields: Any) -> DiffusionModel:
    made = component("denoiser", "gaussian_mixture", means=MEANS, stds=0.3, conditional=True, **fields)
    return DiffusionModel(made, made.load("cpu"), guidance=guidance)


def noise_of(means: Tensor, x: Tensor, kept: float) -> Tensor:
    """E[eps | x_t] for equally likely N(mean, 0.09 I): -sqrt(B) times the score, differentiated by torch."""
    x = x.double().requires_grad_()
    variance = kept * 0.09 + 1 - kept
    off = (x[:, None] - kept**0.5 * means).square().sum(-1) / (2 * variance)
    (score,) = torch.autograd.grad((-off).logsumexp(1).sum(), x)
    return -((1 - kept) ** 0.5) * score


@pytest.mark.parametrize("w", [None, 0.0, 0.5, 1.0, 3.0])
def test_guided_noise_is_that_of_the_two_scores(w: float | None) -> None:
    guided = model(w)
    x = torch.randn(7, 2, generator=torch.Generator().manual_seed(0))
    labels = torch.tensor([0, 1, 2, 0, 1, 2, 0])
    kept = float(guided.schedule.alpha_bar(torch.tensor(T, dtype=torch.float64)))
    means = torch.tensor(MEANS, dtype=torch.float64)
    free = noise_of(means, x, kept)
    own = torch.cat([noise_of(means[k : k + 1], x[i : i + 1], kept) for i, k in enumerate(labels.tolist())])
    with guided.given(labels):
        x0, eps = guided.x0_and_eps(x, T)
    expected = free + (1.0 if w is None else w) * (own - free)
    torch.testing.assert_close(eps.double(), expected, atol=1e-5, rtol=1e-5)
    torch.testing.assert_close(kept**0.5 * x0 + (1 - kept) ** 0.5 * eps, x, atol=1e-5, rtol=1e-5)
    assert guided.evaluated == 7 * (1 if w in (None, 0.0, 1.0) else 2)


@pytest.mark.verify
def test_samples_are_of_the_classes_that_are_asked_for(tmp_path: Path) -> None:
    found = sampled(tmp_path, "ddim", model().denoiser, samples=192, steps=20, labels=[1, 2])
    nearest = torch.cdist(found, torch.tensor(MEANS)).argmin(1)
    assert set(nearest.tolist()) == {1, 2} and 60 < int((nearest == 1).sum()) < 132
    assert set(torch.cdist(sampled(tmp_path, "ddim", model().denoiser, samples=64, labels=0), torch.tensor(MEANS)).argmin(1).tolist()) == {0}  # fmt: skip
    every = torch.cdist(sampled(tmp_path, "ddim", model().denoiser, samples=192), torch.tensor(MEANS)).argmin(1)
    assert every.bincount().min() > 40


@pytest.mark.verify
def test_labels_do_not_depend_on_the_batch(tmp_path: Path) -> None:
    made = model().denoiser
    whole, *others = (sampled(tmp_path, "ddim", made, samples=130, batch=batch, guidance=2.0) for batch in (256, 64))
    assert all(torch.equal(each, whole) for each in others)
    fewer = sampled(tmp_path, "ddim", made, samples=64, guidance=2.0)
    assert torch.equal(whole[:64], fewer)
    assert not torch.equal(fewer, sampled(tmp_path, "ddim", made, samples=64, guidance=2.0, seed=1))


@pytest.mark.verify
@pytest.mark.parametrize(
    ("settings", "nfe"),
    [
        ({"steps": 7}, 7),
        ({"steps": 7, "guidance": 1}, 7),
        ({"steps": 7, "guidance": 0}, 7),
        ({"steps": 7, "guidance": 2.5}, 14),
        ({"nfe": 8, "guidance": 2.5}, 8),
        ({"nfe": 9, "guidance": 2.5}, 8),
    ],
)
def test_guidance_costs_two_evaluations(settings: dict[str, Any], nfe: int, tmp_path: Path) -> None:
    measured: dict[str, Metric] = {"nfe": component("metric", "nfe"), "kept": Kept()}
    run = session(tmp_path, "ddim", model().denoiser, metrics=measured, samples=64, **settings)
    assert run.measure([0], {}).metrics["nfe"] == [nfe]


class Net(nn.Module):
    """Answers the label, by the name that it has for it."""

    def __init__(self) -> None:
        super().__init__()
        self.scale = nn.Parameter(torch.ones(1))

    def forward(self, x: Tensor, t: Tensor, y: Tensor) -> Tensor:
        """The label in every place."""
        return self.scale * y[:, None].expand_as(x)


class Mute(nn.Module):
    """Takes no labels."""

    def forward(self, x: Tensor, t: Tensor) -> Tensor:
        """Nothing."""
        return 0 * x


def checkpoint(folder: Path, net: str = "Net", **fields: Any) -> Any:
    torch.save({"scale": torch.ones(1)} if net == "Net" else {"n": torch.ones(1)}, folder / "net.pt")
    said = {"module": f"{__name__}:{net}", "file": str(folder / "net.pt"), "shape": [2], "classes": 4}
    return component("denoiser", "checkpoint", **(said | fields))


def test_a_checkpoint_gets_labels_by_its_own_name_and_its_null_label(tmp_path: Path) -> None:
    for null, w in ((None, 3.0), (7, 3.0)):
        made = checkpoint(tmp_path, null_label=null)
        guided = DiffusionModel(made, made.load("cpu"), guidance=w)
        free = 4 if null is None else null
        with guided.given(torch.tensor([0, 1, 3])):
            eps = guided.eps(torch.zeros(3, 2), 5.0)
        assert eps[:, 0].tolist() == [free + w * (k - free) for k in (0, 1, 3)]
        assert guided.evaluated == 6
    net = Mute()
    with pytest.raises(
        BenchError, match=r"Mute\.forward takes no labels: it has no argument class_labels, y, labels or"
    ):
        made.predict(net, torch.zeros(1, 2), torch.ones(1), labels=torch.zeros(1))


class Deaf(Denoiser):
    """Declares classes and takes no labels."""

    shape = (2,)
    classes = 3

    def load(self, device: str) -> None:
        return None

    def predict(self, net: Any, x: Tensor, t: Tensor) -> Tensor:
        return x


@pytest.mark.verify
def test_what_does_not_go_together_is_said_in_a_line(tmp_path: Path) -> None:
    plain = component("denoiser", "gaussian", dim=2)
    run = session(tmp_path, "ddim", model().denoiser, labels=[2, 0, 2])
    assert run.notes == ["samples of the classes 2, 0, whatever the reference is of"]
    for settings, message in [
        ({"guidance": 2.0}, "guidance: gaussian.* is unconditional: it declares no classes"),
        ({"labels": 1}, "labels: gaussian.* is unconditional: it declares no classes"),
    ]:
        with pytest.raises(BenchError, match=message):
            session(tmp_path, "ddim", plain, **settings)
    assert session(tmp_path, "ddim", plain, guidance=1.0).notes == []
    with pytest.raises(BenchError, match=r"labels: gaussian_mixture.* has the classes 0 to 2, not \[3\]"):
        session(tmp_path, "ddim", model().denoiser, labels=[0, 3])
    with pytest.raises(BenchError, match="deaf declares 3 classes, and its predict takes no labels"):
        session(tmp_path, "ddim", Deaf())


@pytest.mark.verify
def test_what_has_no_labels_is_skipped_with_the_reason(tmp_path: Path) -> None:
    made = model().denoiser
    found = session(tmp_path, "ddpm", made, metrics={"nelbo": component("metric", "nelbo")}).measure([0], {})
    assert found.metrics["nelbo"] is None and "predicts for class labels" in found.skipped["nelbo"]
    with pytest.raises(Skip, match="predicts for class labels, and these 512 samples have none"):
        session(tmp_path, "ddpm", made, variance="analytic")
    exact = component("variance", "exact")
    session(tmp_path, "ddpm", made, variance=exact)
    with pytest.raises(Skip, match="a guided prediction is that of no posterior"):
        session(tmp_path, "exact_kernel", made, guidance=2.0)
    with pytest.raises(Skip, match="a guided prediction is that of no posterior"):
        session(tmp_path, "ddpm", made, variance=exact, guidance=2.0)


@pytest.mark.verify
def test_paths_are_drawn_for_the_labels_of_their_samples(tmp_path: Path) -> None:
    """With a variance that asks the network too; the end of a path is the sample itself."""
    run = session(tmp_path, "ddpm", model().denoiser, variance=component("variance", "exact"), samples=64, guidance=1.0)
    kept = run.measure([0], {}).figure_data()
    torch.testing.assert_close(kept["path"][-1], kept["samples"])


def test_a_wrapped_denoiser_hands_labels_on() -> None:
    inner = model().denoiser
    outer = component("denoiser", "imperfect", denoiser=inner.spec())
    x, labels = torch.ones(2, 2), torch.tensor([0, 2])
    found = []
    for made in (inner, outer):
        ready = DiffusionModel(made, made.load("cpu"), guidance=2.0)
        with ready.given(labels):
            found.append(ready.eps(x, T))
    torch.testing.assert_close(*found)


@pytest.mark.verify
def test_an_exact_one_passes_every_check() -> None:
    """Its statistics are those of all classes together, so it is checked without a label."""
    verdicts = check_component(model().denoiser)
    assert not [said for _, passed, said in verdicts if passed is False]
    assert sum(passed is True for _, passed, _ in verdicts) >= 9
