"""A finished run as a CI system reads it: a summary, JUnit's XML, annotations of a GitHub job."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from harness.results import Run
from harness.results.store import write, writing


def tell(run: Run, conditions: Sequence[str], suite: str, options: argparse.Namespace) -> None:
    """Write the files that were asked for, and annotations to stderr in a job of GitHub.

    The summary is added to its file, as a job's steps do; the XML has all suites of the command so far.
    """
    options.finished = [*getattr(options, "finished", ()), (run, conditions)]
    if options.summary:
        from harness.report.summary import summary

        with writing(Path(options.summary)), Path(options.summary).open("a", encoding="utf-8") as stream:
            stream.write(summary(run, conditions))
    if options.junit:
        from harness.report.junit import junit

        write(Path(options.junit), junit(options.finished))
    annotate(run, conditions, _in_repository(suite))


def annotate(run: Run, conditions: Sequence[str], file: str = "") -> None:
    """Write annotations to stderr in a job of GitHub, shown at a file of the repository."""
    if os.environ.get("GITHUB_ACTIONS") == "true":
        from harness.report.annotations import lines

        sys.stderr.writelines(f"{line}\n" for line in lines(run, conditions, file))


def _in_repository(suite: str) -> str:
    """Return the path of the suite as GitHub counts it: from the folder that it has checked out."""
    file = Path(suite).resolve()
    root = Path(os.environ.get("GITHUB_WORKSPACE", "."))
    return file.relative_to(root.resolve()).as_posix() if file.is_relative_to(root.resolve()) else ""
