"""The words of the command line."""

from __future__ import annotations

import argparse
import contextlib
from collections.abc import Callable, Mapping

Command = Callable[[argparse.Namespace], int]


def parser(commands_run: Mapping[str, Command]) -> argparse.ArgumentParser:
    """The parser; `commands_run` says what each command does."""
    from harness import __version__

    parser = argparse.ArgumentParser(
        prog="bench",
        description="Compare machine-learning methods honestly: bench SUITE.yaml runs a suite and reports it.",
        allow_abbrev=False,
    )
    parser.add_argument("--version", action="version", version=f"bench {__version__}")
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    plugins = _plugin_options()
    add = commands.add_parser
    run = add(
        "run", parents=[plugins, _suite_options(), _output_options()], help="run suites; the word can be left out"
    )
    _run_options(run)
    run.set_defaults(command=commands_run["run"])
    validate = add("validate", parents=[plugins, _suite_options()], help="check suites and say what they would compare")
    validate.set_defaults(command=commands_run["validate"])
    schema = add("schema", parents=[plugins], help="print the JSON Schema of suites, for editors")
    schema.set_defaults(command=commands_run["schema"])
    listing = add("list", parents=[plugins], help="list the components of every kind, or of one")
    listing.add_argument("kind", nargs="?", metavar="KIND")
    listing.set_defaults(command=commands_run["list"])
    info = add("info", parents=[plugins], help="show a component: its fields, its source, its place")
    info.add_argument("name", metavar="[KIND:]NAME")
    info.set_defaults(command=commands_run["info"])
    report = add("report", parents=[_output_options()], help="render a stored run again")
    report.add_argument("run", metavar="RUN", help="last, last~1, the beginning of an id, a folder or a file")
    report.add_argument("--format", default="console", metavar="FORMAT", help="console or json")
    report.set_defaults(command=commands_run["report"])
    return parser


def _plugin_options() -> argparse.ArgumentParser:
    options = argparse.ArgumentParser(add_help=False)
    options.add_argument("--plugin", action="append", default=[], metavar="FILE_OR_MODULE", help="add a plugin")
    options.add_argument("-p", dest="block", action="append", default=[], metavar="no:NAME", help="leave a plugin out")
    return options


def _suite_options() -> argparse.ArgumentParser:
    options = argparse.ArgumentParser(add_help=False)
    options.add_argument("suite", nargs="+", metavar="SUITE.yaml")
    options.add_argument("--seeds", metavar="N", help="how many seeds, or a list such as [7]")
    options.add_argument("--set", action="append", default=[], metavar="a.b=c", help="replace a value of the suite")
    options.add_argument(
        "-k", dest="select", metavar="EXPR", help="only cells whose labels match: 'focal and not digits'"
    )
    return options


def _output_options() -> argparse.ArgumentParser:
    options = argparse.ArgumentParser(add_help=False)
    options.add_argument("--results", default="results", metavar="DIR", help="where everything is kept (./results)")
    options.add_argument("--color", choices=("auto", "always", "never"), default="auto")
    return options


def _run_options(run: argparse.ArgumentParser) -> None:
    run.add_argument("--device", choices=("cpu", "cuda", "auto"))
    run.add_argument("-j", dest="jobs", type=_count, metavar="N", help="cells at once (one per pair of cores)")
    run.add_argument("--timeout", type=float, default=3600.0, metavar="SECONDS", help="limit for one block of a cell")
    run.add_argument("--fresh", action="store_true", help="measure again what is stored")
    run.add_argument("--dry-run", action="store_true", help="say what would be done, and what could not be decided")
    run.add_argument("--json", metavar="PATH|-", help="write the result as JSON; - replaces the report on stdout")
    run.add_argument("-q", dest="quiet", action="store_true", help="only the answer")
    run.add_argument("-v", dest="verbose", action="store_true", help="a line for every finished cell")


def _count(text: str) -> int:
    with contextlib.suppress(ValueError):
        if int(text) > 0:
            return int(text)
    raise argparse.ArgumentTypeError(f"{text!r} is not a whole number above 0")
