"""Requirements on a loss: one finite number per example, a correct gradient, lower for right answers, no state."""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch.autograd import gradcheck

from harness.conformance import contract, first_call
from harness.conformance.draws import undrawn
from harness.errors import Skip
from harness.inputs import call_with_inputs
from harness.kinds import Loss
from harness.random import generator, global_draws, seed_globals

EXAMPLES, ITEMS, CLASSES = 6, 3, 4

LOGARITHM = 1e-8
"""Largest difference between the exponential of a log-probability and the probability."""

CONFIDENT = 3.0
"""Logit of a right answer whose rivals have 0."""


class Case(NamedTuple):
    """Logits [examples, classes] or [examples, items, classes] in float64, and their targets."""

    logits: Tensor
    target: Tensor


def shape(loss: Loss) -> tuple[bool | None, str]:
    """The value is one finite number for each example, or a scalar."""
    value = contract.loss_value(loss, _of(loss)(*_case(loss)), EXAMPLES)
    finite = bool(torch.isfinite(value).all())
    return finite, f"shape: {[*value.shape]} for {EXAMPLES} examples, {'finite' if finite else 'not finite'}"


def inputs(loss: Loss) -> tuple[bool | None, str]:
    """Logits and target stay unchanged."""
    logits, target = _case(loss)
    kept = contract.Untouched({"logits": logits, "target": target}, exactly=True)
    _of(loss)(logits, target)
    kept.check(loss)
    return True, "inputs: left as they were"


def gradient(loss: Loss) -> tuple[bool | None, str]:
    """The gradient by autograd agrees with finite differences."""
    if loss.own_gradient:
        raise Skip("the loss says that its gradient is not that of its value")
    logits, target = _case(loss)
    function = _of(loss)
    same = gradcheck(lambda s: function(s, target).sum(), logits.requires_grad_(), raise_exception=False)
    return same, f"gradient: {'' if same else 'not '}that of finite differences"


def preference(loss: Loss) -> tuple[bool | None, str]:
    """A confident right answer costs less than an equally confident wrong one."""
    right, target = _answer(_task(loss))
    values = [float(_of(loss)(logits, target).mean()) for logits in (right, right.roll(1, -1))]
    return values[0] < values[1], f"preference: {values[0]:.4g} for a right answer, {values[1]:.4g} for a wrong one"


def mapped(loss: Loss) -> tuple[bool | None, str]:
    """`torch.func.vmap` can train all seeds at once; a loss that it cannot map is trained seed by seed."""
    logits, target = (torch.stack([part, part.flip(0)]) for part in _case(loss))
    function = _of(loss)
    alone = torch.stack([function(s, y).mean() for s, y in zip(logits, target, strict=True)])
    try:
        together = torch.func.vmap(lambda s, y: function(s, y).mean())(logits, target)
    except Exception:
        raise Skip("vmap cannot map it, seeds are trained one after the other") from None
    off = float((together - alone).abs().max())
    return off <= 1e-8, f"mapped: over seeds it gives what it gives for each, within {off:.2g}"


def draws(loss: Loss) -> tuple[bool | None, str]:
    """Draws come from torch or `generator`: seeds trained at once would share one of Python's or numpy's.

    The same state of all generators gives the same value.
    """
    logits, target = _case(loss)
    function = _of(loss)
    with undrawn():
        found = global_draws(lambda: _called(loss, logits, target))
    if not torch.equal(function(logits, target), function(logits, target)):
        return False, "draws: two calls with the same inputs and seeds give two values"
    if found:
        return None, f"draws: from {' and '.join(found)}, which stacked seeds would share: they are trained one by one"
    return True, "draws: none that stacked seeds would share"


