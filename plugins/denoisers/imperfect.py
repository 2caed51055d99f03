"""A denoiser that is made worse on purpose."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

from harness import Denoiser, Ready, Schedule, call, hookimpl

if TYPE_CHECKING:
    from torch import Generator, Tensor


class Imperfect(Denoiser):
    """eps' = scale eps + shift, around any denoiser: a mean that is wrong by a known amount, on the same data.

    What is known of the data stays as it is; the posterior is that of the error of the worse guess, so a variance that
    is exact takes the error of the mean into account. One that estimates Cov[x_0 | x_t] alone shows the difference.
    """

    denoiser: Denoiser
    scale: float = 1.0
    shift: float = 0.0

    late: ClassVar[Sequence[str]] = ("scale", "shift")

    @property
    def shape(self) -> tuple[int, ...]:
        """Of a sample."""
        return tuple(self._inner.shape)

    @property
    def schedule(self) -> Schedule:
        """Its own."""
        found: Schedule = self._inner.schedule
        return found

    @property
    def discrete(self) -> bool:
        """Whether it knows whole times only."""
        return getattr(self._inner, "discrete", False)

    @property
    def range(self) -> tuple[float, float] | None:
        """Of the data."""
        return getattr(self._inner, "range", None)

    @property
    def _inner(self) -> Any:
        return self.denoiser

    def knows(self, what: str) -> bool:
        """What the other knows."""
        return self.denoiser.knows(what)

    def train(self, generator: Generator, report: Callable[..., None]) -> dict[str, Tensor]:
        """As it trains."""
        return self.denoiser.train(generator, report)

    def load(self, device: str, weights: Any = None) -> Any:
        """As it loads."""
        return call(self.denoiser.load, device, weights=weights or {})

    def predict(self, net: Any, x: Tensor, t: Tensor) -> Tensor:
        """eps', worse."""
        return self._worse(Ready(self.denoiser, net).eps(x, t))

    def posterior(self, net: Any, x: Tensor, t: Tensor) -> Tensor | None:
        """Its own, and the square of what was done to x_0hat."""
        known = self.denoiser.posterior(net, x, t)
        if known is None:
            return None
        kept = self.schedule.alpha_bar(t).to(x).view(-1, *[1] * (x.ndim - 1))
        eps = Ready(self.denoiser, net).eps(x, t)
        off = (((1 - kept) / kept).sqrt() * (self._worse(eps) - eps)).flatten(1)
        return known + off[:, :, None] * off[:, None]

    def _worse(self, eps: Tensor) -> Tensor:
        return self.scale * eps + self.shift

    def draw(self, net: Any, n: int, generator: Generator) -> Tensor | None:
        """Its own."""
        return self.denoiser.draw(net, n, generator)

    def examples(self, net: Any, n: int, generator: Generator) -> Tensor | None:
        """Its own."""
        return self.denoiser.examples(net, n, generator)

    def moments(self, net: Any) -> tuple[Tensor, Tensor] | None:
        """Its own."""
        return self.denoiser.moments(net)

    def log_density(self, net: Any, x: Tensor) -> Tensor | None:
        """Its own."""
        return self.denoiser.log_density(net, x)

    def trunk(self, net: Any, x: Tensor, t: Tensor) -> Tensor | None:
        """Its own."""
        return self.denoiser.trunk(net, x, t)

    def recover(self, net: Any, x: Tensor, t: Tensor, noise: Callable[..., Tensor]) -> Tensor | None:
        """Its own."""
        return self.denoiser.recover(net, x, t, noise)

    def data(self, net: Any) -> Tensor | None:
        """Its own."""
        return self.denoiser.data(net)


@hookimpl
def components() -> list[type[Denoiser]]:
    """What this file brings."""
    return [Imperfect]
