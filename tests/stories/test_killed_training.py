"""A training by `loop`, killed in the middle: the same command goes on behind the last epoch, to the same numbers."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable

import pytest

from tests.conftest import Bench

pytestmark = pytest.mark.verify

EPOCHS, STEPS = 10, 6
"""Epochs, and steps in one: 90 training rows of iris in batches of 15."""
NETS = """
import time

import torch
from torch import nn


def net(in_features, num_classes):
    layers = [nn.Linear(in_features, 16), nn.BatchNorm1d(16), nn.ReLU(), nn.Dropout(0.3)]
    return nn.Sequential(*layers, nn.Linear(16, num_classes))


def logged(inputs, generator, step, epoch):
    with open("log.txt", "a") as log:
        log.write(f"{epoch} {step}\\n")
    time.sleep(0.03)
    return inputs + 0.1 * torch.randn(inputs.shape, generator=generator)
"""
SUITE = f"""
question: Is anything lost?
protocol: accuracy
vary:
  dataset: iris
  model: "nets:net"
  loss: {{scaled: {{loss: cross_entropy, temperature: {{learn: 1.0}}}}}}
  trainer: {{loop: {{augment: "nets:logged"}}}}
settings: {{epochs: {EPOCHS}, batch: 15, lr_schedule: OneCycleLR, normalize_gradient: true, patience: {EPOCHS}}}
seeds: 2
metrics: [accuracy, nll]
"""


def eventually(met: Callable[[], bool], seconds: float = 60) -> bool:
    """Whether a condition is met in time."""
    end = time.monotonic() + seconds
    while not met() and time.monotonic() < end:
        time.sleep(0.01)
    return met()


def test_a_killed_training_goes_on_behind_its_last_epoch(bench: Bench) -> None:
    bench.write("nets.py", NETS)
    bench.write("s.yaml", SUITE)
    file = bench.folder / "log.txt"

    def log() -> list[tuple[int, int]]:
        lines = file.read_text().split("\n")[:-1] if file.exists() else []
        return [(int(epoch), int(step)) for epoch, step in (line.split() for line in lines)]

    whole = bench("s.yaml", "--results", "whole", "--json", "-")
    assert whole.code == 0, whole.err
    every = [(step // STEPS, step) for step in range(EPOCHS * STEPS)]
    assert log() == 2 * every

    file.unlink()
    process = bench.start("s.yaml", "--results", "torn", "--json", "-", start_new_session=True)
    middle = len(every) + 5 * STEPS + 2
    assert eventually(lambda: len(log()) >= middle), "the second seed is in the middle of its sixth epoch"
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate()
    length = [-1]

    def quiet() -> bool:
        length.append(len(log()))
        time.sleep(0.5)
        return length[-1] == len(log())

    assert eventually(quiet), "no process goes on without the command"
    before = log()
    epoch, step = before[-1]
    assert before == [*every, *every[: step + 1]] and epoch < EPOCHS - 1, "it was in the middle"

    file.unlink()
    resumed = bench("s.yaml", "--results", "torn", "--json", "-")
    assert resumed.code == 0, resumed.err
    first = log()[0][0]
    assert first == epoch or (first == epoch + 1 and step % STEPS == STEPS - 1)
    assert log() == every[first * STEPS :], "neither the first seed nor an epoch that was done is trained again"
    one, other = (ended.json["cells"][0] for ended in (whole, resumed))
    assert one["metrics"]["nll"]["values"] == other["metrics"]["nll"]["values"]
    assert one["metrics"]["accuracy"]["values"] == other["metrics"]["accuracy"]["values"]
    assert one["used"] == other["used"] and one["used"]["epochs"] > 1
