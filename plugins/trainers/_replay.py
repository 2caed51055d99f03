"""A function of tensors whose operations are recorded once and then repeated, without vmap and autograd around them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch.autograd.function import BackwardCFunction
from torch.utils._python_dispatch import TorchDispatchMode

from harness import BenchError

Function = Callable[..., tuple[Tensor, ...]]
EVERY = 50
"""Number of calls of which one is looked at again."""
CHANGED = (
    "the loss became another function in the course of training without asking for step or progress by name, so it "
    "keeps a count of its own; ask for them, or use trainer: loop"
)
BOUND = {torch.Tag.data_dependent_output, torch.Tag.dynamic_output_shape, torch.Tag.nondeterministic_seeded}
"""Marks of operations whose results decide what Python does next, or differ from call to call."""


class Replayed:
    """The same function, faster from the fourth call on for inputs of one layout.

    Its first call is an ordinary one. At its second the operations are recorded, at its third they are repeated beside
    an ordinary call; they are used from then on if both results are the same to the bit and laid out alike. A function
    that computes outside of torch, or in Python on numbers that it takes from tensors, is never repeated. It must be a
    pure function of the tensors that it is given: an ordinary call beside every fiftieth one sees whether it is.
    """

    def __init__(self, function: Function) -> None:
        self._function = function
        self._known: dict[Any, _Program | int | None] = {}
        self._calls = 0

    def __call__(self, *inputs: Tensor) -> tuple[Tensor, ...]:
        """Value at these inputs. Raises BenchError if the function has become another one since it was recorded."""
        self._calls += 1
        layout = tuple((t.shape, t.stride()) for t in inputs)
        program = self._known.get(layout, 0)
        if isinstance(program, _Program) and program.tested:
            found = program.run(inputs)
            if self._calls % EVERY == 0 and not _alike(found, self._function(*inputs)):
                raise BenchError(CHANGED)
            return found
        outputs = self._function(*inputs)
        if program == 0:
            self._known[layout] = 1
        elif program == 1:
            self._known[layout] = _recorded(self._function, inputs, outputs)
        elif isinstance(program, _Program):
            same = _alike(program.run(inputs), outputs)
            self._known[layout] = program._replace(tested=True) if same else None
        return outputs


def custom(value: Tensor) -> bool:
    """Whether a derivative written in Python, by torch.autograd.Function, is behind a value."""
    seen, waiting = set(), [value.grad_fn]
    while waiting:
        node = waiting.pop()
        if isinstance(node, BackwardCFunction):
            return True
        if node is not None and node not in seen:
            seen.add(node)
            waiting += [before for before, _ in node.next_functions]
    return False


class _Call(NamedTuple):
    """One operation: its arguments, those of them that are tensors by place, and the places of its results."""

    operation: Any
    arguments: Sequence[Any]
    options: dict[str, Any]
    tensors: Sequence[tuple[int, int]]
    results: Sequence[int]
    single: bool
    done: Sequence[int] = ()
    """Places that no later operation needs."""


class _Program(NamedTuple):
    """Operations on kept tensors: inputs first, then constants and results."""

    calls: Sequence[_Call]
    kept: Sequence[Tensor | None]
    outputs: Sequence[int]
    tested: bool = False

    @torch.no_grad()
    def run(self, inputs: Sequence[Tensor]) -> tuple[Tensor, ...]:
        """Repeat the operations on other inputs."""
        kept: list[Any] = [*inputs, *self.kept[len(inputs) :]]
        for operation, arguments, options, tensors, results, single, done in self.calls:
            given = list(arguments)
            for at, place in tensors:
                given[at] = kept[place]
            found = operation(*given, **options)
            if single:
                kept[results[0]] = found
            else:
                for place, one in zip(results, found, strict=True):
                    kept[place] = one
            for place in done:  # memory that is free at once is still in the cache when the next result gets it
                kept[place] = None
            found = None
        return tuple(kept[place] for place in self.outputs)


class _Recorder(TorchDispatchMode):
    """Writes down every operation, below vmap and autograd: itself, its arguments, options and result."""

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.seen: list[tuple[Any, Sequence[Any], dict[str, Any], Any]] = []

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        result = func(*args, **(kwargs or {}))
        if isinstance(result, Tensor) or any(isinstance(one, Tensor) for one in args):
            self.seen.append((func, args, kwargs or {}, result))
        return result


def _recorded(function: Function, inputs: Sequence[Tensor], expected: Sequence[Tensor]) -> _Program | None:
    """Operations of the function at these inputs, unless they cannot be repeated."""
    with _Recorder() as recorder:
        outputs = function(*inputs)
    if not all(_repeatable(*one) for one in recorder.seen) or not _alike(outputs, expected):
        return None
    kept: list[Tensor | None] = list(inputs)
    places = {id(tensor): place for place, tensor in enumerate(inputs)}

    def place(tensor: Tensor, constant: Tensor | None) -> int:
        if id(tensor) not in places:
            places[id(tensor)] = len(kept)
            kept.append(constant)
        return places[id(tensor)]

    calls = []
    for operation, arguments, options, result in recorder.seen:
        tensors = [(at, place(one, one)) for at, one in enumerate(arguments) if isinstance(one, Tensor)]
        results = [place(one, None) for one in _listed(result)]
        calls.append(_Call(operation, arguments, options, tensors, results, isinstance(result, Tensor)))
    wanted = [places.get(id(one), -1) for one in outputs]
    if not all(at >= 0 and (at < len(inputs) or kept[at] is None) for at in wanted):
        return None  # a constant, which the caller may overwrite
    return _Program(_needed(calls, wanted), kept, wanted)


def _needed(calls: Sequence[_Call], wanted: Sequence[int]) -> list[_Call]:
    """The calls that the wanted places need, where none of them changes a tensor, without the tensors themselves."""
    changes = any(call.operation._schema.is_mutable for call in calls)
    needed, chosen = set(wanted), []
    for call in reversed(calls):
        if not changes and not needed.intersection(call.results):
            continue
        used = {place for _, place in call.tensors}
        done = [place for place in {*used, *call.results} if place not in needed]
        needed |= used
        arguments = [None if isinstance(one, Tensor) else one for one in call.arguments]
        chosen.append(call._replace(arguments=arguments, done=done))
    return chosen[::-1]


def _repeatable(operation: Any, arguments: Sequence[Any], options: dict[str, Any], result: Any) -> bool:
    """False where memory is left to be filled outside of torch, where Python may have read a result, and for lists."""
    return (
        "empty" not in operation.name()
        and not BOUND & set(operation.tags)
        and all(isinstance(one, Tensor) for one in _listed(result))
        and not any(isinstance(one, Tensor) for value in (*arguments, *options.values()) for one in _inner(value))
        and not any(isinstance(value, Tensor) for value in options.values())
    )


def _listed(result: Any) -> Sequence[Any]:
    return result if isinstance(result, (list, tuple)) else (result,)


def _inner(value: Any) -> Sequence[Any]:
    return value if isinstance(value, (list, tuple)) else ()


def _alike(some: Sequence[Tensor], others: Sequence[Tensor]) -> bool:
    """True if tensors have the same bits in the same layout."""
    return all(
        a.stride() == b.stride() and torch.equal(a.isnan(), b.isnan()) and torch.equal(a.nan_to_num(), b.nan_to_num())
        for a, b in zip(some, others, strict=True)
    )
