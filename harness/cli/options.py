"""Command-line options and subcommands."""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable, Mapping, Sequence
from functools import partial

from harness.cli import project
from harness.cli.one_line_parser import OneLineParser
from harness.cli.option_groups import (
    add_open,
    add_results,
    check_options,
    clean_options,
    color_option,
    doctor_options,
    import_options,
    new_options,
    offline_option,
    sample_options,
    table_options,
)
from harness.cli.option_types import conditions, count, file_target, folder, mebibytes, numbers, seconds, shard, target
from harness.errors import BenchError, near_miss
from harness.results.statements import FailOn

Command = Callable[[argparse.Namespace], int]
STORED = "last, last~1, the beginning of an id, a folder or a file"
SHELLS = ("bash", "zsh", "tcsh")
"""Shells that complete commands."""


def parse(words: Sequence[str], commands_run: Mapping[str, Command]) -> argparse.Namespace:
    """Parse the command line; the word `run` is optional. A mistake is reported in one line, with exit code 2."""
    made = parser(commands_run)
    project.apply(made)
    first = words[0] if words else "--help"
    if first in (*commands_run, "-h", "--help", "--version"):
        return made.parse_args(words or [first])
    if first.isalpha() and not os.path.exists(first):
        made.error(f"no command and no suite is called {first!r}{near_miss(first, commands_run)}")
    return made.parse_args(["run", *words])


def parser(commands_run: Mapping[str, Command]) -> argparse.ArgumentParser:
    """Return the parser; `commands_run` maps each command to its function."""
    from harness import __version__

    parser: argparse.ArgumentParser = OneLineParser(
        prog="bench",
        description="Compare machine-learning methods honestly: bench SUITE.yaml runs a suite and reports it.",
        allow_abbrev=False,
    )
    parser.add_argument("--version", action="version", version=f"bench {__version__}")
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    plugins = _plugin_options()
    add = partial(commands.add_parser, allow_abbrev=False)
    _add_run(add, plugins, commands_run["run"])
    validate = add("validate", parents=[plugins, _suite_options()], help="check suites and say what they would compare")
    validate.set_defaults(command=commands_run["validate"])
    fetch = add(
        "fetch", parents=[plugins, _suite_options(), offline_option()], help="download the data sets that suites name"
    )
    fetch.set_defaults(command=commands_run["fetch"])
    _commands_for_authors(add, plugins, commands_run)
    found = "how often timings on this machine differ where there is no difference; what stored files are damaged"
    doctor = add("doctor", parents=[doctor_options()], help=found)
    doctor.set_defaults(command=commands_run["doctor"])
    clean = add("clean", parents=[clean_options()], help="remove old runs and caches, by age, number and size")
    clean.set_defaults(command=commands_run["clean"])
    table = add("import", parents=[_output_options(), _format_option(), _report_options(), import_options()],
                help="a table of results, measured anywhere, as a run")  # fmt: skip
    table.set_defaults(command=commands_run["import"])
    sample = add("sample", parents=[sample_options()], help="draw samples of a model, as a picture or as numbers")
    sample.set_defaults(command=commands_run["sample"])
    completion = add("completion", help="print a script that lets a shell complete commands and options")
    completion.add_argument("shell", choices=SHELLS, metavar="SHELL", help=" or ".join(SHELLS))
    completion.set_defaults(command=commands_run["completion"], parser=parser)
    _commands_on_runs(add, commands_run)
    _commands_on_the_store(add, commands_run)
    return parser


def _commands_for_authors(
    add: Callable[..., argparse.ArgumentParser], plugins: argparse.ArgumentParser, commands_run: Mapping[str, Command]
) -> None:
    """Add the commands that help to write suites and plugins."""
    schema = add("schema", parents=[plugins], help="print the JSON Schema of suites, for editors")
    schema.set_defaults(command=commands_run["schema"])
    listing = add("list", parents=[plugins], help="list the components of every kind, or of one")
    listing.add_argument("kind", nargs="?", metavar="KIND")
    listing.set_defaults(command=commands_run["list"])
    info = add("info", parents=[plugins], help="show the contract of a kind, or everything about a component")
    info.add_argument("name", metavar="KIND|[KIND:]NAME")
    info.set_defaults(command=commands_run["info"])
    check = add("check", parents=[plugins, check_options()], help="run the conformance checks of a plugin")
    check.set_defaults(command=commands_run["check"])
    new = add("new", parents=[new_options()], help="files to start from: a plugin with its suite, or a suite")
    new.set_defaults(command=commands_run["new"])


