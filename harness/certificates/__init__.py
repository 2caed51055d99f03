"""Certificates: what a component of a kind must do, tried out in seconds and said in one sentence with the numbers.

A kind has certificates where this folder has a module of its name with `CERTIFICATES`: functions of a component that
answer (passed, sentence), in the order in which they are tried. The function's name is the certificate's.
"""

from __future__ import annotations

import importlib
import importlib.util
from collections.abc import Callable
from typing import Any, NamedTuple

from harness.base import Component, dynamic_fields, with_values
from harness.dynamic import Dynamic, Geometric, Learn, Linear
from harness.errors import BenchError, Skip

__all__ = ["Certificate", "Verdict", "certify"]

Certificate = Callable[[Any], tuple[bool | None, str]]
"""A component -> whether it passes, None where the question is not one for it, and the sentence that says so."""


class Verdict(NamedTuple):
    """One certificate's answer: its name, whether it was passed (None: not applicable), one sentence."""

    name: str
    passed: bool | None
    says: str


def certify(component: Component) -> list[Verdict]:
    """Every certificate of the component's kind; none where the kind has none.

    Learned and scheduled fields have the values they start with. A certificate that raises Skip does not apply; one
    that raises anything else is not passed.
    """
    name = f"{__name__}.{component.kind}"
    if importlib.util.find_spec(name) is None:
        return []
    certificates: tuple[Certificate, ...] = importlib.import_module(name).CERTIFICATES
    fixed = with_values(component, {path: _start(value) for path, value, _ in dynamic_fields(component)})
    return [_tried(certificate, fixed) for certificate in certificates]


def _start(value: Dynamic) -> float:
    assert isinstance(value, (Learn, Geometric, Linear))
    return value.start if isinstance(value, Learn) else value.first


def _tried(certificate: Certificate, component: Component) -> Verdict:
    name = certificate.__name__
    try:
        return Verdict(name, *certificate(component))
    except Skip as reason:
        return Verdict(name, None, f"{name}: {reason}")
    except BenchError as error:
        return Verdict(name, False, f"{name}: {error}")
    except Exception as error:
        said = (str(error).splitlines() or [""])[0]
        return Verdict(name, False, f"{name}: {type(error).__name__}: {said}".removesuffix(": "))
