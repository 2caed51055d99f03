"""Commands on several stored runs, and on a row of one: `runs`, `log`, `trend`."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from harness.report.console import console_for
from harness.report.glyphs import Glyphs


def runs(options: argparse.Namespace) -> None:
    """List the runs of the results folder."""
    from harness.commands.runs import lines, stored_runs

    found, ink = stored_runs(Path(options.results)), Glyphs(sys.stdout.encoding)
    print("\n".join(lines(found, console_for(sys.stdout, "never").width, ink)))


def log(options: argparse.Namespace) -> None:
    """Print why a row of a stored run failed."""
    from harness.commands.log import lines, row_log
    from harness.results.runs import place, stored

    results, ink = Path(options.results), Glyphs(sys.stdout.encoding)
    folder = place(results, options.run).parent
    found = row_log(stored(results, options.run), folder, options.row, whole=options.verbose)
    print("\n".join(_clean(line, ink) for line in lines(found, options.verbose)))


def _clean(line: str, ink: Glyphs) -> str:
    """Return a line that a stream can show, with the spaces at its beginning."""
    inner = line.lstrip(" ")
    return " " * (len(line) - len(inner)) + ink(inner)


def trend(options: argparse.Namespace) -> None:
    """Print one metric of every row over stored runs, and draw it if requested."""
    from harness.commands.trend import lines, stored_trend

    found = stored_trend(Path(options.results), options.runs, options.metric)
    console = console_for(sys.stdout, options.color)
    print("\n".join(lines(found, console.width, Glyphs(console.encoding))))
    if options.figures:
        from harness.figures.trend import write

        sys.stderr.writelines(f"{line}\n" for line in write(found, Path(options.figures)))
