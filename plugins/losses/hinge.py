"""Multi-class hinge losses."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Literal

import torch

from harness import Loss, hookimpl

if TYPE_CHECKING:
    from torch import Tensor


class Hinge(Loss):
    """Multi-class hinge loss with margin 1.

    Logits [batch, classes], labels [batch] -> [batch], in units of the logits.

    `crammer_singer`: max(0, 1 + max_{j != y} s_j - s_y) (Crammer and Singer, 2001);
    `weston_watkins`: sum_{j != y} max(0, 1 + s_j - s_y) (Weston and Watkins, 1999), in float32 or wider, since the sum
    over many classes exceeds the range of float16.
    """

    reference = """
    @article{crammer2001multiclass, author = {Crammer, Koby and Singer, Yoram}, title = {On the Algorithmic
      Implementation of Multiclass Kernel-Based Vector Machines}, journal = {Journal of Machine Learning
      Research}, volume = {2}, pages = {265--292}, year = {2001}}
    @inproceedings{weston1999support, author = {Weston, Jason and Watkins, Chris}, title = {Support Vector Machines
      for Multi-Class Pattern Recognition}, booktitle = {European Symposium on Artificial Neural Networks}, year
      = {1999}}"""

    tasks: ClassVar = ("classes",)
    form: Literal["crammer_singer", "weston_watkins"] = "crammer_singer"

    def __call__(self, logits: Tensor, target: Tensor) -> Tensor:
        column = target[:, None]
        others = logits.scatter(-1, column, -torch.inf)
        right = logits.gather(-1, column)
        # Difference first: 1 + s_j would lose the 1 where logits are large.
        if self.form == "crammer_singer":
            return torch.relu(1 + (others.amax(-1) - right[:, 0]))
        slack = torch.relu(1 + (others - right))
        return slack.sum(-1, dtype=torch.promote_types(slack.dtype, torch.float32))


@hookimpl
def components() -> list[type[Loss]]:
    """The component classes of this module."""
    return [Hinge]
