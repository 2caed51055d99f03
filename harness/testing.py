"""Conformance checks as tests of pytest, for the test suite of a plugin: needs pytest.

    from harness.testing import conformance
    from my_plugin import MyLoss

    test_my_loss = conformance(MyLoss(), MyLoss(weight=0.3))

Every check of every component is one test: it passes, fails with a sentence, or is skipped where it does not apply.
"""

from __future__ import annotations

from collections.abc import Callable

import pytest

from harness.base import Component, label
from harness.conformance import Verdict, checks_of
from harness.errors import BenchError

__all__ = ["conformance"]


def conformance(*components: Component) -> Callable[[Callable[[], Verdict]], None]:
    """Return a test function with one case for every conformance check of every component, as `bench check` has them.

    The checks run in pytest's process, without a limit of time. Raises BenchError for a component of a kind without
    checks.
    """
    if not components:
        raise BenchError("conformance() of no component tests nothing")
    cases = []
    for component in components:
        checks = checks_of(component)
        if not checks:
            raise BenchError(f"{label(component.spec())}: no conformance checks for the kind {component.kind}")
        names = ((f"{label(component.spec())}-{name}", check) for name, check in checks.items())
        cases += [pytest.param(check, id=name) for name, check in names]

    @pytest.mark.parametrize("check", cases)
    def test(check: Callable[[], Verdict]) -> None:
        verdict = check()
        if verdict.passed is None:
            pytest.skip(verdict.says)
        if not verdict.passed:
            pytest.fail(verdict.says, pytrace=False)

    return test
