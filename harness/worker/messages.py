"""Messages between processes as JSON data: the input for a cell, and the replies."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Literal, NotRequired, Required, TypedDict, TypeVar

from harness.errors import Raised, printable
from harness.fields import Json
from harness.worker.frames import Misfit

if TYPE_CHECKING:
    from harness.base import Spec
    from harness.kinds.evaluation import TuningPlan
    from harness.results.values import Label

T = TypeVar("T")
FailureStatus = Literal["failed", "crashed", "timeout", "oom", "skipped"]


class CellData(TypedDict, total=False):
    """Data of a cell for its process; for an artifact, the data of its own parts.

    `parts` are the components by kind, `protocol` the protocol with the settings; `id`, `vary`, `parameters` and
    `settings` identify the cell in a record. `baseline` holds the parts of the row that an interleaved cell is
    compared with; `revision` is that of code other than this; `values` are the words and numbers of axes;
    `reference` is what the suite says of its reference beside the data set.
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
    values: dict[str, Json]
    reference: dict[str, Json]


class Surroundings(TypedDict):
    """Environment of a cell: files of artifacts by kind, folders of the suite, its code and results, threads.

    `known` are the files of code that its identity holds; `gpu` is the one GPU that it sees, None for all.
    """

    made: Mapping[str, str]
    folder: str
    code: str
    results: str
    known: Sequence[str]
    scratch: str
    threads: int
    gpu: str | None


class Made(TypedDict):
    """An artifact that was made: its digest, and the digests of the files that were read for it."""

    digest: str
    read: Mapping[str, str]


class SamplingWishes(TypedDict):
    """Arguments of `harness.sample` beside components."""

    steps: int
    n: int
    seed: int
    clip_x0: bool
    labels: Sequence[int] | None
    guidance: float | None


class SetUp(TypedDict):
    """A cell that is set up: the seeds in a block, remarks, and seconds of a seed of metrics that take long."""

    width: int
    notes: list[str]
    issues: list[Json]
    slow: dict[str, float]


class Decision(TypedDict):
    """A `StoppingDecision` as data."""

    warm: int
    stop: str | None
    bound: float | None
    issues: list[Json]


class Tuned(TypedDict):
    """Result of tuning: the choice, all trials, and the digests of the files that were read."""

    tuned: dict[str, Json]
    trials: Json
    seconds: float
    read: dict[str, str]


class FailureData(TypedDict):
    """A `Failure` as data."""

    status: FailureStatus
    reason: str
    trace: NotRequired[list[Raised]]


class Message(TypedDict, total=False):
    """Message of a process: its progress, a failure, or a result, with the id of the question that it is about."""

    id: Required[int]
    progress: float
    failure: FailureData
    answer: object


def decoded(frame: bytes) -> Message:
    """Return the message of a frame. Raises Misfit for bytes that are none."""
    import msgspec

    try:
        message = msgspec.convert(msgspec.json.decode(frame), Message)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise Misfit(f"no message: {error}") from None
    if len(message) != 2:
        raise Misfit(f"no message: it has {', '.join(sorted(message))}")
    return message


def answered(kind: type[T], found: object) -> T:
    """Return an answer as the type that was asked for. Raises Misfit if it is none."""
    import msgspec

    try:
        return msgspec.convert(printable(found), kind)
    except (msgspec.ValidationError, RecursionError) as error:
        raise Misfit(f"another answer than was asked for: {error}") from None
