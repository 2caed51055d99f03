"""A row with seeds that have no value or are not there: marked, and never the reason why a worse row is called best."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from harness.analysis import analyse
from harness.report import render
from harness.report.answer import answer
from harness.results import Rank, ReasonKind, Run
from tests.helpers.analysis import measured

GOOD, BAD, LOST = [0.83, 0.84, 0.82, 0.83, 0.84, 0.83], [0.80, 0.81, 0.80, 0.79, 0.80, 0.81], None


def run(
    rows: Mapping[str, Sequence[float | None]],
    seeds: Mapping[str, Sequence[int]] | None = None,
    parameters: Mapping[str, Any] | None = None,
    **more: Any,
) -> Run:
    cells = [
        {
            "id": name, "vary": {"loss": name}, "status": "ok", "metrics": {"acc": list(values)},
            "seeds": list((seeds or {}).get(name, range(len(values)))),
            "parameters": (parameters or {}).get(name, {}),
        }
        for name, values in rows.items()
    ]  # fmt: skip
    plan = {
        "metrics": [{"label": "acc", "higher_is_better": True}],
        "axes": {"loss": list(rows)},
        "contenders": ["loss"],
    }
    return analyse(measured({**plan, "cells": cells, **more}))


def ranks(found: Run) -> list[Rank | None]:
    return [row.best.get("acc") for row in found.cells]


@pytest.mark.parametrize("baseline", [None, "bad"])
def test_no_row_is_best_where_an_incomplete_one_may_be(baseline: str | None) -> None:
    found = run({"bad": BAD, "good": [*GOOD[:5], LOST]}, baseline=baseline)
    assert ranks(found) == [None, None] and "★" not in render(found, "console")
    if baseline is None:
        why = "the mean of good is the best, and leaves out seeds without a finite value"
        assert answer(found) == f"None is best in acc: {why}."


def test_an_incomplete_row_behind_the_best_takes_nothing_from_it() -> None:
    assert ranks(run({"good": GOOD, "bad": [*BAD[:5], LOST], "other": BAD})) == [Rank.BEST, None, Rank.BEATEN]


def test_seeds_that_are_not_there_leave_a_rank_and_a_mark() -> None:
    found = run({"bad": BAD, "good": GOOD[1:]}, {"good": range(1, 6)}, baseline="bad")
    good = found.cells[1]
    assert ranks(found) == [Rank.BEATEN, Rank.BEST]
    why = good.metrics["acc"].why
    assert why is not None and (why.kind, why.count, why.total) == (ReasonKind.FEWER, 1, 6)
    assert good.metrics["acc"].partial and good.against["acc"].partial
    assert "†" in render(found, "console") and "over 5 of 6 seeds" in answer(found)


def test_what_a_seed_lacks_is_said_once() -> None:
    found = run({"bad": BAD, "good": [*GOOD[:5], LOST]}, baseline="bad")
    told = [line for line in render(found, "console").splitlines() if "1 of 6 seeds" in line]
    assert len(told) == 1 and "good: 1 of 6 seeds have no finite acc" in told[0]


def test_a_control_keeps_no_row_from_being_best() -> None:
    """It is no contender: an incomplete one with the best mean is neither ranked nor named as the reason."""
    rows: dict[str, Sequence[float | None]] = {"control": [*GOOD[:5], LOST], "bad": BAD}
    parameters = {name: {"loss": {"name": name}} for name in rows}
    found = run(rows, parameters=parameters, controls=[["loss", "control"]])
    assert ranks(found) == [None, Rank.BEST] and "None is best" not in answer(found)
    both = run(
        {**rows, "bad": [*BAD[:5], LOST], "other": [0.5] * 6}, parameters=parameters, controls=[["loss", "control"]]
    )
    assert answer(both).startswith("None is best in acc: the mean of bad is the best, and leaves out seeds")
