"""What a process is told of a cell and what it answers, as JSON data that passes between processes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Required, TypedDict

if TYPE_CHECKING:
    from harness.base import Spec
    from harness.fields import Json
    from harness.kinds.evaluation import TuningPlan
    from harness.results.model import Label


class CellData(TypedDict, total=False):
    """A cell as its process is told of it; of an artifact, that of its own what it is made of.

    `parts` are the components by kind, `protocol` the protocol with the settings; `id`, `vary`, `parameters` and
    `settings` are what a record says of the cell. `baseline` holds the parts of the row that an interleaved cell is
    compared with; `revision` is that of other code than this.
    """

    parts: Required[dict[str, Spec]]
    protocol: Required[Spec]
    device: Required[str]
    id: str
    vary: dict[str, Label]
    parameters: dict[str, Spec]
    settings: dict[str, Json]
    metrics: dict[str, Spec]
    tune: TuningPlan | None
    split: str
    baseline: dict[str, Spec]
    revision: str | None


class Surroundings(TypedDict):
    """Where a cell is worked on: the files of artifacts by kind, the suite's folder, a folder of its own, threads."""

    made: Mapping[str, str]
    folder: str
    scratch: str
    threads: int


class SetUp(TypedDict):
    """A cell that is set up: how many seeds make a block, and what there is to say of it."""

    width: int
    notes: list[str]


class Decision(TypedDict):
    """A `StoppingDecision` as data."""

    warm: int
    stop: str | None
    bound: float | None
    issues: list[Json]


class FailureData(TypedDict):
    """A `Failure` as data."""

    status: str
    reason: str


class Message(TypedDict, total=False):
    """What a process says: how far it is, why there is no answer, or the answer."""

    progress: float
    failure: FailureData
    answer: object
