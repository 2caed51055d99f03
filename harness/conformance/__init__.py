"""Conformance checks: what a component of a kind must do, tried out in seconds and said in one sentence with numbers.

A kind has checks where this folder has a module of its name with `CHECKS`: functions of a component that answer
(passed, sentence), in the order in which they are tried. The function's name is the check's. What a run refuses at the
first call of a component is in `contract` and `first_call`, which the checks share.
"""

from __future__ import annotations

import importlib
import importlib.util
from collections.abc import Callable
from typing import Any, NamedTuple

from harness.base import Component, dynamic_fields, replace_fields
from harness.dynamic import Dynamic, GeometricSchedule, Learned, LinearSchedule
from harness.errors import BenchError, Skip

__all__ = ["ConformanceCheck", "Verdict", "check_component"]

ConformanceCheck = Callable[[Any], tuple[bool | None, str]]
"""A component -> whether it passes, None where the question is not one for it, and the sentence that says so."""


class Verdict(NamedTuple):
    """One check's answer: its name, whether it was passed (None: not applicable), one sentence."""

    name: str
    passed: bool | None
    says: str


def check_component(component: Component) -> list[Verdict]:
    """Every conformance check of the component's kind; none where the kind has none.

    Learned and scheduled fields have the values they start with. A check that raises Skip does not apply; one that
    raises anything else is not passed.
    """
    name = f"{__name__}.{component.kind}"
    if importlib.util.find_spec(name) is None:
        return []
    checks: tuple[ConformanceCheck, ...] = importlib.import_module(name).CHECKS
    fixed = replace_fields(component, {path: _start(value) for path, value, _ in dynamic_fields(component)})
    return [_tried(check, fixed) for check in checks]


def _start(value: Dynamic) -> float:
    assert isinstance(value, (Learned, GeometricSchedule, LinearSchedule))
    return value.start if isinstance(value, Learned) else value.first


def _tried(check: ConformanceCheck, component: Component) -> Verdict:
    name = check.__name__
    try:
        return Verdict(name, *check(component))
    except Skip as reason:
        return Verdict(name, None, f"{name}: {reason}")
    except BenchError as error:
        return Verdict(name, False, f"{name}: {error}")
    except Exception as error:
        said = (str(error).splitlines() or [""])[0]
        return Verdict(name, False, f"{name}: {type(error).__name__}: {said}".removesuffix(": "))
