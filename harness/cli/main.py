"""Entry point of the command `bench`. It never imports torch, and numpy only for figures and results per example."""

from __future__ import annotations

import argparse
import gc
import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, TextIO, cast

from harness.cli.exit_codes import BUG, FAILED, FOUND, OK, ORDER, STOPPED, TERMINATED, WRONG
from harness.cli.options import Command, blocked, parse
from harness.cli.streams import Lenient, Terminated, end_on_signals
from harness.errors import BenchError, Failure, Mistakes

if TYPE_CHECKING:
    from harness.discovery.catalogue import Catalogue
    from harness.worker.messages import SamplingWishes


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line and return the exit code."""
    gc.set_threshold(50_000)  # loaded objects live until the end; collecting garbage took a tenth of the start-up
    sys.stdout = cast(TextIO, Lenient(sys.stdout))
    end_on_signals()
    try:
        options = parse(sys.argv[1:] if argv is None else argv, COMMANDS)
        code: int = options.command(options)
        sys.stdout.flush()
        return code
    except (BenchError, Failure) as error:
        return _told(error)
    except KeyboardInterrupt as reason:
        ended = isinstance(reason, Terminated)
        said = "terminated" if ended else "interrupted"
        print(f"{said}: everything finished is stored, the same command goes on from there", file=sys.stderr)
        return TERMINATED if ended else STOPPED
    except Exception:
        import traceback

        traceback.print_exc()
        print("bench: this is a bug in the harness; please report it with the lines above", file=sys.stderr)
        return BUG


def _run(options: argparse.Namespace) -> int:
    if options.offline:
        from harness.worker.offline import ENVIRONMENT

        os.environ.update(ENVIRONMENT)
    codes = [_tried(path, options) for path in options.suite]
    return next(code for code in ORDER if code in codes)


def _tried(path: str, options: argparse.Namespace) -> int:
    """Run one of several suites; a mistake in it does not keep the others from running."""
    from harness.cli.suites import run

    try:
        return run(path, options)
    except (BenchError, Failure) as error:
        return _told(error)


def _told(error: BenchError | Failure) -> int:
    """Print a mistake or a failure; return the exit code."""
    said = error.lines if isinstance(error, Mistakes) else [f"bench: {error}"]
    print("\n".join(said), file=sys.stderr)
    return FAILED if isinstance(error, Failure) else WRONG


def _schema(options: argparse.Namespace) -> int:
    from harness.suite import json_schema

    print(json.dumps(json_schema(_catalogue(options).table), indent=2))
    return OK


def _list(options: argparse.Namespace) -> int:
    from harness.cli.components import listing

    print(listing(_catalogue(options), options.kind))
    return OK


def _info(options: argparse.Namespace) -> int:
    from harness.cli.components import about
    from harness.cli.contract import contract
    from harness.kinds import KINDS

    show = contract if options.name in KINDS else about
    print(show(_catalogue(options), options.name))
    return OK


def _check(options: argparse.Namespace) -> int:
    from harness.cli.check import show
    from harness.commands.check import check
    from harness.report.console import console_for

    found = check(options.what, options.plugin, blocked(options), options.timeout)
    return OK if show(found, console_for(sys.stdout, options.color)) else FOUND


def _doctor(options: argparse.Namespace) -> int:
    if options.store:
        from harness.commands import examine_store

        found = examine_store.examine(Path(options.results))
        print("\n".join(examine_store.report_lines(found)))
        return FOUND if found.damaged else OK
    from harness.commands.doctor import examine, lines

    print("\n".join(lines(examine(Path(options.results), options.pairs, options.budget))))
    return OK


def _clean(options: argparse.Namespace) -> int:
    from harness.commands.clean import CleanRules, clean_lines, cleaning, remove

    rules = CleanRules(options.older_than, options.keep, options.size, options.caches, options.records)
    found = cleaning(Path(options.results), rules)
    allowed = [] if options.dry_run else [each for each in found.removals if options.yes or not each.measured]
    remove(allowed)
    print("\n".join(clean_lines(found, allowed, options.dry_run)))
    return OK


def _report(options: argparse.Namespace) -> int:
    from harness.cli.showing import report

    report(options)
    return OK


def _pareto(options: argparse.Namespace) -> int:
    from harness.cli.showing import pareto

    pareto(options)
    return OK


def _import(options: argparse.Namespace) -> int:
    from harness.cli.showing import import_table

    import_table(options)
    return OK


def _compare(options: argparse.Namespace) -> int:
    from harness.cli.showing import compare

    return compare(options)


def _sample(options: argparse.Namespace) -> int:
    from harness.commands.sample import sample

    kinds = {
        "denoiser": "model",
        "sampler": "sampler",
        "variance": "variance",
        "spacing": "spacing",
        "schedule": "schedule",
    }
    words = {kind: text for kind, name in kinds.items() if (text := getattr(options, name)) is not None}
    wishes: SamplingWishes = {
        "steps": options.steps, "n": options.samples, "seed": options.seed, "clip_x0": options.clip_x0,
        "labels": options.labels, "guidance": options.guidance,
    }  # fmt: skip
    print(sample(words, wishes, Path(options.out), options.plugin, options.timeout))
    return OK


def _runs(options: argparse.Namespace) -> int:
    from harness.cli.stored import runs

    runs(options)
    return OK


def _log(options: argparse.Namespace) -> int:
    from harness.cli.stored import log

    log(options)
    return OK


def _trend(options: argparse.Namespace) -> int:
    from harness.cli.stored import trend

    trend(options)
    return OK


def _new(options: argparse.Namespace) -> int:
    from harness.cli.authoring import new

    new(options)
    return OK


def _completion(options: argparse.Namespace) -> int:
    from harness.cli.authoring import completion

    completion(options)
    return OK


def _freeze(options: argparse.Namespace) -> int:
    from harness.cli.showing import freeze

    freeze(options)
    return OK


def _merge(options: argparse.Namespace) -> int:
    from harness.cli.showing import merge

    merge(options)
    return OK


def _pack(options: argparse.Namespace) -> int:
    from harness.cli.showing import pack

    pack(options)
    return OK


def _cite(options: argparse.Namespace) -> int:
    from harness.cli.showing import cite

    cite(options)
    return OK


def _validate(options: argparse.Namespace) -> int:
    from harness.cli.suites import validate

    validate(options)
    return OK


def _fetch(options: argparse.Namespace) -> int:
    from harness.cli.suites import fetch

    fetch(options)
    return OK


def _catalogue(options: argparse.Namespace) -> Catalogue:
    from harness.cli.suites import say_unavailable
    from harness.discovery.catalogue import gather
    from harness.run.load import describer, own
    from harness.worker.supervisor import Server

    with Server() as server:
        named = own((text, Path.cwd(), None) for text in options.plugin)
        catalogue = gather(named, blocked(options), describer(server))
        catalogue.complete()
    say_unavailable(catalogue)
    return catalogue


COMMANDS: dict[str, Command] = {
    "run": _run,
    "validate": _validate,
    "fetch": _fetch,
    "schema": _schema,
    "list": _list,
    "info": _info,
    "check": _check,
    "report": _report,
    "doctor": _doctor,
    "clean": _clean,
    "compare": _compare,
    "freeze": _freeze,
    "pack": _pack,
    "merge": _merge,
    "cite": _cite,
    "sample": _sample,
    "pareto": _pareto,
    "import": _import,
    "runs": _runs,
    "log": _log,
    "trend": _trend,
    "new": _new,
    "completion": _completion,
}
