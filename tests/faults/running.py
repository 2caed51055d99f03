"""Suites of faulty cells between innocent ones, and what is left when they have ended."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any, NamedTuple

from tests.conftest import Bench, Ended

MARK = "BENCH_FAULTS"
"""Environment variable by which the processes of a run are known, whatever parents and sessions they have."""


class Ran(NamedTuple):
    """A suite that has ended: what it printed, its rows by the word that identifies them, and what it left behind."""

    ended: Ended
    rows: dict[str, dict[str, Any]]
    processes: list[str]
    files: list[Path]


def marked(mark: str) -> list[str]:
    """The processes whose environment has the mark, with their command lines; one that has ended is none."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if f"{MARK}={mark}".encode() in (folder / "environ").read_bytes().split(b"\0"):
                found.append(f"{folder.name}: {(folder / 'cmdline').read_text()}")
    return found


def run(bench: Bench, losses: Iterable[str], *words: str, within: float = 120, **keys: Any) -> Ran:
    """Run faulty losses between two innocent ones that a protocol without cost measures."""
    mark, temporary = str(time.monotonic_ns()), bench.folder / "tmp"
    temporary.mkdir()
    suite = bench.suite(f"[{', '.join(['good', *losses, '{good: {value: 2}}'])}]", **keys)
    environment = {MARK: mark, "TMPDIR": str(temporary)}
    ended = bench(suite, "--device", "cpu", "--json", "-", *words, env=environment, timeout=within)
    rows = {name(cell): cell for cell in ended.json["cells"]} if ended.out else {}
    return Ran(ended, rows, marked(mark), [*temporary.iterdir()])


def name(cell: dict[str, Any]) -> str:
    """The fault of a row, or the label of an innocent one."""
    return str(cell["parameters"]["loss"].get("how", cell["vary"]["loss"]))


def check_innocent(ran: Ran) -> None:
    """The rows without a fault are complete, with the numbers that they have alone."""
    for label, value in (("good", 1.0), ("good(value=2.0)", 2.0)):
        row = ran.rows[label]
        assert row["status"] == "ok" and row["reason"] is None
        assert row["metrics"]["score"]["values"] == [value + seed / 100 for seed in range(8)]
