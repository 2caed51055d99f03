"""One seed at a time: going on where it stopped, random layers, half precision."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from harness import Loss, component
from tests.plugins.training import CLASSES, COLUMNS, make_job


class Stop(Exception):
    """An interruption."""


class Strained(Loss):
    """Stops in the middle of the third epoch while the file named `stop` is there; keeps a state, learns a field."""

    weight: float = 1.0
    stop: str = ""

    def __call__(self, logits: Tensor, target: Tensor) -> Tensor:
        return F.cross_entropy(logits * self.weight, target, reduction="none")

    def with_state(self, logits: Tensor, target: Tensor, /, step: int, state: Mapping[str, Tensor]) -> Any:
        """Its value by the mean so far, and the mean one step on."""
        if step == 12 and self.stop and Path(self.stop).exists():
            raise Stop
        loss = self(logits, target)
        return loss * (1 + 0.1 * state["mean"]), {"mean": 0.5 * state["mean"] + 0.5 * loss.mean()}

    def state(self) -> dict[str, Any]:
        """A running mean."""
        return {"mean": torch.zeros(())}


def noisy() -> nn.Module:
    return nn.Sequential(nn.Linear(COLUMNS, 8), nn.BatchNorm1d(8), nn.ReLU(), nn.Dropout(0.3), nn.Linear(8, CLASSES))


@pytest.mark.parametrize("where", ["after an epoch", "within an epoch", "at the end"])
@pytest.mark.parametrize("optimizer", ["adam", "sgd"])
def test_loop_goes_on_where_it_stopped(where: str, optimizer: str, tmp_path: Path) -> None:
    flag, epochs = tmp_path / "stop", {"after an epoch": 2, "at the end": 5}.get(where, 99)
    flag.touch()

    def report(done: float, _: float) -> None:
        if flag.exists() and done == epochs:
            raise Stop

    fields = {"weight": component("loss", "scaled", loss="nll", temperature={"learn": 2.0}).temperature}
    settings = {"optimizer": optimizer, "lr_schedule": "cosine", "normalize_gradient": True, "epochs": 5}
    whole = make_job(Strained(**fields), tmp_path / "a", noisy, seeds=[4], **settings)
    torn = make_job(
        Strained(stop=str(flag) if where == "within an epoch" else "", **fields),
        tmp_path / "b",
        noisy,
        seeds=[4],
        on_progress=report,
        **settings,
    )
    loop = component("trainer", "loop")
    expected = loop.fit(whole)
    with pytest.raises(Stop):
        loop.fit(torn)
    flag.unlink()
    told: list[float] = []
    torch.manual_seed(123)
    resumed = loop.fit(dataclasses.replace(torn, on_progress=lambda done, _: told.append(done)))
    assert told == {"after an epoch": [3, 4, 5], "within an epoch": [3, 4, 5], "at the end": []}[where]
    assert torch.equal(resumed.test, expected.test)
    assert torch.equal(resumed.validation, expected.validation)
    assert resumed.learned == expected.learned
    assert not [file for file in (tmp_path / "b").rglob("*") if file.is_file()]
    assert torch.equal(loop.fit(torn).test, expected.test)


def test_random_layers_draw_from_the_seeds_own_stream(tmp_path: Path) -> None:
    job, runs = make_job("cross_entropy", tmp_path, noisy, seeds=[0]), []
    other = dataclasses.replace(job, generator=lambda name, k=0: job.generator(name + "!" * (name == "layers"), k))
    for before, one in ((1, job), (2, job), (1, other)):
        torch.manual_seed(before)
        runs.append(component("trainer", "loop").fit(one).test)
    assert torch.equal(runs[0], runs[1])
    assert not torch.equal(runs[0], runs[2])


def test_a_loss_that_draws_without_a_generator_gives_the_same_twice(tmp_path: Path) -> None:
    class Loose(Loss):
        """Cross-entropy with random weights."""

        def __call__(self, logits: Tensor, target: Tensor) -> Tensor:
            return F.cross_entropy(logits, target, reduction="none") * torch.rand(target.shape)

    for trainer in ("stacked", "loop"):
        runs = []
        for before in (1, 2):
            torch.manual_seed(before)
            runs.append(component("trainer", trainer).fit(make_job(Loose(), tmp_path, seeds=[0])).test)
        assert torch.equal(*runs)


def test_half_precision_trains_almost_as_well(tmp_path: Path) -> None:
    exact, half = (
        component("trainer", "loop").fit(make_job("cross_entropy", tmp_path, seeds=[2], amp=amp, epochs=10))
        for amp in (False, True)
    )
    assert half.test.dtype == torch.float32
    assert not torch.equal(half.test, exact.test)
    assert (half.test - exact.test).abs().max() < 0.1 * exact.test.abs().max()
