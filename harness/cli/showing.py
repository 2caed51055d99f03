"""Results as the command line asks for them: on stdout, into files."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

from harness.history import runs
from harness.planning.record import write
from harness.report import render


def show(data: dict[str, Any], run: str, options: argparse.Namespace) -> None:
    """A finished run: its report on stdout, or its JSON where it was asked for there; where it is kept, on stderr."""
    text = render(data, "json") if options.json else ""
    if options.json == "-":
        sys.stdout.write(text)
    else:
        if options.json:
            write(Path(options.json), text)
        if options.quiet:
            print(data["answer"])
        else:
            _print(data, options)
    if not options.quiet:
        print(f"stored in {Path(options.results) / 'runs' / run}", file=sys.stderr)


def report(options: argparse.Namespace) -> None:
    """A stored run again, and its figures."""
    data = runs.stored(Path(options.results), options.run)
    if options.quality:
        from harness.history.pareto import pareto

        data = pareto(runs.stored(Path(options.results), options.quality), data)
    _formatted(data, options)
    if options.figures:
        from harness.figures import write as drawn

        sys.stderr.writelines(f"{line}\n" for line in drawn(data, Path(options.figures), Path(options.results)))


def compare(options: argparse.Namespace) -> None:
    """Two stored runs, the later against the earlier."""
    from harness.engines.local import Server
    from harness.history import comparison

    folder = Path(options.results)
    before, after = (runs.stored(folder, run) for run in (options.before, options.after))
    with Server() as server:
        _formatted(comparison.compare(before, after, folder, server), options)


def _formatted(data: dict[str, Any], options: argparse.Namespace) -> None:
    if options.format == "console":
        _print(data, options)
    else:
        sys.stdout.write(render(data, options.format))


def _print(data: dict[str, Any], options: argparse.Namespace) -> None:
    from harness.report.console import console_for, show

    show(data, console_for(sys.stdout, options.color))
