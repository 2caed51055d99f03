"""Output of runs as requested on the command line: on stdout and into files."""

from __future__ import annotations

import argparse
import codecs
import sys
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from harness.cli.to_ci import annotate
from harness.errors import BenchError
from harness.report import BINARY, brief, content, exit_status, render
from harness.report.answer import lines
from harness.report.glyphs import Glyphs
from harness.report.parts import Arrangement
from harness.results import Run, runs
from harness.results.store import write

WIDTH = 100
"""Columns of an answer without a report."""
ALONE = ("json", "csv", "parquet", "pytest-benchmark")
"""Formats that programs read, of one run each."""


def show(found: Run, run: str, options: argparse.Namespace) -> None:
    """Print a finished run's report, or its JSON if requested, to stdout, and where it is stored to stderr."""
    text = render(found, "json") if options.json else ""
    if options.json == "-":
        sys.stdout.write(text)
    else:
        if options.json:
            write(Path(options.json), text)
        if options.quiet:
            print("\n".join(lines(found) if options.verbose else brief.lines(found, WIDTH)))
        else:
            _print(found, options)
    if options.open:
        print(f"page {_page([str(Path(options.results) / 'runs' / run)], options)}", file=sys.stderr)
    if not options.quiet:
        print(f"stored in {Path(options.results) / 'runs' / run}", file=sys.stderr)


def report(options: argparse.Namespace) -> None:
    """Print stored runs again, one after the other or as one page, and draw their figures."""
    if options.open:
        print(_page(options.run, options))
    elif options.format == "html":
        from harness.commands.page import rendered

        _put(rendered(Path(options.results), options.run))
    elif len(options.run) > 1 and options.format in ALONE:
        raise BenchError(f"--format {options.format} is of one run; {len(options.run)} were named")
    for place, which in enumerate(options.run, 1):
        _report(which, options, f"{place}" if len(options.run) > 1 else "")


def _report(which: str, options: argparse.Namespace, below: str) -> None:
    """Print a stored run, unless a page was asked for, and draw its figures, `below` the folder for figures."""
    results = Path(options.results)
    on_page = options.open or options.format == "html"
    if not options.figures:
        if not on_page:
            _formatted(runs.stored(results, which), options)
        return
    with runs.opened(results, which) as (run, folder):
        if not on_page:
            _formatted(run, options)
        _drawn(run, Path(options.figures, below), folder)


def _page(which: Sequence[str], options: argparse.Namespace) -> Path:
    """Write a page and show it in a browser, if there is one."""
    from harness.commands.page import opened, written

    file = written(Path(options.results), which)
    opened(file)
    return file


def pareto(options: argparse.Namespace) -> None:
    """Combine the times of one stored run with the quality of another, and draw their figures."""
    from harness.commands.pareto import pareto as front

    speed, quality = (runs.stored(Path(options.results), run) for run in (options.speed, options.quality))
    _formatted_and_drawn(front(quality, speed), options)


def import_table(options: argparse.Namespace) -> None:
    """Store a table of results as a run and print it; what was guessed goes to stderr."""
    from harness.commands.imports import imported, stored_import

    folder, file = Path(options.results), Path(options.file)
    found = imported(file, options.map, options.higher, options.lower, options.baseline)
    sys.stderr.writelines(f"{line}\n" for line in found.guesses)
    run = stored_import(found, file, [*_said(options)], folder)
    _formatted_and_drawn(run, options)
    print(f"stored in {folder / 'runs' / run.run}", file=sys.stderr)


def _said(options: argparse.Namespace) -> Iterator[str]:
    """Yield the options that change what a table is imported as."""
    if options.map:
        yield from ("--map", ",".join(f"{role}={'+'.join(names)}" for role, names in options.map.items()))
    for name in ("higher", "lower"):
        if found := getattr(options, name):
            yield from (f"--{name}", ",".join(found))
    if options.baseline is not None:
        yield from ("--baseline", options.baseline)


def freeze(options: argparse.Namespace) -> None:
    """Write a stored run as one canonical file."""
    from harness.commands.freeze import frozen

    text = frozen(runs.stored(Path(options.results), options.run))
    if options.file == "-":
        sys.stdout.write(text)
    else:
        write(Path(options.file), text)


