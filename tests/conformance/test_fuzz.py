"""Wrong components made from the correct examples, thirty or more for every kind: none is ranked, each is named.

A mutant is an operator on what a method answers, or on what it is given, and the calls at which it is at work.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from harness import BenchError
from harness.errors import own_line
from tests.conftest import Bench
from tests.helpers.mutants import HEAD, Mutant
from tests.helpers.sampled_mutants import SAMPLED
from tests.helpers.trained_mutants import TRAINED
from tests.protocols.sessions import open_session

LEAST = 30
KINDS = TRAINED | SAMPLED
QUICK = 7
"""One mutant of so many is tried by `make test`, of two kinds whose rows take no time."""

DEFAULTS = {
    "dataset": "iris",
    "model": "mlp",
    "loss": "cross_entropy",
    "trainer": "auto",
    "metrics": "[nll, brier]",
    "denoiser": "{gaussian: {dim: 2}}",
    "sampler": "ddpm",
    "variance": "beta_tilde",
    "spacing": "even",
    "prior": "normal",
    "feature": "pixels",
    "dissimilarity": "euclidean",
}
ASK = {
    "transform": ("loss", "{{nll: {{transform: {name}}}}}"),
    "schedule": ("denoiser", "{{gaussian: {{dim: 2, schedule: {name}}}}}"),
}
"""Kinds that others hold: the axis, and how the component stands there."""


def snake(name: str) -> str:
    return "".join(
        f"_{c.lower()}" if c.isupper() and k and not name[k - 1].isupper() else c.lower() for k, c in enumerate(name)
    ).replace("plain_d_d_i_m", "plain_ddim")


@pytest.fixture(scope="module")
def folder(shared: Callable[[str], Bench]) -> Bench:
    return shared("fuzz")


def test_there_are_thirty_different_mutants_of_every_kind() -> None:
    for kind, (_, mutants, _) in KINDS.items():
        assert len({mutant.source for mutant in mutants}) == len(mutants) >= LEAST, kind


@pytest.mark.parametrize("kind", ["loss", "variance"])
@pytest.mark.verify
def test_some_mutants_are_not_ranked_and_named(kind: str, folder: Bench) -> None:
    check(kind, KINDS[kind][1][::QUICK], folder)


@pytest.mark.verify
@pytest.mark.parametrize("kind", sorted({*KINDS} - {"metric"}))
def test_no_mutant_is_ranked_and_each_is_named(kind: str, folder: Bench) -> None:
    check(kind, KINDS[kind][1], folder)


def check(kind: str, mutants: Sequence[Mutant], folder: Bench) -> None:
    good, _, suite = KINDS[kind]
    source(kind, mutants, folder)
    names = [snake(good), *(f"mutant{k}" for k in range(len(mutants)))]
    axis, form = ASK.get(kind, (kind, "{name}"))
    points = "[" + ", ".join(form.format(name=name) for name in names) + "]"
    right, *wrong = _run(folder, suite.format(**DEFAULTS | {axis: points}))
    assert right["status"] == "ok", right["reason"]
    found = list(zip(mutants, names[1:], wrong, strict=True))
    ranked = [mutant.source for mutant, _, cell in found if cell["status"] == "ok"]
    assert not ranked, "\n".join(ranked)
    nameless = [
        f"{mutant.source} {cell['reason']}" for mutant, name, cell in found if not named(kind, name, cell["reason"])
    ]
    assert not nameless, "\n".join(nameless)


def source(kind: str, mutants: Sequence[Mutant], folder: Bench) -> Path:
    """The plugin file of the good example and its mutants."""
    changes = ", ".join(mutant.source for mutant in mutants)
    return folder.write("wrong.py", HEAD.format(module=kind, good=KINDS[kind][0], mutants=f"[{changes}]"))


def named(kind: str, name: str, reason: str) -> bool:
    """Whether a reason says a line of the plugin, or of the example it is made from, or begins with the component."""
    return any(place in reason for place in ("wrong.py:", f"({kind}.py:")) or reason.startswith(f"{name} ")


@pytest.mark.verify
def test_no_wrong_metric_is_ranked_and_each_is_named(folder: Bench, tmp_path: Path) -> None:
    """In this process: metrics are no axis, so that every mutant would be a run of its own."""
    mutants = KINDS["metric"][1]
    spec = importlib.util.spec_from_file_location("wrong", source("metric", mutants, folder))
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    right, *wrong = (made() for made in module.components())
    assert open_session(tmp_path, metrics={"m": right}, epochs=1).measure(range(32), {}).metrics["m"]
    nameless = []
    for mutant, metric in zip(mutants, wrong, strict=True):
        with pytest.raises(Exception) as caught:
            open_session(tmp_path, metrics={"m": metric}, epochs=1).measure(range(32), {})
            pytest.fail(f"ranked: {mutant.source}")
        error = caught.value
        said = str(error) if isinstance(error, BenchError) else f"{error}{own_line(error)}"
        if "wrong.py:" not in said:
            nameless.append(f"{mutant.source} {said}")
    assert not nameless, "\n".join(nameless)


def _run(folder: Bench, text: str) -> list[Any]:
    folder.write("s.yaml", text)
    ended = folder("s.yaml", "--json", "-", timeout=300)
    assert ended.code in (0, 3, 4), ended.err
    return list(ended.json["cells"])
