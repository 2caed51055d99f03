"""The Triton kernels against the float64 quadrature of the same transforms, which shares no step with them.

They run under Triton's interpreter, which must be chosen before triton is imported: in a process of its own. Where
there is a GPU they run on it too.
"""

from __future__ import annotations

import importlib
import importlib.util
import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import harness

INSTALLED = importlib.util.find_spec("triton") is not None
needs_triton = pytest.mark.skipif(not INSTALLED, reason="triton is not installed")

COMPUTE = """
import sys, warnings
warnings.simplefilter("error")
warnings.filterwarnings("ignore", "invalid value encountered", RuntimeWarning)  # of NumPy, about NaN
sys.path.insert(0, sys.argv[1])
import numpy as np, torch
from test_triton_kernel import computed, private
assert private("_triton").available(torch.device("cpu"))
private("_triton").SLOTS = 1 << 12  # a few rows at a time
cases = np.load(sys.argv[2])
done = {name: computed(name.split()[0], *map(torch.tensor, cases[name])) for name in cases}
np.savez(sys.argv[3], **{f"{name} {what}": t for name, both in done.items() for what, t in both.items()})
"""

COMPILE = """
import json, sys, warnings
warnings.simplefilter("error")
sys.path.insert(0, sys.argv[1])
from test_triton_kernel import COMPILED, private
import triton
from triton.backends.compiler import GPUTarget
from triton.compiler import ASTSource
numbers = dict.fromkeys(("n", "size", "nodes"), "i32") | {"per_cell": "fp32"}
tiles = {"BLOCK": 1024, "NODES": 64, "CELLS": 32, "WEIGHTED": True}

def compiled(kernel, capability):
    places = {a: i for i, a in enumerate(kernel.arg_names)}
    kinds = {a: "constexpr" if a in tiles else numbers.get(a, "*fp32") for a in places}
    known = {(places[a],): value for a, value in tiles.items() if a in places}
    aligned = {(places[a],): [["tt.divisibility", 16]] for a, kind in kinds.items() if kind == "*fp32"}
    source = ASTSource(fn=kernel, signature=kinds, constexprs=known, attrs=aligned)
    return triton.compile(source, target=GPUTarget("cuda", capability, 32)).asm["ptx"]

kernels = private("_triton_kernels")
print(json.dumps([compiled(getattr(kernels, name), capability) for name, capability in COMPILED]))
"""

ROUTED = """
import sys, warnings
warnings.simplefilter("error")
sys.path.insert(0, sys.argv[1])
import torch, harness
from test_triton_kernel import private
kernel, calls = private("_triton"), []
forward = kernel.forward
kernel.forward = lambda rows, table: (calls.append(rows.shape), forward(rows, table))[1]
logits = torch.linspace(-4, 3, 60).sin().mul(3).view(3, 20)
slopes = []
for dtype in (torch.float32, torch.float64):
    x = logits.to(dtype).requires_grad_()
    slopes.append(torch.autograd.grad((harness.component("transform", "gaussian")(x) * x.detach()).sum(), x)[0].double())
assert calls == [(3, 20)], calls  # float32 alone goes to the kernels
print(float((slopes[0] - slopes[1]).abs().max()))
"""

COMPILED = [(name, 80) for name in ("spread", "integrate", "integrate_twice", "gather", "combine")] + [("spread", 90)]
"""Kernels and the compute capabilities they are compiled for, which needs no GPU."""


def private(name: str) -> Any:
    """A private module of the transforms."""
    harness.component("transform", "softmax")  # loads the stock plugins
    return importlib.import_module(f"harness.stock.transforms.{name}")


def computed(noise: str, rows: torch.Tensor, cotangent: torch.Tensor) -> dict[str, np.ndarray]:
    """What the kernels make of float32 rows [r, n]."""
    kernel, law = private("_triton"), harness.component("transform", noise).law()
    table = private("_table").table(law, 1 << (rows.shape[1] - 1).bit_length(), False, rows.device)
    p, mass = kernel.forward(rows, table)
    pulled = kernel.pull(rows, p, cotangent, table)
    return {"p": p.cpu().numpy(), "mass": mass.cpu().numpy(), "pulled": pulled.cpu().numpy()}


def cases() -> dict[str, np.ndarray]:
    """By noise and name, float32 rows and cotangent [2, r, n]."""
    random, rows = np.random.default_rng(3), {}
    for n in (2, 3, 10, 33, 100, 1000, 1500):
        rows[f"{n} classes"] = random.normal(scale=2.0, size=(3, n))
    rows["close"] = random.normal(scale=0.05, size=(2, 100))
    rows["far apart"] = random.normal(scale=30.0, size=(3, 100))
    rows["ties"] = np.repeat(random.normal(size=(2, 9)), 7, 1)
    rows["all equal"] = np.zeros((2, 17))
    rows["one dominates"] = np.where(np.arange(129) == 5, 15.0, random.normal(size=(2, 129)))
    rows["one among many below"] = np.where(np.arange(1000) == 5, 0.0, np.full((1, 1000), -3.0))
    rows["not shifted"] = random.normal(size=(2, 20)) + np.array([[100.0], [-50.0]])
    rows["masked"] = np.where(random.random((4, 50)) < 0.5, -np.inf, random.normal(size=(4, 50)))
    rows["one unmasked"] = np.where(np.arange(12) == 3, 2.0, np.full((1, 12), -np.inf))
    pairs = {name: np.stack([z, random.normal(size=z.shape)]).astype(np.float32) for name, z in rows.items()}
    logistic = ("10 classes", "1000 classes", "ties", "masked")
    return {
        **{f"gaussian {name}": pair for name, pair in pairs.items()},
        **{f"logistic {name}": pairs[name] for name in logistic},
    }


