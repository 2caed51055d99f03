"""32 seeds at once against one after the other: nn.Module with torch.optim.Adam, one thread, the same batches and loss."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from pytest_benchmark.fixture import BenchmarkFixture
from torch import nn

import harness
from harness.protocols.accuracy.protocol import Accuracy
from harness.protocols.accuracy.split import split
from harness.random import generator, number

EPOCHS = 15


def job(dataset: str, hidden: int, batch: int, loss: str) -> harness.TrainingJob:
    """A block of 32 seeds as the protocol hands it to a trainer."""
    data = harness.component("dataset", dataset).load(torch.Generator())
    seeds, architecture = list(range(32)), harness.component("model", "mlp", hidden=hidden)
    train, validation, test = split(data, seeds, "seed")

    def model(k: int = 0) -> nn.Module:
        torch.default_generator.manual_seed(number(seeds[k], "weights"))
        network: nn.Module = architecture.build(data.inputs.shape[1], data.classes)
        return network

    return harness.TrainingJob(
        loss=harness.component("loss", loss),
        model=model,
        train=train,
        validation=validation,
        test=test,
        classes=data.classes,
        settings=Accuracy(epochs=EPOCHS, batch=batch),
        seeds=seeds,
        lr=[0.01] * 32,
        generator=lambda name, k=0: generator(seeds[k], name),
        device="cpu",
        folder=Path(),
        on_progress=lambda *_: None,
    )


def sequential(work: harness.TrainingJob, inputs: torch.Tensor, labels: torch.Tensor, k: int) -> None:
    """One seed, written as one would."""
    network, order = work.model(k), work.generator("batches", k)
    optimizer = torch.optim.Adam(network.parameters(), lr=work.lr[k])
    for _ in range(EPOCHS):
        for rows in torch.randperm(len(inputs), generator=order).split(work.settings.batch):
            loss = work.loss(network(inputs[rows]), labels[rows]).mean()
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()


def cpu(call: Callable[[], object]) -> float:
    start = time.process_time()
    call()
    return time.process_time() - start


@pytest.mark.verify
@pytest.mark.parametrize(("dataset", "hidden", "batch"), [("breast_cancer", 16, 64), ("digits", 64, 128)])
@pytest.mark.parametrize("loss", ["cross_entropy", "exact", "hinge", "generalized_cross_entropy"])
def test_stacked_against_sequential(
    benchmark: BenchmarkFixture, dataset: str, hidden: int, batch: int, loss: str
) -> None:
    torch.set_num_threads(1)
    work, trainer = job(dataset, hidden, batch, loss), harness.component("trainer", "stacked")
    places = torch.arange(work.train.index.shape[1]).expand(len(work.seeds), -1)
    inputs = work.train.inputs_at(places)
    trainer.fit(work)
    sequential(work, inputs[0], work.train.labels[0], 0)
    ratios, run = [], []
    for _ in range(7 if benchmark.enabled else 1):  # in turn, so that a busy machine slows both
        alone = sum(cpu(lambda k=k: sequential(work, inputs[k], work.train.labels[k], k)) for k in range(4)) / 4
        run.append(cpu(lambda: trainer.fit(work)) / 32)
        ratios.append(alone / run[-1])
    benchmark.pedantic(lambda: trainer.fit(work), rounds=3 if benchmark.enabled else 1)
    ratio, each = statistics.median(ratios), 1e3 * statistics.median(run)
    benchmark.extra_info.update(
        times_faster_per_seed=ratio, lowest=min(ratios), highest=max(ratios), cpu_ms_per_run=each
    )
    spread = f"from {min(ratios):.1f} to {max(ratios):.1f}"
    print(f"\n{loss} on {dataset}: {each:.1f} CPU ms a run of {EPOCHS} epochs, {ratio:.1f} times faster ({spread})")
