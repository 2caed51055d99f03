"""Arguments by name: a component is handed what its signature asks for, as pytest does with fixtures."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any, TypeVar

from harness.base import Component
from harness.errors import BenchError
from harness.kinds import LOSS_INPUTS, Loss

T = TypeVar("T")


def call_with_inputs(fn: Callable[..., T], *args: object, **available: object) -> T:
    """`fn(*args)` together with those of `available` it takes by name; all of them where it takes `**inputs`."""
    return fn(*args, **accepted(fn, available, len(args)))


def accepted(fn: Callable[..., object], available: Mapping[str, T], positional: int = 0) -> dict[str, T]:
    """Those of `available` that `fn` takes by name after its first `positional` arguments."""
    names, open_ended = _by_name(_signed(fn), positional)
    return {name: value for name, value in available.items() if open_ended or name in names}


def required(fn: Callable[..., object]) -> tuple[str, ...]:
    """The names of the arguments `fn` cannot be called without, in order; `self` is not one of them."""
    parameters = [p for p in _parameters(_signed(fn)) if p.kind not in (p.VAR_POSITIONAL, p.VAR_KEYWORD)]
    return tuple(p.name for p in parameters if p.default is p.empty and p.name != "self")


def requested_inputs(
    fn: Callable[..., object], positional: int = 2, known: Collection[str] = LOSS_INPUTS
) -> frozenset[str]:
    """Every name `fn` may make use of after its first `positional` arguments; of a loss, its `with_state` too.

    A wrapper (a component that takes `**inputs` and holds components) wants what the ones inside it want. Every other
    callable with `**inputs` wants all that are `known`.
    """
    stateful = isinstance(fn, Loss) and type(fn).with_state is not Loss.with_state
    ways: list[Callable[..., object]] = [fn, fn.with_state] if isinstance(fn, Loss) and stateful else [fn]
    taken = [_by_name(_signed(way), positional) for way in ways]
    names = frozenset().union(*(some for some, _ in taken)) - {"state"}
    if not any(open_ended for _, open_ended in taken):
        return names
    held: list[object] = list(vars(fn).values()) if isinstance(fn, Component) else []
    inside = [
        requested_inputs(value, positional, known) for value in held if isinstance(value, Component) and callable(value)
    ]
    return names.union(*inside) if inside else names | set(known) - {"state"}


def gathered(fn: Callable[..., object], source: object, names: Sequence[str]) -> dict[str, Any]:
    """Those of the attributes `names` of `source` that `fn` asks for by name; only what is asked for is computed.

    What raises NotOffered is left out where `fn` can do without.
    """
    asked, needed = requested_inputs(fn, 0, names), required(fn)
    found = {}
    for name in names:
        if name in asked:
            try:
                found[name] = getattr(source, name)
            except NotOffered:
                if name in needed:
                    raise
    return found


class NotOffered(BenchError):
    """Something that a protocol offers to metrics and that this cell does not have."""


def _signed(fn: Callable[..., object]) -> Callable[..., object]:
    """What carries the signature: a method is read off its class, so that all instances share one entry."""
    if inspect.ismethod(fn) and not isinstance(fn.__self__, type):
        return _without_self(fn.__func__)
    if inspect.isroutine(fn) or isinstance(fn, (functools.partial, type)):
        return fn
    method: Callable[..., object] = getattr(type(fn), "forward", None) or type(fn).__call__
    return _without_self(method)


@functools.cache
def _without_self(method: Callable[..., object]) -> Callable[..., object]:
    return functools.partial(method, None)


@functools.cache
def _parameters(function: Callable[..., object]) -> tuple[inspect.Parameter, ...]:
    try:
        return tuple(inspect.signature(function).parameters.values())
    except ValueError:  # built-ins written in C may have no signature
        return ()


@functools.cache
def _by_name(function: Callable[..., object], positional: int) -> tuple[frozenset[str], bool]:
    """(names taken by keyword once the first `positional` are given, whether any other name is taken too)."""
    parameters = _parameters(function)
    given = [p for p in parameters if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)][:positional]
    names = {p.name for p in parameters if p.kind in (p.POSITIONAL_OR_KEYWORD, p.KEYWORD_ONLY) and p not in given}
    return frozenset(names), any(p.kind is p.VAR_KEYWORD for p in parameters)
