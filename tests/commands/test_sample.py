"""`bench sample`: the samples of `harness.sample`, as numbers and as a picture, from the command line."""

from __future__ import annotations

import numpy as np
import pytest
import torch

import harness
from tests.conftest import Bench
from tests.helpers.networks import NET


@pytest.mark.verify
def test_numbers_are_those_of_harness_sample(bench: Bench) -> None:
    words = ["--sampler", "ddim: {eta: 1}", "--steps", "5", "-n", "70", "--seed", "3", "--out", "found.npy"]
    ended = bench("sample", "ring8", *words)
    assert (ended.code, ended.out) == (0, "found.npy: 70 x 2\n"), ended.err
    expected = harness.sample("ring8", harness.component("sampler", "ddim", eta=1.0), steps=5, n=70, seed=3)
    assert np.array_equal(np.load(bench.folder / "found.npy"), expected.numpy())


@pytest.mark.verify
def test_labels_and_guidance(bench: Bench) -> None:
    words = ["gaussian_mixture: {conditional: true, stds: 0.1}", "--labels", "1", "--guidance", "2", "--out", "x.npy"]
    ended = bench("sample", *words)
    assert ended.code == 0, ended.err
    assert (np.load(bench.folder / "x.npy") > 0).all()
    ended = bench("sample", "ring8", "--guidance", "2")
    assert ended.code == 2 and "guidance: ring8 is unconditional" in ended.err


@pytest.mark.verify
def test_modules_beside_are_found(bench: Bench) -> None:
    bench.write("mine.py", NET)
    torch.save(torch.nn.Linear(2, 2).state_dict(), bench.folder / "mine.pt")
    words = ["--sampler", "diffusers:DDIMScheduler", "--steps", "2", "-n", "3", "--out", "x.npy"]
    ended = bench("sample", 'checkpoint: {module: "mine:Net", file: mine.pt, shape: [2]}', *words)
    assert (ended.code, ended.out) == (0, "x.npy: 3 x 2\n"), ended.err
    lost = bench("sample", "ring8", "--sampler", "mine:Nett")
    assert lost.code == 2 and "mine has no 'Nett', did you mean Net?" in lost.err


@pytest.mark.parametrize("model", ["ring8", "gaussian", "gaussian: {dim: 3}"])
@pytest.mark.verify
def test_a_picture_is_a_png(model: str, bench: Bench) -> None:
    ended = bench("sample", model, "--steps", "3")
    assert ended.code == 0 and (bench.folder / "samples.png").read_bytes().startswith(b"\x89PNG"), ended.err


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["nonesuch"], "unknown denoiser 'nonesuch' (choose from"),
        (["rin8"], "did you mean ring8?"),
        (["ring8", "--sampler", "ddim: {et: 1}"], "ddim has no field 'et', did you mean eta?"),
        (["ring8", "--out", "x.txt"], "must end in .png or .npy"),
        (["ring8", "--labels", "1,x"], "is not a list of whole numbers from 0, such as 3 or 3,7"),
        (["ring8", "--steps", "0"], "is not a whole number above 0"),
        (["gaussian: {dim: [1, 2]}"], "expected one component, got 2"),
        (["ring8", "--out", "none/x.png"], "is not a file in a folder that exists"),
    ],
)
def test_mistakes_are_2_and_one_line(words: list[str], said: str, bench: Bench) -> None:
    ended = bench("sample", *words)
    assert ended.code == 2 and ended.out == "" and len(ended.lines) == 1 and said in ended.err, ended.err
