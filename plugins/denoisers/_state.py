"""Weights and data from files, with one-line errors where they do not fit."""

from __future__ import annotations

import pickle
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from harness import BenchError, errors


def read(file: str, key: str, prefix: str) -> dict[str, Tensor]:
    """Tensors of a state-dict file (safetensors, or torch's with tensors alone), by name.

    `key` selects an entry of a file that holds more, "a.b" for a nested one if none is called so; with a `prefix`
    only the names that begin with it are taken, without it. Raises BenchError naming the file and what it lacks.
    """
    content = _inside(_content(Path(file)), key, file)
    tensors = {name: value for name, value in _mapping(content).items() if isinstance(value, Tensor)}
    if not tensors:
        where = f" under {key!r}" if key else ""
        raise BenchError(f"holds no tensors by name{where}{_close('state_dict', _mapping(content))}", file)
    found = {name.removeprefix(prefix): value for name, value in tensors.items() if name.startswith(prefix)}
    if not found:
        first = next(iter(tensors))
        raise BenchError(f"no name begins with {prefix!r}, the first is {first!r}", file)
    return found


def reference(file: str, shape: Sequence[int]) -> Tensor | None:
    """Real data [n, *shape], float32, of a file that holds one array (numpy's .npy, or torch's); None for no file.

    Raises BenchError naming the file and what in it does not fit.
    """
    if not file:
        return None
    content = _content(Path(file))
    if not isinstance(content, Tensor) or content.shape[1:] != (*shape,) or content.ndim == 0:
        found = [*content.shape] if isinstance(content, Tensor) else f"a {type(content).__name__}"
        raise BenchError(f"expected an array {['n', *shape]}, found {found}".replace("'", ""), file)
    return content.float()


def fill(net: nn.Module, weights: Mapping[str, Tensor], file: str) -> None:
    """Give a network its weights. Raises BenchError for the first name or shape that does not fit."""
    wanted = net.state_dict()
    where, what = type(net).__name__, None
    lacking = [name for name in wanted if name not in weights]
    unknown = [name for name in weights if name not in wanted]
    unlike = [name for name in wanted if name in weights and wanted[name].shape != weights[name].shape]
    if lacking:
        what = f"has no {lacking[0]!r}, which {where} needs{_close(lacking[0], unknown)}"
    elif unknown:
        what = f"holds {unknown[0]!r}, which {where} does not have{_close(unknown[0], wanted)}"
    elif unlike:
        name = unlike[0]
        what = f"{name!r} is {[*weights[name].shape]} in the file and {[*wanted[name].shape]} in {where}"
    if what:
        more = len(lacking or unknown or unlike) - 1
        raise BenchError(what + (f"; {more} more like it" if more else ""), file)
    net.load_state_dict(weights)


def _close(word: str, choices: Iterable[str]) -> str:
    return errors.near_miss(word, choices).suggestion


def _content(path: Path) -> Any:
    if not path.is_file():
        beside = [other.name for other in path.parent.iterdir()] if path.parent.is_dir() else []
        raise BenchError(f"no such file{_close(path.name, beside)}", str(path))
    try:
        if path.suffix == ".npy":
            return torch.from_numpy(np.load(path, allow_pickle=False))
        if path.suffix == ".safetensors":
            from safetensors.torch import load_file

            return load_file(path)
        return torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError:
        raise _pickled(path) from None
    except ImportError:
        raise BenchError("safetensors is not installed: pip install safetensors", str(path)) from None
    except Exception as error:  # a broken file can make the readers raise anything
        raise BenchError(f"not a file of tensors: {errors.one_line(errors.described(error))}", str(path)) from None


def _pickled(path: Path) -> BenchError:
    """Return the error for a file of torch that holds more than tensors, or is damaged."""
    try:
        unsafe = torch.serialization.get_unsafe_globals_in_checkpoint(path)
    except Exception:  # of a damaged file, of the format before torch 1.6
        unsafe = []
    if not unsafe:
        return BenchError("not a file of tensors: it is damaged, or a pickle of something else", str(path))
    module = any(name.startswith("torch.nn.modules.") for name in unsafe)
    what = "is a pickled module" if module else "holds pickled objects"
    return BenchError(f"{what} ({unsafe[0]}), which is never loaded: save net.state_dict()", str(path))


def _inside(content: Any, key: str, file: str) -> Any:
    for part in [key] if key in _mapping(content) else key.split(".") if key else ():
        if part not in _mapping(content):
            raise BenchError(f"has no key {part!r}{errors.near_miss(part, _mapping(content))}", file)
        content = content[part]
    return content


def _mapping(content: Any) -> Mapping[str, Any]:
    return content if isinstance(content, Mapping) else {}
