"""Independence from irrelevant alternatives."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from harness import Metric, hookimpl

if TYPE_CHECKING:
    from collections.abc import Callable

    from torch import Tensor

CLOSEST = 2
"""Number of classes that are compared, among all and alone."""


class IIAViolation(Metric):
    """Change of the best class against the second when all others leave.

    The largest over rows of p_1 / (p_1 + p_2) among all n classes minus the same of these two alone: Luce's choice
    axiom, independence from irrelevant alternatives. A description, in [0, 1]. transform, logits [batch, n] ->
    scalar. It is 0 for every transform f(logit_i) / sum_j f(logit_j), softmax among them, for every transform of
    two classes, and for no other argmax under independent noise with three classes or more than that of Gumbel
    noise (Yellott, 1977). NaN where a probability is NaN.
    """

    higher_is_better: ClassVar[bool | None] = None

    def __call__(self, transform: Callable[[Tensor], Tensor], logits: Tensor) -> float:
        leaders = logits.topk(min(CLOSEST, logits.shape[-1]), dim=-1)
        among = transform(logits).gather(-1, leaders.indices).double()
        alone = transform(leaders.values).double()
        return float((_share(among) - _share(alone)).abs().max())


def _share(p: Tensor) -> Tensor:
    """Share of the first of two probabilities [batch, 2]; 1 where there is one class."""
    return p[:, 0] / p.sum(-1)


@hookimpl
def components() -> list[type[Metric]]:
    """The component classes of this module."""
    return [IIAViolation]
