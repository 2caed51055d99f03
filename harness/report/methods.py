"""What was done, in sentences for the methods section of a paper."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from types import MappingProxyType
from typing import Any

from harness.report.parts import View
from harness.report.prose import counted, seeds
from harness.report.view import view

_SPREADS: Mapping[str, str] = MappingProxyType(
    {
        "both": "over seeds and test examples, the variance clustered both ways (Cameron, Gelbach and Miller, 2011)",
        "seeds": "over seeds",
        "examples": "over test examples",
    }
)
_SOFTWARE = (("Python", "python"), ("PyTorch", "torch"), ("NumPy", "numpy"))


def render(result: Mapping[str, Any], width: int | None = None) -> str:
    """One paragraph of plain text; `width` is not used."""
    return " ".join(_sentences(view(result))) + "\n"


def _sentences(shown: View) -> Iterator[str]:
    yield from _compared(shown)
    yield from _tuned(shown)
    yield from _intervals(shown)
    yield from _tests(shown)
    yield from _lost(shown)
    yield from _surroundings(shown.data.get("environment") or {})


def _compared(shown: View) -> Iterator[str]:
    labels = list(dict.fromkeys(row.label for row in shown.rows))
    titles = [problem.title for problem in shown.problems if problem.title]
    version, harness = shown.data.get("protocol_version"), (shown.data.get("environment") or {}).get("harness")
    where = f" on {counted(len(titles), 'problem')} ({_listed(titles)})" if titles else ""
    protocol = f"the protocol {shown.data.get('protocol')}{f' (version {version})' if version else ''}"
    software = f"Touchstone {harness}" if harness else "Touchstone"
    yield f"We compared {counted(len(labels), 'contender')} ({_listed(labels)}){where} by {protocol} of {software}."
    if count := seeds(shown):
        yield f"Rows were measured with {count}, and paired by seed."


def _tuned(shown: View) -> Iterator[str]:
    names = list(dict.fromkeys(name for row in shown.rows for name in row.cell.get("tuned") or {}))
    if names:
        equal = "in equally many trials, on validation data and seeds of their own"
        yield f"Tuned for every contender, {equal}: {_listed(names)}."


def _intervals(shown: View) -> Iterator[str]:
    """How each metric's doubt was found; one compared by ratio has its own way."""
    by_ratio = [str(metric["label"]) for metric in shown.metrics if metric.get("ratio") is not None]
    kinds: dict[str, list[str]] = {}
    for name in (name for name in shown.names if name not in by_ratio):
        found = {str(row.metric(name)["interval"]) for row in shown.rows if row.metric(name).get("low") is not None}
        for kind in sorted(found):
            kinds.setdefault(kind, []).append(name)
    for kind, names in kinds.items():
        yield f"95 % intervals by Student's t {_SPREADS.get(kind, kind)}: {_listed(names)}."
    if by_ratio:
        yield f"Compared by the ratio to the baseline: {_listed(by_ratio)}."


def _tests(shown: View) -> Iterator[str]:
    entries = [row.against(name) for row in shown.rows for name in shown.names]
    sizes = sorted({entry["family"] for entry in entries if entry.get("p_holm") is not None})
    if not sizes:
        return
    family = " to ".join([*map(str, sizes[:-1][:1]), counted(sizes[-1], "comparison")])
    baselines = f"the baseline {shown.baselines[0]}" if len(shown.baselines) == 1 else "their baselines"
    yield (
        f"Differences to {baselines} were tested two-sided at a level of 5 %, p adjusted by Holm (1979) over the "
        f"{family} of a metric."
    )
    if margin := shown.data.get("margin"):
        named = [f"{size:g} in {name}" for name, size in margin.items()] if isinstance(margin, Mapping) else [margin]
        yield f"Two one-sided tests (Schuirmann, 1987) show what counts as the same, with a margin of {_listed(named)}."


def _lost(shown: View) -> Iterator[str]:
    for status in dict.fromkeys(row.status for row in shown.rows if row.status != "ok"):
        yield f"Rows that ended as {status}: {sum(row.status == status for row in shown.rows)}."


def _surroundings(environment: Mapping[str, Any]) -> Iterator[str]:
    versions = [f"{name} {environment[key]}" for name, key in _SOFTWARE if environment.get(key)]
    machine = [environment[key] for key in ("device", "machine", "system") if environment.get(key)]
    threads = environment.get("threads")
    if versions or machine:
        parts = [*versions, *machine, *([f"{counted(threads, 'thread')} a process"] if threads else [])]
        yield f"Everything ran with {_listed(parts)}."
    if plugins := environment.get("plugins"):
        yield f"Plugins by the digest of their code: {_listed(f'{name} {digest}' for name, digest in plugins.items())}."


def _listed(words: Iterable[object]) -> str:
    return ", ".join(map(str, words))
