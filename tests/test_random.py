"""Named streams: the same every time and everywhere, and no two alike."""

from __future__ import annotations

import subprocess
import sys

import torch

from harness.random import generator, number


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