def _commands_on_the_store(add: Callable[..., argparse.ArgumentParser], commands_run: Mapping[str, Command]) -> None:
    """Add the commands on all that is stored, on a row, on a metric."""
    listing = add("runs", help="list the runs that are stored, the newest first")
    add_results(listing)
    listing.set_defaults(command=commands_run["runs"])
    log = add("log", help="why a row failed: its reason, its traceback, its output")
    log.add_argument("run", metavar="RUN", help=STORED)
    log.add_argument("row", metavar="ROW", help="its name in the report, or the beginning of its id")
    log.add_argument("-v", dest="verbose", action="store_true", help="frames of the harness and all of the output too")
    add_results(log)
    log.set_defaults(command=commands_run["log"])
    trend = add("trend", parents=[_output_options(), _report_options()], help="one metric of every row, over runs")
    trend.add_argument("runs", nargs="+", metavar="RUN", help=STORED)
    trend.add_argument("--metric", metavar="NAME", help="the metric (the first one)")
    trend.set_defaults(command=commands_run["trend"])


def _commands_on_runs(add: Callable[..., argparse.ArgumentParser], commands_run: Mapping[str, Command]) -> None:
    """Add the commands that read stored runs."""
    rendering = [_output_options(), _format_option()]
    tables = [_report_options(), table_options()]
    report = add("report", parents=[*rendering, *tables], help="render a stored run again")
    report.add_argument("run", nargs="+", metavar="RUN", help=STORED)
    add_open(report)
    report.set_defaults(command=commands_run["report"])
    compare = add("compare", parents=rendering, help="compare a stored run with another")
    compare.add_argument("before", metavar="RUN", help=STORED)
    compare.add_argument("after", metavar="RUN", help="the run compared with it")
    _add_fail_on(compare)
    compare.set_defaults(command=commands_run["compare"])
    freeze = add("freeze", parents=[_output_options()], help="write a stored run as one file, fit for version control")
    freeze.add_argument("run", metavar="RUN", help=STORED)
    freeze.add_argument("file", type=target, metavar="FILE", help="the file; - is stdout")
    freeze.set_defaults(command=commands_run["freeze"])
    pack = add("pack", parents=[_output_options()], help="write a stored run as an archive with all that repeats it")
    pack.add_argument("run", metavar="RUN", help=STORED)
    pack.add_argument("file", nargs="?", type=target, metavar="FILE", help="the archive (ID.zip)")
    pack.set_defaults(command=commands_run["pack"])
    cite = add("cite", parents=[_output_options()], help="BibTeX of everything that a stored run used")
    cite.add_argument("run", metavar="RUN", help=STORED)
    cite.set_defaults(command=commands_run["cite"])
    merge = add("merge", help="bring what other folders have stored into one")
    merge.add_argument("sources", nargs="+", metavar="RESULTS|RUN", help="a results folder, or a run, packed or not")
    add_results(merge)
    merge.set_defaults(command=commands_run["merge"])
    pareto = add("pareto", parents=[*rendering, _report_options()], help="the Pareto front of speed and quality")
    pareto.add_argument("speed", metavar="SPEED_RUN", help=STORED)
    pareto.add_argument("quality", metavar="QUALITY_RUN", help="a run of the same contenders")
    pareto.set_defaults(command=commands_run["pareto"])


def blocked(options: argparse.Namespace) -> list[str]:
    """Return the names after `-p no:`. Raises BenchError for another form."""
    for text in options.block:
        if not text.startswith("no:"):
            raise BenchError(f"-p {text}: write -p no:NAME to leave a plugin out")
    return [text.removeprefix("no:") for text in options.block]


def overrides(options: argparse.Namespace) -> dict[str, str]:
    """Return the suite keys that options replace. Raises BenchError for a `--set` without `=`."""
    found = {}
    for text in options.set:
        key, equals, value = text.partition("=")
        if not equals or not key:
            raise BenchError(f"--set {text}: expected KEY=VALUE, for example --set settings.epochs=5")
        found[key] = value
    said = {"seeds": options.seeds, "device": getattr(options, "device", None)}
    return found | {key: value for key, value in said.items() if value is not None}


