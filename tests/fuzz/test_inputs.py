"""Damaged files: a mistake in one line or what can be read, never a traceback, a long wait or a lot of memory.

100,000 inputs in `make verify`, ten times as many with FULL=1; the seeds are fixed.
"""

from __future__ import annotations

import json
import os
import random
import resource
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from harness import suite
from harness.commands import import_tables
from harness.commands.import_columns import columns
from harness.discovery import cache
from harness.errors import BenchError
from harness.report import render
from harness.results import runs
from harness.results.store import Store
from plugins.datasets._csv_text import read as read_csv
from tests.suite.conftest import table  # noqa: F401 - a fixture

ROOT = Path(__file__).resolve().parents[2]
TIMES = 10 if os.environ.get("FULL") == "1" else 1
LONGEST, MOST = 1.0, 200 << 20
ODD = (
    b"null", b"[]", b"{}", b"5", b'""', b"-1", b"1e999", b"NaN", b"true", b"[[[[[[", b'{"a":', b"9" * 40, b'"inf"', b"\xff\xfe",
    b"\0", b"\\u0000", b'"\\ud800"', b"\r", b"\n", b"\t", b"*a", b"&a", b"<<: ", b"!!python/object:os.system", b": ", b"- ", b"[" * 5000,
)  # fmt: skip

SUITE = b"""suite: plain
question: [{ask: Which is best?, metric: accuracy, axis: loss}]
protocol: accuracy
vary:
  dataset: [digits, {digits: {label_noise: 0.1}}]
  loss: [cross_entropy, {focal: {gamma: [1, 2.5]}}, {exact: {temperature: {geometric: [10, 0.1]}}, as: ours}]
settings: {epochs: [1, 2]}
tune: {lr: [1e-3, 1e-2]}
seeds: {n: 8, split: fixed}
metrics: [accuracy, {ece: {bins: 5}, as: calibration}]
baseline: cross_entropy
margin: {accuracy: 0.01}
gates: {accuracy: {max_regression: 5%, min: 0.5}}
claims: [{theorem: x, metric: accuracy, order: [cross_entropy, ours], where: {epochs: 1}}]
"""
TABLE = b'name,"label, quoted",x\na,1,0.5\nb,2,\nc,1,NA\n"d ""e""",2,1e5\n'
RESULTS = b'{"method": "a", "seed": 1, "accuracy": 0.5, "loss": {"nll": 0.1}}\n' * 3


def mutated(rng: random.Random, data: bytes) -> bytes:
    """The data with some damage: bits, pieces cut, doubled, moved, or replaced by something odd."""
    made = bytearray(data)
    for _ in range(rng.choice((1, 1, 2, 4))):
        at = rng.randrange(len(made) + 1)
        length = rng.choice((1, 2, 8, 64))
        way = rng.randrange(7)
        if way == 0 and made:
            made[min(at, len(made) - 1)] ^= 1 << rng.randrange(8)
        elif way == 1:
            del made[at : at + length]
        elif way == 2:
            made[at:at] = made[at : at + length] * rng.choice((1, 2, 50))
        elif way == 3:
            made[at : at + length] = rng.choice(ODD)
        elif way == 4:
            made[at:at] = rng.choice(ODD)
        elif way == 5:
            made = made[:at]
        else:
            other = rng.randrange(len(made) + 1)
            made[at:at] = made[other : other + length]
    return bytes(made)


def tried(count: int, seed: int, data: bytes, use: Callable[[bytes], object]) -> None:
    """Use damaged data so many times: BenchError is the one exception, and no use takes long or much memory."""
    rng, before = random.Random(seed), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    for _ in range(count * TIMES):
        damaged = mutated(rng, data)
        started = time.process_time()
        try:
            use(damaged)
        except BenchError as error:
            assert str(error)
        except Exception as error:
            raise AssertionError(f"{type(error).__name__}: {error} for {damaged!r}") from error
        assert time.process_time() - started < LONGEST, damaged
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < MOST >> 10


