"""`bench import`: a table of results, measured anywhere, as a run with statistics, reports and exports."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from harness.commands.import_columns import STATES, STEPS, Columns, columns
from harness.commands.import_examples import Examples, Units, write_units
from harness.commands.import_tables import Cell, Table, read
from harness.discovery.digests import digest
from harness.errors import BenchError, near_miss
from harness.report.answer import statements
from harness.results import Label, MeasuredRow, MeasuredRun, MetricInfo, Run
from harness.results.codec import stored
from harness.results.runs import environment_digest
from harness.results.store import Store
from harness.results.values import Number
from harness.run import snapshot
from harness.run.analyses import analysed
from harness.run.pipeline import new_run, store_run
from harness.worker.supervisor import Server

CONTENDER, PROBLEM = "contender", "problem"
Key = tuple[str, str]
HIGHER = frozenset(
    {
        *("accuracy", "acc", "top1", "top5", "auc", "auroc", "f1", "map", "precision", "recall", "r2", "score"),
        *("bleu", "rouge", "iou", "dice", "ssim", "psnr"),
    }
)
LOWER = frozenset(
    {
        *("loss", "nll", "error", "err", "rmse", "mse", "mae", "time", "seconds", "runtime", "fid", "kid"),
        *("perplexity", "ppl", "wer", "cer", "ece", "brier"),
    }
)
"""Words in the name of a metric by which its direction is guessed."""


UNFINISHED = frozenset({"crashed", "failed", "killed", "running", "scheduled", "preempted", "preempting", "error"})
"""States, in lower case, of runs whose numbers are not their results."""


@dataclass(frozen=True)
class Imported:
    """A table as a run before its statistics, its results per example, and what was guessed, a sentence each."""

    run: MeasuredRun
    examples: Examples
    guesses: tuple[str, ...]


def imported(
    file: Path,
    mapping: Mapping[str, Sequence[str]],
    higher: Sequence[str] = (),
    lower: Sequence[str] = (),
    baseline: str | None = None,
) -> Imported:
    """Read a table of results. Raises BenchError with the line and the column of a mistake.

    `mapping` names the columns of a role (contender, problem, seed, metric, value, examples); those of other roles are
    guessed.
    """
    table = read(file)
    roles = columns(table, mapping)
    table, unfinished = _finished(table, roles)
    table, last = _last(table, roles)
    found, examples = _values(table, roles, file.parent)
    if not found:
        raise BenchError("no row has a value", str(file))
    metrics, guesses = _metrics(_labels(found), higher, lower)
    rows = tuple(_rows(found, metrics, examples))
    axes: dict[str, list[Label]] = {
        PROBLEM: [*dict.fromkeys(row.vary[PROBLEM] for row in rows)],
        CONTENDER: [*dict.fromkeys(row.vary[CONTENDER] for row in rows)],
    }
    if baseline is not None and baseline not in axes[CONTENDER]:
        names = [str(label) for label in axes[CONTENDER]]
        raise BenchError(f"--baseline: no contender {baseline!r}{near_miss(baseline, names)}")
    run = MeasuredRun(
        suite=file.stem, question="", run="", protocol="import", metrics=metrics, axes=axes,
        contenders=(CONTENDER,), baseline=baseline, cells=rows, exit=0,
        unpaired=() if roles.seed else tuple(metric.label for metric in metrics),
    )  # fmt: skip
    return Imported(run, examples, (*roles.guesses, *unfinished, *last, *guesses, *examples.guesses()))


def _finished(table: Table, roles: Columns) -> tuple[Table, list[str]]:
    """Return the table without the numbers of runs that did not finish, by a column of states, and what was done."""
    used = {*roles.contender, *roles.problem, roles.seed, roles.metric}
    states = [name for name in table.names if name.lower() in STATES and name not in used]
    numbers = (roles.value,) if roles.value is not None else roles.metrics
    lost, rows = 0, []
    for row in table.rows:
        ended = any(row[name].text.lower() in UNFINISHED for name in states)
        rows.append({**row, **{name: replace(row[name], text="") for name in numbers}} if ended else row)
        lost += ended
    said = (
        [f"{states[0]}: {lost} of {len(rows)} lines are of runs that did not finish, and have no value"] if lost else []
    )
    return replace(table, rows=tuple(rows)), said


def _last(table: Table, roles: Columns) -> tuple[Table, list[str]]:
    """Return the table with the last step of every repetition alone, where it has a column of benchopt's steps."""
    if STEPS not in table.names or roles.seed is None or STEPS in (*roles.contender, *roles.problem, roles.seed):
        return table, []
    last: dict[tuple[str, ...], Mapping[str, Cell]] = {}
    for row in table.rows:
        key = tuple(row[name].text for name in (*roles.contender, *roles.problem, roles.seed))
        if key not in last or (row[STEPS].number or 0.0) >= (last[key][STEPS].number or 0.0):
            last[key] = row
    if len(last) == len(table.rows):
        return table, []
    return replace(table, rows=tuple(last.values())), [f"{STEPS}: the last one of every repetition"]


