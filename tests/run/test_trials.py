"""What `bench validate` tries before a run: import paths, networks from files, labels and guidance."""

from __future__ import annotations

import pytest
import torch

from tests.conftest import Bench
from tests.helpers.networks import NET

MINE = f"""{NET}

class Embedding(Net):
    def __init__(self):
        super().__init__()
        self.of_class = torch.nn.Embedding(3, 2)

    def forward(self, x, t, labels):
        return super().forward(x, t) + self.of_class(labels)
"""
GENERATION = """
protocol: generation
vary:
  denoiser: {{checkpoint: {{module: "mine:{net}", file: {net}.pt, shape: [{shape}]{more}}}}}
  sampler: ddim
settings: {{steps: 2, samples: 4, {asked}}}
metrics: nfe
"""
ACCURACY = """
protocol: accuracy
vary: {dataset: iris, model: linear, loss: cross_entropy}
trainer: {loop: {augment: "mine:flop"}}
metrics: accuracy
"""


@pytest.fixture
def folder(bench: Bench) -> Bench:
    """The command beside two networks and their weights."""
    bench.write("mine.py", MINE)
    plain = torch.nn.Linear(2, 2).state_dict()
    torch.save(plain, bench.folder / "Net.pt")
    torch.save({**plain, "of_class.weight": torch.zeros(3, 2)}, bench.folder / "Embedding.pt")
    return bench


@pytest.mark.verify
@pytest.mark.parametrize(
    ("net", "shape", "more", "asked", "said"),
    [
        ("Net", 2, "", "clip_x0: false", None),
        ("Embedding", 2, ", classes: 2", "guidance: 2", None),
        ("Net", 2, ", key: ema", "clip_x0: false", "s.yaml:4:53: Net.pt: has no key 'ema' (choose from bias, weight)"),
        ("Net", 3, "", "clip_x0: false", "mat1 and mat2"),
        ("Net", 2, "", "guidance: 2", "6:34: guidance: checkpoint(module=mine:Net, file=Net.pt, shape=[2]) is unconditional"),
        ("Embedding", 2, ", classes: 2", "labels: 12", "has the classes 0 to 1, not [12]"),
        ("Embedding", 2, ", classes: 3", "guidance: 2", "out of range"),  # no embedding for no class
    ],
)  # fmt: skip
def test_a_denoiser_is_loaded_and_predicts_once(
    folder: Bench, net: str, shape: int, more: str, asked: str, said: str | None
) -> None:
    folder.write("s.yaml", GENERATION.format(net=net, shape=shape, more=more, asked=asked))
    ended = folder("validate", "s.yaml")
    assert ended.code == (2 if said else 0), ended.err
    assert (said or "") in ended.err and "Traceback" not in ended.err


@pytest.mark.verify
def test_a_function_that_is_not_there_is_named_with_its_place(folder: Bench) -> None:
    folder.write("s.yaml", ACCURACY)
    ended = folder("validate", "s.yaml")
    assert ended.code == 2 and ended.lines[0].startswith("s.yaml:4:27: mine:flop: mine has no 'flop'")
