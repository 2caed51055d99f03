"""Looks at test sets: which variants were ever measured on one, by the records of the results folder.

A test set is a data set with its fields, the contents of the files they name, and the split. Its code is not part of
it: whoever mends what reads the data has seen them before. A variant is everything else that a number depends on and
that its author chooses: components, settings, tuning, code of one's own. Seeds, threads, devices and the code of the
harness are not: measured again, a variant is the same. Tuning looks at validation data, not at test sets.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from harness.discovery import contents
from harness.discovery.digests import digest
from harness.results import Looks

if TYPE_CHECKING:
    from harness.base import Spec
    from harness.discovery.catalogue import Catalogue
    from harness.results.records import Look, Record
    from harness.worker.messages import CellData

BRIEF = 24
"""Characters of a digest: enough to tell test sets and variants apart."""


def look(cell: CellData, catalogue: Catalogue, folder: Path, values: Mapping[str, str]) -> Look | None:
    """Return the test set and the variant of a cell; None without a data set."""
    if "dataset" not in cell["parts"]:
        return None
    data = cell["parts"]["dataset"]
    test_set = [data, catalogue.files("dataset", data, folder), cell["split"]]
    others = {kind: spec for kind, spec in cell["parts"].items() if kind != "dataset"}
    own = {kind: _own(catalogue, kind, spec, folder, values) for kind, spec in others.items()}
    variant = [cell["protocol"], others, own, cell["tune"], cell["values"], cell["revision"]]
    return {"test_set": digest(test_set)[:BRIEF], "variant": digest(variant)[:BRIEF]}


def _own(catalogue: Catalogue, kind: str, spec: Spec, folder: Path, values: Mapping[str, str]) -> list[str]:
    """Return digests of what is the user's own of a component: files that its fields name, code that is not stock."""
    code = catalogue.own_code(kind, spec, folder, values)
    return sorted([*map(contents.of_source, code), *catalogue.files(kind, spec, folder).values()])


def join(looks: Sequence[Look]) -> None:
    """Write into every look of a suite which variants the suite has on its test set, as a digest."""
    planned: dict[str, set[str]] = {}
    for each in looks:
        planned.setdefault(each["test_set"], set()).add(each["variant"])
    suites = {test_set: digest(sorted(found))[:BRIEF] for test_set, found in planned.items()}
    for each in looks:
        each["suite"] = suites[each["test_set"]]


@dataclass
class Seen:
    """The looks of records at some test sets: variants by (test set, metric); first run and its suite by test set."""

    variants: dict[tuple[str, str], set[str]] = field(default_factory=dict)
    first: dict[str, tuple[str, str]] = field(default_factory=dict)

    def add(self, record: Record) -> None:
        """Count a record, if it has values of a test set."""
        found = record.get("look")
        if found is None or record["status"] != "ok" or record["block"] == "tune":
            return
        begun = (record["run"], found.get("suite", ""))
        self.first[found["test_set"]] = min(begun, self.first.get(found["test_set"], begun))
        for metric, values in record.get("metrics", {}).items():
            if values is not None:
                self.variants.setdefault((found["test_set"], metric), set()).add(found["variant"])


def summary(seen: Seen, looks: Sequence[Look], metrics: Iterable[str]) -> tuple[Looks, ...]:
    """Return the looks at every test set of a suite, by metric: those seen, and which of them are the suite's own."""
    own: dict[str, set[str]] = {}
    for each in looks:
        own.setdefault(each["test_set"], set()).add(each["variant"])
    suites = {each["test_set"]: each.get("suite") for each in looks}
    return tuple(
        Looks(
            test_set=test_set,
            metric=metric,
            variants=len(found),
            own=len(found & own[test_set]),
            fixed=seen.first[test_set][1] == suite,
        )
        for test_set, suite in suites.items()
        for metric in metrics
        if (found := seen.variants.get((test_set, metric)))
    )
