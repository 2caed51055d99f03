"""`pytest suites/speed.yaml --benchmark-only`: a speed suite as benchmarks of pytest-benchmark.

Only suites of the speed protocol that are named on the command line are collected; other YAML files are ignored.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from harness.results import Run

PROTOCOL = "speed"


def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> pytest.Collector | None:
    """Collect a suite of the speed protocol."""
    named = file_path.suffix in (".yaml", ".yml") and parent.session.isinitpath(file_path)
    return SuiteFile.from_parent(parent, path=file_path) if named and _times(file_path) else None


def _times(file: Path) -> bool:
    """Return whether a file is a suite of the speed protocol; mistakes in it are reported when it runs."""
    import yaml

    with contextlib.suppress(OSError, ValueError, yaml.YAMLError):
        said = yaml.safe_load(file.read_text(encoding="utf-8"))
        return isinstance(said, dict) and said.get("protocol") == PROTOCOL and "vary" in said
    return False


class SuiteFile(pytest.File):
    """A suite, which is one test: its contenders are interleaved."""

    def collect(self) -> Iterator[pytest.Item]:
        """Yield the one test."""
        yield SuiteItem.from_parent(self, name=self.path.stem)


class SuiteItem(pytest.Item):
    """Runs the suite; fails if a cell failed, a gate is broken, or nothing was measured."""

    fixturenames = ("benchmark",)  # by which pytest-benchmark recognizes a benchmark

    def runtest(self) -> None:
        """Run the suite, and pass the measurements to pytest-benchmark. Skips where that is absent or disabled."""
        from harness.report import gates
        from harness.report.benchmarks import benchmarks
        from harness.run.pipeline import run

        session = getattr(self.config, "_benchmarksession", None)
        if session is None:
            pytest.skip("pytest-benchmark is not installed, or blocked: pip install pytest-benchmark")
        if session.disabled or session.skip:
            pytest.skip("pytest-benchmark is told to run no benchmarks, or cannot here (with pytest-xdist)")
        found = run(self.path, results=self.config.rootpath / "results").run
        session.benchmarks.extend(benchmarks(found))
        wrong = [*_lost(found), *(f"gate: {line}" for line in gates.broken(found))]
        if wrong or found.exit:
            pytest.fail("\n".join(wrong) or "nothing was measured", pytrace=False)

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: Any = None) -> Any:
        """Return a mistake of the user as one line, as the command does."""
        from harness.errors import BenchError, Mistakes

        if isinstance(excinfo.value, Mistakes):
            return "\n".join(excinfo.value.lines)
        return str(excinfo.value) if isinstance(excinfo.value, BenchError) else super().repr_failure(excinfo, style)

    def reportinfo(self) -> tuple[Path, int, str]:
        """Return the file and name of the suite."""
        return self.path, 0, f"suite {self.name}"


def _lost(run: Run) -> Iterator[str]:
    """Yield a line for every row that failed, or if nothing was measured for every row that was skipped."""
    from harness.analysis.pairing import full_name
    from harness.report.words import reason
    from harness.results import LOST, ReasonKind, Status

    nothing = all(row.status is Status.SKIPPED for row in run.cells)
    for row in run.cells:
        artifact = row.why is not None and row.why.kind is ReasonKind.ARTIFACT
        if row.status in LOST or nothing or artifact:
            yield f"{full_name(run, row.vary)} {row.status}: {reason(row.why) if row.why else 'no reason given'}"
