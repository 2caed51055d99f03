"""A cell inside its own process: components are built, artifacts read, a runner set up, blocks measured and stored."""

from __future__ import annotations

import math
import os
import resource
import sys
import time
import traceback
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Unpack

from harness import artifacts
from harness.base import Component
from harness.errors import BenchError, described, near_miss
from harness.fields import Json
from harness.kinds import Dataset
from harness.kinds.evaluation import CellContext, CellRunner, Measurements
from harness.random import seed_globals
from harness.results.codec import data, stored

if TYPE_CHECKING:
    import numpy as np
    from torch import Tensor

    from harness.discovery.registry import Registry
    from harness.kinds import Protocol
    from harness.results.records import Numbers, Record
    from harness.worker.messages import CellData, Surroundings

QUICK = 1.0
"""Seconds up to which a data set is loaded twice, to see whether it gives the same table."""
SHOWN = 0
"""The seed whose samples are stored for figures: one seed, so that contenders are shown for the same noise."""


def open_session(
    registry: Registry, cell: CellData, on_progress: Callable[..., None], **where: Unpack[Surroundings]
) -> CellRunner:
    """Build the cell's components and let its protocol set it up."""
    import torch

    torch.set_num_threads(where["threads"])
    seed_globals(0, "setup")
    protocol: Protocol = registry.build("protocol", cell["protocol"])
    return protocol.setup(_case(registry, cell, on_progress, where))


def build_artifact(
    registry: Registry,
    cell: CellData,
    kind: str,
    to: Path,
    on_progress: Callable[..., None],
    **where: Unpack[Surroundings],
) -> str:
    """Make the artifact of the cell's component of a kind and store it under `to`; return its digest.

    Uses one thread, whatever cells may use, so that it is the same for all of them.
    """
    seed_globals(0, "artifact")
    case = _case(registry, cell, on_progress, where)
    protocol: Protocol = registry.build("protocol", cell["protocol"])
    if protocol.artifacts[kind]:
        return artifacts.store(protocol.build_artifact(kind, case), to)
    return artifacts.store(_alone(case.components[kind], case.on_progress), to)


def _alone(component: Component, on_progress: Callable[..., None]) -> Mapping[str, object]:
    """Make the artifact of a component that needs no other; a data set that loads quickly is loaded twice."""
    from harness.conformance import contract, dataset

    kept, started = contract.Attributes(component), time.perf_counter()
    made = artifacts.alone(component, on_progress)
    if isinstance(component, Dataset):
        kept.check("load")
        if time.perf_counter() - started < QUICK:
            dataset.try_again(component, made)
    return made


def _case(registry: Registry, cell: CellData, on_progress: Callable[..., None], where: Surroundings) -> CellContext:
    os.chdir(where["folder"])
    if where["code"] not in sys.path:  # another environment's process has a path of its own
        sys.path.append(where["code"])
    scratch = Path(where["scratch"])
    scratch.mkdir(parents=True, exist_ok=True)
    return CellContext(
        components={kind: registry.build(kind, spec) for kind, spec in cell["parts"].items()},
        build=registry.build,
        metrics={label: registry.build("metric", spec) for label, spec in cell.get("metrics", {}).items()},
        tune=cell.get("tune"),
        artifacts={kind: artifacts.read(kind, Path(file)) for kind, file in where["made"].items()},
        split=cell.get("split", ""),
        device=cell["device"],
        folder=scratch,
        on_progress=on_progress,
        baseline={kind: registry.build(kind, spec) for kind, spec in cell.get("baseline", {}).items()},
        values=cell.get("values", {}),
        reference=cell.get("reference", {}),
    )


