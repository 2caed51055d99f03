"""A metric: a number for each example, or one for all."""

from typing import ClassVar

from torch import Tensor

from harness import Metric, PositiveInt, Skip, hookimpl


class AmongFirst(Metric):
    """Whether the right class is among the `k` most likely ones."""

    k: PositiveInt = 2

    tasks: ClassVar = ("classes",)

    def __call__(self, logits: Tensor, target: Tensor) -> Tensor:
        """Logits [n, classes] and classes [n] -> 0 or 1 for each, [n]: the arguments' names say what is needed."""
        if logits.shape[-1] <= self.k:
            raise Skip(f"all {logits.shape[-1]} classes are among the first {self.k}")
        return (logits.topk(self.k).indices == target[..., None]).any(-1).double()


@hookimpl
def components() -> list[type[Metric]]:
    """The component classes of this module."""
    return [AmongFirst]
