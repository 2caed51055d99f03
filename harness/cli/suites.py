"""Commands on suites: run, validate and fetch."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from harness.cli.exit_codes import NOTHING, OK
from harness.cli.options import blocked, overrides
from harness.errors import BenchError

if TYPE_CHECKING:
    from harness.discovery.catalogue import Catalogue
    from harness.engines import Engine
    from harness.run.context import Elsewhere, ExecutionConfig, ProgressListener
    from harness.run.load import LoadedSuite, RunOptions
    from harness.worker.supervisor import Server


def run(path: str, options: argparse.Namespace) -> int:
    """Run one suite and print its report; return the exit code."""
    from harness.cli.progress import Progress
    from harness.cli.showing import show
    from harness.cli.to_ci import tell
    from harness.commands.against import alone, beside, challenged, earlier, opponents, since
    from harness.commands.dry_run import dry_run
    from harness.report.exit_status import lines
    from harness.run.load import check_conditions, load
    from harness.run.pipeline import execute_run
    from harness.run.tables import checked_tables
    from harness.worker.supervisor import Server

    bar = Progress(quiet=options.quiet, verbose=options.verbose)
    before = earlier(options.against, Path(options.results))
    rival = None if before else options.against
    fail_on = () if options.shard else options.fail_on
    with Server(by=beside(rival)) as server, opponents(rival, Path(path)) as others, bar as progress:
        prepared = challenged(load(path, _wishes(options, bool(options.against), not options.dry_run), server), others)
        say_unavailable(prepared.catalogue)
        engine = _engine(options, prepared)
        prepared, device, gpus = _devices(options, prepared, server, engine)
        if not prepared.cells:
            print(f"bench: {_empty(prepared)}", file=sys.stderr)
            return NOTHING
        elsewhere = {other.revision: other.elsewhere for other in others}
        conditions = replace(_conditions(options, device, progress, elsewhere), gpus=gpus, engine=engine)
        check_conditions(fail_on, prepared, before is not None)
        own = alone(prepared, before, conditions.results) if before else prepared
        if options.dry_run:
            notes = checked_tables(prepared, server, offline=options.offline).notes
            print(dry_run(prepared, conditions, notes))
            return OK
        found = execute_run(own, conditions, server, () if before else fail_on)
        run = found.run
        if before:
            found = since(before, found, prepared.suite.gates, fail_on, conditions.results, server)
    show(found, run, options)
    sys.stderr.writelines(f"bench: {line}\n" for line in lines(found, fail_on))
    tell(found, fail_on, path, options)
    return found.exit


def _empty(prepared: LoadedSuite) -> str:
    """Say why no cell is selected."""
    from harness.report.words import counted

    if prepared.shard is None or not prepared.shard.total:
        return f"-k {prepared.wishes.select!r} selects none of {prepared.suite.size()} cells"
    shard = prepared.shard
    most = f"{counted(shard.total, 'cell')} fill fewer than {shard.number} shards"
    why = "those that share an artifact or take turns stay together"
    return f"--shard {shard.number}/{shard.of} has no cell: {most} ({why})"


def _engine(options: argparse.Namespace, prepared: LoadedSuite) -> type[Engine]:
    """Return the engine that was asked for. Raises BenchError for options that are not for it."""
    from harness.discovery.sources import installed
    from harness.engines.named import named

    found = named(options.engine, [*prepared.catalogue.given(), *installed()])
    if options.address and not found.is_remote:
        raise BenchError(f"--address {options.address}: the engine {options.engine} has no address (--engine ray)")
    if options.gpus and found.is_remote:
        raise BenchError("--gpus: numbers GPUs of this machine; on others a suite says `resources: {gpus: 1}`")
    return found


def _devices(
    options: argparse.Namespace, prepared: LoadedSuite, server: Server, engine: type[Engine]
) -> tuple[LoadedSuite, str, list[str]]:
    """Return the suite, the device of its cells, and the GPUs of this machine that they use."""
    from harness.run.load import chosen_device, chosen_gpus, elsewhere
    from harness.run.shards import dealt

    if engine.is_remote:
        prepared, device = elsewhere(prepared)
        return dealt(prepared, device), device, []
    device = chosen_device(prepared.suite.device, server)
    prepared = dealt(prepared, device)
    return prepared, device, chosen_gpus(options.gpus, device, prepared, server)


def validate(options: argparse.Namespace) -> None:
    """Check suites and print what each one is."""
    from harness.commands.validate import summary
    from harness.run.load import load
    from harness.run.tables import checked_tables
    from harness.worker.supervisor import Server

    with Server() as server:
        for path in options.suite:
            prepared = load(path, _wishes(options, challenged=True), server)
            print(summary(prepared, checked_tables(prepared, server).notes))


def fetch(options: argparse.Namespace) -> None:
    """Download what suites read."""
    from harness.run.fetching import fetched
    from harness.run.load import load
    from harness.worker.supervisor import Server

    if options.offline:
        raise BenchError("fetch downloads what suites need, which --offline forbids")
    with Server() as server:
        for path in options.suite:
            for name, new in fetched(load(path, _wishes(options), server), server):
                print(f"{name}: {'downloaded' if new else 'nothing to download'}", flush=True)


def say_unavailable(catalogue: Catalogue) -> None:
    """Print a line for each plugin that cannot be used."""
    from harness.run.load import unavailable

    sys.stderr.writelines(f"{line}\n" for line in unavailable(catalogue))


def _conditions(
    options: argparse.Namespace, device: str, listener: ProgressListener, elsewhere: Mapping[str, Elsewhere]
) -> ExecutionConfig:
    from harness.run.context import ExecutionConfig
    from harness.worker.control_groups import problem

    if options.cgroups and options.engine == "local" and (why := problem()):
        raise BenchError(f"--cgroups: {why}")
    return ExecutionConfig(
        results=Path(options.results),
        device=device,
        jobs=options.jobs,
        timeout=options.timeout,
        memory=options.memory,
        grouped=options.cgroups,
        fresh=options.fresh,
        trust=options.trust,
        offline=options.offline,
        listener=listener,
        elsewhere=elsewhere,
        address=options.address,
    )


def _wishes(options: argparse.Namespace, challenged: bool = False, tolerant: bool = False) -> RunOptions:
    from harness.run.load import RunOptions

    timeout = getattr(options, "timeout", 120.0)
    said = (options.plugin, blocked(options), overrides(options), options.select)
    return RunOptions(*said, timeout, options.trust, challenged, tolerant, getattr(options, "shard", None))
