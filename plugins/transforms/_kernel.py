"""Compiled functions of the C++ files here: built on first use, kept among torch's extensions, never required."""

from __future__ import annotations

import ctypes
import functools
import hashlib
import os
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch

if TYPE_CHECKING:
    from torch import Tensor

SOURCES = [Path(__file__).with_name(name) for name in ("_cells.cpp", "_tails.cpp")]
HEADERS = [Path(__file__).with_name("_student.h")]
CAPABILITY = torch.backends.cpu.get_cpu_capability()
VECTORS = ["-mavx2", "-mfma"] * ("AVX" in CAPABILITY) + ["-DWIDE"] * ("AVX512" in CAPABILITY)
FLAGS = ["-O3", "-fopenmp", "-fno-trapping-math", "-fno-math-errno", *VECTORS]
"""Compiles for OpenMP without linking it: the threads are then those of the library that torch has loaded."""


class Library:
    """The functions of a shared library, called on the memory of tensors."""

    def __init__(self, path: Path) -> None:
        self._functions = ctypes.CDLL(str(path))

    def call(self, name: str, *arguments: Tensor | float | None) -> None:
        """Call `name(*arguments, threads)` with contiguous CPU tensors, null pointers, int64 and float32 numbers."""
        function = getattr(self._functions, name)
        function.restype = None
        function(*map(_passed, arguments), torch.get_num_threads())


def _passed(argument: Tensor | float | None) -> Any:
    if argument is None or isinstance(argument, torch.Tensor):
        return ctypes.c_void_p(None if argument is None else argument.data_ptr())
    return ctypes.c_int64(argument) if isinstance(argument, int) else ctypes.c_float(argument)


@functools.cache
def library() -> Library | None:
    """The compiled functions, built on their first use on this machine; None where they cannot be built."""
    try:
        return Library(_built())
    except Exception:  # no compiler, no ninja, no writable folder, another system: torch computes everything then
        return None


def _built() -> Path:
    """Path of the shared library.

    Concurrent builds do not wait for each other; the last one to finish replaces the files of the others.
    """
    from torch.utils import cpp_extension

    text = b"".join(source.read_bytes() for source in SOURCES + HEADERS)
    digest = hashlib.sha256(f"{FLAGS}{torch.__version__}".encode() + text).hexdigest()[:16]
    root = os.environ.get("TORCH_EXTENSIONS_DIR") or cpp_extension.get_default_build_root()
    folder = Path(root) / "touchstone"
    path = folder / f"cells-{digest}.so"
    if path.exists():
        return path
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder) as build:
        name = f"cells_{digest}"
        sources = [str(source) for source in SOURCES]
        cpp_extension.load(name, sources, extra_cflags=FLAGS, build_directory=build, is_python_module=False)
        os.replace(Path(build) / f"{name}.so", path)
    return path
