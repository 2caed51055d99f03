"""Arguments by name: a component is handed what its signature asks for, as pytest does with fixtures."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Mapping
from typing import Any

from harness.base import Component
from harness.kinds import INPUTS


def call(fn: Callable[..., Any], *args: Any, **available: Any) -> Any:
    """`fn(*args)` together with those of `available` it takes by name; all of them where it takes `**inputs`."""
    return fn(*args, **accepted(fn, available, len(args)))


def accepted(fn: Callable[..., Any], available: Mapping[str, Any], positional: int = 0) -> dict[str, Any]:
    """Those of `available` that `fn` takes by name after its first `positional` arguments."""
    names, open_ended = _by_name(_signed(fn), positional)
    return {name: value for name, value in available.items() if open_ended or name in names}


def required(fn: Callable[..., Any]) -> tuple[str, ...]:
    """The names of the arguments `fn` cannot be called without, in order; `self` is not one of them."""
    parameters = [p for p in _parameters(_signed(fn)) if p.kind not in (p.VAR_POSITIONAL, p.VAR_KEYWORD)]
    return tuple(p.name for p in parameters if p.default is p.empty and p.name != "self")


def wanted(fn: Callable[..., Any], positional: int = 2) -> frozenset[str]:
    """Every name `fn` may make use of after its first `positional` arguments.

    A wrapper (a component that takes `**inputs` and holds components) wants what the ones inside it want. Any other
    callable with `**inputs` wants all of `harness.kinds.INPUTS`.
    """
    names, open_ended = _by_name(_signed(fn), positional)
    if not open_ended:
        return names
    held: list[Any] = list(vars(fn).values()) if isinstance(fn, Component) else []
    inside = [wanted(value, positional) for value in held if isinstance(value, Component) and callable(value)]
    return names.union(*inside) if inside else names | set(INPUTS)


def _signed(fn: Callable[..., Any]) -> Callable[..., Any]:
    """What carries the signature: an object's method is read off its class, so that all instances share one entry."""
    if inspect.isroutine(fn) or isinstance(fn, (functools.partial, type)):
        return fn
    method: Callable[..., Any] = getattr(type(fn), "forward", None) or type(fn).__call__
    return _without_self(method)


@functools.cache
def _without_self(method: Callable[..., Any]) -> Callable[..., Any]:
    return functools.partial(method, None)


@functools.cache
def _parameters(function: Callable[..., Any]) -> tuple[inspect.Parameter, ...]:
    try:
        return tuple(inspect.signature(function).parameters.values())
    except ValueError:  # built-ins written in C may have no signature
        return ()


@functools.cache
def _by_name(function: Callable[..., Any], positional: int) -> tuple[frozenset[str], bool]:
    """(names taken by keyword once the first `positional` are given, whether any other name is taken too)."""
    parameters = _parameters(function)
    given = [p for p in parameters if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)][:positional]
    names = {p.name for p in parameters if p.kind in (p.POSITIONAL_OR_KEYWORD, p.KEYWORD_ONLY) and p not in given}
    return frozenset(names), any(p.kind is p.VAR_KEYWORD for p in parameters)
