"""A component table written by hand: what the command knows of plugins, without any plugin."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from harness import suite
from harness.errors import Mistakes

Table = dict[tuple[str, str], dict[str, Any]]

NUMBER = {"type": "number"}
POSITIVE = {"type": "number", "exclusiveMinimum": 0}
UNIT = {"type": "number", "minimum": 0, "maximum": 1}
COUNT = {"type": "integer", "minimum": 1}
LOSS = {"$ref": "#/$defs/loss"}
TRANSFORM = {"$ref": "#/$defs/transform"}

FIELDS: dict[tuple[str, str], dict[str, tuple[Any, ...]]] = {
    ("dataset", "digits"): {"label_noise": (UNIT, 0.0), "imbalance": (NUMBER, 1.0)},
    ("dataset", "csv"): {"file": ({"type": "string", "format": "path"},), "header": ({"type": "boolean"}, True)},
    ("model", "mlp"): {"hidden": ({"type": "array", "items": COUNT}, [64])},
    ("model", "linear"): {},
    ("loss", "cross_entropy"): {},
    ("loss", "hinge"): {"form": ({"enum": ["crammer_singer", "weston_watkins"]}, "crammer_singer")},
    ("loss", "focal"): {"gamma": (NUMBER, 2.0)},
    ("loss", "exact"): {"temperature": (POSITIVE,), "margin": (NUMBER, 0.0), "draws": (COUNT, 8)},
    ("loss", "nll"): {"transform": (TRANSFORM, {"name": "softmax"}), "scale": (POSITIVE, 1)},
    ("loss", "scaled"): {"loss": (LOSS,), "temperature": ({"anyOf": [POSITIVE, {"type": "null"}]}, None)},
    ("loss", "mixed"): {"parts": ({"type": "array", "items": LOSS}, [])},
    ("loss", "pkg.losses:mine"): {},
    ("transform", "softmax"): {},
    ("transform", "gaussian"): {"scale": (POSITIVE, 1.0)},
    ("transform", "spherical"): {"extra": ({}, None)},
    ("trainer", "auto"): {},
    ("trainer", "stacked"): {},
    ("trainer", "command"): {"run": ({"type": "string"},)},
    ("trainer", "script"): {"run": ({"type": "string", "format": "command"},)},
    ("metric", "accuracy"): {},
    ("metric", "nll"): {},
    ("metric", "ece"): {"bins": (COUNT, 15)},
    ("metric", "fid"): {},
    ("metric", "entropy"): {},
    ("metric", "reported"): {"key": ({"type": "string"},)},
    ("metric", "misspelled"): {},
    ("protocol", "accuracy"): {
        "epochs": (COUNT, 30),
        "optimizer": ({"enum": ["adam", "sgd"]}, "adam"),
        "lr": (POSITIVE, 0.01),
        "amp": ({"type": "boolean"}, False),
    },
    ("protocol", "training"): {},
    ("protocol", "speed"): {"n": (COUNT,), "shape": ({"type": "array", "items": COUNT}, [1])},
}

MORE: dict[tuple[str, str], dict[str, Any]] = {
    ("metric", "accuracy"): {"inputs": ["logits", "target"]},
    ("metric", "nll"): {"inputs": ["probabilities", "target"]},
    ("metric", "ece"): {"inputs": ["probabilities", "target"]},
    ("metric", "fid"): {"inputs": ["samples"]},
    ("metric", "misspelled"): {"inputs": ["logits", "tarket"], "file": "mine.py", "line": 7},
    ("metric", "reported"): {"inputs": ["outcome"]},
    ("trainer", "script"): {"facts": {"external": True}},
    ("metric", "entropy"): {"facts": {"higher_is_better": None}},
    ("protocol", "accuracy"): {
        "facts": {
            "required_kinds": {"dataset": None, "loss": None, "model": {"name": "mlp"}},
            "compared_kinds": ["loss", "trainer"],
            "metric_inputs": ["logits", "probabilities", "target"],
        }
    },
    ("protocol", "training"): {
        "facts": {
            "required_kinds": {"loss": None, "trainer": {"name": "auto"}},
            "compared_kinds": ["loss", "trainer"],
            "metric_inputs": ["logits", "target", "samples"],
            "metrics": None,
        }
    },
    ("protocol", "speed"): {
        "facts": {
            "required_kinds": {"loss": None},
            "compared_kinds": ["loss"],
            "metric_inputs": ["target", "logits"],
            "metrics": ["accuracy"],
            "interleaved": True,
        }
    },
}


@pytest.fixture(scope="session")
def table() -> Table:
    made: Table = {}
    for (kind, name), fields in FIELDS.items():
        about = {
            f: {"schema": said[0], **({"default": said[1]} if len(said) > 1 else {})} for f, said in fields.items()
        }
        dynamic = kind in ("loss", "transform")
        description = {"kind": kind, "name": name, "doc": f"The {name}.", "dynamic": dynamic, "fields": about}
        made[kind, name] = description | MORE.get((kind, name), {})
    return made


@pytest.fixture
def load(table: Table, tmp_path: Path) -> Callable[..., suite.Suite]:
    """Text of a suite -> the checked suite; the file is called `question.yaml`."""

    def _load(text: str, overrides: dict[str, str] | None = None) -> suite.Suite:
        file = tmp_path / "question.yaml"
        file.write_text(text, encoding="utf-8")
        return suite.load(file, table, overrides)

    return _load


@pytest.fixture
def mistakes(load: Callable[..., suite.Suite], tmp_path: Path) -> Callable[..., list[str]]:
    """Text of a suite -> `line:col: what` of every mistake, without the excerpt."""

    def _mistakes(text: str, overrides: dict[str, str] | None = None) -> list[str]:
        with pytest.raises(Mistakes) as caught:
            load(text, overrides)
        return [line.split("\n")[0].removeprefix(f"{tmp_path / 'question.yaml'}:") for line in caught.value.lines]

    return _mistakes
