"""Augmentation by a function of the user's: against an ordinary loop, on the seed's own stream, in training alone."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Generator, Tensor, nn

from harness import BenchError, Loss, component
from tests.conftest import Bench
from tests.plugins.training import CLASSES, COLUMNS, alone, make_job, plain

CALLS: list[tuple[int, int, int]] = []


def shaken(inputs: Tensor, generator: Generator) -> Tensor:
    return inputs + torch.randn(inputs.shape, generator=generator)


def in_place(inputs: Tensor, *, generator: Generator) -> Tensor:
    return inputs.add_(torch.randn(inputs.shape, generator=generator))


def unseeded(inputs: Tensor) -> Tensor:
    return inputs + torch.randn_like(inputs)


def counted(inputs: Tensor, step: int, epoch: int) -> Tensor:
    CALLS.append((step, epoch, len(inputs)))
    return inputs


def shorter(inputs: Tensor) -> Tensor:
    return inputs[1:]


def no_tensor(inputs: Tensor) -> Any:
    return inputs.tolist()


def failing(inputs: Tensor) -> Tensor:
    raise ValueError("no such corner\nin this image")


NUMBER = 3


def loop(function: str) -> Any:
    return component("trainer", "loop", augment=f"{__name__}:{function}")


@pytest.mark.verify
@pytest.mark.parametrize("function", ["shaken", "in_place"])
def test_training_sees_what_the_function_returns(function: str, tmp_path: Path) -> None:
    job = make_job("cross_entropy", tmp_path, batch=23)
    for k in range(2):
        expected = plain(job, k, augmented=lambda x, step, k=k: shaken(x, job.generator(f"augment/{step}", k)))
        torch.testing.assert_close(loop(function).fit(alone(job, k)).test[0], expected, rtol=1e-5, atol=1e-5)
        assert (expected - plain(job, k)).abs().max() > 1e-2


def test_every_training_batch_is_augmented_and_nothing_else(tmp_path: Path) -> None:
    CALLS.clear()
    job = make_job("cross_entropy", tmp_path, seeds=[0], epochs=2, batch=20, patience=5)
    unchanged = component("trainer", "loop").fit(job)
    assert torch.equal(loop("counted").fit(job).test, unchanged.test)
    assert CALLS == [(0, 0, 20), (1, 0, 20), (2, 0, 7), (3, 1, 20), (4, 1, 20), (5, 1, 7)]


def test_a_function_without_a_generator_draws_the_same_twice(tmp_path: Path) -> None:
    runs = []
    for before in (1, 2):
        torch.manual_seed(before)
        runs.append(loop("unseeded").fit(make_job("cross_entropy", tmp_path, seeds=[0])).test)
    assert torch.equal(*runs)


@pytest.mark.verify
@pytest.mark.parametrize("function", ["shaken", "unseeded"])
def test_an_interrupted_training_draws_the_same(function: str, tmp_path: Path) -> None:
    class Stop(Exception):
        pass

    def stop(done: float, _: float) -> None:
        if done == 2:
            raise Stop

    whole = loop(function).fit(make_job("cross_entropy", tmp_path / "a", seeds=[0], epochs=4))
    torn = make_job("cross_entropy", tmp_path / "b", seeds=[0], epochs=4, on_progress=stop)
    with pytest.raises(Stop):
        loop(function).fit(torn)
    assert torch.equal(loop(function).fit(dataclasses.replace(torn, on_progress=lambda *_: None)).test, whole.test)


@pytest.mark.parametrize(
    ("function", "says"),
    [
        ("shorter", "returned [9, 5], expected [10, 5]"),
        ("no_tensor", "returned a list, expected [10, 5]"),
        ("failing", "failed: ValueError: no such corner"),
        ("NUMBER", "is no function of inputs [batch, ...]"),
        ("Bench", "is no function of inputs [batch, ...]"),
        ("shakn", "has no 'shakn', did you mean shaken?"),
    ],
)
def test_a_function_that_does_not_fit_is_one_line(function: str, says: str, tmp_path: Path) -> None:
    with pytest.raises(BenchError) as raised:
        loop(function).fit(make_job("cross_entropy", tmp_path, seeds=[0]))
    assert str(raised.value).endswith(says)
    assert f"{__name__}:{function}" in str(raised.value)


CHANGES = """
import torch

