"""The compiled functions against the quadrature for float64, against torch alone, and where they cannot be built."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch

import harness

harness.components("transform")
from harness.stock.transforms import _kernel  # noqa: E402

NAMES = ("gaussian", "logistic", "reverse_gumbel", "student_t", "cauchy")
BUILD = """
import torch, harness
compiled, plain = (harness.component("transform", "gaussian", compiled=c) for c in (True, False))
logits = torch.linspace(-3, 3, 700).sin()[None]
assert torch.allclose(compiled(logits), plain(logits), rtol=1e-5, atol=0)
from harness.stock.transforms import _kernel
print(_kernel.library() is not None)
"""


def needs_a_compiler() -> None:
    if _kernel.library() is None:
        pytest.skip("no C++ compiler or no ninja: nothing is compiled here")


def hard(n: int) -> torch.Tensor:
    """Random logits, ties, a dominating class, masked classes, NaN, infinity, nothing but masks, classes far below."""
    draw = torch.Generator().manual_seed(n)
    rows = 2 * torch.randn(12, n, generator=draw)
    rows[1] = 0.5
    rows[2] = -3.0
    rows[2, n // 2] = 27.0
    rows[3, ::2] = -torch.inf
    rows[4] = 2 * rows[4]  # gaps of up to 30: about as far down as logarithms under normal noise are exact
    rows[5, 0], rows[6, 0], rows[7] = torch.nan, torch.inf, -torch.inf
    rows[8] = rows[8].round()
    rows[9, 1:] = -torch.inf
    ahead = 0.2 * torch.randn(2, n, generator=draw)
    ahead[:, 0] = torch.tensor([25.0, 33.0])  # of many, and so far that some tables end before
    return torch.cat([rows, ahead])


def both(transform: Any, logits: torch.Tensor, log: bool) -> tuple[torch.Tensor, torch.Tensor]:
    """The transform and the gradient of its weighted sum, at float64."""
    logits = logits.detach().requires_grad_()
    out = transform.log(logits) if log else transform(logits)
    weights = torch.randn(logits.shape, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    total = (out * weights.to(out))[out.isfinite()].sum()
    return out.detach().double(), torch.autograd.grad(total, logits)[0].double()


@pytest.mark.verify
@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("n", [2, 3, 10, 65, 300, 1000, 4000])
@pytest.mark.parametrize("log", [False, True])
@pytest.mark.parametrize("compiled", [False, True])
def test_tables_agree_with_the_quadrature_for_float64(name: str, n: int, log: bool, compiled: bool) -> None:
    if compiled:
        needs_a_compiler()
    transform, logits = harness.component("transform", name, compiled=compiled), hard(n)
    rows = slice(None) if n <= 300 else [*range(10), 12, 13]
    value, gradient = both(transform, logits[rows], log)
    exact, slope = both(transform, logits[rows].double(), log)
    assert torch.equal(value.isnan(), exact.isnan())
    assert torch.equal(value == -torch.inf, exact == -torch.inf)
    finite = exact.isfinite()
    error = (value - exact)[finite].abs()
    if log:
        error = error / exact[finite].abs().clamp(min=1)  # float32 holds no more of a large logarithm
    assert error.max() < (5e-6 if log else 2e-6)
    assert torch.equal(gradient[5:8], torch.zeros_like(gradient[5:8]))
    scale = 1 + slope.abs().amax(1, keepdim=True)
    assert ((gradient - slope) / scale).abs().max() < (5e-5 if log else 2e-6)


@pytest.mark.verify
@pytest.mark.parametrize("df", [0.5, 2.0, 10.0, 100.0])
@pytest.mark.parametrize("log", [False, True])
def test_tables_for_any_degrees_of_freedom(df: float, log: bool) -> None:
    transform = harness.component("transform", "student_t", df=df)
    for n in (2, 30, 1000):
        logits = hard(n)[:5]
        value, gradient = both(transform, logits, log)
        exact, slope = both(transform, logits.double(), log)
        finite = exact.isfinite()
        assert ((value - exact)[finite].abs() / exact[finite].abs().clamp(min=1)).max() < (5e-6 if log else 2e-6)
        assert ((gradient - slope) / (1 + slope.abs().amax(1, keepdim=True))).abs().max() < (5e-5 if log else 2e-6)


@pytest.mark.parametrize("n", [7, 2000])
def test_threads_and_other_rows_change_no_bit(n: int) -> None:
    needs_a_compiler()
    transform, logits = harness.component("transform", "gaussian"), 3 * torch.randn(33, n)
    before = torch.get_num_threads()
    try:
        torch.set_num_threads(1)
        alone = both(transform, logits, False)
        torch.set_num_threads(2)
        together = both(transform, logits, False)
    finally:
        torch.set_num_threads(before)
    assert torch.equal(alone[0], together[0]) and torch.equal(alone[1], together[1])


def test_rows_that_are_not_contiguous() -> None:
    transform, logits = harness.component("transform", "gaussian"), torch.randn(40, 6)
    torch.testing.assert_close(transform(logits.T, dim=0), transform(logits.T.contiguous().T.contiguous()).T)
    torch.testing.assert_close(transform(logits[::2, ::3]), transform(logits[::2, ::3].clone()), rtol=0, atol=0)


def build(folder: Path, **environment: str) -> subprocess.Popen[str]:
    words = {**os.environ, "TORCH_EXTENSIONS_DIR": str(folder), **environment}
    return subprocess.Popen([sys.executable, "-c", BUILD], env=words, stdout=-1, stderr=-1, text=True)


@pytest.mark.verify
def test_without_a_compiler_torch_does_it(tmp_path: Path) -> None:
    nowhere = tmp_path / "nothing"
    nowhere.mkdir()
    out, err = build(tmp_path / "extensions", PATH=str(nowhere), CXX="no-such-compiler").communicate()
    assert (out, err) == ("False\n", "")


@pytest.mark.verify
def test_where_nothing_can_be_written_torch_does_it(tmp_path: Path) -> None:
    (tmp_path / "a file").write_text("")
    out, err = build(tmp_path / "a file").communicate()
    assert (out, err) == ("False\n", "")


@pytest.mark.verify
def test_two_processes_may_build_at_once(tmp_path: Path) -> None:
    needs_a_compiler()
    first, second = build(tmp_path), build(tmp_path)
    assert first.communicate() == second.communicate() == ("True\n", "")
    assert len(list((tmp_path / "touchstone").iterdir())) == 1


@pytest.mark.parametrize("compiled", [True, False])
@pytest.mark.parametrize("n", [10, 100, 1000])
def test_how_far_a_row_reaches_is_nothing_to_the_others(n: int, compiled: bool) -> None:
    """More cells are used; beside that the two batches are alike, so that nothing but rounding may differ."""
    transform = harness.component("transform", "gaussian", compiled=compiled)
    near = torch.randn(64, n, generator=torch.Generator().manual_seed(n)) / 2
    far = near.clone()
    far[0, 3] = -30.0
    for log in (False, True):
        for one, other in zip(both(transform, near, log), both(transform, far, log), strict=True):
            torch.testing.assert_close(one[1:], other[1:], rtol=1e-6, atol=1e-7)
