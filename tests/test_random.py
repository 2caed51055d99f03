"""Named streams: the same every time and everywhere, and no two alike."""

from __future__ import annotations

import random
import subprocess
import sys
from collections.abc import Callable

import numpy
import pytest
import torch

from harness import global_draws
from harness.random import generator, number, seed_globals, seed_host


def test_a_stream_is_the_same_in_every_process() -> None:
    text = "from harness.random import number; print(number(7, 'split'), number(-1, 'loss/3', 2))"
    done = subprocess.run(
        [sys.executable, "-c", text], capture_output=True, text=True, check=True, env={"PYTHONHASHSEED": "5"}
    )
    assert done.stdout.split() == [str(number(7, "split")), str(number(-1, "loss/3", 2))]


def test_the_numbers_are_those_of_the_first_release() -> None:
    """Stored results stay comparable only while these hold."""
    assert [number(0, "split"), number(0, "weights"), number(31, "batches")] == [
        1947725093899964015,
        4283426181684004966,
        1302444311709791418,
    ]


def test_no_two_streams_are_alike() -> None:
    names = ("split", "weights", "batches", "label_noise", "layers")
    found = {number(seed, name, part) for seed in range(-8, 200) for name in names for part in range(8)}
    assert len(found) == 208 * 5 * 8
    assert all(0 <= n < 2**63 for n in found)


def test_neighboring_seeds_are_not_related() -> None:
    draws = torch.stack([torch.randn(400, generator=generator(seed, "x")) for seed in range(50)])
    correlation = torch.corrcoef(draws) - torch.eye(50)
    assert correlation.abs().max() < 0.25  # five standard deviations
    assert abs(float(draws.mean())) < 4 / (50 * 400) ** 0.5


def test_a_generator_starts_anew_and_leaves_torchs_own_alone() -> None:
    state = torch.get_rng_state()
    one, other = generator(3, "batches"), generator(3, "batches")
    assert torch.equal(torch.randperm(50, generator=one), torch.randperm(50, generator=other))
    assert not torch.equal(torch.randperm(50, generator=one), torch.randperm(50, generator=generator(3, "batches")))
    assert torch.equal(torch.get_rng_state(), state)
    assert one.device.type == "cpu"


def draws() -> list[float]:
    return [random.random(), float(numpy.random.random()), float(torch.rand(()))]


def test_every_global_generator_follows_the_seed_on_the_host_and_everywhere() -> None:
    seed_globals(5, "measure")
    one = draws()
    seed_host(5, "measure")
    assert draws() == one
    start = number(5, "measure")
    by_hand = random.Random(start), numpy.random.RandomState(start % 2**32), torch.Generator().manual_seed(start)
    assert one == [by_hand[0].random(), by_hand[1].random(), float(torch.rand((), generator=by_hand[2]))]
    seed_host(6, "measure")
    assert not set(draws()) & set(one)


@pytest.mark.parametrize(
    ("call", "found"),
    [
        (random.random, ["random"]),
        (lambda: random.gauss(0, 1), ["random"]),
        (numpy.random.random, ["numpy.random"]),
        (numpy.random.normal, ["numpy.random"]),  # the second of a pair leaves numpy's words as they are
        (draws, ["random", "numpy.random"]),
        (lambda: torch.rand(3), []),
        (lambda: random.Random(1).random() + numpy.random.default_rng(1).random(), []),
    ],
)
def test_a_draw_of_a_global_generator_is_seen(call: Callable[[], object], found: list[str]) -> None:
    seed_globals(0, "x")
    assert [global_draws(call) for _ in range(3)] == [found] * 3