def shift(inputs, generator):
    return inputs + 0.5 * torch.randn(inputs.shape, generator=generator)
"""
SUITE = """
question: Does noise on the inputs help?
protocol: accuracy
vary:
  dataset: iris
  loss: cross_entropy
  trainer: [loop, {loop: {augment: "changes:shift"}, as: shifted}]
settings: {epochs: 3}
seeds: 2
metrics: [accuracy, nll]
baseline: loop
"""


@pytest.mark.verify
def test_augmentation_is_a_contender_whose_code_belongs_to_its_row(bench: Bench) -> None:
    bench.write("changes.py", CHANGES)
    bench.write("s.yaml", SUITE)
    ended = bench("s.yaml", "--json", "-")
    assert ended.code == 0, ended.err
    plainly, shifted = ended.json["cells"]
    assert shifted["against"]["nll"]["difference"] != 0
    assert plainly["vary"]["trainer"] == "loop" and shifted["vary"]["trainer"] == "shifted"
    bench.write("changes.py", CHANGES.replace("0.5", "0.6"))
    assert bench("s.yaml", "--dry-run").out.count(": reused") == 1


@pytest.mark.verify
def test_a_function_that_is_not_there_is_a_mistake_of_the_suite(bench: Bench) -> None:
    bench.write("changes.py", CHANGES)
    bench.write("s.yaml", SUITE.replace("changes:shift", "chnges:shift"))
    ended = bench("s.yaml")
    assert ended.code == 2 and "s.yaml:7:36: no module named 'chnges'" in ended.err
    bench.write("s.yaml", SUITE.replace("changes:shift", "json:dumps"))
    ended = bench("s.yaml")
    assert ended.code == 2 and "needs --trust on the command line" in ended.err


def normed() -> nn.Module:
    layers = [nn.Linear(COLUMNS, 8), nn.BatchNorm1d(8), nn.ReLU(), nn.Linear(8, CLASSES)]
    return nn.Sequential(*layers)


@pytest.mark.verify
def test_a_compiled_network_is_trained_as_any_other(tmp_path: Path) -> None:
    compiled = component("trainer", "loop", compile=True)
    job = make_job("cross_entropy", tmp_path, normed, seeds=[0], optimizer="sgd", lr_schedule="cosine", batch=20)
    if reason := compiled.skip(job):
        pytest.skip(reason)
    one, other = compiled.fit(job), component("trainer", "loop").fit(job)
    torch.testing.assert_close(one.test, other.test, rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(one.validation, other.validation, rtol=1e-4, atol=1e-5)


class Wanting(Loss):
    """Asks for features."""

    def __call__(self, logits: Tensor, target: Tensor, /, features: Tensor) -> Tensor:
        return logits.sum(-1) + features.sum(-1)


def test_features_of_a_compiled_network_are_no_input(tmp_path: Path) -> None:
    reason = component("trainer", "loop", compile=True).skip(make_job(Wanting(), tmp_path, seeds=[0]))
    assert reason == "the loss asks for features, which a compiled network (compile) does not show"


@pytest.mark.verify
def test_without_a_compiler_the_row_says_so(bench: Bench) -> None:
    bench.write("s.yaml", SUITE.replace('{loop: {augment: "changes:shift"}, as: shifted}', "{loop: {compile: true}}"))
    nowhere = {"CXX": "/nowhere/c++", "TORCHINDUCTOR_CACHE_DIR": str(bench.folder / "inductor")}
    ended = bench("s.yaml", "--json", "-", env=nowhere, timeout=300)
    whole, missing = ended.json["cells"]
    assert whole["status"] == "ok"
    assert missing["status"] == "skipped", missing
    assert "loop: torch.compile cannot: " in str(missing["reason"])
