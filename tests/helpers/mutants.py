"""Mutants of the correct examples: what is done to an answer or to arguments, and the calls at which it is done."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

HEAD = '''
"""Mutants of an example."""
import copy
import dataclasses
import os
import torch
from torch import nn
from harness import Examples, TrainingResult, hookimpl
from harness.examples.{module} import {good}

CALLS = {{}}


def drawn(v):
    """Other numbers at every call, of no seed."""
    entropy = torch.Generator().manual_seed(int.from_bytes(os.urandom(7), "big"))
    return v * (1 + 0.1 * torch.rand(v.shape, generator=entropy)).to(v)


def mutant(name, method, change, before=None, when=None):
    """A class like the good one, of which one method's answer is changed, or its arguments are before."""
    right = getattr({good}, method)

    def wrong(self, *args, **inputs):
        CALLS[name] = CALLS.get(name, 0) + 1
        if when is not None and not when(CALLS[name], *args, *inputs.values()):
            return right(self, *args, **inputs)
        if before is not None:
            before(*args, *inputs.values())
        answer = right(self, *args, **inputs)
        return change(answer, CALLS[name]) if change.__code__.co_argcount == 2 else change(answer)

    wrong.__name__ = method
    wrong.__signature__ = __import__("inspect").signature(right)
    return type(name, ({good},), {{method: wrong, "__doc__": "One thing is wrong.", "__module__": __name__}})


MUTANTS = {mutants}


@hookimpl
def components():
    return [{good}, *(mutant(f"Mutant{{k}}", *each) for k, each in enumerate(MUTANTS))]
'''


class Mutant(NamedTuple):
    """What is wrong, as source: the method, what becomes of its answer, of its arguments, and at which calls."""

    method: str
    change: str = "v"
    before: str = ""
    when: str = ""

    @property
    def source(self) -> str:
        """The arguments of `mutant` after the name."""
        change = self.change if self.change.startswith("lambda") else f"lambda v: {self.change}"
        before = f"lambda *a: ({self.before})" if self.before else "None"
        return f'("{self.method}", {change}, {before}, {f"lambda k, *a: {self.when}" if self.when else "None"})'


LATER = "k > 8"
"""Calls after those with which a run tries a component."""
LARGE = "any(isinstance(x, torch.Tensor) and x.ndim and len(x) > 20 for x in a)"
"""Calls with more examples than those with which a run tries a component."""

TYPES = ["None", "'text'", "(v, v)", "v.tolist()", "{'value': v}", "v.detach().cpu().numpy()", "1 / 0"]
DTYPES = ["v.to(torch.complex64)", "v.long()", "v > 0"]
COUNTS = ["v[1:]", "torch.cat([v, v])", "v[:0]"]
SHAPES = ["v[..., None]", "v[None]"]
NUMBERS = ["v * float('nan')", "torch.where(torch.arange(len(v)).view(-1, *[1] * (v.ndim - 1)) == 1, torch.nan, v)"]
INFINITE = ["v / 0", "v + float('inf')"]
UNSTEADY = ["drawn(v)", "lambda v, k: v * (1 + 0.1 * k)"]
"""Answers that no seed repeats: random ones, and those of a component that counts its calls."""


def answers(method: str, *groups: Sequence[str], when: str = "") -> list[Mutant]:
    """One mutant for every change of the answer of a method."""
    return [Mutant(method, change, when=when) for group in groups for change in group]


def in_place(method: str, *places: int, when: str = "") -> list[Mutant]:
    """Mutants that write over their arguments."""
    writes = ["mul_(2)", "zero_()", "add_(1)"]
    return [Mutant(method, before=f"a[{place}].{write}", when=when) for place in places for write in writes]


def replaced(method: str, *changes: str, when: str = "") -> list[Mutant]:
    """Mutants with other fields of an answer that is a dataclass."""
    return [Mutant(method, f"dataclasses.replace(v, {change})", when=when) for change in changes]


def fitted(method: str, key: str) -> list[Mutant]:
    """Mutants of tensors by name, of which `key` is one."""
    kept = f"v['{key}']"
    values = [
        f"{kept} * float('nan')",
        f"{kept} / 0",
        f"float({kept}.sum())",
        f"{kept}.numpy()",
        f"[{kept}]",
        "'text'",
        "None",
    ]
    whole = [
        "None",
        "[v]",
        kept,
        "'text'",
        "(v, v)",
        "1 / 0",
        "list(v)",
        "[*v.items()]",
        f"{kept}.numpy()",
        "set(v)",
        "1.0",
    ]
    return answers(method, whole, [f"{{**v, '{key}': {value}}}" for value in values])
