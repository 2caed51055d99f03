"""The data sets `npz` and `tensors`: arrays of any shape, and what is said about files that hold none."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy
import pytest
import torch

from harness import Examples
from tests.plugins.datasets import reading

Y = numpy.arange(12) % 3
DRAW = numpy.random.default_rng(0)


def save_npz(file: Path, **arrays: Any) -> Path:
    numpy.savez(file, **arrays)
    return file


def save_tensors(file: Path, **arrays: Any) -> Path:
    torch.save({name: torch.from_numpy(numpy.asarray(array)) for name, array in arrays.items()}, file)
    return file


BOTH = pytest.mark.parametrize(("name", "save"), [("npz", save_npz), ("tensors", save_tensors)])
Save = Callable[..., Path]


def found(name: str, save: Save, folder: Path, x: Any, y: Any = Y, **fields: Any) -> Examples:
    more = {key: fields.pop(key) for key in [*fields] if isinstance(fields[key], numpy.ndarray)}
    return reading.load(name, path=str(save(folder / f"a.{name}", x=x, y=y, **more)), **fields)


def refused(name: str, save: Save, folder: Path, x: Any, y: Any = Y, **fields: Any) -> str:
    more = {key: fields.pop(key) for key in [*fields] if isinstance(fields[key], numpy.ndarray)}
    return reading.refusal(name, save(folder / f"a.{name}", x=x, y=y, **more), **fields)


@BOTH
@pytest.mark.parametrize("shape", [(5,), (16, 8), (3, 4, 4), (1, 2, 3, 4)])
@pytest.mark.parametrize("kind", ["float32", "float64", "float16", "uint8", "int64", "bool"])
def test_inputs_of_any_shape_and_type(name: str, save: Save, tmp_path: Path, shape: tuple[int, ...], kind: str) -> None:
    x = (DRAW.normal(size=(12, *shape)) * 20).clip(0).astype(kind)
    data = found(name, save, tmp_path, x, label_noise=0.1, imbalance=2, standardize=False)
    assert torch.equal(data.inputs, torch.from_numpy(x).float()) and data.input_shape == shape
    assert data.targets.tolist() == Y.tolist()
    assert (data.classes, data.label_noise, data.imbalance, data.part, data.notes) == (3, 0.1, 2.0, None, ())


@BOTH
def test_a_vector_is_one_column_and_the_shape_can_be_given(name: str, save: Save, tmp_path: Path) -> None:
    assert found(name, save, tmp_path, numpy.arange(12.0)).input_shape == (1,)
    x = DRAW.normal(size=(12, 4, 5, 3)).astype("float32")
    flat = found(name, save, tmp_path, x.reshape(12, -1), shape=[4, 5, 3])  # 4 may be channels
    assert torch.equal(flat.inputs, torch.from_numpy(x))
    last = found(name, save, tmp_path, x.reshape(12, -1), shape=[4, 5, 3], channels_last=True)
    assert last.input_shape == (3, 4, 5)
    assert torch.equal(last.inputs, torch.from_numpy(x).movedim(-1, 1))
    assert "[60], which [4, 5] does not hold" in refused(name, save, tmp_path, x.reshape(12, -1), shape=[4, 5])
    assert "channels_last: 'x' is [12, 60]" in refused(name, save, tmp_path, x.reshape(12, -1), channels_last=True)


@BOTH
@pytest.mark.parametrize("shape", [(20, 20, 3), (28, 28, 1), (9, 16, 4), (5, 8, 8, 1), (100, 3)])
def test_channels_that_seem_to_be_last_are_asked_for(
    name: str, save: Save, tmp_path: Path, shape: tuple[int, ...]
) -> None:
    x = DRAW.integers(0, 255, (12, *shape)).astype("uint8")
    said = f"'x' is {[12, *shape]}: [n, channels, ...] is expected, and these look like channels at the end"
    assert refused(name, save, tmp_path, x) == f"{said}; say channels_last: true or false"
    assert refused(name, save, tmp_path, x.reshape(12, -1), shape=[*shape]).endswith("true or false")
    first = found(name, save, tmp_path, x, channels_last=True)
    assert torch.equal(first.inputs, torch.from_numpy(x).movedim(-1, 1).float())
    assert found(name, save, tmp_path, x, channels_last=False).input_shape == shape


@pytest.mark.parametrize(
    ("y", "numbers", "notes"),
    [
        (Y, Y, 0),
        (Y[:, None], Y, 0),
        (Y.astype("uint8") + 4, Y, 1),
        (Y == 1, Y == 1, 0),
        (numpy.array(["b", "a", "c"])[Y], numpy.array([1, 0, 2])[Y], 0),
        (numpy.array([7, -1, 7])[Y], numpy.array([1, 0, 1])[Y], 1),
    ],
)
def test_classes_are_numbered_in_order(tmp_path: Path, y: Any, numbers: Any, notes: int) -> None:
    data = found("npz", save_npz, tmp_path, numpy.zeros((12, 2)), y)
    assert data.targets.tolist() == numbers.tolist() and len(data.notes) == notes


@BOTH
def test_a_split_of_the_files_own(name: str, save: Save, tmp_path: Path) -> None:
    part = numpy.arange(12) % 4 % 3
    data = found(name, save, tmp_path, numpy.zeros((12, 2)), split=part, part="split")
    assert data.part is not None and data.part.tolist() == part.tolist()
    wrong = "'split' must hold 0 for training, 1 for validation and 2 for test, one for each row"
    assert refused(name, save, tmp_path, numpy.zeros((12, 2)), split=part + 1, part="split") == wrong
    assert (
        refused(name, save, tmp_path, numpy.zeros((12, 2)), split=part * 0, part="split")
        == "'split' leaves no test rows"
    )


@BOTH
def test_what_is_wrong_is_said_in_one_line(name: str, save: Save, tmp_path: Path) -> None:
    x, hole = numpy.zeros((12, 3)), numpy.zeros((12, 3))
    hole[4, 1] = hole[7, 0] = numpy.nan
    cases: list[tuple[dict[str, Any], str]] = [
        ({"x": x, "y": Y[:11]}, "arrays of different lengths: 'x' has 12, 'y' has 11 rows"),
        ({"x": hole}, "'x' holds NaN in 2 rows, first in row 4"),
        ({"x": numpy.where(hole == 0, x, numpy.inf)}, "'x' holds infinite numbers in 2 rows, first in row 4"),
        ({"x": x, "y": Y + 0.5}, "'y' holds float64 numbers, classes are whole numbers or texts: y.astype(int)"),
        ({"x": x, "y": Y * 0}, "all rows have the same class in 'y': 0"),
        ({"x": x, "y": numpy.eye(3)[Y]}, "'y' is [12, 3], expected one class for each row, [12]; of a number for each class take the largest: y.argmax(1)"),
        ({"x": x[:0], "y": Y[:0]}, "'x' is empty"),
        ({"x": x[:, :0]}, "'x' is [12, 0]: inputs without a number"),
        ({"x": x + 1j}, "'x' holds complex128, inputs are real numbers"),
        ({"x": x + 1e300}, "'x' holds 1e+300, more than float32 does"),
    ]  # fmt: skip
    for arrays, said in cases:
        if name == "tensors" and arrays["x"].dtype.kind == "c":
            said = "'x' is a tensor of torch.complex128, torch.strided: save it dense and real"
        assert refused(name, save, tmp_path, **arrays) == said


@BOTH
def test_a_name_that_is_not_there_is_answered_with_those_that_are(name: str, save: Save, tmp_path: Path) -> None:
    file = save(tmp_path / f"b.{name}", images=numpy.zeros((12, 2)), labels=Y)
    assert reading.refusal(name, file) == "no array 'x' (choose from images, labels)"
    assert reading.refusal(name, file, x="images", y="label") == "no array 'label', did you mean labels?"
    data = reading.load(name, path=str(file), x="images", y="labels")
    assert data.targets.tolist() == Y.tolist()


@BOTH
def test_files_that_hold_something_else(name: str, save: Save, tmp_path: Path) -> None:
    assert reading.refusal(name, tmp_path / "gone") == "cannot be read: No such file or directory"
    assert reading.refusal(name, tmp_path) == "is a folder, expected a file"
    (tmp_path / "empty").touch()
    assert reading.refusal(name, tmp_path / "empty") == "is empty"
    (tmp_path / "text").write_text("a,y\n1,2\n")
    assert "FILE" in reading.refusal(name, tmp_path / "text")
    whole = save(tmp_path / f"whole.{name}", x=DRAW.normal(size=(12, 300)), y=Y).read_bytes()
    (tmp_path / "cut").write_bytes(whole[: len(whole) // 2])
    reading.refusal(name, tmp_path / "cut")
    (tmp_path / "bent").write_bytes(whole[:3000] + b"????" + whole[3004:])
    if name == "npz":  # torch does not look at the checksums of its archives
        assert "damaged" in reading.refusal(name, tmp_path / "bent")


def test_a_single_array_and_a_single_tensor(tmp_path: Path) -> None:
    numpy.save(tmp_path / "x.npy", Y)
    said = "holds a single array: numpy.savez(FILE, x=x, y=y) writes one"
    assert reading.refusal("npz", tmp_path / "x.npy") == said
    torch.save(torch.zeros(3), tmp_path / "x.pt")
    assert reading.refusal("tensors", tmp_path / "x.pt").startswith("holds a single tensor: torch.save(")


class Trap:
    """Writes a file when it is unpickled."""

    def __init__(self, file: Path) -> None:
        self.file = file

    def __reduce__(self) -> Any:
        return (Path.touch, (self.file,))


def test_pickles_are_never_loaded(tmp_path: Path) -> None:
    trap = tmp_path / "sprung"
    numpy.savez(tmp_path / "a.npz", x=numpy.array([Trap(trap)] * 12, dtype=object), y=Y)
    said = "'x' holds Python objects, and pickles are never loaded: save numbers or texts"
    assert reading.refusal("npz", tmp_path / "a.npz") == said
    torch.save({"x": Trap(trap), "y": torch.from_numpy(Y)}, tmp_path / "a.pt")
    assert "pickles are never loaded" in reading.refusal("tensors", tmp_path / "a.pt")
    (tmp_path / "a.pkl").write_bytes(pickle.dumps(Trap(trap)))
    for name in ("npz", "tensors"):
        reading.refusal(name, tmp_path / "a.pkl")
    assert not trap.exists()


@pytest.mark.parametrize(("form", "says"), [(tuple, "a tuple of 2"), (list, "a list of 2")])
def test_tensors_without_names_are_refused_with_the_way_to_name_them(form: type, says: str, tmp_path: Path) -> None:
    """As `torch.save((x, y), FILE)` writes them; what the message says then works."""
    x, y = torch.randn(6, 3), torch.arange(6) % 2
    torch.save(form([x, y]), tmp_path / "pair.pt")
    said = reading.refusal("tensors", tmp_path / "pair.pt")
    assert said.startswith(
        f'no array \'x\': the file is {says}, without names; write {{x: "0", y: "1"}} for places in it'
    )
    assert said.endswith("or a mapping: torch.save({'x': x, 'y': y}, FILE) writes one")
    assert torch.equal(reading.load("tensors", path=str(tmp_path / "pair.pt"), x="0", y="1").targets, y)
    torch.save(form([x]), tmp_path / "pair.pt")
    assert reading.refusal("tensors", tmp_path / "pair.pt").startswith("no array 'x' (choose from 0)")


def test_tensors_by_place_and_in_inner_mappings(tmp_path: Path) -> None:
    x, y = torch.randn(12, 2, requires_grad=True), torch.from_numpy(Y)
    torch.save((x, y), tmp_path / "pair.pt")
    assert torch.equal(reading.load("tensors", path=str(tmp_path / "pair.pt"), x="0", y="1").inputs, x.detach())
    torch.save({"train": {"x": x.detach().bfloat16(), "y": y}, "epoch": 3}, tmp_path / "inner.pt")
    data = reading.load("tensors", path=str(tmp_path / "inner.pt"), x="train.x", y="train.y")
    assert torch.equal(data.inputs, x.detach().bfloat16().float())


@BOTH
@pytest.mark.parametrize("offset", [0, 1_700_000_000, 10**15])
@pytest.mark.parametrize("kind", ["float64", "int64"])
def test_an_offset_of_a_column_changes_nothing(name: str, save: Save, tmp_path: Path, offset: int, kind: str) -> None:
    x = numpy.stack([DRAW.permutation(12) * 8, DRAW.permutation(12)], 1)
    moved = (x + numpy.array([offset, 0])).astype(kind)
    data = found(name, save, tmp_path, moved)
    assert torch.equal(data.inputs - data.inputs[:1], torch.from_numpy(x - x[:1]).float())
    plain = found(name, save, tmp_path, moved, standardize=False)
    assert len(plain.notes) == (offset > 0)


def test_columns_that_float32_does_not_hold(tmp_path: Path) -> None:
    base = numpy.stack([1e9 + 1e-7 * numpy.arange(12) % 1e-6, numpy.arange(12.0)], 1)
    assert "column 0 of 'x' is constant up to rounding" in refused("npz", save_npz, tmp_path, base)
    fine = numpy.concatenate([1 + numpy.arange(11) * 1e-9, [1e9]])[:, None]
    assert "float32 cannot resolve column 0 of 'x'" in refused("npz", save_npz, tmp_path, fine)
