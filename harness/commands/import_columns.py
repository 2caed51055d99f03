"""The roles of the columns of a table of results, as said or guessed from their names and contents."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from harness.commands.import_tables import Table
from harness.errors import BenchError, near_miss

ROLES = ("contender", "problem", "seed", "metric", "value", "examples")
NAMES: Mapping[str, Sequence[str]] = {
    "contender": ("contender", "method", "model", "algorithm", "solver", "solver_name", "loss", "optimizer", "name"),
    "problem": ("problem", "dataset", "dataset_name", "data", "data_name", "task", "benchmark"),
    "seed": ("seed", "random_state", "replicate", "repetition", "idx_rep", "rep", "fold", "trial"),
    "metric": ("metric", "metric_name", "measure", "key", "variable"),
    "value": ("value", "score", "metric_value", "result"),
    "examples": ("examples", "per_example", "examples_file", "per_example_file"),
}
"""Names by which a role is guessed, the likeliest first; `params.NAME`, `config.NAME` and `p_NAME` count as NAME."""
IGNORED = frozenset(
    {
        *("id", "run_id", "experiment_id", "status", "state", "start_time", "end_time", "artifact_uri", "created"),
        *("runtime", "notes", "user", "tags", "sweep", "_step", "_timestamp", "_runtime", "unnamed:_0", "column_1"),
        *("lr", "learning_rate", "epoch", "epochs", "step", "steps", "global_step", "iteration", "batch_size"),
        *("stop_val", "version", "date"),
    }
)
"""Names, in lower case, of columns that no tool means as a result."""
STATES = ("state", "status")
"""Names, in lower case, of columns with the state of a run."""
FILES = (".npz", ".csv", ".tsv")
"""Endings of files with results per example."""
STEPS = "stop_val"
"""Column of benchopt for how long a solver ran; the last one of a repetition is its result."""


UNTOLD = frozenset({"unnamed:_0", "column_1"})
"""Names of columns that are left out without a word: the index of a table."""
SHOWN = 8
"""Number of columns that a sentence names."""


@dataclass(frozen=True)
class Columns:
    """Columns by role. A table is long if it has `metric` and `value`, else wide: a column for each of `metrics`.

    `examples` names a file with the results per example of every line.
    """

    contender: tuple[str, ...]
    problem: tuple[str, ...]
    seed: str | None
    metric: str | None
    value: str | None
    metrics: tuple[str, ...]
    guesses: tuple[str, ...]
    examples: str | None = None


def columns(table: Table, mapping: Mapping[str, Sequence[str]]) -> Columns:
    """Return the roles of a table's columns. Raises BenchError for a column that is not there."""
    for role, names in mapping.items():
        if role not in ROLES:
            raise BenchError(f"--map: no role {role!r}{near_miss(role, ROLES)}")
        for name in names:
            if name not in table.names:
                raise BenchError(f"--map {role}: no column {name!r}{near_miss(name, table.names)}", table.file)
    taken = {name for names in mapping.values() for name in names}
    found: dict[str, tuple[str, ...]] = {role: tuple(names) for role, names in mapping.items()}
    guesses = []
    for role in ROLES:
        guess = None if role in found else _guessed(role, table, taken)
        if guess is not None:
            found[role] = (guess,)
            taken.add(guess)
            guesses.append(f"{role}: column {guess}")
    long = "metric" in found and "value" in found
    metrics = () if long else _metrics(table, taken - set(found.get("value", ())) - set(found.get("metric", ())))
    _check(table, found, long or bool(metrics), said="contender" in mapping)
    guesses.append(f"long: one result a line, {found['value'][0]} of {found['metric'][0]}" if long
                   else f"wide: one metric a column, {', '.join(metrics)}")  # fmt: skip
    used = {*taken, *metrics, *(name for names in found.values() for name in names)}
    if left := [name for name in table.names if name not in used and _plain(name) not in UNTOLD]:
        guesses.append(f"not used: {', '.join(left[:SHOWN])}{', ...' * (len(left) > SHOWN)}")
    if "seed" not in found:
        guesses.append("no column of seeds: equal rows are replicates, and nothing is paired")
    one = {role: names[0] for role, names in found.items()}
    return Columns(
        found.get("contender", ()), found.get("problem", ()), one.get("seed"),
        one.get("metric") if long else None, one.get("value") if long else None, metrics, tuple(guesses),
        one.get("examples"),
    )  # fmt: skip


def _check(table: Table, found: Mapping[str, Sequence[str]], has_numbers: bool, said: bool) -> None:
    """Raises BenchError for a table whose numbers or contenders cannot be told; `said` is whether these are given."""
    for name in table.names:
        texts = [row[name].text.strip() for row in table.rows]
        if texts and all(text.startswith("{") and text.endswith("}") for text in texts):
            raise BenchError(f"column {name} holds mappings as text: write a column for each of their keys", table.file)
    if not has_numbers:
        raise BenchError("no column of numbers is left for a metric: --map metric=COLUMN,value=COLUMN", table.file)
    if "contender" not in found:
        looked = ", ".join(NAMES["contender"][:5])
        why = f"no column says what is compared (looked for {looked}, ...): --map contender=COLUMN"
        raise BenchError(f"{why}; contenders in columns of their own must be lines first", table.file)
    if said or "seed" not in found or len(table.rows) < 3:
        return
    names = {tuple(row[name].text for name in found["contender"]) for row in table.rows}
    if len(names) == len(table.rows):
        why = f"no two lines have the same {found['contender'][0]}, so no contender has two seeds"
        raise BenchError(f"{why}: --map contender=COLUMN", table.file)


def _guessed(role: str, table: Table, taken: set[str]) -> str | None:
    """Return the column whose name is the likeliest of a role; a measured number names no contender and no problem."""
    free = [name for name in table.names if name not in taken]
    if role in ("contender", "problem"):
        free = [name for name in free if not _is_measured(table, name)]
    if role == "examples":
        free = [name for name in free if _names_files(table, name)]
    plain = {_plain(name): name for name in reversed(free)}
    return next((plain[word] for word in NAMES[role] if word in plain), None)


def _is_measured(table: Table, name: str) -> bool:
    """Return whether a column has numbers that are not whole."""
    cells = [row[name] for row in table.rows if not row[name].missing]
    return bool(cells) and all(each.is_number for each in cells) and any((each.number or 0) % 1 for each in cells)


def _names_files(table: Table, name: str) -> bool:
    """Return whether a column has names of files with results per example, and nothing else."""
    texts = [row[name].text.lower() for row in table.rows if not row[name].missing]
    return bool(texts) and all(text.endswith(FILES) for text in texts)


def _plain(name: str) -> str:
    word = name.lower().strip().replace(" ", "_")
    for before in ("params.", "config.", "tags.", "metrics.", "p_"):
        word = word.removeprefix(before)
    return word


def _metrics(table: Table, taken: set[str]) -> tuple[str, ...]:
    """Return the columns of numbers that have no other role; those under `metrics.` alone, if there are any.

    A column of which half is numbers is meant as one: its other cells are mistakes, which are named later.
    """
    free = [name for name in table.names if name not in taken and not name.startswith(("params.", "tags.", "config."))]
    marked = [name for name in free if name.startswith(("metrics.", "objective_"))]
    chosen = [name for name in marked or free if _plain(name) not in IGNORED]
    numbers = (name for name in chosen if 2 * sum(row[name].is_numeric for row in table.rows) >= len(table.rows))
    return tuple(name for name in numbers if not all(row[name].missing for row in table.rows))
