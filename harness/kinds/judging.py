"""What judges: metrics, and the protocols that say what is measured."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

from harness.base import Component, Spec

if TYPE_CHECKING:
    from harness.exchange import Case, Session


class Metric(Component):
    """A number that judges a contender: `better` is higher, lower, or None for one that only describes it.

    `tasks` as for a loss; `floor` is what perfect samples have in expectation, where controls are held to it; `caution`
    is a line that stands in every report with the metric, for what its intervals do not cover. With `ratio` contenders
    are compared by the ratio to the baseline, block by block, and one that differs from 1 by no more than this share is
    no difference in practice; None compares by the difference.

    A metric that has nothing to say of a cell raises Skip, or returns None where nobody asks why. One with a value for
    each step of a sampler has a method `curve`, which takes the same: times and values [2, n], for figures; or None.
    """

    kind: ClassVar[str] = "metric"
    better: ClassVar[str | None] = "higher"
    unit: ClassVar[str | None] = None
    tasks: ClassVar[Sequence[str]] = ()
    floor: ClassVar[float | None] = None
    caution: ClassVar[str | None] = None
    ratio: ClassVar[float | None] = None

    @abstractmethod
    def __call__(self, *args: Any, **inputs: Any) -> Any:
        """Takes by argument name what the protocol offers; returns numbers for each example [n, ...], or a scalar."""


class Protocol(Component):
    """A kind of experiment. Its fields are the settings a suite may write under `settings`.

    `needs` maps each kind a suite varies to its default, None where the suite must say; `contenders` are the kinds that
    compete, the other axes make the problem; `optional` are kinds a suite may vary and need not; `offers` are the names
    a metric may ask for; `version` goes up when the same cell would give other numbers. With `lockstep` all contenders
    of a problem are alive together and take turns, one block each: for what depends on the moment, such as time.
    `made_of` are the kinds of which something may be made before any cell starts, in that order, each with the other
    kinds and the settings that go into it.
    """

    kind: ClassVar[str] = "protocol"
    version: ClassVar[int] = 1
    needs: ClassVar[Mapping[str, Spec | None]] = {}
    contenders: ClassVar[Sequence[str]] = ()
    optional: ClassVar[Sequence[str]] = ()
    offers: ClassVar[Sequence[str]] = ()
    lockstep: ClassVar[bool] = False
    made_of: ClassVar[Mapping[str, Sequence[str]]] = {"dataset": (), "denoiser": ()}

    def make(self, kind: str, case: Case) -> Mapping[str, Any]:
        """Tensors by name, made of the component of a kind that `made_of` makes of others; once, for all cells."""
        raise NotImplementedError(f"{self!r} makes nothing of a {kind}")

    @abstractmethod
    def setup(self, case: Case) -> Session:
        """Prepare one cell in its own process."""
