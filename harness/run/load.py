"""Loading of suites: plugins are found, components described, and all mistakes reported at once."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from harness import suite
from harness.base import component_name
from harness.discovery.catalogue import Catalogue, gather
from harness.discovery.descriptions import PluginAnswer, facts_of
from harness.discovery.sources import Source, given
from harness.errors import BenchError, Failure, Mistakes
from harness.results.statements import FailOn
from harness.run.boundary import Boundary, check_imports, check_plugins
from harness.suite import Cell, Suite, select
from harness.worker.supervisor import Server

if TYPE_CHECKING:
    from harness.base import Spec
    from harness.discovery.catalogue import Describe
    from harness.results.values import Shard
    from harness.suite.document import Document

DESCRIBE_WITHIN = 120.0
"""Seconds allowed for importing and describing a plugin."""

GPU_DEVICES = ("/dev/nvidiactl", "/dev/nvmap", "/dev/kfd", "/dev/dxg")
"""Device files of GPUs (NVIDIA, its embedded boards, AMD, Windows' subsystem); without one `auto` is the CPU."""

NO_CUDA = "torch sees no CUDA device here"


@dataclass(frozen=True)
class RunOptions:
    """Options of the command line (or `harness.run`) beside the suite; `challenged` compares with other code.

    With `tolerant` a plugin that cannot be imported fails its own rows in place of the suite. `shard` is the number of
    the part of the cells that is measured, from 1, and the number of all parts.
    """

    plugins: Sequence[str] = ()
    blocked: Sequence[str] = ()
    overrides: Mapping[str, str] = field(default_factory=dict)
    select: str | None = None
    timeout: float = DESCRIBE_WITHIN
    trust: bool = False
    challenged: bool = False
    tolerant: bool = False
    shard: tuple[int, int] | None = None


@dataclass(frozen=True)
class LoadedSuite:
    """A checked suite, its document, the selected cells, the catalogue of components, and the unavailable devices.

    `left_out` are the suite's other cells: they are not measured, and count in the corrections for all comparisons.
    `wishes` are the options with which it was loaded; `shard` is the part that the cells are, once they are dealt.
    """

    suite: Suite
    cells: list[Cell]
    catalogue: Catalogue
    absent: frozenset[str]
    document: Document
    boundary: Boundary
    left_out: Sequence[Cell] = ()
    wishes: RunOptions = field(default_factory=RunOptions)
    shard: Shard | None = None

    def specs(self) -> list[tuple[str, Spec]]:
        """Return (kind, spec) of every part of the selected cells and of every metric."""
        metrics: list[tuple[str, Spec]] = [("metric", spec) for spec in self.suite.metrics.values()]
        return [*(pair for cell in self.cells for pair in cell.parts.items()), *metrics]


def load(path: str, wishes: RunOptions, server: Server) -> LoadedSuite:
    """Read, describe and check a suite. Raises BenchError or Mistakes for mistakes of the user."""
    document = suite.read(path).override(wishes.overrides)
    folder = Path(path).parent
    add_to_path(folder)
    named = own((text, Path.cwd(), None) for text in wishes.plugins)
    boundary = Boundary(folder, named)
    if not wishes.trust:
        check_plugins(document, boundary)
    named += own((text, folder, place) for text, place in document.plugins)
    catalogue = gather(named, wishes.blocked, describer(server, wishes.timeout), wishes.tolerant)
    paths = document.imports(catalogue.table)
    if not wishes.trust:
        check_imports(document, [path for _, path in paths], boundary)
    catalogue.import_paths(paths)
    catalogue.stand_in(document.contenders(catalogue.table))
    try:
        checked = suite.check(document, catalogue.table, challenged=wishes.challenged)
    except Mistakes:
        catalogue.complete()  # an installed plugin without a description may have the missing component
        catalogue.stand_in(document.contenders(catalogue.table))
        try:
            checked = suite.check(document, catalogue.table, challenged=wishes.challenged)
        except Mistakes as mistakes:
            raise Mistakes([*mistakes.lines, *unavailable(catalogue)]) from None
    match = select.expression(wishes.select) if wishes.select else None
    every = checked.cells()
    cells = [cell for cell in every if match is None or match(labels_of(cell))]
    rest = [] if match is None else [cell for cell in every if not match(labels_of(cell))]
    return LoadedSuite(checked, cells, catalogue, absent(cells, server), document, boundary, rest, wishes)


def add_to_path(folder: Path) -> None:
    """Make the modules beside a suite importable, after everything installed; children inherit the path."""
    text = str(folder.resolve())
    if text not in sys.path:
        sys.path.append(text)


def own(named: Iterable[tuple[str, Path, str | None]]) -> list[Source]:
    """Return the plugins a user named: (text, base folder, place of the text). Raises BenchError if one is missing."""
    found = []
    for text, folder, place in named:
        try:
            found.append(given(text, folder))
        except BenchError as error:
            raise BenchError(error.what, place) from None
    return found


def unavailable(catalogue: Catalogue) -> list[str]:
    """Return a line for each installed plugin that cannot be used, and each of the user's that cannot be imported."""
    lines = [
        f"bench: the installed plugin {name} is not available: {why}" for name, why in catalogue.unavailable.items()
    ]
    return lines + [f"bench: {why}" for each, why in catalogue.lost.items() if each.origin != "installed"]


def check_conditions(conditions: Sequence[str], prepared: LoadedSuite, compared: bool = False) -> None:
    """Raises BenchError for a condition that no result of the suite could meet and that would thus always pass.

    A suite that is `compared` with an earlier run needs no baseline of its own, and no shard of it can be.
    """
    if compared and prepared.shard:
        raise BenchError("--shard: a part of a suite is not compared with a stored run; leave --against to the whole")
    first, spec = next(iter(prepared.suite.metrics.items()))
    facts = facts_of(prepared.catalogue.table["metric", component_name(spec)], spec)
    judges = facts["higher_is_better"] is not None
    for name in conditions:
        lonely = prepared.suite.baseline is None and not compared
        if name in (FailOn.REGRESSION, FailOn.UNDECIDED) and (lonely or not judges):
            why = f"{first}, the first metric, only describes" if not judges else "the suite has no baseline"
            raise BenchError(f"--fail-on {name}: {why}", str(prepared.suite.file))


def references(prepared: LoadedSuite) -> dict[str, str]:
    """Return the BibTeX of every component that the cells use, by `kind name`; empty where a component has none."""
    catalogue = prepared.catalogue
    parts: list[tuple[str, Spec]] = [("protocol", {"name": prepared.suite.protocol})]
    used = {pair for kind, spec in [*parts, *prepared.specs()] for pair in catalogue.used(kind, spec)}
    return {f"{kind} {name}": catalogue.table[kind, name].get("reference", "") for kind, name in sorted(used)}


def labels_of(cell: Cell) -> str:
    """Return the text that `-k` is matched against."""
    return " ".join(str(value) for value in cell.vary.values() if value is not None)


def describer(server: Server, timeout: float = DESCRIBE_WITHIN) -> Describe:
    """Return a function that describes plugins in children: stock ones together, others alone, to isolate failures.

    The limit per plugin is `timeout` seconds, and at most DESCRIBE_WITHIN.
    """

    def describe(plugins: list[Source]) -> Mapping[str, PluginAnswer]:
        stock = [source for source in plugins if source.origin == "stock"]
        groups = [stock, *([source] for source in plugins if source.origin != "stock")]
        answers: dict[str, PluginAnswer] = {}
        for group in filter(None, groups):
            answers |= _describe(server, group, min(timeout, DESCRIBE_WITHIN))
        return answers

    return describe


def _describe(server: Server, group: list[Source], timeout: float) -> dict[str, PluginAnswer]:
    child = server.start()
    try:
        question = {"ask": "describe", "plugins": [source.data() for source in group]}
        found = child.ask(question, dict[str, PluginAnswer], timeout)
        silent: PluginAnswer = {"error": "its process described no such plugin"}
        return {source.name: found.get(source.name, silent) for source in group}
    except Failure as failure:
        place = group[0].file if len(group) == 1 else "the stock plugins"
        error = str(BenchError(f"cannot be imported: {failure.reason}", place))
        return {source.name: {"error": error, "imported": False} for source in group}
    finally:
        child.close()


def chosen_device(wanted: str, server: Server) -> str:
    """Return the device; `auto` is cuda if a child process sees one, since the command never imports torch."""
    if wanted == "cpu" or (wanted == "auto" and not any(os.path.exists(device) for device in GPU_DEVICES)):
        return "cpu"
    has_cuda = gpu_count(server) > 0
    if wanted == "cuda" and not has_cuda:
        raise BenchError(f"--device cuda: {NO_CUDA} (choose from cpu, auto)")
    return "cuda" if has_cuda else "cpu"


def elsewhere(prepared: LoadedSuite) -> tuple[LoadedSuite, str]:
    """Return the suite and the device for cells on other machines: `auto` is cuda where each of them takes a GPU."""
    wanted, takes = prepared.suite.device, bool(prepared.suite.resources.gpus)
    return replace(prepared, absent=frozenset()), "cuda" if wanted == "cuda" or (wanted == "auto" and takes) else "cpu"


def absent(cells: Iterable[Cell], server: Server) -> frozenset[str]:
    """Return the unavailable ones of the devices that are an axis: their cells are skipped."""
    asked = any(cell.device == "cuda" for cell in cells)
    return frozenset({"cuda"} if asked and not gpu_count(server) else ())


def gpu_count(server: Server) -> int:
    """Return the number of GPUs that torch sees, in a child."""
    child = server.start()
    try:
        return child.ask({"ask": "gpus"}, int)
    finally:
        child.close()


def chosen_gpus(wanted: Sequence[int], device: str, prepared: LoadedSuite, server: Server) -> list[str]:
    """Return the GPUs of the cells as CUDA_VISIBLE_DEVICES names them: the wanted ones, by default all there are.

    Raises BenchError for one that does not exist, and where no cell uses a GPU.
    """
    on_gpu = device == "cuda" or any(cell.device == "cuda" for cell in prepared.cells)
    if not wanted and not on_gpu:
        return []
    count = gpu_count(server)
    said = f"--gpus {','.join(map(str, wanted))}"
    if lost := [number for number in wanted if number >= count]:
        there = f"{count} GPU{'s' * (count > 1)}, numbered from 0" if count else "no GPU that torch sees"
        raise BenchError(f"{said}: no GPU {lost[0]}, this machine has {there}")
    if wanted and not on_gpu:
        raise BenchError(f"{said}: the cells are measured on the CPU (--device cuda)")
    visible = os.environ.get("CUDA_VISIBLE_DEVICES")
    names = visible.split(",") if visible else [str(number) for number in range(count)]
    return [names[number].strip() for number in wanted or range(count)]
