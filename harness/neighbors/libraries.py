"""Neighbor search by other libraries."""

from __future__ import annotations

import importlib
from types import ModuleType

import torch
from torch import Tensor

from harness.errors import BenchError
from harness.neighbors.blocks import Neighbors


def release(engine: str) -> str:
    """Return the engine's name and, for another library, its version. Raises BenchError if it is not installed."""
    return engine if engine == "exact" else f"{engine} {_imported(engine).__version__}"


def _imported(engine: str) -> ModuleType:
    try:
        return importlib.import_module(engine)
    except ImportError as error:
        raise BenchError(f"the engine {engine} cannot be imported: {error}") from None


def sklearn(data: Tensor, k: int, x: Tensor | None) -> Neighbors:
    """Search by scikit-learn's brute force, on the CPU."""
    from sklearn.neighbors import NearestNeighbors

    search = NearestNeighbors(n_neighbors=k, algorithm="brute").fit(data.cpu().numpy())
    distance, index = search.kneighbors(None if x is None else x.cpu().numpy())
    return Neighbors(torch.from_numpy(index).to(data.device), torch.from_numpy(distance).to(data.device))


def faiss(data: Tensor, k: int, x: Tensor | None) -> Neighbors:
    """Search by the flat index of faiss, on the CPU. Raises BenchError if it is not installed."""
    search = _imported("faiss").IndexFlatL2(data.shape[1])
    search.add(data.float().cpu().numpy())
    asked = (data if x is None else x).float().cpu().numpy()
    squares, index = (torch.from_numpy(found) for found in search.search(asked, k + (x is None)))
    if x is None:  # a point's own number is dropped, or the last one where its copies hide it
        own = index == torch.arange(len(index))[:, None]
        own[:, -1] |= ~own.any(1)
        squares, index = (part[~own].view(-1, k) for part in (squares, index))
    return Neighbors(index.to(data.device), squares.clamp(min=0).double().sqrt().to(data.device))
