"""The names of random streams are frozen: a renamed stream would draw other splits, weights and noise."""

from __future__ import annotations

import ast
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
FROZEN = {
    "harness/conformance": {
        *("x_T", "data", "superposition", "loss", "case", "logits"),
        *("labels", "noise", "x", "rows", "points", "fit", "jitter", "trial"),
    },
    "harness/diffusion": {"noise"},
    "harness/protocols/accuracy": {"split", "label_noise", "weights", "first batch"},
    "harness/protocols/generation": {"x_T", "exhibit", "reference", "variance", "draws", "data", "grid", "rounding"},
    "harness/protocols/hubness": {"points", "rows", "bootstrap", "ties"},
    "harness/protocols/speed": {"target", "trial"},
    "harness/protocols/transform": {"adversaries", "checks", "logits", "weights"},
    "harness/worker": {"setup", "artifact", "tune", "measure"},
    "plugins/trainers": {"batches", "layers"},
}
"""Folder -> the names that are hashed into its streams; "grid" is the kind that is called spacing now."""


DRAWS = ("generator", "number", "seed_globals", "seed_host")


def named(folder: str) -> set[str]:
    """Every text that a folder's calls of `generator` and `number` are given."""
    found = set()
    for file in (ROOT / folder).rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_bytes())):
            if isinstance(node, ast.Call) and _called(node) in DRAWS:
                found |= {
                    arg.value for arg in node.args if isinstance(arg, ast.Constant) and isinstance(arg.value, str)
                }
    return found


def _called(node: ast.Call) -> str:
    return getattr(node.func, "id", getattr(node.func, "attr", ""))


def test_streams_keep_their_names() -> None:
    assert {folder: named(folder) for folder in FROZEN} == FROZEN


def test_nothing_else_names_a_stream() -> None:
    inside = [ROOT / folder for folder in FROZEN]
    for top in ("harness", "plugins"):
        for file in (ROOT / top).rglob("*.py"):
            if not any(file.is_relative_to(folder) for folder in inside) and file.name != "random.py":
                used = [n for n in ast.walk(ast.parse(file.read_bytes())) if isinstance(n, ast.Call)]
                texts = [a for n in used if _called(n) in DRAWS for a in n.args]
                assert not [a for a in texts if isinstance(a, ast.Constant) and isinstance(a.value, str)], file


def test_kinds_that_were_renamed_draw_from_the_stream_of_their_first_name() -> None:
    from harness.protocols.generation.parts import STREAMS

    assert STREAMS == {"spacing": "grid"}
