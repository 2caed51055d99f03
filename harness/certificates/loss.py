"""What a loss must do: one finite number an example, a true gradient, the right answer preferred, nothing kept."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch.autograd import gradcheck

from harness.errors import Skip
from harness.inputs import call, wanted
from harness.kinds import Loss
from harness.streams import generator

EXAMPLES, ITEMS, CLASSES = 6, 3, 4

CONFIDENT = 3.0
"""The logit of a right answer whose rivals have 0."""


class Case(NamedTuple):
    """Logits [examples, classes] or [examples, items, classes] in float64, and their targets."""

    logits: Tensor
    target: Tensor


def shape(loss: Loss) -> tuple[bool | None, str]:
    """One finite number for each example, or one in all."""
    value = _of(loss)(*_case(loss))
    if value.shape not in (torch.Size([EXAMPLES]), torch.Size([])):
        return False, f"shape: {[*value.shape]} for {EXAMPLES} examples, neither [{EXAMPLES}] nor []"
    finite = bool(torch.isfinite(value).all())
    return finite, f"shape: {[*value.shape]} for {EXAMPLES} examples, {'finite' if finite else 'not finite'}"


def gradient(loss: Loss) -> tuple[bool | None, str]:
    """Autograd agrees with finite differences."""
    logits, target = _case(loss)
    function = _of(loss)
    same = gradcheck(lambda s: function(s, target).sum(), logits.requires_grad_(), raise_exception=False)
    return same, f"gradient: {'' if same else 'not '}that of finite differences"


def preference(loss: Loss) -> tuple[bool | None, str]:
    """A confident right answer costs less than the same confidence in a wrong one."""
    right, target = _answer(_task(loss))
    values = [float(_of(loss)(logits, target).mean()) for logits in (right, right.roll(1, -1))]
    return values[0] < values[1], f"preference: {values[0]:.4g} for a right answer, {values[1]:.4g} for a wrong one"


def mapped(loss: Loss) -> tuple[bool | None, str]:
    """Whether `torch.func.vmap` can train all seeds at once; a loss that it cannot map is trained seed by seed."""
    logits, target = (torch.stack([part, part.flip(0)]) for part in _case(loss))
    function = _of(loss)
    alone = torch.stack([function(s, y).mean() for s, y in zip(logits, target, strict=True)])
    try:
        together = torch.func.vmap(lambda s, y: function(s, y).mean())(logits, target)
    except Exception:
        raise Skip("vmap cannot map it, seeds are trained one after the other") from None
    off = float((together - alone).abs().max())
    return off <= 1e-8, f"mapped: over seeds it gives what it gives for each, within {off:.2g}"


def memory(loss: Loss) -> tuple[bool | None, str]:
    """Nothing hides on the component: running state is given and handed back."""
    before = copy.deepcopy(vars(loss))
    _of(loss)(*_case(loss))
    after = vars(loss)
    kept = [name for name in before if name in after and _alike(before[name], after[name])]
    changed = sorted({*before, *after} - {*kept})
    return not changed, f"memory: {', '.join(changed)} changed by a call" if changed else "memory: none on itself"


def _alike(a: Any, b: Any) -> bool:
    return bool(torch.as_tensor(a == b).all())


def _task(loss: Loss) -> str:
    return (*loss.tasks, "classes")[0]


def _of(loss: Loss) -> Callable[[Tensor, Tensor], Tensor]:
    """The loss of logits and target, everything else it may ask for given."""
    given: dict[str, Any] = {"progress": 0.5, "step": 5, "epoch": 1, "class_counts": torch.tensor([5.0, 1, 3, 2])}
    given |= {"generator": generator(0, "loss"), "index": torch.arange(EXAMPLES), "state": loss.state()}
    stateful = "state" in wanted(loss)

    def function(logits: Tensor, target: Tensor) -> Tensor:
        counts = given["class_counts"][: logits.shape[-1]]
        features = torch.zeros(len(logits), 2, dtype=logits.dtype)
        value = call(loss, logits, target, **{**given, "class_counts": counts, "features": features})
        found: Tensor = value[0] if stateful else value
        return found

    return function


def _case(loss: Loss) -> Case:
    """Random logits, and targets of the loss's first task."""
    task, draw = _task(loss), generator(1, "case")
    rows = (EXAMPLES, ITEMS) if task == "grouped" else (EXAMPLES,)
    logits = torch.randn(*rows, CLASSES, generator=draw, dtype=torch.float64)
    if task == "multilabel":
        return Case(logits, torch.randint(0, 2, (*rows, CLASSES), generator=draw).double())
    return Case(logits, torch.randint(0, CLASSES, rows, generator=draw))


def _answer(task: str) -> Case:
    """One right answer of three classes."""
    one = torch.tensor([[1.0, 0.0, 0.0]], dtype=torch.float64)
    if task == "multilabel":
        return Case(CONFIDENT * (2 * one - 1), one)
    first = torch.tensor([0])
    return Case(CONFIDENT * one[None], first[None]) if task == "grouped" else Case(CONFIDENT * one, first)


CERTIFICATES = (shape, gradient, preference, mapped, memory)
