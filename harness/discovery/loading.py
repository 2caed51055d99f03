"""Import of plugins: a stock or installed one by its module name, a user's file as a module of its own."""

from __future__ import annotations

import importlib
import importlib.util
import sys
import traceback
from pathlib import Path
from types import ModuleType

from harness.discovery import digests, sources
from harness.discovery.sources import Source
from harness.errors import NotImported, text_of


def load(source: Source) -> ModuleType:
    """Import a plugin. Raises NotImported, one line with the file and line where the import failed."""
    try:
        if source.module is None:
            return _load_file(Path(source.file), source.name)
        if source.origin == "stock":
            _alias_stock()
        return importlib.import_module(source.module)
    except BaseException as error:  # sys.exit and KeyboardInterrupt too: a module may raise anything
        said = f"{type(error).__name__}: {_first_line(error)}".removesuffix(": ")
        raise NotImported(f"cannot be imported: {said}", _where(error, source)) from error


def _first_line(error: BaseException) -> str:
    text = str(error.args[0]) if isinstance(error, SyntaxError) and error.args else text_of(error) or ""
    return text.split("\n")[0]


def _where(error: BaseException, source: Source) -> str:
    """Return file:line of the plugin's own line that failed."""
    file = source.file or str(source.module)
    if isinstance(error, SyntaxError) and error.filename:
        return f"{error.filename}:{error.lineno}"
    own = [frame.lineno for frame in traceback.extract_tb(error.__traceback__) if frame.filename == file]
    return f"{file}:{own[-1]}" if own else file


def _load_file(file: Path, name: str) -> ModuleType:
    """Import a file as a module of its own; modules beside it can be imported, after everything installed."""
    folder = str(file.parent)
    if folder not in sys.path:
        sys.path.append(folder)
    spec = importlib.util.spec_from_file_location(f"bench_plugin_{name}", file)
    if spec is None or spec.loader is None:
        raise ImportError(f"{file} is not a Python file")
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    _check_siblings(file)
    return module


def _check_siblings(file: Path) -> None:
    """Check that modules beside two plugins have different names, since both would get the first one's module."""
    plugins = [module for name, module in sys.modules.items() if name.startswith("bench_plugin_")]
    others = {Path(str(plugin.__file__)).parent for plugin in plugins} - {file.parent}
    for sibling in digests.family(file)[1:]:
        found = getattr(sys.modules.get(sibling.stem), "__file__", None)
        if found and Path(found).parent in others:
            raise ImportError(f"{sibling.name} is also beside another plugin, {found}: rename one of the two")


def _alias_stock() -> None:
    """Make `harness.stock` importable in a checkout, where the stock plugins are in `plugins`."""
    if "harness.stock" not in sys.modules and importlib.util.find_spec("harness.stock") is None:
        package = ModuleType("harness.stock")
        package.__path__ = [str(sources.stock_folder())]
        sys.modules["harness.stock"] = package
