"""Artifacts needed by the cells of a run: their parts, their dependencies, their keys."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from harness.base import Spec, component_name, label
from harness.discovery.catalogue import Catalogue
from harness.discovery.digests import digest
from harness.discovery.sources import Source
from harness.suite import Cell, Suite

if TYPE_CHECKING:
    from harness.worker.messages import CellData


@dataclass(frozen=True)
class Artifact:
    """An artifact of a component, made once for every cell that needs it.

    `cell` is the data for its process: the component, its other parts, the protocol, the device and the revision of the
    code. `needs` are the keys of the artifacts that must exist before, by kind.
    """

    kind: str
    cell: CellData
    sources: list[Source]
    needs: dict[str, str]
    key: str

    @property
    def name(self) -> str:
        """Kind and label."""
        return f"{self.kind} {label(self.cell['parts'][self.kind])}"


def artifacts(suite: Suite, cell: Cell, catalogue: Catalogue, device: str) -> dict[str, Artifact]:
    """Return the artifacts of a cell by kind, each after those it needs."""
    made_of: Mapping[str, Sequence[str]] = catalogue.table["protocol", suite.protocol]["facts"]["artifacts"]
    found: dict[str, Artifact] = {}
    for kind, others in made_of.items():
        if kind in cell.parts and catalogue.table[kind, component_name(cell.parts[kind])]["facts"]["needs_artifact"]:
            needs = {other: found[other].key for other in others if other in found}
            found[kind] = _artifact(suite, cell, catalogue, kind, others, needs, device if others else "cpu")
    return found


def _artifact(
    suite: Suite,
    cell: Cell,
    catalogue: Catalogue,
    kind: str,
    others: Sequence[str],
    needs: dict[str, str],
    device: str,
) -> Artifact:
    parts = {kind: _own(kind, cell.parts[kind], catalogue)}
    parts |= {other: cell.parts[other] for other in others if other in cell.parts}
    settings = {name: value for name, value in cell.settings.items() if name in others}
    beside = cell.reference if "dataset" in parts else {}
    used = [pair for each, spec in parts.items() for pair in catalogue.used(each, spec)]
    maker = ("protocol", suite.protocol)
    read = [*parts.items()]
    if others:
        read.append(("protocol", {"name": suite.protocol}))
    identity = {
        "kind": kind,
        "parts": parts,
        "settings": settings,
        "device": device,
        "inputs": [catalogue.inputs(each, spec, suite.file.parent) for each, spec in read],
        "needs": needs,
        **({"reference": beside} if beside else {}),
        **({} if cell.revision is None else {"revision": cell.revision}),
    }
    data: CellData = {"parts": parts, "protocol": {"name": suite.protocol, **settings}, "device": device}
    data["reference"], data["revision"] = beside, cell.revision
    return Artifact(kind, data, catalogue.sources([*used, maker]), needs, digest(identity))


def _own(kind: str, spec: Spec, catalogue: Catalogue) -> Spec:
    """Return the spec without the fields that do not affect the artifact."""
    late = catalogue.table[kind, component_name(spec)]["facts"]["not_in_artifact"]
    return {name: value for name, value in spec.items() if name not in late}
