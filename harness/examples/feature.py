"""A feature: what samples are compared by."""

from collections.abc import Mapping

from torch import Tensor

from harness import Feature, hookimpl


class Standardized(Feature):
    """Every dimension, less its mean over the data and divided by its standard deviation."""

    def prepare(self, data: Tensor) -> dict[str, Tensor]:
        """Computed once from the data [n, ...]."""
        flat = data.flatten(1)
        return {"mean": flat.mean(0), "std": flat.std(0).clamp(min=1e-6)}

    def __call__(self, prepared: Mapping[str, Tensor], x: Tensor) -> Tensor:
        """Samples [n, ...] -> features [n, d]."""
        return (x.flatten(1) - prepared["mean"]) / prepared["std"]


@hookimpl
def components() -> list[type[Feature]]:
    """The component classes of this module."""
    return [Standardized]