def pack(options: argparse.Namespace) -> None:
    """Write a stored run as an archive; its size goes to stderr."""
    from harness.commands.pack import pack as packed

    found = packed(Path(options.results), options.run, options.file)
    print(f"packed in {found.file}: {found.files} files, {found.size / 1024:,.0f} KiB", file=sys.stderr)


def merge(options: argparse.Namespace) -> None:
    """Bring other results folders into one; say what is new, and which shards are complete."""
    from harness.commands.merge import merged, shard_lines
    from harness.report.words import damage

    results = Path(options.results)
    for source in options.sources:
        found = merged(source, results)
        sys.stderr.writelines(f"bench: {damage(each)}\n" for each in found.damaged)
        print(found)
    sys.stdout.writelines(f"{line}\n" for line in shard_lines(results))


def cite(options: argparse.Namespace) -> None:
    """Print the BibTeX of what a stored run used; the components without a reference go to stderr."""
    from harness.commands.cite import bibliography, without

    run = runs.stored(Path(options.results), options.run)
    sys.stdout.write(bibliography(run))
    if names := without(run):
        print(Glyphs(sys.stderr.encoding)(f"no reference: {', '.join(names)}"), file=sys.stderr)


def compare(options: argparse.Namespace) -> int:
    """Compare two stored runs, the later with the earlier; return the exit code, which `--fail-on` decides."""
    from harness.analysis.exit_status import exit_code
    from harness.commands.compare import compare as compare_runs
    from harness.worker.supervisor import Server

    folder = Path(options.results)
    with (
        runs.opened(folder, options.before) as before,
        runs.opened(folder, options.after) as after,
        Server() as server,
    ):
        found = compare_runs(before, after, server)
    found = replace(found, exit=0)
    found = replace(found, exit=exit_code(found, options.fail_on))
    _formatted(found, options)
    sys.stderr.writelines(f"bench: {line}\n" for line in exit_status.lines(found, options.fail_on))
    annotate(found, options.fail_on)
    return found.exit


def _formatted_and_drawn(run: Run, options: argparse.Namespace) -> None:
    """Print a run, and draw its figures if requested."""
    _formatted(run, options)
    if options.figures:
        _drawn(run, Path(options.figures), Path(options.results))


def _drawn(run: Run, folder: Path, results: Path) -> None:
    """Draw the figures of a run; `results` is the folder that holds its records."""
    from harness.figures import write as drawn

    sys.stderr.writelines(f"{line}\n" for line in drawn(run, folder, results))


def _formatted(run: Run, options: argparse.Namespace) -> None:
    if options.format == "console":
        _print(run, options)
    elif options.format in BINARY:
        _put_bytes(content(run, options.format, _arrangement(options)), options.format)
    else:
        _put(render(run, options.format, arrangement=_arrangement(options)), options.format)


def _arrangement(options: argparse.Namespace) -> Arrangement | None:
    """Return how the tables of `bench report` are asked for; None without a wish."""
    sort, columns = getattr(options, "sort", None), getattr(options, "columns", ())
    return Arrangement(sort, columns) if sort or columns else None


def _put(text: str, form: str = "html") -> None:
    """Print a text; a page, which says that it is UTF-8, in ASCII where the stream is another."""
    is_utf8 = codecs.lookup(sys.stdout.encoding or "ascii").name == "utf-8"
    is_page = form == "html" and not is_utf8
    sys.stdout.write(text.encode("ascii", "xmlcharrefreplace").decode("ascii") if is_page else text)


def _put_bytes(data: bytes, form: str) -> None:
    """Write the content of a file to standard output. Raises BenchError if that is a terminal."""
    if sys.stdout.isatty():
        raise BenchError(f"{form} is not for a terminal: write it to a file, as in > run.{form}")
    sys.stdout.flush()
    sys.stdout.buffer.write(data)


def _print(run: Run, options: argparse.Namespace) -> None:
    from harness.report.console import console_for, show

    wishes = _arrangement(options) or Arrangement()
    show(run, console_for(sys.stdout, options.color), options.verbose, wishes)
