"""Requirements on a plugin's module: known hooks, and one `components()` that returns classes of the kinds."""

from __future__ import annotations

import inspect
import traceback
from types import FunctionType, ModuleType

import pluggy

from harness import hookspecs
from harness.base import Component
from harness.errors import BenchError, described, near_miss
from harness.kinds import KINDS

_MARK = f"{hookspecs.PROJECT}_impl"
_HOOKS = [name for name, value in vars(hookspecs).items() if hasattr(value, f"{hookspecs.PROJECT}_spec")]


def check_hooks(module: ModuleType, file: str) -> None:
    """Check that every marked function is a known hook with known arguments, and that `components` is marked."""
    marked = {name: value for name, value in vars(module).items() if hasattr(value, _MARK)}
    for name, value in marked.items():
        if not inspect.isfunction(value):
            raise BenchError(f"{name} is no plain function, so pluggy does not see it: mark a def", f"{file}:1")
        if name not in _HOOKS:
            raise BenchError(f"no hook is called {name!r}{near_miss(name, _HOOKS)}", _line(value, file))
        _check_arguments(name, value, file)
    hook = getattr(module, "components", None)
    if inspect.isfunction(hook) and "components" not in marked:
        raise BenchError("components() is not registered: put @hookimpl above it", _line(hook, file))
    if not marked:
        own = [name for name, value in vars(module).items() if inspect.isfunction(value)]
        near = near_miss("components", own).suggestion
        raise BenchError(f"the plugin registers nothing: it needs @hookimpl def components(){near}", f"{file}:1")


def _check_arguments(name: str, hook: FunctionType, file: str) -> None:
    known = list(inspect.signature(getattr(hookspecs, name)).parameters)
    for argument in inspect.signature(hook).parameters:
        if argument not in known:
            near = near_miss(argument, known) if known else ": it has no arguments"
            raise BenchError(f"{name}() has no argument {argument!r}{near}", _line(hook, file))


def answers(manager: pluggy.PluginManager, module: ModuleType, file: str) -> list[type[Component]]:
    """Return the result of the module's `components()`; empty for a plugin that only listens to events."""
    others = [plugin for plugin in manager.get_plugins() if plugin is not module]
    try:
        given = manager.subset_hook_caller("components", others)()
    except BaseException as error:  # sys.exit too: it is the plugin's own code
        lines = [frame.lineno for frame in traceback.extract_tb(error.__traceback__) if frame.filename == file]
        first = described(error).split("\n")[0]
        at = f"{file}:{lines[-1] if lines else 1}"
        raise BenchError(f"components() failed: {first}", at) from error
    listens = module.__dict__.get("components") is None
    return _checked(given[0] if given else [] if listens else None, module, file)


def _checked(answer: object, module: ModuleType, file: str) -> list[type[Component]]:
    """Return the result if it is a list of component classes."""
    at = _line(module.__dict__.get("components"), file)
    if not isinstance(answer, (list, tuple)):
        raise BenchError(f"components() must return a list of classes, not {_said(answer)}", at)
    for place, cls in enumerate(answer):
        if isinstance(cls, Component):
            raise BenchError(f"components() must return the class {type(cls).__name__}, not an instance of it", at)
        if not (isinstance(cls, type) and issubclass(cls, Component) and cls.kind in KINDS):
            raise BenchError(f"{getattr(cls, '__name__', cls)!s} is not a component: subclass {_kinds()}", at)
        if cls in answer[:place]:
            raise BenchError(f"{cls.__name__} is twice in the list that components() returns", at)
    return list(answer)


def _said(answer: object) -> str:
    if isinstance(answer, type):
        return f"the class {answer.__name__}: return [{answer.__name__}]"
    return "None" if answer is None else f"a {type(answer).__name__}"


def _kinds() -> str:
    return " or ".join(", ".join(sorted(k.__name__ for k in KINDS.values())).rsplit(", ", 1))


def _line(function: object, file: str) -> str:
    """Return file:line of a function, or the first line of the file if it has none."""
    code = getattr(function, "__code__", None)
    return f"{file}:{code.co_firstlineno if code else 1}"