@pytest.fixture(scope="module")
def result() -> bytes:
    """A stored result with claims and gates, of a few rows."""
    found = json.loads((ROOT / "results" / "reference" / "quickstart.json").read_text())
    found["cells"] = found["cells"][:4]
    return json.dumps(found).encode()


FEW = pytest.param(1, id="few")
MANY = pytest.param(100, id="many", marks=pytest.mark.verify)


@pytest.mark.parametrize("share", [FEW, MANY])
def test_suites(share: int, tmp_path: Path, table: dict[tuple[str, str], Any]) -> None:  # noqa: F811
    file = tmp_path / "s.yaml"

    def use(data: bytes) -> None:
        file.write_bytes(data)
        suite.check(suite.read(str(file)), table)

    tried(150 * share, 1, SUITE, use)


@pytest.mark.parametrize("share", [FEW, MANY])
def test_results(share: int, tmp_path: Path, result: bytes) -> None:
    file = tmp_path / "result.json"

    def use(data: bytes) -> None:
        file.write_bytes(data)
        run = runs.stored(tmp_path, str(file))
        for form in ("console", "csv", "md", "latex", "methods"):
            render(run, form)

    tried(50 * share, 2, result, use)


@pytest.mark.parametrize("share", [FEW, MANY])
def test_pages(share: int, tmp_path: Path, result: bytes) -> None:
    file = tmp_path / "result.json"

    def use(data: bytes) -> None:
        file.write_bytes(data)
        page = render(runs.stored(tmp_path, str(file)), "html")
        assert page.count("<script") == 1

    tried(2 * share, 7, result, use)


@pytest.mark.parametrize("share", [FEW, MANY])
def test_records(share: int, tmp_path: Path) -> None:
    (tmp_path / "records").mkdir()
    file = tmp_path / "records" / "a.jsonl"
    record = {
        "schema": 1, "cell": "abc", "question": "q", "environment": "e", "run": "r", "block": 0, "status": "ok",
        "seeds": [0, 1], "width": 2, "metrics": {"m": [1.0, "inf"], "n": None}, "units": "u.npz", "notes": ["a"],
        "issues": [], "skipped": {}, "read": {"f": "d"}, "seconds": 1.5, "tuned": {"lr": 0.1},
    }  # fmt: skip
    line = json.dumps(record).encode() + b"\n"

    def use(data: bytes) -> None:
        file.write_bytes(data)
        for found in Store(tmp_path, "").all([]):
            assert isinstance(found["seeds"], list)

    tried(400 * share, 3, line * 2, use)


@pytest.mark.parametrize("share", [FEW, MANY])
def test_tables(share: int, tmp_path: Path) -> None:
    def use(data: bytes) -> None:
        file = tmp_path / "t.csv"
        file.write_bytes(data)
        read_csv(str(file), ",")

    tried(150 * share, 4, TABLE, use)


@pytest.mark.parametrize("share", [FEW, MANY])
@pytest.mark.parametrize(
    ("name", "data"), [("r.jsonl", RESULTS), ("r.csv", b"method,seed,accuracy\na,0,0.5\nb,0,0.7\n")]
)
def test_imports(share: int, name: str, data: bytes, tmp_path: Path) -> None:
    file = tmp_path / name

    def use(data: bytes) -> None:
        file.write_bytes(data)
        columns(import_tables.read(file), {})

    tried(75 * share, 5, data, use)


@pytest.mark.parametrize("share", [FEW, MANY])
def test_caches(share: int, tmp_path: Path) -> None:
    file, content = tmp_path / "c.json", {"state": "s", "plugins": {"a": [{"kind": "loss"}]}}
    cache.write(file, content)
    data = file.read_bytes()

    def use(damaged: bytes) -> None:
        file.write_bytes(damaged)
        assert cache.read(file) == (content if damaged == data else None)

    tried(100 * share, 6, data, use)
