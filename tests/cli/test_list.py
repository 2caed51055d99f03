"""The summaries of `bench list`: the first line of each stock component's docstring, in words and short."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.conftest import Bench

WIDEST = 72
KINDS = (
    "dataset", "denoiser", "dissimilarity", "feature", "loss", "metric", "model", "prior",
    "protocol", "sampler", "schedule", "spacing", "trainer", "transform", "variance",
)  # fmt: skip


@pytest.fixture(scope="module")
def summaries(shared: Callable[[str], Bench]) -> dict[tuple[str, str], str]:
    """(kind, name) -> summary of every stock component, as `bench list` prints them where the terminal is wide."""
    kind, found = "", {}
    for line in shared("list")("list", env={"COLUMNS": "1000"}).out.splitlines():
        name, _, summary = line.strip().partition(" ")
        if line.startswith(" "):
            found[kind, name] = summary.strip()
        elif line:
            kind = name
    return found


@pytest.mark.parametrize("kind", KINDS)
def test_a_summary_is_one_short_line_of_words(kind: str, summaries: dict[tuple[str, str], str]) -> None:
    of_kind = {name: summary for (each, name), summary in summaries.items() if each == kind}
    assert of_kind
    for name, summary in of_kind.items():
        assert len(summary) <= WIDEST, f"{kind} {name}: {len(summary)} characters: {summary}"
        assert summary.endswith("."), f"{kind} {name}: no period at the end: {summary}"
        assert not {"=", "["} & set(summary), f"{kind} {name}: a formula or a shape: {summary}"
        assert not summary.startswith("What"), f"{kind} {name}: a clause, no noun or verb: {summary}"


def test_every_kind_is_listed(summaries: dict[tuple[str, str], str]) -> None:
    assert {kind for kind, _ in summaries} == set(KINDS)