def measure(
    session: CellRunner, seeds: Sequence[int], tuned: Mapping[str, Json], units: Path, labels: Iterable[str] = ()
) -> Record:
    """Measure one block; a metric's infinity is kept, other numbers that are not finite become None.

    Per-example results are written whole or not at all. Raises BenchError if the result does not hold one number per
    seed for every metric in `labels`.
    """
    seed_globals(seeds[0], "measure")
    started = time.perf_counter()
    values = session.measure(seeds, tuned)
    seconds, peak = time.perf_counter() - started, peak_memory()
    check(values, seeds, labels)
    exhibit, missing = _exhibit(values)
    if values.per_example or exhibit:
        _write_units(units, values.seeds, values.per_example, exhibit)
    return {
        "seeds": list(values.seeds),
        "metrics": {
            label: numbers if numbers is None else [*map(stored, numbers)] for label, numbers in values.metrics.items()
        },
        "auxiliary": {name: _finite(numbers) for name, numbers in values.auxiliary.items()},
        "bootstrap": {
            label: {"low": _finite(low), "high": _finite(high)} for label, (low, high) in values.bootstrap.items()
        },
        "units": units.name if values.per_example or exhibit else None,
        "resolution": {label: size for label, size in values.resolution.items() if math.isfinite(size)},
        "raw_samples": values.raw_samples,
        "excluded": values.excluded_reason,
        "skipped": dict(values.skipped),
        "notes": [*values.notes, *missing],
        "issues": [data(issue) for issue in values.issues],
        "diverged": list(values.diverged),
        "on_threshold": {label: _finite(shares) for label, shares in values.on_threshold.items()},
        "compared_features": data(values.compared_features),
        "overridden": dict(values.overridden),
        "near_threshold": {label: data(seeds) for label, seeds in values.near_threshold.items()},
        "seconds": seconds,
        "peak_memory": peak,
    }


def check(values: object, seeds: Sequence[int], labels: Iterable[str]) -> None:
    """Check that a runner's measurements can be stored. Raises BenchError with the part that does not fit."""
    if not isinstance(values, Measurements):
        raise BenchError(f"measure() must return harness.Measurements, not {type(values).__name__}")
    if list(values.seeds) != list(seeds):
        raise BenchError(f"measure() was asked for the seeds {_few(seeds)} and answered for {_few(values.seeds)}")
    if not isinstance(values.metrics, Mapping):
        raise BenchError(f"the metrics must map labels to numbers, not be a {type(values.metrics).__name__}")
    for label in labels:
        if label not in values.metrics:
            raise BenchError(f"the metric {label} was not measured{near_miss(label, values.metrics)}")
    ends = [(f"the bootstrap of {label}", end) for label, both in values.bootstrap.items() for end in both]
    for label, numbers in [*values.metrics.items(), *values.auxiliary.items(), *ends]:
        if numbers is None:  # the metric does not apply to this cell
            continue
        if not hasattr(numbers, "__len__"):
            raise BenchError(f"{label}: expected one number for each seed, got a {type(numbers).__name__}")
        if len(numbers) != len(seeds):
            raise BenchError(f"{label}: {len(numbers)} numbers for {len(seeds)} seeds")
        for number in numbers:
            _check_number(label, number)
    for label, arrays in values.per_example.items():
        if not all(hasattr(array, "shape") for array in arrays):
            raise BenchError(f"{label}: per-example values and their numbers must be arrays")
        if len({tuple(array.shape) for array in arrays}) != 1 or len(arrays[0]) != len(seeds):
            shapes = " and ".join(str(list(array.shape)) for array in arrays)
            raise BenchError(f"{label}: per-example values and their numbers have the shapes {shapes}")


def _check_number(label: str, number: Any) -> None:
    """Check that something is one real number. Raises BenchError if it is none."""
    if not isinstance(number, (int, float)) and getattr(number, "ndim", None) != 0:
        raise BenchError(f"{label}: expected a number, got a {type(number).__name__}")
    try:
        plain = complex(number)
    except Exception as error:
        raise BenchError(f"{label}: expected a number, got a {type(number).__name__}: {described(error)}") from error
    if plain.imag:  # numpy would drop it
        raise BenchError(f"{label}: expected a real number, got {plain}")


def _few(seeds: Sequence[int]) -> str:
    return ", ".join(str(seed) for seed in list(seeds)[:4]) + (", ..." if len(seeds) > 4 else "")


def _finite(numbers: Sequence[float]) -> Numbers:
    return [float(value) if math.isfinite(value) else None for value in numbers]


def _exhibit(values: Measurements) -> tuple[Mapping[str, Tensor], list[str]]:
    """Return the figure data of seed 0, and a note if it fails, since no number may be lost for a figure."""
    if SHOWN not in values.seeds:
        return {}, []
    try:
        return values.figure_data(), []
    except Exception as error:  # an error of a plugin, in data that no metric requested
        traceback.print_exc()
        return {}, [f"nothing is kept for figures: {' '.join(str(error).split())[:200]}"]


def _write_units(
    file: Path,
    seeds: Sequence[int],
    units: Mapping[str, tuple[Tensor | np.ndarray, Tensor | np.ndarray]],
    exhibit: Mapping[str, Tensor],
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


def peak_memory() -> int:
    """Return the largest resident memory this process ever had."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024
