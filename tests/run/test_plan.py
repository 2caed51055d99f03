"""Trials of tuning: every combination, or an equal number for all contenders that is drawn without listing them all."""

from __future__ import annotations

import itertools
import random
import tracemalloc
from pathlib import Path

import pytest

from harness.run.load import RunOptions, load
from harness.run.plan import plan
from harness.worker.supervisor import Server

SUITE = """
protocol: accuracy
vary: {{dataset: iris, loss: [{{poly1: {{}}}}, {{generalized_cross_entropy: {{}}}}]}}
tune: {{trials: {trials}, lr: {lr}, poly1.epsilon: {epsilon}}}
seeds: 1
metrics: [accuracy]
"""


@pytest.fixture(scope="module")
def server() -> object:
    with Server() as server:
        yield server


def trials(server: Server, folder: Path, count: int, lr: list[float], epsilon: list[float]) -> list[list[object]]:
    """The trials of each contender, made in little memory."""
    (folder / "s.yaml").write_text(SUITE.format(trials=count, lr=lr, epsilon=epsilon))
    prepared = load(str(folder / "s.yaml"), RunOptions(), server)
    tracemalloc.start()
    made = plan(prepared.suite, prepared.cells, prepared.catalogue, "cpu")
    assert tracemalloc.get_traced_memory()[1] < 50 << 20
    tracemalloc.stop()
    return [task.cell["tune"]["trials"] for task in made.tasks]  # type: ignore[index]


@pytest.mark.parametrize("count", [1, 5, 11, 12, 40])
def test_trials_are_those_of_the_whole_grid(count: int, server: Server, tmp_path: Path) -> None:
    lr, epsilon = [0.1, 0.2, 0.4], [0.5, 1.0, 2.0, 4.0]
    poly1, other = trials(server, tmp_path, count, lr, epsilon)
    grid: list[object] = [{"lr": a, "poly1.epsilon": b} for a, b in itertools.product(lr, epsilon)]
    places = range(12) if count >= 12 else sorted(random.Random(0).sample(range(12), count))
    assert poly1 == [grid[place] for place in places]
    few = range(3) if count >= 3 else random.Random(0).sample(range(3), count)
    assert other == [{"lr": lr[place]} for place in few]


def test_four_million_combinations_are_not_listed(server: Server, tmp_path: Path) -> None:
    many = [k / 4096 for k in range(1, 2001)]
    poly1, other = trials(server, tmp_path, 8, many, many)
    assert len({tuple(trial.items()) for trial in poly1}) == len(other) == 8  # type: ignore[attr-defined]
