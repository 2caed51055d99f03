"""The roles of the columns of a table of results, as said or guessed from their names and contents."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from harness.commands.import_tables import Table
from harness.errors import BenchError, near_miss

ROLES = ("contender", "problem", "seed", "metric", "value")
NAMES: Mapping[str, Sequence[str]] = {
    "contender": ("contender", "method", "model", "algorithm", "solver", "solver_name", "loss", "optimizer", "name"),
    "problem": ("problem", "dataset", "dataset_name", "data", "data_name", "task", "benchmark"),
    "seed": ("seed", "random_state", "replicate", "repetition", "idx_rep", "rep", "fold", "trial"),
    "metric": ("metric", "metric_name", "measure", "key"),
    "value": ("value", "score", "metric_value", "result"),
}
"""Names by which a role is guessed, the likeliest first; `params.NAME`, `config.NAME` and `p_NAME` count as NAME."""
IGNORED = frozenset(
    {
        *("id", "run_id", "experiment_id", "status", "state", "start_time", "end_time", "artifact_uri", "created"),
        *("runtime", "notes", "user", "tags", "sweep", "_step", "_timestamp", "_runtime", "unnamed: 0", "column 1"),
        *("lr", "epochs", "batch_size", "stop_val", "version", "date"),
    }
)
"""Names, in lower case, of columns that no tool means as a result."""


@dataclass(frozen=True)
class Columns:
    """Columns by role. A table is long if it has `metric` and `value`, else wide: a column for each of `metrics`."""

    contender: tuple[str, ...]
    problem: tuple[str, ...]
    seed: str | None
    metric: str | None
    value: str | None
    metrics: tuple[str, ...]
    guesses: tuple[str, ...]


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
        guess = None if role in found else _guessed(role, table.names, taken)
        if guess is not None:
            found[role] = (guess,)
            taken.add(guess)
            guesses.append(f"{role}: column {guess}")
    long = "metric" in found and "value" in found
    metrics = () if long else _metrics(table, taken - set(found.get("value", ())) - set(found.get("metric", ())))
    if not long and not metrics:
        raise BenchError("no column of numbers is left for a metric: --map metric=COLUMN,value=COLUMN", table.file)
    guesses.append(f"long: one result a line, {found['value'][0]} of {found['metric'][0]}" if long
                   else f"wide: one metric a column, {', '.join(metrics)}")  # fmt: skip
    if "seed" not in found:
        guesses.append("no column of seeds: equal rows are replicates, and nothing is paired")
    one = {role: names[0] for role, names in found.items()}
    return Columns(
        found.get("contender", ()), found.get("problem", ()), one.get("seed"),
        one.get("metric") if long else None, one.get("value") if long else None, metrics, tuple(guesses),
    )  # fmt: skip


def _guessed(role: str, names: Sequence[str], taken: set[str]) -> str | None:
    """Return the column whose name is the likeliest of a role."""
    plain = {_plain(name): name for name in reversed(names) if name not in taken}
    return next((plain[word] for word in NAMES[role] if word in plain), None)


def _plain(name: str) -> str:
    word = name.lower().strip().replace(" ", "_")
    for before in ("params.", "config.", "tags.", "p_"):
        word = word.removeprefix(before)
    return word


def _metrics(table: Table, taken: set[str]) -> tuple[str, ...]:
    """Return the columns of numbers that have no other role; those under `metrics.` alone, if there are any.

    A column of which half is numbers is meant as one: its other cells are mistakes, which are named later.
    """
    free = [name for name in table.names if name not in taken and not name.startswith(("params.", "tags.", "config."))]
    marked = [name for name in free if name.startswith(("metrics.", "objective_"))]
    chosen = marked or [name for name in free if _plain(name) not in IGNORED]
    numbers = (name for name in chosen if 2 * sum(row[name].is_number for row in table.rows) >= len(table.rows))
    return tuple(name for name in numbers if not all(row[name].missing for row in table.rows))
