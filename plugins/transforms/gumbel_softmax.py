"""Relaxed samples of a categorical distribution."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar

from harness import Positive, Transform, hookimpl

from ._along import Along
from ._argmax import divided, log_softmax, reverse_gumbel

if TYPE_CHECKING:
    from torch import Generator, Tensor


class GumbelSoftmax(Along):
    """Random relaxed sample of the softmax distribution (Jang et al., 2017).

    softmax((logits + Gumbel noise) / temperature), drawn anew at each call (Jang et al., 2017; Maddison et al., 2017).
    Logits [..., n] -> [..., n]. It is a random distribution and not a function of the logits: `log` draws anew. Its
    argmax is i with probability softmax(logits)_i at any temperature, but its mean is softmax(logits) only in the limit
    of temperature 0. Draws come from torch's global generator; `rsample` takes another. Gradients pass to the logits
    and to the temperature.
    """

    reference = """
    @inproceedings{jang2017categorical, author = {Jang, Eric and Gu, Shixiang and Poole, Ben}, title = {Categorical
      Reparameterization with {Gumbel-Softmax}}, booktitle = {International Conference on Learning
      Representations}, year = {2017}}
    @inproceedings{maddison2017concrete, author = {Maddison, Chris J. and Mnih, Andriy and Teh, Yee Whye}, title =
      {The Concrete Distribution: A Continuous Relaxation of Discrete Random Variables}, booktitle =
      {International Conference on Learning Representations}, year = {2017}}"""

    temperature: Positive = 1.0
    stochastic: ClassVar[bool] = True
    properties: ClassVar[Sequence[str]] = ("shift",)

    def rsample(self, logits: Tensor, generator: Generator | None = None, dim: int = -1) -> Tensor:
        """Relaxed sample [..., n] along `dim` for logits [..., n], differentiable."""
        return self._of_rows(self._cleaned(lambda rows: self._noisy(rows, generator).softmax(-1)), logits, dim)

    def probabilities(self, rows: Tensor) -> Tensor:
        """Relaxed sample: [r, n] -> [r, n]."""
        return self._noisy(rows).softmax(-1)

    def log_probabilities(self, rows: Tensor) -> Tensor:
        """Logarithm of a relaxed sample: [r, n] -> [r, n]."""
        return log_softmax(self._noisy(rows))

    def _noisy(self, rows: Tensor, generator: Generator | None = None) -> Tensor:
        noisy = rows - reverse_gumbel(rows, generator)
        # The largest is 0 before the division, so that a small temperature gives -inf and never inf - inf.
        return divided(noisy - noisy.detach().amax(-1, keepdim=True), self.temperature)


@hookimpl
def components() -> list[type[Transform]]:
    """The component classes of this module."""
    return [GumbelSoftmax]
