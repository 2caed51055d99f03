"""Input of the analysis for one task."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from harness.results import Bootstrap, MeasuredRow, Reason, ReasonKind, Status
from harness.results.codec import typed
from harness.results.threshold import NearThreshold, shares
from harness.results.values import Blocks, ComparedFeatures
from harness.run.context import no_path
from harness.run.task import Task

if TYPE_CHECKING:
    from harness.results.records import Numbers, Record, Stored
    from harness.results.values import Number


class Ending(NamedTuple):
    """End of a task that was not measured: its status, and the reason."""

    status: Status
    why: Reason


DIGEST = 12
"""Characters of the digest of an extractor in a result."""
USED = "used "
"""Begin of the name of an auxiliary number that says what a measurement used of a budget."""
LEARNED = "learned "
"""Begin of the name of an auxiliary number that is the final value of a learned field."""


def left_out_row(task: Task, units: Path) -> MeasuredRow:
    """Return what is stored of a task that is not measured: a row like any other if that is complete."""
    skipped = next((record for record in task.records if record["status"] == "skipped"), None)
    if skipped is not None:
        return row(task, Ending(Status.SKIPPED, typed(Reason, skipped["why"])), units)
    missing = bool(task.missing) or not task.records
    return row(task, Ending(Status.SKIPPED, Reason(ReasonKind.LEFT_OUT)) if missing else None, units)


def row(task: Task, ending: Ending | None, units: Path) -> MeasuredRow:
    """Return the values of the requested seeds, in their order; `units` is the folder of per-example results."""
    ending = Ending(Status.SKIPPED, task.skipped) if task.skipped else ending
    by_seed = {seed: (record, place) for record in task.records for place, seed in enumerate(record["seeds"])}
    seeds = [seed for seed in task.wanted if seed in by_seed]
    found = [by_seed[seed] for seed in seeds]
    used = list({id(record): record for record, _ in found}.values())
    names = [name for name in task.digests if all(record["metrics"].get(name) for record in used)]
    bounded = [name for name in names if all(name in record.get("bootstrap", {}) for record in used)]
    return MeasuredRow(
        id=task.id,
        vary=task.cell["vary"],
        parameters=task.cell["parameters"],
        settings=task.cell["settings"],
        tuned=task.choice,
        status=ending.status if ending else Status.OK,
        why=ending.why if ending else None,
        seconds=sum(record["seconds"] / len(record["seeds"]) for record, _ in found),
        peak_memory=max((record["peak_memory"] for record in used), default=None),
        seeds=tuple(seeds),
        values={name: tuple(_number(record["metrics"][name], place) for record, place in found) for name in names},
        bootstrap={name: _bootstrap(name, found) for name in bounded},
        excluded=next((record["excluded"] for record in used if record.get("excluded")), None),
        units=tuple(str(units / name) for record in used if (name := record.get("units"))),
        resolution=_resolution(used),
        blocks=next((typed(Blocks, record["blocks"]) for record in used if record.get("blocks")), None),
        changed=task.changed,
        test_set=task.look and task.look["test_set"],
        skipped={
            name: why for record in used for name, why in record.get("skipped", {}).items() if name in task.digests
        },
        diverged=_diverged(seeds, found),
        on_threshold=_on_threshold(names, found),
        used=_named_means(USED, used),
        learned=_named_means(LEARNED, used),
        derivative_passes=_mean([record.get("auxiliary", {}).get("derivative passes") for record in used]),
        tied_places=_mean([record.get("auxiliary", {}).get("tied places") for record in used]),
        compared_features=_compared(task, used),
        overridden={name: what for record in used for name, what in record.get("overridden", {}).items()} or None,
        notes=tuple(dict.fromkeys(note for record in used for note in record.get("notes", ()))),
    )


def _compared(task: Task, used: Sequence[Record]) -> ComparedFeatures | None:
    """Return the features that metrics compared, with the digest of the extractor."""
    found = next((record["compared_features"] for record in used if record.get("compared_features")), None)
    digest = task.parts.get("feature", "")[:DIGEST] or None
    if found is None:
        return None
    said = typed(ComparedFeatures, found)
    return replace(said, feature=no_path(said.feature), name=said.name and no_path(said.name), digest=digest)


def _diverged(seeds: Sequence[int], found: Sequence[tuple[Record, int]]) -> tuple[int, ...] | None:
    """Return those of the requested seeds that diverged; None if there are none."""
    return tuple(s for s, (record, _) in zip(seeds, found, strict=True) if s in record.get("diverged", [])) or None


def _on_threshold(names: Sequence[str], found: Sequence[tuple[Record, int]]) -> dict[str, float] | None:
    """Return the mean share over the requested seeds of examples on the threshold, for metrics that have any."""
    means = {name: sum(_shares(name, found)) / max(len(found), 1) for name in names}
    return {name: mean for name, mean in means.items() if mean} or None


def _shares(name: str, found: Sequence[tuple[Record, int]]) -> list[float]:
    """Return the share at each seed: of blocks of many seeds as they found it, of seeds measured apart together."""
    whole = [(record.get("on_threshold", {}).get(name), place) for record, place in found]
    told = [each[place] or 0.0 for each, place in whole if each]
    apart = [record["near_threshold"][name] for record, _ in found if name in record.get("near_threshold", {})]
    seeds = [one for block in apart for one in typed(list[NearThreshold | None], block) if one is not None]
    return told + (shares(seeds) if seeds else [])


def _named_means(start: str, found: Sequence[Record]) -> dict[str, float] | None:
    """Return the means of the auxiliary numbers that begin so, by the rest of their names; None if there are none."""
    names = dict.fromkeys(name for record in found for name in record.get("auxiliary", {}) if name.startswith(start))
    means = {name: _mean([record.get("auxiliary", {}).get(name) for record in found]) for name in names}
    return {name.removeprefix(start): mean for name, mean in means.items() if mean is not None} or None


def _mean(found: Sequence[Numbers | None]) -> float | None:
    """Return the mean over all records, a record without numbers counted as 0; None if none has any."""
    numbers = [number or 0.0 for numbers in found for number in numbers or [0.0]]
    return sum(numbers) / len(numbers) if any(found) else None


def _number(numbers: Stored | None, place: int) -> Number:
    return None if numbers is None else numbers[place]


def _resolution(used: Sequence[Record]) -> dict[str, float]:
    """Return the largest resolution of each metric in some records."""
    found: dict[str, float] = {}
    for record in used:
        for name, size in record.get("resolution", {}).items():
            found[name] = max(size, found.get(name, 0.0))
    return found


def _bootstrap(name: str, found: Sequence[tuple[Record, int]]) -> Bootstrap:
    low, high = (tuple(record["bootstrap"][name][end][place] for record, place in found) for end in ("low", "high"))
    return Bootstrap(low, high)
