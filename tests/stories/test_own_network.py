"""A small ResNet of the user's on a thousand images, trained by the trainer `loop`."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.datasets import load_digits

from tests.conftest import Bench
from tests.stories.conftest import Documented, program

pytestmark = pytest.mark.verify

NET = '''
from torch import nn


class Block(nn.Module):
    def __init__(self, channels):
        super().__init__()
        self.one, self.two = (nn.Conv2d(channels, channels, 3, padding=1, bias=False) for _ in range(2))
        self.norm_one, self.norm_two = nn.BatchNorm2d(channels), nn.BatchNorm2d(channels)

    def forward(self, x):
        return (x + self.norm_two(self.two(self.norm_one(self.one(x)).relu()))).relu()


class ResNet(nn.Module):
    """A stem, residual blocks, the mean over all places."""

    def __init__(self, in_channels=3, num_classes=10, width=16, blocks=2):
        super().__init__()
        self.stem = nn.Sequential(nn.Conv2d(in_channels, width, 3, padding=1), nn.BatchNorm2d(width), nn.ReLU())
        self.blocks = nn.Sequential(*(Block(width) for _ in range(blocks)))
        self.last = nn.Linear(width, num_classes)

    def forward(self, x):
        return self.last(self.blocks(self.stem(x)).mean((2, 3)))
'''
SUITE = """
question: Does smoothing the labels help my ResNet?
protocol: accuracy
vary:
  dataset: {npz: {path: images.npz}}
  model: "resnet:ResNet"
  loss: [cross_entropy, label_smoothing]
trainer: loop
settings: {epochs: 6, lr: 0.01}
seeds: 2
metrics: [accuracy, nll]
baseline: cross_entropy
"""


def test_a_resnet_on_a_thousand_images(bench: Bench) -> None:
    images, labels = load_digits(return_X_y=True)
    np.savez(bench.folder / "images.npz", x=images[:1000].reshape(-1, 1, 8, 8).astype(np.float32), y=labels[:1000])
    bench.write("resnet.py", NET)
    bench.write("s.yaml", SUITE)
    ended = bench("s.yaml", "--json", "-", timeout=120)
    assert ended.code == 0, ended.err
    for cell in ended.json["cells"]:
        assert cell["metrics"]["accuracy"]["mean"] > 0.9, "batch norm judges by its running statistics"
        assert cell["vary"]["model"] == "resnet:ResNet"
    assert bench("s.yaml", "--dry-run").out.count(": reused") == 2
    bench.write("resnet.py", NET.replace("blocks=2", "blocks=1"))
    assert bench("s.yaml", "--dry-run").out.count("resnet.py changed)") == 2, "the user's module is part of the rows"


def test_a_resnet_on_a_folder_of_a_thousand_images(bench: Bench, documented: Documented) -> None:
    """The page alone: images are drawn, read and learned; a changed image is measured again."""
    documented("data.md")
    assert program(bench, "python")("draw.py").code == 0
    images = sorted((bench.folder / "photos").rglob("*.png"))
    assert len(images) == 1000
    ended = bench("photos.yaml", "--seeds", "2", "--json", "-", timeout=180)
    assert ended.code == 0, ended.err
    cells = {(cell["vary"]["model"], cell["vary"]["loss"]): cell for cell in ended.json["cells"]}
    assert len(cells) == 4
    for (model, _), cell in cells.items():
        assert cell["metrics"]["accuracy"]["mean"] > 0.85, "three shapes in rough positions: chance is a third"
        assert cell["metrics"]["accuracy"]["interval"] == "both", model
    assert bench("photos.yaml", "--seeds", "2", "--dry-run").out.count(": reused") == 4
    images[0].write_bytes(images[3].read_bytes())
    assert bench("photos.yaml", "--seeds", "2", "--dry-run").out.count("image_folder.path changed)") == 4
