"""The engine of the page on Ray, by submitit's executor of processes: a real run on it."""

from __future__ import annotations

import importlib.util

import pytest

from tests.conftest import Bench
from tests.docs.blocks import ROOT, files

MISSING = "" if importlib.util.find_spec("submitit") else "submitit is not installed"
PAGE = files((ROOT / "docs" / "ray.md").read_text())


@pytest.mark.verify
@pytest.mark.skipif(bool(MISSING), reason=MISSING)
def test_the_engine_of_the_page_measures_what_the_local_one_does(bench: Bench) -> None:
    bench.write("submitit_engine.py", PAGE["submitit_engine.py"])
    suite = bench.suite(loss="[good, {good: {value: [2, 3]}}]", resources="{cpus: 1}")
    here = bench(suite, "-q", "--results", "local")
    there = bench(suite, "-q", "--plugin", "submitit_engine.py", "--engine", "submitit", "-j", "2", timeout=120)
    assert there.code == 0 and there.err == "", there.err
    assert there.out == here.out
    assert "good(value=3.0) best" in there.out
