"""Artifacts: what a data set handed over comes back from the file as it was; what cannot be used is named."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Generator

from harness import BenchError, Dataset, artifacts, component
from harness.kinds.classification import Examples

GOOD = Examples(inputs=torch.arange(24.0).view(12, 2), targets=torch.arange(12) % 3, classes=3)


def test_a_usable_table_is_passed() -> None:
    artifacts.check(GOOD)
    for part in (torch.arange(12) % 3, torch.tensor([0, 2] * 6, dtype=torch.int8), torch.tensor([0, 2] * 6)):
        artifacts.check(dataclasses.replace(GOOD, part=part, label_noise=1.0, imbalance=5.0))
    gaps = GOOD.inputs.where(GOOD.inputs != 15, torch.nan)
    artifacts.check(dataclasses.replace(GOOD, inputs=gaps, missing=True, notes=("one", "two")))


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"inputs": GOOD.inputs.double()}, r"inputs .* float32 .*\[examples, [.]{3}\]"),
        ({"inputs": GOOD.inputs[:, 0]}, "inputs"),
        ({"inputs": GOOD.inputs.numpy()}, "inputs"),
        ({"targets": GOOD.targets[:-1]}, "targets"),
        ({"targets": GOOD.targets.int()}, "targets .* int64"),
        ({"targets": GOOD.targets[:, None]}, "targets"),
        ({"targets": GOOD.targets - 1}, "from 0 to 2"),
        ({"targets": GOOD.targets + 1}, "from 0 to 2"),
        ({"inputs": GOOD.inputs[:0], "targets": GOOD.targets[:0]}, r"inputs \[0, 2\] are empty"),
        ({"inputs": GOOD.inputs.where(GOOD.inputs != 15, torch.nan)}, "row 7 .* not finite"),
        ({"inputs": GOOD.inputs.where(GOOD.inputs != 0, torch.inf)}, "row 0 .* not finite"),
        ({"targets": torch.zeros(12, dtype=torch.int64), "classes": 1}, "two classes or more"),
        ({"inputs": GOOD.inputs.where(GOOD.inputs != 0, torch.inf), "missing": True}, "row 0 .* not finite"),
        ({"notes": ["a list"]}, "notes must be a tuple of texts"),
        ({"notes": (1,)}, "notes must be a tuple of texts"),
        ({"part": torch.arange(11) % 3}, "part"),
        ({"part": torch.zeros(12)}, "part .* integer"),
        ({"part": [0] * 12}, "part"),
        ({"part": torch.arange(12) % 4}, "part .* 0 train, 1 validation or 2 test"),
        ({"part": torch.arange(12) % 3 - 1}, "part .* 0 train, 1 validation or 2 test"),
        ({"part": torch.arange(12) % 2}, "no test examples"),
        ({"part": torch.arange(12) % 2 + 1}, "no training examples"),
        ({"label_noise": 1.5}, "label_noise"),
        ({"label_noise": float("nan")}, "label_noise"),
        ({"imbalance": 0.1}, "imbalance"),
    ],
)
def test_what_is_wrong_with_a_table_is_said(change: dict[str, Any], words: str) -> None:
    with pytest.raises(BenchError, match=words) as caught:
        artifacts.check(dataclasses.replace(GOOD, **change))
    assert "\n" not in str(caught.value)


def test_something_else_than_a_table_is_named() -> None:
    with pytest.raises(BenchError, match=r"harness\.Examples, not tuple"):
        artifacts.check((GOOD.inputs, GOOD.targets))  # type: ignore[arg-type]


def silent(*_: float, **__: float) -> None:
    """Ignores the progress."""


class Given(Dataset):
    """The table above, whole or spoilt."""

    spoilt: bool = False
    few: bool = False
    shift: float = 0.0

    def load(self, generator: Generator) -> Examples:
        """Draws a column from the generator it is given."""
        if self.few:
            return dataclasses.replace(GOOD, inputs=GOOD.inputs[:6], targets=GOOD.targets[:6])
        inputs = torch.rand(12, 2, generator=generator) + self.shift
        part = torch.arange(12) % 3
        return dataclasses.replace(
            GOOD, inputs=inputs / 0 if self.spoilt else inputs, part=part, standardize=True, notes=("said",)
        )


def test_a_table_comes_back_as_it_was(tmp_path: Path) -> None:
    file = tmp_path / "deep" / "table.pt"
    digest = artifacts.store(artifacts.alone(Given(), silent), file)
    data = artifacts.read("dataset", file)
    expected = Given().load(torch.Generator().manual_seed(0))
    for field in dataclasses.fields(Examples):
        kept, own = getattr(data, field.name), getattr(expected, field.name)
        assert torch.equal(kept, own) if isinstance(own, torch.Tensor) else kept == own
    assert artifacts.store(artifacts.alone(Given(), silent), tmp_path / "again.pt") == digest
    assert artifacts.store(artifacts.alone(Given(shift=1e-6), silent), tmp_path / "shifted.pt") != digest
    assert sorted(path.name for path in tmp_path.rglob("*") if path.is_file()) == ["again.pt", "shifted.pt", "table.pt"]


@pytest.mark.parametrize(("fault", "words"), [("spoilt", "not finite"), ("few", "too few examples .* more than 2")])
def test_a_table_that_cannot_be_used_is_not_made(fault: str, words: str) -> None:
    with pytest.raises(BenchError, match=words):
        artifacts.alone(Given(**{fault: True}), silent)


def test_only_data_sets_and_denoisers_are_made_alone() -> None:
    with pytest.raises(BenchError, match="metric"):
        artifacts.alone(component("metric", "nll"), silent)
