"""What has to be made before any cell starts: of which parts, from what else that is made, where it is kept."""

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
    """Something that is made of the component of a kind, once, for every cell that needs it.

    `cell` is what its process is told: that component, those it is made of, the protocol and the device. `needs` are
    the keys of the artifacts that must be there before, by kind.
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
    """What has to be made for a cell, by kind, each after what it needs."""
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
    }
    told: CellData = {"parts": parts, "protocol": {"name": suite.protocol, **settings}, "device": device}
    return Artifact(kind, told, catalogue.sources([*used, maker]), needs, digest(identity))


def _own(kind: str, spec: Spec, catalogue: Catalogue) -> Spec:
    """The spec without the fields that what is made does not depend on."""
    late = catalogue.table[kind, component_name(spec)]["facts"]["not_in_artifact"]
    return {name: value for name, value in spec.items() if name not in late}
