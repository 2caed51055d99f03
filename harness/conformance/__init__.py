"""Conformance checks: requirements on components of a kind, tested in seconds and reported in one sentence each.

A kind has checks if this folder has a module of its name with `CHECKS`: functions of a component that return
(passed, sentence), in the order in which they run. The function's name is the check's. The checks of a run at the
first call of a component are in `contract` and `first_call`, which the conformance checks share.
"""

from __future__ import annotations

import importlib
import importlib.util
from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

from harness.base import Component, dynamic_fields, replace_fields
from harness.dynamic import Dynamic, GeometricSchedule, Learned, LinearSchedule
from harness.errors import BenchError, Skip, own_line

__all__ = ["ConformanceCheck", "Verdict", "check_component", "checks_of"]

ConformanceCheck = Callable[[Any], tuple[bool | None, str]]
"""A component -> whether it passes, None if the check does not apply, and a sentence with the finding."""


class Verdict(NamedTuple):
    """Result of one check: its name, whether it passed (None: not applicable), one sentence."""

    name: str
    passed: bool | None
    says: str


def check_component(component: Component) -> list[Verdict]:
    """Run every conformance check of the component's kind; none if the kind has none.

    Learned and scheduled fields have their initial values. A check that raises Skip does not apply; one that
    raises anything else has failed.
    """
    return [check() for check in checks_of(component).values()]


def checks_of(component: Component) -> dict[str, Callable[[], Verdict]]:
    """Return the conformance checks of the component's kind by name, each of which runs on the component."""
    name = f"{__name__}.{component.kind}"
    if importlib.util.find_spec(name) is None:
        return {}
    checks: tuple[ConformanceCheck, ...] = importlib.import_module(name).CHECKS
    fixed = replace_fields(component, {path: _start(value) for path, value, _ in dynamic_fields(component)})
    return {check.__name__: partial(_tried, check, fixed) for check in checks}


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
        return Verdict(name, False, f"{name}: {f'{type(error).__name__}: {said}'.removesuffix(': ')}{own_line(error)}")
