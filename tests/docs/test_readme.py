"""The README's own loss: its files are written to an unrelated folder and its commands are run there."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.conftest import Bench, Ended
from tests.docs.blocks import ROOT, files

TEXT = (ROOT / "README.md").read_text()


@pytest.fixture(scope="module")
def bench(shared: Callable[[str], Bench]) -> Bench:
    folder = shared("unrelated")
    for name, text in files(TEXT).items():
        folder.write(name, text)
    return folder


@pytest.fixture(scope="module")
def first(bench: Bench) -> Ended:
    return bench("mine.yaml", "--plugin", "tempered.py", timeout=300)


def test_it_is_short() -> None:
    assert len(TEXT.splitlines()) <= 150


@pytest.mark.verify
def test_a_loss_of_ones_own_is_a_row(first: Ended) -> None:
    assert first.code == 0, first.err
    for row in ("cross_entropy", "tempered(temperature=0.5)", "tempered(temperature=4.0)", "annealed", "learned"):
        assert first.out.count(row) >= 2, row
    assert "Answer" in first.out


def test_more_seeds_run_only_what_is_missing(bench: Bench, first: Ended) -> None:
    assert first.code == 0
    records = bench.folder / "results" / "records"
    before = {file: len(file.read_text().splitlines()) for file in records.iterdir()}
    plan = bench("mine.yaml", "--plugin", "tempered.py", "--seeds", "64", "--dry-run")
    assert "10 cells to do, 0 reused; 320 seeds to measure" in plan.out
    again = bench("mine.yaml", "--plugin", "tempered.py")
    assert again.code == 0 and again.out.split("Answer")[1] == first.out.split("Answer")[1]
    assert {file: len(file.read_text().splitlines()) for file in before} == before
    assert set(records.iterdir()) == set(before), "nothing was missing, so nothing was written"


def test_a_misspelled_name_is_answered_as_shown(bench: Bench) -> None:
    ended = bench("typo.yaml", "--plugin", "tempered.py")
    assert ended.code == 2 and ended.lines[0].startswith("typo.yaml:2:") and ended.err in TEXT
