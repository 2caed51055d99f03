"""Arguments by name: a component receives the inputs that its signature requests, as fixtures in pytest."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any, TypeVar

from harness.base import Component
from harness.errors import BenchError
from harness.kinds.classification import LOSS_INPUTS, Loss

T = TypeVar("T")


def call_with_inputs(fn: Callable[..., T], *args: object, **available: object) -> T:
    """Call `fn(*args)` with those of `available` that it takes by name; with all of them if it takes `**inputs`."""
    return fn(*args, **accepted(fn, available, len(args)))


def accepted(fn: Callable[..., object], available: Mapping[str, T], positional: int = 0) -> dict[str, T]:
    """Return those of `available` that `fn` takes by name after its first `positional` arguments."""
    names, open_ended = _by_name(_signed(fn), positional)
    return {name: value for name, value in available.items() if open_ended or name in names}


def required(fn: Callable[..., object]) -> tuple[str, ...]:
    """Return the names of the required arguments of `fn`, in order, without `self`."""
    parameters = [p for p in _parameters(_signed(fn)) if p.kind not in (p.VAR_POSITIONAL, p.VAR_KEYWORD)]
    return tuple(p.name for p in parameters if p.default is p.empty and p.name != "self")


def requested_inputs(
    fn: Callable[..., object], positional: int = 2, known: Collection[str] = LOSS_INPUTS
) -> frozenset[str]:
    """Return every name `fn` may use after its first `positional` arguments; for a loss, also those of `with_state`.

    A wrapper (a component that takes `**inputs` and holds components) requests the inputs of its inner components. Any
    other callable with `**inputs` requests all that are `known`.
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
    """Return those of the attributes `names` of `source` that `fn` requests by name; no others are computed.

    An attribute that raises NotOffered is left out if `fn` has a default for it.
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
    """An input that a protocol offers to metrics and that this cell does not have."""


def _signed(fn: Callable[..., object]) -> Callable[..., object]:
    """Return the object with the signature; for a method its class's function, so that instances share a cache."""
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
    """Return (names taken by keyword after the first `positional` arguments, whether any other name is taken too)."""
    parameters = _parameters(function)
    given = [p for p in parameters if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)][:positional]
    names = {p.name for p in parameters if p.kind in (p.POSITIONAL_OR_KEYWORD, p.KEYWORD_ONLY) and p not in given}
    return frozenset(names), any(p.kind is p.VAR_KEYWORD for p in parameters)
