"""Exact search: ranks by rounded matrix products, recomputed where rounding could change the order."""

from __future__ import annotations

import torch
from torch import Tensor

from harness.neighbors.blocks import Neighbors, take

CELLS, ROWS = 2**20, 64
"""Number of distances held at once, and the fewest rows of them, so that matrix products are fast."""

SPARE, GROUP = 8, 8
"""Candidates beyond the requested neighbors, and the size of groups of which only the smallest is examined first."""

ROUNDING = {"highest": 2**-24, "high": 2**-11, "medium": 2**-8}
"""Unit roundoff of float32 products by `torch.get_float32_matmul_precision()`."""


def exact(data: Tensor, k: int, x: Tensor | None) -> Neighbors:
    """Return the neighbors of `x` among the data, or of the data among themselves; float64 points."""
    return _Search(data, k, x).found()


class _Search:
    """The exact neighbors of `points` among `data`, which are the same without `x`; found row by row."""

    def __init__(self, data: Tensor, k: int, x: Tensor | None) -> None:
        self.data, self.k, self.own = data, k, x is None
        self.points = data if x is None else x
        self.indices = torch.empty(len(self.points), k, dtype=torch.int64, device=data.device)
        self.distances = torch.empty(len(self.points), k, dtype=torch.float64, device=data.device)
        self.candidates = k + SPARE

    def found(self) -> Neighbors:
        """Return neighbors by rounded products in float32, then in float64, and pair by pair for the other rows."""
        left = torch.arange(len(self.points), device=self.data.device)
        for dtype in (torch.float32, torch.float64):
            if len(left) and len(self.data) >= 2 * GROUP * self.candidates:
                left = self.screened(left, dtype)
        for row in torch.split(left, max(1, CELLS // len(self.data))) if len(left) else ():
            gaps = torch.cdist(self.points[row], self.data, compute_mode="donot_use_mm_for_euclid_dist")
            self.indices[row], self.distances[row] = take(self._others(gaps, row), self.k)
        return Neighbors(self.indices, self.distances)

    def screened(self, rows: Tensor, dtype: torch.dtype) -> Tensor:
        """Find neighbors among few candidates; return the rows for which they are not proven to be correct.

        |y|^2 - 2 x.y minus the largest rounding error ranks the data, so that all others are farther than the value of
        the last candidate. The bound is the textbook's, (d + 8) u |x| |y| (Higham, 2002, eq. 3.5).
        """
        center = self.data.mean(0)
        scale = max(float((part - center).abs().max()) for part in (self.data, self.points)) or 1.0
        y = (self.data - center) / scale
        u = ROUNDING[torch.get_float32_matmul_precision()] if dtype is torch.float32 else 2**-53
        norms = y.norm(dim=1)
        right = torch.cat([-2 * y, -2 * u * (y.shape[1] + 8) * norms[:, None]], 1).to(dtype).T.contiguous()
        bias = (norms.square() * (1 - 4 * u)).to(dtype)
        width = -(-len(y) // GROUP)
        size = max(ROWS, min(CELLS // len(y), 4 * CELLS // (self.candidates * y.shape[1] + 1)))
        table = torch.full((size, GROUP * width), torch.inf, dtype=dtype, device=y.device)
        doubtful = []
        for part in torch.split(rows, size):
            x = (self.points[part] - center) / scale
            length = x.norm(dim=1)
            bounds = table[: len(part)]
            torch.addmm(bias, torch.cat([x, length[:, None]], 1).to(dtype), right, out=bounds[:, : len(y)])
            self._others(bounds, part)
            beyond = (self._take(part, bounds) + length.square() - torch.finfo(dtype).tiny * len(center)) * scale**2
            proved = beyond > self.distances[part, -1].square() * (1 + 1e-9)
            doubtful.append(part[~proved])
        return torch.cat(doubtful)

    def _take(self, part: Tensor, bounds: Tensor) -> Tensor:
        """Store the nearest of the candidates of some rows; return each row's largest bound of a candidate [b]."""
        groups = bounds.view(len(part), GROUP, -1).amin(1).topk(self.candidates, largest=False).indices
        width = bounds.shape[1] // GROUP
        where = (groups[:, :, None] + width * torch.arange(GROUP, device=groups.device)).flatten(1)
        best = bounds.gather(1, where).topk(self.candidates, largest=False)
        index = where.gather(1, best.indices).sort(1).values.clamp_(max=len(self.data) - 1)
        gaps = torch.nn.functional.embedding(index, self.data).sub_(self.points[part][:, None])
        chosen, order = torch.linalg.vector_norm(gaps, dim=-1).sort(dim=1, stable=True)
        self.indices[part], self.distances[part] = index.gather(1, order)[:, : self.k], chosen[:, : self.k]
        return best.values[:, -1].double()

    def _others(self, block: Tensor, rows: Tensor) -> Tensor:
        """Exclude each point of the data from its own row."""
        if self.own:
            block[torch.arange(len(rows), device=rows.device), rows] = torch.inf
        return block