def unfit() -> np.ndarray:
    """Rows without an answer, and the last one with."""
    rows = np.zeros((5, 6), np.float32)
    rows[0, 2], rows[1], rows[2, 1], rows[3, :2] = np.nan, -np.inf, np.inf, (np.inf, -np.inf)
    return np.stack([rows, np.ones_like(rows)])


def reference(name: str, rows: np.ndarray, cotangent: np.ndarray) -> tuple[torch.Tensor, torch.Tensor]:
    """p and the product of the cotangent with its Jacobian, by float64 quadrature."""
    logits = torch.tensor(rows, dtype=torch.float64, requires_grad=True)
    p = harness.component("transform", name.split()[0])(logits)
    (pulled,) = torch.autograd.grad(p, logits, torch.tensor(cotangent, dtype=torch.float64))
    return p.detach(), pulled


def check(name: str, pair: np.ndarray, p: np.ndarray, mass: np.ndarray, pulled: np.ndarray) -> None:
    exact, exact_pulled = reference(name, *pair)
    np.testing.assert_allclose(p, exact, rtol=0, atol=1e-6)
    np.testing.assert_allclose(pulled, exact_pulled, rtol=0, atol=1e-6)
    np.testing.assert_allclose(mass, 1, rtol=0, atol=1e-5)
    np.testing.assert_allclose(p.sum(1), 1, rtol=0, atol=1e-5)
    masked = pair[0] == -np.inf
    assert (p >= 0).all() and not p[masked].any() and not pulled[masked].any()


def child(script: str, folder: Path, *arguments: str, **environment: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", script, str(Path(__file__).parent), *arguments],
        env={**os.environ, "TRITON_CACHE_DIR": str(folder / "cache"), **environment},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def interpreted(tmp_path_factory: pytest.TempPathFactory) -> dict[str, np.ndarray]:
    folder = tmp_path_factory.mktemp("triton")
    np.savez(folder / "in.npz", **cases(), **{"gaussian unfit": unfit()})
    child(COMPUTE, folder, str(folder / "in.npz"), str(folder / "out.npz"), TRITON_INTERPRET="1")
    with np.load(folder / "out.npz") as done:
        return dict(done)


@needs_triton
@pytest.mark.parametrize("name", cases())
def test_kernels_equal_the_quadrature(name: str, interpreted: dict[str, np.ndarray]) -> None:
    check(name, cases()[name], *(interpreted[f"{name} {what}"] for what in ("p", "mass", "pulled")))


def check_unfit(p: np.ndarray, pulled: np.ndarray) -> None:
    assert np.isnan(p[:4]).all() and not pulled[:4].any()
    np.testing.assert_allclose(p[4], 1 / 6, rtol=1e-6)


@needs_triton
def test_kernels_give_nan_where_there_is_no_answer(interpreted: dict[str, np.ndarray]) -> None:
    check_unfit(interpreted["gaussian unfit p"], interpreted["gaussian unfit pulled"])


@needs_triton
def test_kernels_compile_for_gpus(tmp_path: Path) -> None:
    texts = dict(zip(COMPILED, json.loads(child(COMPILE, tmp_path, TRITON_INTERPRET="0")), strict=True))
    for (name, _), text in texts.items():
        assert f".entry {name}(" in text
    for capability, width in ((80, ""), (90, ".v4")):  # the four additions of a class travel together
        added = re.findall(r"(?:atom|red)\.global\.gpu\.relaxed\.add([.\w]*)\.f32", texts["spread", capability])
        assert set(added) == {width}


@pytest.mark.skipif(not (INSTALLED and torch.cuda.is_available()), reason="needs triton and a CUDA device")
@pytest.mark.parametrize("name", cases())
def test_kernels_on_a_gpu_equal_the_quadrature(name: str) -> None:
    pair = cases()[name]
    check(name, pair, **computed(name.split()[0], *torch.tensor(pair, device="cuda")))


@pytest.mark.skipif(not (INSTALLED and torch.cuda.is_available()), reason="needs triton and a CUDA device")
def test_a_gpu_gives_nan_where_there_is_no_answer() -> None:
    done = computed("gaussian", *torch.tensor(unfit(), device="cuda"))
    check_unfit(done["p"], done["pulled"])


@needs_triton
def test_a_transform_goes_to_the_kernels_by_itself(tmp_path: Path) -> None:
    assert float(child(ROUTED, tmp_path, TRITON_INTERPRET="1")) < 2e-6


def test_kernels_are_for_cuda_devices_where_triton_is_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TRITON_INTERPRET", raising=False)
    available = private("_triton").available
    assert not available(torch.device("cpu"))
    assert available(torch.device("cuda")) == INSTALLED