def _plugin_options() -> argparse.ArgumentParser:
    options = argparse.ArgumentParser(add_help=False)
    options.add_argument("--plugin", action="append", default=[], metavar="FILE_OR_MODULE", help="add a plugin")
    options.add_argument("-p", dest="block", action="append", default=[], metavar="no:NAME", help="leave a plugin out")
    return options


def _suite_options() -> argparse.ArgumentParser:
    options = argparse.ArgumentParser(add_help=False)
    options.add_argument("suite", nargs="+", metavar="SUITE.yaml")
    options.add_argument("--trust", action="store_true", help="let the suite run programs and import any module")
    options.add_argument("--seeds", metavar="N", help="how many seeds, or a list such as [7]")
    options.add_argument("--set", action="append", default=[], metavar="a.b=c", help="replace a value of the suite")
    options.add_argument(
        "-k", dest="select", metavar="EXPR", help="only cells whose labels match: 'focal and not digits'"
    )
    return options


def _output_options() -> argparse.ArgumentParser:
    options = argparse.ArgumentParser(add_help=False, parents=[color_option()])
    add_results(options)
    return options


def _format_option() -> argparse.ArgumentParser:
    options = argparse.ArgumentParser(add_help=False)
    choices = "console, html, json, csv, parquet, md, latex, methods or pytest-benchmark"
    options.add_argument("--format", default="console", metavar="FORMAT", help=choices)
    options.add_argument("-v", dest="verbose", action="store_true", help="the whole answer, however long")
    return options


def _report_options() -> argparse.ArgumentParser:
    options = argparse.ArgumentParser(add_help=False)
    where = "write its figures into a folder, as PNG, SVG and PDF"
    options.add_argument("--figures", type=folder, metavar="DIR", help=where)
    return options


def _add_fail_on(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--fail-on", type=conditions, default=(), metavar="LIST", help=f"exit code 1 for any of {','.join(FailOn)}"
    )


def _add_run(add: Callable[..., argparse.ArgumentParser], plugins: argparse.ArgumentParser, command: Command) -> None:
    parents = [plugins, _suite_options(), _output_options(), offline_option()]
    run = add("run", parents=parents, help="run suites; the word can be left out")
    run.set_defaults(command=command)
    run.add_argument("--device", choices=("cpu", "cuda", "auto"))
    run.add_argument(
        "-j", dest="jobs", type=count, metavar="N", help="cells at once (one per GPU, else per pair of cores)"
    )
    run.add_argument("--gpus", type=numbers, default=(), metavar="LIST", help="one cell per GPU, such as 0,2 (all)")
    run.add_argument("--engine", default="local", metavar="NAME", help="where cells run: local, ray, or a plugin's")
    run.add_argument("--address", metavar="ADDR", help="the engine's: a Ray cluster's HOST:PORT, auto or local (local)")
    run.add_argument("--timeout", type=seconds, default=3600.0, metavar="SECONDS", help="limit for one question")
    run.add_argument(
        "--memory", type=mebibytes, metavar="MIB", help="limit for the process of one cell and all that it starts"
    )
    run.add_argument(
        "--cgroups",
        action="store_true",
        help="give each cell a control group of the kernel, which nothing it starts can leave",
    )
    run.add_argument(
        "--against", metavar="RUN|REV|python:PATH", help="a stored run; or the same cells of another revision"
    )
    run.add_argument("--shard", type=shard, metavar="I/N", help="part I of N of the cells, for one of N machines")
    run.add_argument("--fresh", action="store_true", help="measure again what is stored")
    _add_fail_on(run)
    add_open(run)
    run.add_argument("--dry-run", action="store_true", help="say what would be done, and what could not be decided")
    run.add_argument("--json", type=target, metavar="PATH|-", help="write the result as JSON; - puts it on stdout")
    run.add_argument(
        "--summary", type=file_target, metavar="PATH", help="append a summary in Markdown, for a CI job's page"
    )
    run.add_argument(
        "--junit", type=file_target, metavar="PATH", help="write cells and gates as test cases, in JUnit's XML"
    )
    run.add_argument("-q", dest="quiet", action="store_true", help="only the answer")
    run.add_argument("-v", dest="verbose", action="store_true", help="a line for every finished cell, the whole answer")
