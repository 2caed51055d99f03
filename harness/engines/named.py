"""Engines by name: those of the harness, which have the same hook as a plugin's, and those of plugins."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from harness.discovery import loading
from harness.discovery.registration import check_hooks
from harness.discovery.sources import Source
from harness.engines import Engine
from harness.errors import BenchError, described, near_miss

BUILT_IN = ("local", "ray")


def named(name: str, plugins: Iterable[Source]) -> type[Engine]:
    """Return the engine with a name. Plugins are imported in this process, one after the other, until one has it.

    Raises BenchError for a name that none has.
    """
    own = [_built_in(each) for each in BUILT_IN if each == name]
    known: dict[str, type[Engine]] = {}
    for source in [*own, *([] if own else plugins)]:
        known |= _engines(source)
        if name in known:
            return known[name]
    raise BenchError(f"--engine {name}: no engine is called {name!r}{near_miss(name, [*BUILT_IN, *known])}")


def _built_in(name: str) -> Source:
    return Source(name, str(Path(__file__).with_name(f"{name}.py")), f"harness.engines.{name}", "stock")


def _engines(source: Source) -> dict[str, type[Engine]]:
    """Return the engines of a plugin. Raises BenchError if it cannot be imported, or gives anything else."""
    module = loading.load(source)
    check_hooks(module, source.file)
    hook = getattr(module, "engines", None)
    if hook is None:
        return {}
    try:
        found = dict(hook())
    except Exception as error:
        raise BenchError(f"engines() failed: {described(error)}", source.file) from error
    for name, cls in found.items():
        if not (isinstance(cls, type) and issubclass(cls, Engine)):
            raise BenchError(f"engines() must map names to subclasses of harness.engines.Engine, {name!r} is none",
                             source.file)  # fmt: skip
    return found
