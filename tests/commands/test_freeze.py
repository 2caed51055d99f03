"""A frozen run: read like any other, the same bytes every time, one line for a row."""

from __future__ import annotations

import json

from tests.conftest import Bench


def test_a_frozen_run_is_the_run_in_lines(bench: Bench) -> None:
    assert bench(bench.suite("[good, {good: {value: 2}, as: better}]", baseline="good"), "-q").code == 0
    assert bench("freeze", "last", "kept.json").code == 0
    text = (bench.folder / "kept.json").read_text()
    assert bench("freeze", "kept.json", "-").out == text
    whole = bench("report", "last", "--format", "json").json
    assert json.loads(text) == whole
    rows = [line for line in text.splitlines() if line.startswith('  {"')]
    assert len(rows) == len(whole["cells"]) == 2
    assert bench("report", "kept.json").out == bench("report", "last").out
    missing = bench("freeze", "nonesuch", "-")
    assert missing.code == 2 and len(missing.lines) == 1
    assert bench("freeze", "last", "no/such/folder.json").code == 2
