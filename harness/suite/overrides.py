"""`--set a.b=c`: replacement of single keys of a suite before it is checked."""

from __future__ import annotations

from harness.base import same_name
from harness.errors import BenchError
from harness.suite.compose import DEPTH, compose
from harness.suite.nodes import Node, Pairs, Word, got, is_null
from harness.suite.source import Findings, Place, Source, shown


def override(root: Pairs, key: str, text: str, findings: Findings) -> Pairs:
    """Return the root with the value at a dotted key replaced; missing mappings on the way are created.

    `seeds` keeps a written `split`, and the text after `tune.` is one key. Raises BenchError at `--set KEY`.
    """
    source = Source(f"--set {key}", text, is_file=False)
    path = _path(key)
    place = Place(source)
    if not all(path) or len(path) > DEPTH:
        raise BenchError(f"expected KEY.KEY=VALUE, got the key {shown(key)}", source.name)
    value = compose(source, findings) or Word(place, None, "")
    if path == ["seeds"] and isinstance(root.get("seeds"), Pairs) and not isinstance(value, Pairs):
        path.append("n")
    result = _set(root, path, value, place, 0)
    assert isinstance(result, Pairs)
    return result


def _path(key: str) -> list[str]:
    parts = [part.strip() for part in key.split(".")]
    return ["tune", ".".join(parts[1:])] if same_name(parts[0]) == "tune" and len(parts) > 2 else parts


def _set(node: Node | None, path: list[str], value: Node, place: Place, done: int) -> Node:
    if done == len(path):
        return value
    if node is None or is_null(node):
        node = Pairs(place, ())
    if not isinstance(node, Pairs):
        where = ".".join(path[:done])
        raise BenchError(f"{where} is {got(node)} in the suite: set {where} as a whole", place.source.name)
    name = same_name(path[done])
    new = _set(node.get(name), path, value, place, done + 1)
    kept = [(key, old) for key, old in node.pairs if same_name(key.text) != name]
    at = next((i for i, (n, _, _) in enumerate(node.named()) if n == name), len(kept))
    kept.insert(at, (Word(place, path[done], path[done]), new))
    return Pairs(node.place, tuple(kept))
