"""Suites on files of images, arrays and copies: what is missing is said at once, what changed is measured again."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy
import pytest
from PIL import Image, ImageDraw

from tests.conftest import Bench
from tests.plugins.datasets.test_copies import write_openml

HEAD = "protocol: accuracy\nseeds: 1\nmetrics: [accuracy]\nsettings: {epochs: 1}\n"
KINDS = ("bar", "cross", "ring", "square")

RESNET = '''
"""A small residual network."""

from torch import nn


class Block(nn.Module):
    def __init__(self, a, b, stride):
        super().__init__()
        first = [nn.Conv2d(a, b, 3, stride, 1, bias=False), nn.BatchNorm2d(b), nn.ReLU()]
        self.body = nn.Sequential(*first, nn.Conv2d(b, b, 3, 1, 1, bias=False), nn.BatchNorm2d(b))
        self.skip = nn.Identity() if a == b and stride == 1 else nn.Conv2d(a, b, 1, stride)

    def forward(self, x):
        return (self.body(x) + self.skip(x)).relu()


class ResNet(nn.Module):
    """A small residual network (He et al., 2016)."""

    def __init__(self, in_channels=3, num_classes=10, width=8):
        super().__init__()
        self.stem = nn.Conv2d(in_channels, width, 3, 1, 1)
        self.blocks = nn.Sequential(Block(width, width, 2), Block(width, 2 * width, 2))
        self.head = nn.Linear(2 * width, num_classes)

    def forward(self, x):
        return self.head(self.blocks(self.stem(x)).mean((2, 3)))
'''


def draw_shapes(folder: Path, count: int, size: int = 16, ending: str = "png") -> None:
    """Images of four shapes of any place, size and color, with noise."""
    draw = numpy.random.default_rng(0)
    for number in range(count):
        kind = KINDS[number % 4]
        front, back = (tuple(map(int, draw.integers(*ends, 3))) for ends in ((100, 256), (0, 110)))
        image = Image.new("RGB", (size, size), back)
        x, y, r = int(draw.integers(5, size - 5)), int(draw.integers(5, size - 5)), int(draw.integers(3, 5))
        box, pen = (x - r, y - r, x + r, y + r), ImageDraw.Draw(image)
        if kind in ("ring", "square"):
            (pen.ellipse if kind == "ring" else pen.rectangle)(box, outline=front)
        else:
            for line in {"bar": [box], "cross": [(x - r, y, x + r, y), (x, y - r, x, y + r)]}[kind]:
                pen.line(line, fill=front)
        noisy = numpy.asarray(image) + draw.normal(0, 15, (size, size, 3))
        file = folder / kind / f"{number:04}.{ending}"
        file.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(noisy.clip(0, 255).astype(numpy.uint8)).save(file)


def states(bench: Bench, *words: str) -> dict[str, Any]:
    """Row -> what the dry run says of it."""
    ended = bench("s.yaml", "--dry-run", "--device", "cpu", *words)
    assert ended.code == 0, ended.err
    lines = [line.strip().rpartition(": ") for line in ended.out.splitlines() if line.startswith("  ")]
    return {row: state for row, _, state in lines}


def test_all_that_is_missing_is_said_at_once(bench: Bench) -> None:
    names = [
        "{image_folder: {path: gone}}",
        "{npz: {path: gone.npz}}",
        "{tensors: {path: gone.pt}}",
        "{parquet: {path: gone.parquet, target: y}}",
    ]
    bench.write("s.yaml", HEAD + "vary:\n  loss: hinge\n  dataset:\n" + "".join(f"    - {name}\n" for name in names))
    for ended in (bench("validate", "s.yaml"), bench("s.yaml", "--dry-run")):
        assert ended.code == 2
        told = [line for line in ended.lines if line.startswith("s.yaml:")]
        assert [line.split(": ")[1] for line in told] == [
            f"no file {name!r} beside the suite" for name in ("gone", "gone.npz", "gone.pt", "gone.parquet")
        ]


@pytest.mark.verify
def test_broken_files_and_copies_that_are_not_there_are_said_at_once(bench: Bench) -> None:
    draw_shapes(bench.folder / "images", 12)
    bench.write("images/bar/0000.png", "no image")
    numpy.savez(bench.folder / "a.npz", z=numpy.zeros(3))
    names = [
        "{image_folder: {path: images}}",
        "{npz: {path: a.npz}}",
        "{openml: {dataset: iris, path: copies/iris}}",
    ]
    bench.write("s.yaml", HEAD + "vary:\n  loss: hinge\n  dataset:\n" + "".join(f"    - {name}\n" for name in names))
    for ended in (bench("validate", "s.yaml"), bench("s.yaml", "--dry-run"), bench("s.yaml", "--device", "cpu")):
        assert (ended.code, ended.out) == (2, "")
        assert [line for line in ended.lines if line.startswith("s.yaml:")] == [
            "s.yaml:8:29: images: bar/0000.png: is no image that Pillow knows",
            "s.yaml:9:20: a.npz: no array 'x' (choose from z)",
            "s.yaml:10:38: copies/iris: no copy of iris here: `bench fetch SUITE.yaml` downloads it, where there is a network",
        ]


@pytest.mark.verify
def test_fetch_downloads_what_is_missing_and_says_what_it_cannot(bench: Bench) -> None:
    write_openml(bench.folder / "plants")
    suite = HEAD + "vary:\n  loss: hinge\n  dataset:\n    - digits\n    - {openml: {dataset: plants, path: plants}}\n"
    bench.write("s.yaml", suite)
    ended = bench("fetch", "s.yaml")
    assert (ended.code, ended.out) == (0, "openml(path=plants, dataset=plants): nothing to download\n"), ended.err
    bench.write("s.yaml", suite + "    - {openml: {dataset: no-such-table-anywhere, path: none}}\n")
    ended = bench("fetch", "s.yaml")
    assert ended.code == 2 and "plants): nothing to download" in ended.out
    assert ended.lines[0].startswith("s.yaml:10:56: none: no-such-table-anywhere cannot be downloaded: ")


@pytest.mark.verify
def test_one_byte_of_one_image_measures_its_rows_again_and_no_others(bench: Bench) -> None:
    for name in ("one", "two"):
        draw_shapes(bench.folder / name, 40, ending="bmp")
    bench.write(
        "s.yaml", HEAD + "vary: {loss: [hinge, cross_entropy], dataset: [{image_folder: {path: [one, two]}}, iris]}\n"
    )
    assert bench("s.yaml", "--device", "cpu").code == 0
    assert set(states(bench).values()) == {"reused"}
    image = bench.folder / "one" / "ring" / "0002.bmp"
    content = bytearray(image.read_bytes())
    content[-5] ^= 1
    image.write_bytes(content)
    found = states(bench)
    assert {row: state for row, state in found.items() if state != "reused"} == {
        row: "to do (image_folder.path changed)" for row in found if "path=one" in row
    }
    assert sum(state != "reused" for state in found.values()) == 2
    ended = bench("s.yaml", "--device", "cpu", "--json", "-")
    assert ended.code == 0 and set(states(bench).values()) == {"reused"}
    (bench.folder / "two" / "ring" / "extra.bmp").write_bytes(content)
    assert sum(state != "reused" for state in states(bench).values()) == 2


@pytest.mark.verify
def test_a_small_residual_network_on_a_thousand_images(bench: Bench) -> None:
    draw_shapes(bench.folder / "shapes", 1000)
    bench.write("nets.py", RESNET)
    bench.write(
        "s.yaml",
        "question: Does a residual network see more than a linear one?\nprotocol: accuracy\nseeds: 3\nmetrics: [accuracy, nll]\n"
        "vary:\n  dataset: {image_folder: {path: shapes}}\n  model: [linear, 'nets:ResNet']\n  loss: [cross_entropy, hinge]\n"
        "settings: {epochs: 10}\ntrainer: loop\nbaseline: cross_entropy\n",
    )
    ended = bench("s.yaml", "--json", "-", timeout=600)
    assert ended.code == 0, ended.err
    cells = json.loads(ended.out)["cells"]
    means = {(cell["vary"]["model"], cell["vary"]["loss"]): cell["metrics"]["accuracy"]["mean"] for cell in cells}
    assert len(means) == 4 and all(cell["status"] == "ok" for cell in cells)
    assert means["nets:ResNet", "cross_entropy"] > 0.1 + means["linear", "cross_entropy"] > 0.35, means
    against = [cell["against"]["accuracy"] for cell in cells if cell["vary"]["loss"] == "hinge"]
    assert all(one["verdict"] and one["low"] <= one["difference"] <= one["high"] for one in against)
