"""Records: the form of a line of the store, the checks of what is read, and the parts that a run uses of it."""

from __future__ import annotations

import functools
import re
import sys
from collections.abc import Iterator, Mapping, Sequence, Set
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple, NotRequired, TypedDict

from harness.base import Spec
from harness.fields import Json
from harness.results.values import Label, Number

if TYPE_CHECKING:
    import msgspec


SCHEMA = 1
"""Version of the form of records; those of a later one are not read."""
REQUIRED = {"cell", "question", "environment", "run", "block", "status", "seeds"}
MEASURED = {"seeds", "metrics", "auxiliary", "notes", "skipped", "issues", "seconds", "read"}
"""Keys that the result of measuring a block has."""
NEEDED: Mapping[str, Set[str]] = MappingProxyType(
    {
        "block": REQUIRED | {"digests", "metrics", "seconds", "peak_memory"},
        "tune": REQUIRED | {"tuned"},
        "skipped": REQUIRED | {"why"},
    }
)
"""Keys that a stored record has: of a measured block, of tuning, of a cell that was skipped."""
DESCRIBED = frozenset(
    {
        *("schema", "cell", "question", "inputs", "environment", "vary", "parameters", "protocol", "width", "tuned"),
        *("digests", "raw_samples", "read", "look"),
    }
)
"""Keys that no row is made of: they say what was measured, or are for figures."""
NUMBERS = ("metrics", "seconds", "peak_memory")
"""Keys that are kept even where their values are empty."""
UNITS = re.compile(r"[\w.-]+\.npz")
"""Form of the name of a file of results per example."""

Numbers = list[float | None]
"""One number for each seed; None for a number that is not finite."""
Stored = list[Number]
"""One number for each seed, infinity included."""


class Look(TypedDict):
    """A look at a test set, as digests: the test set, the variant, and all variants that its suite has on it."""

    test_set: str
    variant: str
    suite: NotRequired[str]


class Record(TypedDict, total=False):
    """A line of the store: a measured block of a cell, a result of tuning, or the reason why there is none.

    `block` is the number of the block, `interleaved` for all of them, `tune`, or None. `status` is that of a row, or
    `imported`: then the record says where results per example are, and the run's result has the numbers. A session's
    measurements have the names of `Measurements`; `units` is the file of results per example, `blocks` the course of an
    interleaved measurement, `digests` are those of the metrics' plugins, `read` those of files that no field names,
    `look` is what was looked at, without which a record is of no test set.
    """

    schema: int
    cell: str
    question: str
    inputs: Mapping[str, str]
    environment: str
    run: str
    vary: Mapping[str, Label]
    parameters: Mapping[str, Spec]
    protocol: Spec
    block: int | str | None
    status: str
    why: Json
    seeds: list[int]
    width: int
    tuned: dict[str, Json]
    digests: dict[str, str]
    metrics: dict[str, Stored | None]
    auxiliary: dict[str, Numbers | None]
    bootstrap: dict[str, dict[str, Numbers]]
    units: str | None
    resolution: dict[str, float]
    raw_samples: Mapping[str, Sequence[Sequence[float]] | None]
    excluded: str | None
    skipped: dict[str, str]
    notes: list[str]
    diverged: list[int]
    on_threshold: dict[str, Numbers]
    near_threshold: Mapping[str, Json]
    compared_features: Json
    overridden: dict[str, str]
    seconds: float
    peak_memory: int
    blocks: Json
    issues: Sequence[Json]
    read: Mapping[str, str]
    look: Look


class Fault(NamedTuple):
    """Why a line is no record that this version reads; a `newer` version may read it."""

    why: str
    newer: bool = False


def decoded(line: bytes) -> Record | Fault:
    """Return the record of a line, or why it is none."""
    try:
        record = _decoder().decode(line)
    except (ValueError, RecursionError) as error:
        return Fault(str(error))
    if record.get("schema", SCHEMA) > SCHEMA:
        return Fault(f"it has schema {record['schema']}, this version reads {SCHEMA}", newer=True)
    wrong = fault(record, _required(record))
    return Fault(wrong) if wrong else record


def _required(record: Record) -> Set[str]:
    status, block = record.get("status"), record.get("block")
    if status == "ok":
        return NEEDED["tune" if block == "tune" else "block"]
    return NEEDED["skipped"] if status == "skipped" else REQUIRED


def fault(record: Record, required: Set[str]) -> str:
    """Return what is wrong with a record whose values have the right types; empty if nothing is."""
    if missing := required - record.keys():
        return f"it has no {', '.join(sorted(missing))}"
    if (units := record.get("units")) and not UNITS.fullmatch(units):
        return f"{units!r} is no name of a file of results per example"
    count = len(record["seeds"])
    for label, numbers in _numbers(record):
        if numbers is not None and len(numbers) != count:
            return f"{label} has {len(numbers)} numbers for {count} seeds"
    for key, kind in _parts().items():
        if (found := record.get(key)) and (wrong := _misfit(found, kind)):
            return f"{key}: {wrong}"
    return ""


def _numbers(record: Record) -> Iterator[tuple[str, Sequence[object] | None]]:
    """Yield every name of numbers by seed, and them; of interleaved blocks only those that are of all blocks."""
    yield from record.get("metrics", {}).items()
    yield from record.get("auxiliary", {}).items()
    if record.get("block") == "interleaved":
        return
    yield from record.get("on_threshold", {}).items()
    for name, ends in record.get("bootstrap", {}).items():
        yield from ((name, ends.get(end, ())) for end in ("low", "high"))


def _misfit(found: object, kind: object) -> str:
    """Return why a part is no value of its type; empty if it is one."""
    import msgspec

    try:
        msgspec.convert(found, kind)
    except msgspec.ValidationError as error:
        return str(error)
    return ""


@functools.cache
def _parts() -> Mapping[str, object]:
    """Types of the parts that are data of a class of their own, by key."""
    from harness.results.statements import Issue, Reason
    from harness.results.threshold import NearThreshold
    from harness.results.values import Blocks, ComparedFeatures

    return MappingProxyType(
        {
            "why": Reason,
            "issues": list[Issue],
            "blocks": Blocks,
            "compared_features": ComparedFeatures,
            "near_threshold": dict[str, list[NearThreshold | None]],
        }
    )


@functools.cache
def _decoder() -> msgspec.json.Decoder[Record]:
    import msgspec

    return msgspec.json.Decoder(Record)


def compact(record: Record) -> Record:
    """Return the parts of a record that rows are made of, without empty ones: many are kept at once."""
    parts: Any = {key: value for key, value in record.items() if key in NUMBERS or (value and key not in DESCRIBED)}
    for key in ("run", "status"):
        parts[key] = sys.intern(str(parts[key]))
    found: Record = parts | {"block": record["block"], "seeds": record["seeds"]}
    return found
