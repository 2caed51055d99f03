"""A run from its suite to its result: loaded, planned, executed cell by cell or interleaved, stored."""

from __future__ import annotations

import inspect
import sys
from types import ModuleType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from harness.report.result import Result


class _Callable(ModuleType):
    """This package, which an import puts in the place of the function `harness.run`: it can be called like it."""

    @property
    def __signature__(self) -> inspect.Signature:
        from harness.run.pipeline import run

        return inspect.signature(run)

    def __call__(self, *args: Any, **kwargs: Any) -> Result:
        from harness.run.pipeline import run

        return run(*args, **kwargs)


sys.modules[__name__].__class__ = _Callable
