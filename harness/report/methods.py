"""Description of the experiment, in sentences for the methods section of a paper."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from types import MappingProxyType

from harness.report.parts import View
from harness.report.prose import intervals, seeds
from harness.report.view import view
from harness.report.words import counted
from harness.results import IntervalKind, Json, Run

_SPREADS: Mapping[IntervalKind, str] = MappingProxyType(
    {
        IntervalKind.BOTH: (
            "over seeds and test examples, the variance clustered both ways (Cameron, Gelbach and Miller, 2011)"
        ),
        IntervalKind.SEEDS: "over seeds",
        IntervalKind.EXAMPLES: "over test examples",
    }
)
_SOFTWARE = (("Python", "python"), ("PyTorch", "torch"), ("NumPy", "numpy"))


def render(run: Run, width: int | None = None) -> str:
    """Render one paragraph of plain text; `width` is not used."""
    return " ".join(_sentences(view(run))) + "\n"


def _sentences(shown: View) -> Iterator[str]:
    yield from _compared(shown)
    yield from _tuned(shown)
    yield from _intervals(shown)
    yield from _tests(shown)
    yield from _pooled(shown)
    yield from _lost(shown)
    yield from _surroundings(shown.run.environment)


def _compared(shown: View) -> Iterator[str]:
    labels = list(dict.fromkeys(entry.label for entry in shown.entries))
    titles = [problem.title for problem in shown.problems if problem.title]
    from harness import __version__  # which compares what another program has measured

    version, harness = shown.run.protocol_version, shown.run.environment.get("harness") or __version__
    where = f" on {counted(len(titles), 'problem')} ({_listed(titles)})" if titles else ""
    protocol = f"the protocol {shown.run.protocol}{f' (version {version})' if version else ''}"
    contenders = f"{counted(len(labels), 'contender')} ({_listed(labels)})"
    yield f"We compared {contenders}{where} by {protocol} of Touchstone {harness}."
    if count := seeds(shown):
        yield f"Rows were measured with {count}, and paired by seed."


def _tuned(shown: View) -> Iterator[str]:
    names = list(dict.fromkeys(name for entry in shown.entries for name in entry.row.tuned))
    if names:
        equal = "in equally many trials, on validation data and seeds of their own"
        yield f"Tuned for every contender, {equal}: {_listed(names)}."


def _intervals(shown: View) -> Iterator[str]:
    """Yield sentences on the intervals of each metric; metrics compared by ratio have their own sentence."""
    by_ratio = [metric.label for metric in shown.metrics if metric.relative_margin is not None]
    for kind, names in intervals(shown, [name for name in shown.names if name not in by_ratio]).items():
        yield f"95 % intervals by Student's t {_SPREADS[kind]}: {_listed(names)}."
    if by_ratio:
        yield f"Compared by the ratio to the baseline: {_listed(by_ratio)}."


def _tests(shown: View) -> Iterator[str]:
    sizes = sorted({each.family for each in shown.comparisons if each.p_holm is not None})
    if not sizes:
        return
    family = " to ".join([*map(str, sizes[:-1][:1]), counted(sizes[-1], "comparison")])
    baselines = f"the baseline {shown.baselines[0]}" if len(shown.baselines) == 1 else "their baselines"
    yield (
        f"Differences to {baselines} were tested two-sided at a level of 5 %, p adjusted by Holm (1979) over the "
        f"{family} of a metric."
    )
    if margin := shown.run.margin:
        named = [f"{size:g} in {name}" for name, size in margin.items()] if isinstance(margin, dict) else [margin]
        yield f"Two one-sided tests (Schuirmann, 1987) show what is equivalent, with a margin of {_listed(named)}."


def _pooled(shown: View) -> Iterator[str]:
    names = [each.metric for each in shown.run.overall if any(one.pooled for one in each.standings)]
    if names:
        source = "Paule and Mandel, 1982; Hartung and Knapp, 2001"
        how = f"a random-effects mean ({source}), p adjusted by Holm over the contenders"
        yield f"Differences were pooled over problems by {how}: {_listed(names)}."


def _lost(shown: View) -> Iterator[str]:
    for status in dict.fromkeys(entry.row.status for entry in shown.entries if entry.ended):
        yield f"Rows that ended as {status}: {sum(entry.row.status is status for entry in shown.entries)}."


def _surroundings(environment: Mapping[str, Json]) -> Iterator[str]:
    versions = [f"{name} {environment[key]}" for name, key in _SOFTWARE if environment.get(key)]
    machine = [environment[key] for key in ("device", "machine", "system") if environment.get(key)]
    threads = environment.get("threads")
    if versions or machine:
        parts = [
            *versions,
            *machine,
            *([f"{counted(threads, 'thread')} a process"] if isinstance(threads, int) else []),
        ]
        yield f"Everything ran with {_listed(parts)}."
    plugins = environment.get("plugins")
    if isinstance(plugins, dict) and plugins:
        yield f"Plugins by the digest of their code: {_listed(f'{name} {digest}' for name, digest in plugins.items())}."


def _listed(words: Iterable[object]) -> str:
    return ", ".join(map(str, words))
