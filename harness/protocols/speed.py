"""The speed protocol: which is faster, by how much, is it real, and does the answer stay right."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property, partial
from typing import Any, ClassVar, Literal

import torch
from torch import Tensor

from harness.base import Component
from harness.errors import Skip
from harness.exchange import Case, Session, Values
from harness.fields import Count, NonNegative, Positive
from harness.hookspecs import hookimpl
from harness.inputs import accepted
from harness.kinds import Protocol
from harness.machine import CLOCKS, Watch, allowed, cores, gpu, settle
from harness.protocols._agreement import error, tolerated
from harness.protocols._clock import Turn, clock
from harness.protocols._enough import Enough
from harness.protocols._layout import Layout
from harness.protocols._subjects import KINDS, Subject, subject
from harness.protocols._taken import OFFERS, Taken, copying
from harness.ruling import Ruling


class Speed(Protocol):
    """Times components of one kind in lockstep: a block is a turn for every contender, in random order.

    Threads keep their cores for a block and have others in the next; a process of one thread is new in every block.

    Inputs are made up once: `batch` rows of `n` classes, labels or points, in `dim` dimensions or of `dim` items;
    samplers take `steps`. Only what answers right is ranked: within `tolerance` of its reference, which is the baseline
    where all compute the `same`. A problem is measured until every ratio is known to `half_width` or the `budget`,
    seconds for each contender, is used. On a GPU `flush` empties the cache before every call.
    """

    batch: Count = 256
    n: Count = 10
    dim: Count = 16
    steps: Count = 20
    dtype: Literal["float32", "float64", "float16", "bfloat16"] = "float32"
    direction: Literal["forward", "backward", "both"] = "forward"
    threads: Count = 1
    compile: bool = False
    flush: bool = False
    same: bool = False
    tolerance: NonNegative | None = None
    half_width: Positive = 0.01
    budget: Positive = 5.0

    contenders: ClassVar[Sequence[str]] = KINDS
    optional: ClassVar[Sequence[str]] = ("denoiser", "grid", "schedule")
    offers: ClassVar[Sequence[str]] = OFFERS
    lockstep: ClassVar[bool] = True

    def setup(self, case: Case) -> Session:
        """Raises Skip for too few cores, a cache nobody can flush, and what cannot be differentiated or compiled."""
        if self.threads > (here := cores()):
            raise Skip(f"{self.threads} threads on {here} core{'s' * (here > 1)}")
        if self.flush and case.device == "cpu":
            raise Skip("flush: a processor's caches cannot be emptied, those of a GPU can")
        return Timing(self, case)


class Timing(Session):
    """One component at one size and type on one device."""

    def __init__(self, settings: Speed, case: Case) -> None:
        self._settings, self._case, self.device = settings, case, case.device
        torch.set_num_threads(settings.threads)
        self._cores = allowed()
        which = f"core{'s' * (len(self._cores) > 1)} {', '.join(map(str, self._cores)) or 'unknown'}"
        self.notes = [f"{settings.threads} thread{'s' * (settings.threads > 1)} on {which}, in turn"]
        if case.device == "cuda":
            self.notes += [f"GPU {name} {value}" for name, value in gpu().items() if name in CLOCKS]
        self.subject = subject(settings, case, getattr(torch, settings.dtype))
        if settings.compile:
            self.subject = _compiled(self.subject)
        self.error: float | None = None
        self._layout = Layout()
        self._watch = Watch(self._cores, settings.threads, case.device)
        self.fresh = case.device == "cpu" and settings.threads == 1 and not settings.compile
        self._enough = Enough(
            settings.half_width, settings.budget, len(self._cores) or 1, case.device == "cuda", self.fresh
        )

    def measure(self, seeds: Sequence[int], tuned: Mapping[str, Any]) -> Values:
        """One turn: the samples, then what metrics ask for beside them."""
        settle(self._cores, self._settings.threads, seeds[0])
        moved = self.subject._replace(inputs=self._layout.moved(self.subject.inputs))
        self.call = _directed(moved, self._settings.direction)
        self.turn = Turn(clock(self.device, self._settings.flush), self.call)
        self.turn.warm_up()
        network = self.subject.network
        before = network() if network else 0.0
        samples, notes = self._watch.during(self.turn.samples)
        self.error = self._judged(first=seeds[0] == 0)
        taken = Taken(self, samples, (network() - before) / self.turn.calls if network else None)
        metrics: dict[str, list[float] | None] = {}
        for label, metric in self._case.measure.items():
            names = accepted(metric, dict.fromkeys(OFFERS))
            value = metric(**{name: getattr(taken, name) for name in names})
            metrics[label] = None if value is None else [float(value)]
        extra = {"seconds": [taken.seconds], **notes}
        return Values(seeds, metrics, extra=extra, raw={"seconds": [samples]}, unranked=self._wrong)

    def rule(self, blocks: Sequence[Sequence[Mapping[str, list[float]]]], spent: float) -> Ruling:
        """Warm when everybody's times agree; enough when every ratio is known, or the budget used."""
        return self._enough.rule(blocks, spent)

    @cached_property
    def moved(self) -> int:
        """Bytes of input and output, each once: no call can move less."""
        answer = self.call()
        tensors = [*self.subject.inputs, *(answer if isinstance(answer, tuple) else [answer])]
        return sum(t.numel() * t.element_size() for t in tensors if isinstance(t, Tensor))

    @cached_property
    def copy(self) -> Turn:
        """A copy of as many bytes."""
        return copying(self.moved, self.device)

    def _judged(self, first: bool) -> float | None:
        """How far the output is from its reference: found out in the first block, and kept for new processes."""
        kept = self._case.folder / "error.json"
        if first or not kept.exists():
            kept.write_text(json.dumps(error(self._settings, self._case, self.subject)))
        known: float | None = json.loads(kept.read_text())
        return known

    @property
    def _wrong(self) -> str | None:
        """Why this contender is not ranked."""
        allowed = tolerated(self._settings)
        if self.error is None or self.error <= allowed:
            return None
        return f"its output is {self.error:.2g} from the reference, more than {allowed:.2g}"


def _compiled(one: Subject) -> Subject:
    """By torch.compile, tried once."""
    call = torch.compile(one.call)
    try:
        call(*one.inputs)
    except Exception as trouble:
        raise Skip(f"torch.compile cannot: {type(trouble).__name__}: {trouble}") from None
    return one._replace(call=call)


def _directed(one: Subject, direction: str) -> Callable[[], Any]:
    """A call without arguments: the answer, the gradient of an answer that is there, or both."""
    if direction == "forward":
        torch.set_grad_enabled(False)  # for the process: switching in every call would be timed
        return partial(one.call, *one.inputs)
    first = one.inputs[0].detach().requires_grad_()
    call = partial(one.call, first, *one.inputs[1:])
    answer = call()
    weights = torch.ones_like(answer)
    if direction == "backward":
        return lambda: torch.autograd.grad(answer, first, weights, retain_graph=True)
    return lambda: torch.autograd.grad(call(), first, weights)


@hookimpl
def components() -> list[type[Component]]:
    """This protocol."""
    return [Speed]
