"""One cell of the speed protocol: one timed turn of one contender."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property, partial
from typing import Any

import torch
from torch import Tensor

from harness.errors import Skip
from harness.kinds.evaluation import CellContext, CellRunner, Measurements, StoppingDecision
from harness.machine import CLOCKS, Watch, allowed, gpu, settle
from harness.protocols.judging import judged
from harness.protocols.speed.clock import TimedCall, clock
from harness.protocols.speed.correctness import error, tolerated
from harness.protocols.speed.layout import Layout
from harness.protocols.speed.settings import METRIC_INPUTS, SpeedSettings
from harness.protocols.speed.stopping import StoppingRule
from harness.protocols.speed.timing_sample import Taken, Timed, copying
from harness.protocols.speed.workloads import Subject, subject


class Timing(CellRunner):
    """One component at one size and type on one device."""

    def __init__(self, settings: SpeedSettings, case: CellContext) -> None:
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
        self.fork_per_block = case.device == "cpu" and settings.threads == 1 and not settings.compile
        self._stopping_rule = StoppingRule(
            settings.target_half_width,
            settings.budget,
            len(self._cores) or 1,
            case.device == "cuda",
            self.fork_per_block,
        )

    def measure(self, seeds: Sequence[int], tuned: Mapping[str, Any]) -> Measurements:
        """Measure one turn: the samples, then the other inputs that metrics request."""
        settle(self._cores, self._settings.threads, seeds[0])
        moved = self.subject._replace(inputs=self._layout.moved(self.subject.inputs))
        self.call = _directed(moved, self._settings.pass_)
        self.turn = TimedCall(clock(self.device, self._settings.flush_cache), self.call)
        self.turn.warm_up()
        network = self.subject.network
        before = network() if network else 0.0
        samples, notes = self._watch.during(self.turn.samples)
        self.error = self._judged(first=seeds[0] == 0)
        timed = Timed(self.call, self.turn, lambda: self.copy, self.device, self.subject.items, self.moved, self.error)
        taken = Taken(timed, samples, (network() - before) / self.turn.calls if network else None)
        metrics, skipped = judged(self._case.metrics, taken, METRIC_INPUTS)
        extra = {"seconds": [taken.seconds], **notes}
        return Measurements(
            seeds,
            metrics,
            skipped=skipped,
            auxiliary=extra,
            raw_samples={"seconds": [samples]},
            excluded_reason=self._wrong,
        )

    def should_stop(self, blocks: Sequence[Sequence[Mapping[str, list[float]]]], spent: float) -> StoppingDecision:
        """Decide by the stopping rule: warm-up until all times agree, then until the target precision or the budget."""
        return self._stopping_rule.should_stop(blocks, spent)

    @cached_property
    def moved(self) -> int:
        """Bytes of input and output, each counted once: the least that a call can move."""
        answer = self.call()
        tensors = [*self.subject.inputs, *(answer if isinstance(answer, tuple) else [answer])]
        return sum(t.numel() * t.element_size() for t in tensors if isinstance(t, Tensor))

    @cached_property
    def copy(self) -> TimedCall:
        """Return a copy of as many bytes."""
        return copying(self.moved, self.device)

    def _judged(self, first: bool) -> float | None:
        """Return the error of the output, computed in the first block and stored for later processes."""
        kept = self._case.folder / "error.json"
        if first or not kept.exists():
            kept.write_text(json.dumps(error(self._settings, self._case, self.subject)))
        known: float | None = json.loads(kept.read_text())
        return known

    @property
    def _wrong(self) -> str | None:
        """Return the reason why this contender is not ranked, or None."""
        allowed = tolerated(self._settings)
        if self.error is None or self.error <= allowed:
            return None
        return f"its output is {self.error:.2g} from the reference, more than {allowed:.2g}"


def _compiled(one: Subject) -> Subject:
    """Compile the call by torch.compile, and try it once."""
    call = torch.compile(one.call)
    try:
        call(*one.inputs)
    except Exception as trouble:
        raise Skip(f"torch.compile cannot: {type(trouble).__name__}: {trouble}") from None
    return one._replace(call=call)


def _directed(one: Subject, which: str) -> Callable[[], Any]:
    """Return a call without arguments: the output, the gradient of a computed output, or both."""
    if which == "forward":
        torch.set_grad_enabled(False)  # for the process: switching in every call would be timed
        return partial(one.call, *one.inputs)
    first = one.inputs[0].detach().requires_grad_()
    call = partial(one.call, first, *one.inputs[1:])
    answer = call()
    weights = torch.ones_like(answer)
    if which == "backward":
        return lambda: torch.autograd.grad(answer, first, weights, retain_graph=True)
    return lambda: torch.autograd.grad(call(), first, weights)
