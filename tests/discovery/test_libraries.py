"""Losses and transforms of other libraries, named by the library alone."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
import torch.nn.functional as F

import harness
from harness import BenchError
from harness.discovery.adapters import imported

DRAW = torch.Generator().manual_seed(0)
LOGITS, TARGET = torch.randn(9, 4, generator=DRAW), torch.randint(4, (9,), generator=DRAW)


@pytest.mark.parametrize(
    ("path", "fields", "expected"),
    [
        ("torch:CrossEntropyLoss", {"label_smoothing": 0.1}, lambda s, y: F.cross_entropy(s, y, label_smoothing=0.1)),
        ("torch:MultiMarginLoss", {}, F.multi_margin_loss),
        ("torch:multi_margin_loss", {"margin": 2.0}, lambda s, y: F.multi_margin_loss(s, y, margin=2.0)),
        ("torch.nn.functional:cross_entropy", {}, F.cross_entropy),
    ],
)
def test_torchs_own_losses(path: str, fields: dict[str, Any], expected: Callable[..., Any]) -> None:
    loss: Any = imported("loss", path)(**fields)
    assert torch.equal(loss(LOGITS, TARGET), expected(LOGITS, TARGET))


def test_a_library_without_such_a_thing_says_what_it_has() -> None:
    with pytest.raises(BenchError, match="torch has no 'CrossEntropyLos', did you mean CrossEntropyLoss"):
        imported("loss", "torch:CrossEntropyLos")


def test_a_loss_of_a_metric_learning_library() -> None:
    losses = pytest.importorskip("pytorch_metric_learning.losses")
    loss: Any = imported("loss", "pytorch_metric_learning:NTXentLoss")(temperature=0.2)
    assert torch.equal(loss(LOGITS, TARGET), losses.NTXentLoss(temperature=0.2)(LOGITS, TARGET))


@pytest.mark.verify
@pytest.mark.parametrize(("path", "alpha"), [("entmax:sparsemax", 2.0), ("entmax:entmax15", 1.5)])
def test_the_entmax_package_is_a_contender_like_ours(path: str, alpha: float) -> None:
    pytest.importorskip("entmax")
    ours, theirs = harness.component("transform", "entmax", alpha=alpha), imported("transform", path)()
    torch.testing.assert_close(theirs(LOGITS), ours(LOGITS), rtol=0, atol=1e-6)  # type: ignore[operator]


@pytest.mark.verify
def test_they_run_in_a_suite(tmp_path: Path) -> None:
    suite = tmp_path / "peers.yaml"
    suite.write_text(
        """
protocol: accuracy
vary:
  dataset: iris
  loss: [cross_entropy, "torch:CrossEntropyLoss", {"torch:MultiMarginLoss": {margin: [0.5, 1.0]}}]
settings: {epochs: 2}
seeds: 2
metrics: [accuracy]
"""
    )
    cells = harness.run(str(suite), results=str(tmp_path / "results")).rows
    first, second = (cell.metrics["accuracy"].values for cell in cells[:2])
    assert [cell.status for cell in cells] == ["ok"] * 4 and first == second
