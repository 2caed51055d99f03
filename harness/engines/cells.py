"""A cell inside its own process: components built, artifacts read, a session opened, blocks measured and kept."""

from __future__ import annotations

import math
import os
import resource
import sys
import time
import traceback
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness import artifacts
from harness.errors import BenchError, near_miss
from harness.exchange import Case, Session, Values

if TYPE_CHECKING:
    from harness.discovery.registry import Registry
    from harness.kinds import Protocol

SHOWN = 0
"""The seed of which figures show more than numbers: one seed, so that contenders are seen from the same noise."""


def open_session(
    registry: Registry, cell: Mapping[str, Any], *, threads: int, made: Mapping[str, str], **where: Any
) -> Session:
    """Build what the cell names and let its protocol set it up. `made` maps a kind to its artifact's file."""
    import torch

    torch.set_num_threads(threads)
    protocol = registry.build("protocol", cell["protocol"])
    session: Session = protocol.setup(_case(registry, cell, made, **where))
    return session


def make(
    registry: Registry,
    cell: Mapping[str, Any],
    kind: str,
    to: Path,
    *,
    threads: int,
    made: Mapping[str, str],
    **where: Any,
) -> str:
    """Make the artifact of the cell's component of a kind and store it under `to`; answers its digest.

    In one thread, whatever cells may use: it is the same for all of them.
    """
    case = _case(registry, cell, made, **where)
    protocol: Protocol = registry.build("protocol", cell["protocol"])
    if protocol.made_of[kind]:
        return artifacts.store(protocol.make(kind, case), to)
    return artifacts.store(artifacts.alone(case.parts[kind], case.report), to)


def _case(
    registry: Registry,
    cell: Mapping[str, Any],
    made: Mapping[str, str],
    folder: str,
    scratch: str,
    report: Callable[..., None],
) -> Case:
    os.chdir(folder)
    Path(scratch).mkdir(parents=True, exist_ok=True)
    return Case(
        parts={kind: registry.build(kind, spec) for kind, spec in cell["parts"].items()},
        build=registry.build,
        measure={label: registry.build("metric", spec) for label, spec in cell.get("measure", {}).items()},
        tune=cell.get("tune"),
        artifacts={kind: artifacts.read(kind, Path(file)) for kind, file in made.items()},
        split=cell.get("split", ""),
        device=cell["device"],
        folder=Path(scratch),
        report=report,
        baseline={kind: registry.build(kind, spec) for kind, spec in cell.get("baseline", {}).items()},
    )


def measure(
    session: Session, seeds: Sequence[int], tuned: Mapping[str, Any], units: Path, labels: Iterable[str] = ()
) -> dict[str, Any]:
    """Measure one block; NaN and infinity become None. Per-example results are written whole or not at all.

    Raises BenchError where the answer does not hold one number per seed for every metric in `labels`.
    """
    started = time.perf_counter()
    values = session.measure(seeds, tuned)
    seconds, peak = time.perf_counter() - started, peak_bytes()
    check(values, seeds, labels)
    exhibit, missing = _exhibit(values)
    if values.units or exhibit:
        _write_units(units, values.seeds, values.units, exhibit)
    return {
        "seeds": list(values.seeds),
        "metrics": {label: numbers and [_finite(v) for v in numbers] for label, numbers in values.metrics.items()},
        "extra": {name: [_finite(v) for v in numbers] for name, numbers in values.extra.items()},
        "bootstrap": {
            label: {"low": [_finite(v) for v in low], "high": [_finite(v) for v in high]}
            for label, (low, high) in values.bootstrap.items()
        },
        "units": units.name if values.units or exhibit else None,
        "raw": values.raw,
        "unranked": values.unranked,
        "notes": [*values.notes, *missing],
        "seconds": seconds,
        "peak_bytes": peak,
    }


def check(values: Any, seeds: Sequence[int], labels: Iterable[str]) -> None:
    """What a session measured can be stored. Raises BenchError saying what does not fit."""
    if not isinstance(values, Values):
        raise BenchError(f"measure() must return harness.Values, not {type(values).__name__}")
    if list(values.seeds) != list(seeds):
        raise BenchError(f"measure() was asked for the seeds {_few(seeds)} and answered for {_few(values.seeds)}")
    for label in labels:
        if label not in values.metrics:
            raise BenchError(f"the metric {label} was not measured{near_miss(label, values.metrics)}")
    ends = [(f"the bootstrap of {label}", end) for label, both in values.bootstrap.items() for end in both]
    for label, numbers in [*values.metrics.items(), *values.extra.items(), *ends]:
        if numbers is None:  # the metric has nothing to say of this cell
            continue
        if len(numbers) != len(seeds):
            raise BenchError(f"{label}: {len(numbers)} numbers for {len(seeds)} seeds")
        for number in numbers:
            if not isinstance(number, (int, float)) and getattr(number, "ndim", None) != 0:
                raise BenchError(f"{label}: expected a number, got a {type(number).__name__}")
    for label, arrays in values.units.items():
        if len({tuple(array.shape) for array in arrays}) != 1 or len(arrays[0]) != len(seeds):
            shapes = " and ".join(str(list(array.shape)) for array in arrays)
            raise BenchError(f"{label}: per-example values and their numbers have the shapes {shapes}")


def _few(seeds: Sequence[int]) -> str:
    return ", ".join(str(seed) for seed in list(seeds)[:4]) + (", ..." if len(seeds) > 4 else "")


def _finite(value: float) -> float | None:
    return float(value) if math.isfinite(value) else None


def _exhibit(values: Values) -> tuple[Mapping[str, Any], list[str]]:
    """What figures show of seed 0, and a note where that cannot be had: no number is lost for the want of a picture."""
    if SHOWN not in values.seeds:
        return {}, []
    try:
        return values.exhibit(), []
    except Exception as error:  # a plugin's, in something that no metric asked for
        traceback.print_exc()
        return {}, [f"nothing is kept for figures: {' '.join(str(error).split())[:200]}"]


def _write_units(
    file: Path, seeds: Sequence[int], units: Mapping[str, tuple[Any, Any]], exhibit: Mapping[str, Any]
) -> None:
    import numpy

    file.parent.mkdir(parents=True, exist_ok=True)
    arrays: dict[str, Any] = {"seeds": numpy.asarray(seeds)}
    for label, (values, ids) in units.items():
        arrays[f"{label}/values"] = numpy.asarray(values, dtype=numpy.float32)
        arrays[f"{label}/ids"] = numpy.asarray(ids, dtype=numpy.int32)
    arrays |= {f"exhibit/{name}": array.cpu().float().numpy() for name, array in exhibit.items()}
    part = file.with_suffix(f".{os.getpid()}.part")
    with part.open("wb") as stream:
        numpy.savez_compressed(stream, **arrays)
        stream.flush()
        os.fsync(stream.fileno())
    part.replace(file)


def peak_bytes() -> int:
    """The largest resident memory this process ever had."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024