def probabilities(loss: Loss) -> tuple[bool | None, str]:
    """The loss's probabilities are a distribution, and its log-probabilities are their logarithm."""
    logits, labels = _case(loss).logits, _task(loss) == "multilabel"
    found = first_call.probabilities(loss, logits, labels)
    logs = first_call.log_probabilities(loss, logits, labels)
    if found is None or logs is None:
        if (found is None) != (logs is None):
            return False, "probabilities: it defines one of probabilities and log_probabilities, not both"
        return None, f"probabilities: the usual ones, {'sigmoid' if labels else 'softmax'}"
    off = float((logs.exp() - found).abs().max())
    return off <= LOGARITHM, f"probabilities: a distribution, exp of the logarithm within {off:.2g}"


def state(loss: Loss) -> tuple[bool | None, str]:
    """Every step returns running state in the same shapes."""
    before: Mapping[str, Tensor] = loss.state()
    if not before:
        return None, "state: it has none"
    logits, target = _case(loss)
    for _ in range(2):
        value, after = call_with_inputs(loss.with_state, logits, target, state=before, **_given(logits))
        contract.loss_value(loss, value, EXAMPLES, "with_state")
        if {k: v.shape for k, v in before.items()} != {k: v.shape for k, v in after.items()}:
            return False, f"state: {', '.join(sorted(before))} went in, {', '.join(sorted(after))} came out"
        before = after
    return True, f"state: {', '.join(sorted(before))}, handed back by every step"


def memory(loss: Loss) -> tuple[bool | None, str]:
    """Calls leave the component's attributes unchanged: running state is passed in and returned."""
    before = copy.deepcopy(vars(loss))
    _of(loss)(*_case(loss))
    after = vars(loss)
    kept = [name for name in before if name in after and _alike(before[name], after[name])]
    changed = sorted({*before, *after} - {*kept})
    return (
        not changed,
        f"memory: {', '.join(changed)} changed by a call" if changed else "memory: unchanged by a call",
    )


def _alike(a: Any, b: Any) -> bool:
    return bool(torch.as_tensor(a == b).all())


def _task(loss: Loss) -> str:
    return (*loss.tasks, "classes")[0]


def _of(loss: Loss) -> Callable[[Tensor, Tensor], Tensor]:
    """Return the loss as a function of logits and target that draws the same numbers at every call."""

    def function(logits: Tensor, target: Tensor) -> Tensor:
        with undrawn():
            seed_globals(0, "loss")
            return _called(loss, logits, target)

    return function


def _called(loss: Loss, logits: Tensor, target: Tensor) -> Tensor:
    """Return the loss with all inputs filled in."""
    value: Tensor = call_with_inputs(loss, logits, target, **_given(logits))
    return value


def _given(logits: Tensor) -> dict[str, Any]:
    """Return every input that a loss may request by name."""
    return {
        "progress": 0.5,
        "step": 5,
        "epoch": 1,
        "generator": generator(0, "loss"),
        "index": torch.arange(EXAMPLES),
        "features": torch.zeros(*logits.shape[:-1], 2, dtype=logits.dtype),
        "class_counts": torch.tensor([5.0, 1, 3, 2])[: logits.shape[-1]],
    }


def _case(loss: Loss) -> Case:
    """Return random logits, and targets of the loss's first task."""
    task, draw = _task(loss), generator(1, "case")
    rows = (EXAMPLES, ITEMS) if task == "grouped" else (EXAMPLES,)
    logits = torch.randn(*rows, CLASSES, generator=draw, dtype=torch.float64)
    if task == "multilabel":
        return Case(logits, torch.randint(0, 2, (*rows, CLASSES), generator=draw).double())
    return Case(logits, torch.randint(0, CLASSES, rows, generator=draw))


def _answer(task: str) -> Case:
    """Return one right answer of three classes."""
    one = torch.tensor([[1.0, 0.0, 0.0]], dtype=torch.float64)
    if task == "multilabel":
        return Case(CONFIDENT * (2 * one - 1), one)
    first = torch.tensor([0])
    return Case(CONFIDENT * one[None], first[None]) if task == "grouped" else Case(CONFIDENT * one, first)


CHECKS = (shape, inputs, gradient, preference, mapped, draws, probabilities, state, memory)
