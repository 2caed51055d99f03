"""Tensors from a .pt file."""

from __future__ import annotations

import pickle
import warnings
from collections.abc import Iterator, Mapping, Sequence

import torch
from torch import Tensor

from harness import BenchError, Dataset, hookimpl

from ._arrays import Array, Arrays, missing
from ._files import check_file

WRITES = "torch.save({'x': x, 'y': y}, FILE) writes one"


class Tensors(Arrays):
    """Tensors from a `.pt` file, inputs of any shape.

    A mapping of tensors as `torch.save` writes it. `x` and `y` name them: inputs [n, ...] and classes [n] or [n, 1];
    those in an inner mapping have names with a point (`train.x`), those in a list or tuple are `0`, `1`, ...

    The fields and what is done with the tensors are those of `npz`. The file is read with `weights_only`, so that it
    cannot run code: pickles of anything but tensors, numbers and texts are an error. Raises BenchError in one line with
    the file; `bench validate` reads the file too.
    """

    def read(self, wanted: Sequence[str]) -> Iterator[Array]:
        """The tensors of these names."""
        check_file(self.path)
        try:
            with warnings.catch_warnings(action="ignore"):  # of pickles that are refused anyway
                content: object = torch.load(self.path, map_location="cpu", weights_only=True)
        except pickle.UnpicklingError:
            raise BenchError(f"is no file of plain tensors, and pickles are never loaded: {WRITES}") from None
        except Exception:  # anything, on a file that is none of torch
            raise BenchError(f"is no file of tensors, or damaged: {WRITES}") from None
        if isinstance(content, Tensor):
            raise BenchError(f"holds a single tensor: {WRITES}")
        found = dict(_named(content))
        for name in wanted:
            if name not in found:
                raise _absent(name, content, list(found))
            yield _array(found[name], name)


def _named(content: object, before: str = "") -> Iterator[tuple[str, Tensor]]:
    """Yield all tensors by name."""
    inner = content if isinstance(content, Mapping) else {}
    if isinstance(content, (list, tuple)):
        inner = dict(enumerate(content))
    for name, value in inner.items():
        if isinstance(value, Tensor):
            yield f"{before}{name}", value
        else:
            yield from _named(value, f"{before}{name}.")


def _absent(name: str, content: object, found: Sequence[str]) -> BenchError:
    """Return the error for a name that the file has not; in a list or tuple names are places, and how to give them."""
    if not isinstance(content, (list, tuple)) or len(found) < 2:
        return missing(name, found)
    what = f"no array {name!r}: the file is a {type(content).__name__} of {len(content)}, without names"
    return BenchError(f'{what}; write {{x: "{found[0]}", y: "{found[1]}"}} for places in it, or a mapping: {WRITES}')


def _array(tensor: Tensor, name: str) -> Array:
    """Return a tensor as an array. Raises BenchError for one that is sparse, quantized or complex."""
    if tensor.layout is not torch.strided or tensor.is_quantized or tensor.is_complex():
        raise BenchError(f"{name!r} is a tensor of {tensor.dtype}, {tensor.layout}: save it dense and real")
    if tensor.is_floating_point() and tensor.dtype != torch.float64:
        tensor = tensor.float()
    found: Array = tensor.detach().numpy()
    return found


@hookimpl
def components() -> list[type[Dataset]]:
    """The component classes of this module."""
    return [Tensors]
