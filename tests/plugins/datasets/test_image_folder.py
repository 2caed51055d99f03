"""The data set `image_folder`: order, sizes, modes, splits, and what is said about folders it cannot use."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy
import pytest
import torch
from PIL import Image

from harness import Examples
from tests.plugins.datasets import reading

DRAW = numpy.random.default_rng(0)


def image(file: Path, height: int = 5, width: int = 4, mode: str = "RGB") -> Any:
    file.parent.mkdir(parents=True, exist_ok=True)
    pixels = DRAW.integers(0, 256, (height, width, 3), dtype=numpy.uint8)
    Image.fromarray(pixels).convert(mode).save(file)
    return pixels


def folder(root: Path, *classes: str, count: int = 3, **size: Any) -> dict[str, list[Any]]:
    return {name: [image(root / name / f"{k}.png", **size) for k in range(count)] for name in classes}


def load(root: Path, **fields: Any) -> Examples:
    return reading.load("image_folder", path=str(root), **fields)


def refusal(root: Path, **fields: Any) -> str:
    return reading.refusal("image_folder", root, **fields)


def test_pixels_and_classes_in_the_order_of_the_names(tmp_path: Path) -> None:
    made = folder(tmp_path, "dog", "cat", "Ant")
    data = load(tmp_path, label_noise=0.1, imbalance=2)
    expected = numpy.stack([*made["Ant"], *made["cat"], *made["dog"]])
    assert torch.equal(data.inputs, torch.from_numpy(expected).float().div(255).movedim(-1, 1))
    assert data.inputs.shape == (9, 3, 5, 4) and data.inputs.is_contiguous()
    assert data.targets.tolist() == [0, 0, 0, 1, 1, 1, 2, 2, 2]
    assert (data.classes, data.label_noise, data.imbalance, data.part, data.notes) == (3, 0.1, 2.0, None, ())
    assert data.standardize and not load(tmp_path, standardize=False).standardize
    gray = load(tmp_path, mode="grayscale")
    assert gray.inputs.shape == (9, 1, 5, 4)
    weights = torch.tensor([0.299, 0.587, 0.114])
    assert torch.allclose(gray.inputs[:, 0], (data.inputs * weights[:, None, None]).sum(1), atol=1 / 255)


def test_sizes(tmp_path: Path) -> None:
    folder(tmp_path, "a", "b")
    image(tmp_path / "b" / "large.jpg", 9, 7)
    said = "images of 2 sizes, such as a/0.png of 5 x 4, b/large.jpg of 9 x 7: `size: 32` makes all of them 32 x 32"
    assert refusal(tmp_path) == said
    assert load(tmp_path, size=8).inputs.shape == (7, 3, 8, 8)
    assert load(tmp_path, size=[6, 3]).inputs.shape == (7, 3, 6, 3)
    as_they_are = load(tmp_path, size=[5, 4]).inputs[:6]
    (tmp_path / "b" / "large.jpg").unlink()
    assert torch.equal(load(tmp_path).inputs, as_they_are)
    assert "expected one number, or height and width" in refusal(tmp_path, size=[1, 2, 3])


@pytest.mark.parametrize("mode", ["L", "LA", "RGBA", "P", "1", "CMYK"])
def test_every_mode_becomes_color_and_gray(tmp_path: Path, mode: str) -> None:
    for name in ("a", "b"):
        for k in range(3):
            image(tmp_path / name / f"{k}.{'tif' if mode == 'CMYK' else 'png'}", mode=mode)
    for asked, channels in (("color", 3), ("grayscale", 1)):
        found = load(tmp_path, mode=asked).inputs
        assert found.shape == (6, channels, 5, 4) and found.min() >= 0 and 0.3 < found.max() <= 1


def test_sixteen_bits_and_the_turn_of_a_camera(tmp_path: Path) -> None:
    folder(tmp_path, "a", "b", height=4, width=4)
    deep = DRAW.integers(0, 65536, (4, 4), dtype=numpy.uint16)
    Image.fromarray(deep).save(tmp_path / "a" / "0.png")
    assert torch.allclose(load(tmp_path).inputs[0, 0], torch.from_numpy(deep.astype("float32")) / 65535, atol=1 / 255)
    turned = Image.fromarray(DRAW.integers(0, 256, (4, 4, 3), dtype=numpy.uint8))
    exif = turned.getexif()
    exif[0x0112] = 3  # upside down
    turned.save(tmp_path / "a" / "1.png", exif=exif)
    upright = torch.from_numpy(numpy.asarray(turned).copy()).float().div(255).movedim(-1, 0).flip(1, 2)
    assert torch.equal(load(tmp_path).inputs[1], upright)


def test_folders_of_a_split(tmp_path: Path) -> None:
    for part, count in (("train", 20), ("test", 4)):
        folder(tmp_path / part, "u", "v", count=count)
    data = load(tmp_path)
    assert data.part is not None and data.classes == 2
    assert data.part.bincount().tolist() == [36, 4, 8]
    assert data.notes == ("4 of 40 training examples are the validation part, the same each seed",)
    assert torch.equal(data.part, load(tmp_path).part)  # type: ignore[arg-type]
    folder(tmp_path / "valid", "u", "v", count=5)
    given = load(tmp_path)
    assert given.part is not None and given.part.bincount().tolist() == [40, 10, 8] and not given.notes
    folder(tmp_path / "test", "w")
    assert refusal(tmp_path) == "no training images of the class w"


def test_classes_that_are_called_like_parts_are_classes(tmp_path: Path) -> None:
    folder(tmp_path, "test", "train", "neither")
    assert load(tmp_path).classes == 3


def test_what_is_no_image_is_left_out_with_a_note(tmp_path: Path) -> None:
    folder(tmp_path, "a", "b")
    image(tmp_path / "a" / "deep" / "er" / "x.png")
    for name in (".DS_Store", "a/.hidden.png", "a/notes.txt", "labels.csv", ".git/config.png"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("text")
    data = load(tmp_path)
    assert len(data.inputs) == 7 and data.targets.tolist() == [0] * 4 + [1] * 3
    assert data.notes == ("2 files are no images in a class folder and left out: a/notes.txt, labels.csv",)


def test_folders_that_cannot_be_used(tmp_path: Path) -> None:
    assert refusal(tmp_path / "gone") == "cannot be read: No such file or directory"
    assert refusal(tmp_path) == "no folder of images for each class"
    folder(tmp_path, "only")
    assert refusal(tmp_path) == "a single class, the folder only: two classes or more need a folder each"
    assert refusal(tmp_path / "only") == "no folder of images for each class, but 3 files"
    assert refusal(tmp_path / "only" / "0.png") == "cannot be read: Not a directory"
    for name in ("empty", "texts"):
        (tmp_path / name).mkdir()
    (tmp_path / "texts" / "a.txt").touch()
    assert refusal(tmp_path) == "no image in the class folder empty, texts"


def test_broken_images_are_named_all_at_once(tmp_path: Path) -> None:
    folder(tmp_path, "a", "b", count=8, height=40, width=40)
    content = (tmp_path / "a" / "1.png").read_bytes()
    (tmp_path / "a" / "1.png").write_bytes(content[: len(content) // 2])
    (tmp_path / "a" / "2.png").write_bytes(b"")
    (tmp_path / "b" / "3.png").write_text("no image")
    (tmp_path / "b" / "4.png").unlink()
    (tmp_path / "b" / "4.png").symlink_to(tmp_path / "nowhere")
    said = refusal(tmp_path).split("; ")
    assert [part.partition(": ")[0] for part in said] == ["a/1.png", "a/2.png", "b/3.png", "b/4.png"]
    assert said[1:] == [
        "a/2.png: is no image that Pillow knows",
        "b/3.png: is no image that Pillow knows",
        "b/4.png: cannot be read: No such file or directory",
    ]
    for k in range(8):
        (tmp_path / "a" / f"{k}.png").write_bytes(b"")
    assert refusal(tmp_path).endswith("; and 5 more")