Values = dict[Key, dict[str, dict[int, Cell]]]
"""(problem, contender) -> metric -> seed -> cell."""


def _values(table: Table, roles: Columns, folder: Path) -> tuple[Values, Examples]:
    """Collect the numbers of a table in a folder, and the results per example.

    Raises BenchError for a text that is no number, for two of the same place, and for a wrong file.
    """
    found: Values = {}
    examples = Examples(folder)
    seeds = _Seeds(table, roles)
    for row in table.rows:
        key = (_joined(row, roles.problem) or "all", _joined(row, roles.contender) or "all")
        if roles.value is not None and roles.metric is not None:
            pairs = [(row[roles.metric].text, row[roles.value])]
        else:
            pairs = [(name, row[name]) for name in roles.metrics]
        taken = []
        for metric, cell in pairs:
            if not metric:
                raise BenchError("no name of a metric", f"{table.file}:{cell.line}")
            known = found.setdefault(key, {}).setdefault(metric, {})
            seed = seeds.of(row, len(known))
            if seed in known:
                raise _twice(known[seed], cell, table)
            known[seed] = cell
            taken.append((metric, seed, cell))
        if roles.examples is not None:
            examples.add(key, taken, row[roles.examples])
    return found, examples


def _twice(one: Cell, other: Cell, table: Table) -> BenchError:
    """Return the error of two lines in one place, with the columns that may tell them apart."""
    same = f"lines {one.line} and {other.line} have the same contender, problem, seed and metric"
    rows = [next(row for row in table.rows if row[cell.column].line == cell.line) for cell in (one, other)]
    apart = [name for name in table.names if name != one.column and rows[0][name].text != rows[1][name].text]
    words = [name for name in apart if not rows[0][name].is_number]
    advice = "no other column tells them apart"
    if apart:
        name = (words or apart)[0]
        advice = (
            f"column {name} tells them apart: --map problem=COLUMN+{name}, or --map metric={name} if it names metrics"
        )
    return BenchError(f"column {other.column}: {same}; {advice}", one.file)


class _Seeds:
    """The seed of every row: a whole number, or the place of a text among all texts of the column.

    Raises BenchError for a missing seed, and for a text where most seeds are whole numbers.
    """

    def __init__(self, table: Table, roles: Columns) -> None:
        self._column = roles.seed
        cells = [row[roles.seed] for row in table.rows] if roles.seed else []
        texts = [cell.text for cell in cells]
        numbers = [text.removesuffix(".0").isdigit() for text in texts]
        whole, mostly = all(numbers), 2 * sum(numbers) >= len(numbers)
        for cell, is_whole in zip(cells, numbers, strict=True):
            if cell.missing or (not is_whole and mostly):
                why = "no seed" if cell.missing else f"{cell.text[:40]!r} is no whole number, as other seeds are"
                raise BenchError(f"column {cell.column}: {why}", f"{cell.file}:{cell.line}")
        self._known = {t: int(t.removesuffix(".0")) if whole else place for place, t in enumerate(dict.fromkeys(texts))}

    def of(self, row: Mapping[str, Cell], place: int) -> int:
        """Return the seed of a row; without a column its place among the rows like it."""
        return place if self._column is None else self._known[row[self._column].text]


def _joined(row: Mapping[str, Cell], names: Sequence[str]) -> str:
    """Return the name that some columns give a row. Raises BenchError if one of them is empty."""
    if lost := next((row[name] for name in names if not row[name].text.strip()), None):
        raise BenchError(f"column {lost.column}: it is empty", f"{lost.file}:{lost.line}")
    return " / ".join(row[name].text if len(names) == 1 else f"{name}={row[name].text}" for name in names)


