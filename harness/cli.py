"""The command `bench`: what it is asked, what it prints, how it ends. It never imports torch, numpy or scipy."""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from harness.errors import BenchError, Mistakes

OK, FOUND, WRONG, FAILED, NOTHING, BUG, STOPPED = 0, 1, 2, 3, 4, 5, 130
ORDER = (BUG, STOPPED, WRONG, NOTHING, FAILED, FOUND, OK)
"""Where several exit codes apply, the first of these wins."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line; answers the exit code."""
    words = list(sys.argv[1:] if argv is None else argv)
    if words and words[0] not in COMMANDS and words[0] not in ("-h", "--help", "--version"):
        words.insert(0, "run")
    options = _parser().parse_args(words or ["--help"])
    try:
        code: int = options.command(options)
        sys.stdout.flush()
        return code
    except Mistakes as mistakes:
        print("\n".join(mistakes.lines), file=sys.stderr)
        return WRONG
    except BenchError as error:
        print(f"bench: {error}", file=sys.stderr)
        return WRONG
    except KeyboardInterrupt:
        print("interrupted: everything finished is stored, the same command goes on from there", file=sys.stderr)
        return STOPPED
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # whoever read our output has gone; so do we
        return OK
    except Exception:
        import traceback

        traceback.print_exc()
        print("bench: this is a bug in the harness; please report it with the lines above", file=sys.stderr)
        return BUG


def _run(options: argparse.Namespace) -> int:
    codes = [_one(path, options) for path in options.suite]
    return next(code for code in ORDER if code in codes)


def _one(path: str, options: argparse.Namespace) -> int:
    from harness.engines.local import Server
    from harness.preparation import prepare
    from harness.report.progress import Progress
    from harness.runner import Conditions, conduct, planned

    with Server() as server, Progress(quiet=options.quiet, verbose=options.verbose) as progress:
        prepared = prepare(path, _wishes(options), server)
        _say_unavailable(prepared.catalogue.unavailable)
        if not prepared.cells:
            print(f"bench: -k {options.select!r} selects none of {prepared.suite.size()} cells", file=sys.stderr)
            return NOTHING
        conditions = Conditions(
            results=Path(options.results),
            device=_device(options.device or prepared.suite.device, server),
            jobs=options.jobs,
            timeout=options.timeout,
            fresh=options.fresh,
            told=progress.told,
        )
        if options.dry_run:
            from harness.rehearsal import rehearse

            print(rehearse(prepared, conditions))
            return OK
        progress.expect(planned(prepared, conditions).tasks)
        result = conduct(prepared, conditions, server)
    _show(result.data, options)
    return result.exit


def _show(data: dict[str, Any], options: argparse.Namespace) -> None:
    """The report on stdout, or the JSON where it was asked for there; where things are kept goes to stderr."""
    from harness.report import render
    from harness.report.console import console_for, show

    text = render(data, "json") if options.json else ""
    if options.json == "-":
        sys.stdout.write(text)
    else:
        if options.json:
            Path(options.json).write_text(text)
        if options.quiet:
            print(data["answer"])
        else:
            show(data, console_for(sys.stdout, options.color))
    if not options.quiet:
        print(f"stored in {Path(options.results) / 'runs' / data['run']}", file=sys.stderr)


def _validate(options: argparse.Namespace) -> int:
    from harness.engines.local import Server
    from harness.preparation import prepare
    from harness.rehearsal import summary

    with Server() as server:
        for path in options.suite:
            prepared = prepare(path, _wishes(options), server)
            print(summary(prepared))
    return OK


def _schema(options: argparse.Namespace) -> int:
    from harness.suite import json_schema

    print(json.dumps(json_schema(_catalogue(options).table), indent=2))
    return OK


def _list(options: argparse.Namespace) -> int:
    from harness.report.components import listing

    print(listing(_catalogue(options), options.kind))
    return OK


def _info(options: argparse.Namespace) -> int:
    from harness.report.components import about

    print(about(_catalogue(options), options.name))
    return OK


def _report(options: argparse.Namespace) -> int:
    from harness import history
    from harness.report import render
    from harness.report.console import console_for, show

    data = history.stored(Path(options.results), options.run)
    if options.format == "console":
        show(data, console_for(sys.stdout, options.color))
    else:
        sys.stdout.write(render(data, options.format))
    return OK


def _catalogue(options: argparse.Namespace) -> Any:
    from harness.catalogue import gather
    from harness.engines.local import Server
    from harness.preparation import describer

    with Server() as server:
        catalogue = gather([(text, Path.cwd()) for text in options.plugin], _blocked(options), describer(server))
        catalogue.complete()
    _say_unavailable(catalogue.unavailable)
    return catalogue


def _say_unavailable(plugins: dict[str, str]) -> None:
    for name, reason in plugins.items():
        print(f"bench: the installed plugin {name} is not available: {reason}", file=sys.stderr)


def _wishes(options: argparse.Namespace) -> Any:
    from harness.preparation import Wishes

    overrides = {}
    for text in options.set:
        key, equals, value = text.partition("=")
        if not equals or not key:
            raise BenchError(f"--set {text}: expected KEY=VALUE, for example --set settings.epochs=5")
        overrides[key] = value
    if options.seeds is not None:
        overrides["seeds"] = options.seeds
    return Wishes(options.plugin, _blocked(options), overrides, options.select)


def _blocked(options: argparse.Namespace) -> list[str]:
    for text in options.block:
        if not text.startswith("no:"):
            raise BenchError(f"-p {text}: write -p no:NAME to leave a plugin out")
    return [text.removeprefix("no:") for text in options.block]


def _device(wanted: str, server: Any) -> str:
    """`auto` is cuda where a child sees one; the command itself never asks torch."""
    if wanted == "cpu":
        return "cpu"
    child = server.start()
    try:
        has_cuda: bool = child.ask({"ask": "has_cuda"})
    finally:
        child.close()
    if wanted == "cuda" and not has_cuda:
        raise BenchError("--device cuda: torch sees no CUDA device here (choose from cpu, auto)")
    return "cuda" if has_cuda else "cpu"


def _parser() -> argparse.ArgumentParser:
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
    run.set_defaults(command=_run)
    validate = add("validate", parents=[plugins, _suite_options()], help="check suites and say what they would compare")
    validate.set_defaults(command=_validate)
    schema = add("schema", parents=[plugins], help="print the JSON Schema of suites, for editors")
    schema.set_defaults(command=_schema)
    listing = add("list", parents=[plugins], help="list the components of every kind, or of one")
    listing.add_argument("kind", nargs="?", metavar="KIND")
    listing.set_defaults(command=_list)
    info = add("info", parents=[plugins], help="show a component: its fields, its source, its place")
    info.add_argument("name", metavar="[KIND:]NAME")
    info.set_defaults(command=_info)
    report = add("report", parents=[_output_options()], help="render a stored run again")
    report.add_argument("run", metavar="RUN", help="last, last~1, the beginning of an id, a folder or a file")
    report.add_argument("--format", default="console", metavar="FORMAT", help="console or json")
    report.set_defaults(command=_report)
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


COMMANDS: dict[str, Callable[[argparse.Namespace], int]] = {
    "run": _run,
    "validate": _validate,
    "schema": _schema,
    "list": _list,
    "info": _info,
    "report": _report,
}
