"""Checks at registration that the methods of a class accept the arguments that its kind passes."""

from __future__ import annotations

import difflib
import functools
import inspect
from collections.abc import Mapping, Sequence
from types import MappingProxyType

from harness.base import Component
from harness.errors import BenchError, near_miss
from harness.kinds import KINDS, LOSS_INPUTS, Denoiser, Loss

CALL_INPUTS = tuple(name for name in LOSS_INPUTS if name != "state")
"""Inputs that a loss may request when it is called; its state goes to `with_state`."""

BY_NAME: Mapping[tuple[str, str], Sequence[str]] = MappingProxyType(
    {
        ("loss", "__call__"): CALL_INPUTS,
        ("loss", "with_state"): tuple(LOSS_INPUTS),
        ("denoiser", "load"): ("weights",),
        ("denoiser", "predict"): ("labels",),
        ("denoiser", "hidden_features"): ("labels",),
        ("denoiser", "posterior_covariance"): ("labels",),
        ("denoiser", "sample_posterior"): ("labels",),
        ("sampler", "sample"): ("noise_last_step",),
        ("variance", "fit"): ("on_progress",),
        ("prior", "draw"): ("on_progress",),
    }
)
"""(kind, method) -> inputs passed by name on request, beside its positional arguments."""

_ALIKE = 0.85
"""Similarity to the name of an input from which an argument with a default counts as a misspelling."""


def check_signatures(cls: type[Component]) -> None:
    """Check that every method of the kind that a class defines accepts the arguments that the harness passes.

    Raises BenchError with file:line of the method, the arguments it takes and those expected.
    """
    for name in _methods(cls.kind):
        if cls.kind == "metric":
            _check_metric(cls, name)
        elif inspect.getattr_static(cls, name) is not inspect.getattr_static(KINDS[cls.kind], name):
            _check_method(cls, name)
    if issubclass(cls, Loss):
        _check_state(cls)
    if issubclass(cls, Denoiser) and cls.needs_artifact() and not _takes(cls, "load", "weights"):
        raise _mistake(cls, "load", "(device, weights): it trains, and the weights are handed over by that name")


@functools.cache
def _methods(kind: str) -> tuple[str, ...]:
    """Return the methods that a component of a kind may define, and a metric's optional `curve`."""
    own = vars(KINDS[kind]).items()
    found = [name for name, value in own if inspect.isfunction(value) and (name == "__call__" or name[0] != "_")]
    return (*found, "curve") if kind == "metric" else tuple(name for name in found if not _is_final(kind, name))


def _is_final(kind: str, name: str) -> bool:
    return bool(getattr(getattr(KINDS[kind], name), "__final__", False))


def _check_method(cls: type[Component], name: str) -> None:
    parameters = _parameters(cls, name)
    if parameters is None:
        return
    given = [p for p in _parameters(KINDS[cls.kind], name) or () if p.kind in _POSITIONAL]
    known = BY_NAME.get((cls.kind, name), ())
    by_name = {"state": None} if name == "with_state" else {}
    given = [p for p in given if p.name not in by_name]
    try:
        bound = inspect.Signature(parameters).bind_partial(*given, **by_name)
    except TypeError:
        raise _mistake(cls, name, _expected(given, by_name)) from None
    for parameter in parameters:
        if parameter.name in bound.arguments or parameter.kind in _OPEN:
            continue
        required = parameter.default is parameter.empty
        if required and (parameter.kind is parameter.POSITIONAL_ONLY or len(known) == 0):
            raise _mistake(cls, name, _expected(given, by_name))
        if parameter.name not in known and (required or _misspelled(parameter.name, known)):
            what = f"{cls.__name__}.{name} asks for the input {parameter.name!r}"
            hint = ": running state is taken by with_state" if parameter.name == "state" else ""
            raise BenchError(f"{what}{hint or near_miss(parameter.name, known)}", method_place(cls, name))


def _misspelled(name: str, known: Sequence[str]) -> bool:
    return bool(difflib.get_close_matches(name, known, n=1, cutoff=_ALIKE))


def _check_metric(cls: type[Component], name: str) -> None:
    """Check that a metric and its curve take their inputs by name alone."""
    parameters = _parameters(cls, name) if hasattr(cls, name) else None
    if parameters is None or getattr(cls, name) is getattr(KINDS["metric"], name, None):
        return
    positional = [p for p in parameters if p.kind is p.POSITIONAL_ONLY and p.default is p.empty]
    named = [p for p in parameters if p.kind not in (p.POSITIONAL_ONLY, p.VAR_POSITIONAL)]
    if positional or (parameters and not named):
        raise _mistake(cls, name, "arguments by name, as (logits, target): each is what a protocol offers to metrics")


def _check_state(cls: type[Loss]) -> None:
    """Check that a loss with running state defines both `state` and `with_state`."""
    both = {"state": cls.state is not Loss.state, "with_state": cls.with_state is not Loss.with_state}
    for there, missing in (("state", "with_state"), ("with_state", "state")):
        if both[there] and not both[missing]:
            what = f"{cls.__name__} defines {there} without {missing}: a loss with running state defines both"
            raise BenchError(what, method_place(cls, there))


def _takes(cls: type[Component], name: str, argument: str) -> bool:
    parameters = _parameters(cls, name)
    return parameters is None or any(p.name == argument or p.kind is p.VAR_KEYWORD for p in parameters)


_POSITIONAL = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
_OPEN = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)


def _parameters(cls: type, name: str) -> list[inspect.Parameter] | None:
    """Return a method's parameters once it is bound; None if Python cannot inspect it."""
    raw = inspect.getattr_static(cls, name)
    try:
        parameters = list(inspect.signature(getattr(cls, name)).parameters.values())
    except (TypeError, ValueError):
        return None
    bound = isinstance(raw, (staticmethod, classmethod)) or not inspect.isfunction(raw)
    starred = bool(parameters) and parameters[0].kind is inspect.Parameter.VAR_POSITIONAL
    return parameters if bound or starred else parameters[1:]


def _expected(given: Sequence[inspect.Parameter], by_name: Mapping[str, object]) -> str:
    return f"({', '.join([*(p.name for p in given), *(f'{name}=...' for name in by_name)])})"


def _mistake(cls: type[Component], name: str, expected: str) -> BenchError:
    taken = inspect.Signature([p.replace(annotation=p.empty) for p in _parameters(cls, name) or ()])
    what = f"{cls.__name__}.{name} takes {taken}, expected {expected}"
    return BenchError(what, method_place(cls, name))


def method_place(cls: type, name: str) -> str:
    """Return file:line of a method, or of the class if the method belongs to a library or the harness."""
    found = inspect.getattr_static(cls, name, None)
    method = inspect.unwrap(getattr(found, "__func__", found))
    code = getattr(method, "__code__", None)
    if code is None or (method.__module__.startswith("harness.") and not method.__module__.startswith("harness.stock")):
        return place(cls)
    return f"{code.co_filename}:{code.co_firstlineno}"


def place(cls: type) -> str:
    """Return file:line of a class, or of the object behind its import path."""
    cls = vars(cls).get("imported", cls)
    cls = getattr(cls, "__func__", cls)
    try:
        return f"{inspect.getsourcefile(cls)}:{inspect.getsourcelines(cls)[1]}"
    except (OSError, TypeError):
        return f"{getattr(inspect.getmodule(cls), '__file__', cls.__module__)}:1"