def _labels(found: Values) -> list[str]:
    return [*dict.fromkeys(metric for metrics in found.values() for metric in metrics)]


def _metrics(
    labels: Sequence[str], higher: Sequence[str], lower: Sequence[str]
) -> tuple[tuple[MetricInfo, ...], list[str]]:
    """Return the metrics with their directions, and what was guessed."""
    for name in (*higher, *lower):
        if name not in labels:
            raise BenchError(f"no metric {name!r} in the table{near_miss(name, labels)}")
    guesses, found = [], []
    for label in labels:
        direction = True if label in higher else False if label in lower else _direction(label)
        if label not in (*higher, *lower):
            unknown = f"only describes; say --higher {label} or --lower {label}"
            known = f"{'higher' if direction else 'lower'} is better, by its name"
            guesses.append(f"{label}: {unknown if direction is None else known}")
        found.append(MetricInfo(label=label, higher_is_better=direction))
    ranked = sorted(found, key=lambda metric: metric.higher_is_better is None)
    return tuple(ranked), guesses


def _direction(label: str) -> bool | None:
    """Guess whether more of a metric is better from the words of its name."""
    words = set("".join(c if c.isalnum() else " " for c in label.lower()).split())
    return False if words & LOWER else True if words & HIGHER else None


def _rows(found: Values, metrics: Sequence[MetricInfo], examples: Examples) -> Iterator[MeasuredRow]:
    """Yield one row for every contender and problem; a seed without a number in one metric has None there.

    A row's id is the digest of all that is known of it.
    """
    for (problem, contender), by_metric in found.items():
        seeds = sorted({seed for cells in by_metric.values() for seed in cells})
        values: dict[str, tuple[Number, ...]] = {}
        for metric in metrics:
            cells = by_metric.get(metric.label, {})
            numbers = [cells[seed].number if seed in cells else None for seed in seeds]
            if any(number is not None for number in numbers):
                values[metric.label] = tuple(None if n is None or math.isnan(n) else stored(n) for n in numbers)
        yield MeasuredRow(
            id=digest([problem, contender, seeds, values, examples.found.get((problem, contender), {})]),
            vary={PROBLEM: problem, CONTENDER: contender},
            seeds=tuple(seeds),
            values=values,
        )


def stored_import(found: Imported, file: Path, options: Sequence[str], results: Path) -> Run:
    """Store an imported table as a run with its statistics, its files and the command that imports it, and return it.

    `options` are the command's.
    """
    identity = new_run(results, f"import-{file.stem}")
    snapshot.keep_table(file, found.examples.files, results / "runs" / identity, options)
    rows = tuple(kept(found, results, identity))
    with Server() as server:
        run = analysed(replace(found.run, run=identity, cells=rows), server)
    run = replace(run, statements=statements(run))
    store_run(results, run)
    return run


def kept(found: Imported, results: Path, identity: str) -> Iterator[MeasuredRow]:
    """Write the results per example of every row and their records as a run keeps them; yield the rows with them."""
    store = Store(results, identity)
    try:
        for row in found.run.cells:
            if units := _whole(row, found.examples):
                name = f"{row.id[:16]}-{identity}.npz"
                write_units(results / "units" / name, units)
                store.append({
                    "cell": row.id, "question": row.id, "environment": environment_digest({}), "run": identity,
                    "vary": row.vary, "parameters": {}, "protocol": {"name": found.run.protocol}, "block": None,
                    "status": "imported", "seeds": [*row.seeds], "units": name,
                })  # fmt: skip
                row = replace(row, units=(str(results / "units" / name),))
            yield row
    finally:
        store.close()


def _whole(row: MeasuredRow, examples: Examples) -> dict[str, dict[int, Units]]:
    """Return the results per example of those metrics of a row of which every seed with a value has some."""
    found = examples.found.get((str(row.vary[PROBLEM]), str(row.vary[CONTENDER])), {})
    finite = {
        metric: {seed for seed, value in zip(row.seeds, values, strict=True) if value is not None}
        for metric, values in row.values.items()
    }
    return {metric: by_seed for metric, by_seed in found.items() if finite.get(metric, {-1}) <= set(by_seed)}
