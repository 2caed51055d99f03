"""A denoiser with a deliberate error."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

from harness import Denoiser, DiffusionModel, call_with_inputs, derived, hookimpl

if TYPE_CHECKING:
    from torch import Generator, Tensor


class Imperfect(Denoiser):
    """Denoiser whose predicted noise is wrong by a known amount.

    Around any `denoiser`, on the same data: eps' = scale eps + shift. Properties of the data are unchanged; the
    posterior is that of the error of the worse prediction, so an exact variance accounts for the error of the mean. A
    variance that estimates Cov[x_0 | x_t] alone shows the difference.
    """

    denoiser: Denoiser
    scale: float = 1.0
    shift: float = 0.0

    not_in_artifact: ClassVar[Sequence[str]] = ("scale", "shift")

    shape = derived(lambda self: self.denoiser.shape)
    schedule = derived(lambda self: self.denoiser.schedule)
    discrete_time = derived(lambda self: self.denoiser.discrete_time)
    data_range = derived(lambda self: self.denoiser.data_range)
    classes = derived(lambda self: self.denoiser.classes)
    null_label = derived(lambda self: self.denoiser.null_label)

    def supports(self, what: str) -> bool:
        """True if the wrapped denoiser supports it."""
        return self.denoiser.supports(what)

    def train(self, generator: Generator, on_progress: Callable[..., None]) -> dict[str, Tensor]:
        """See the wrapped denoiser."""
        return self.denoiser.train(generator, on_progress)

    def load(self, device: str, weights: Any = None) -> Any:
        """See the wrapped denoiser."""
        return call_with_inputs(self.denoiser.load, device, weights=weights or {})

    def predict(self, net: Any, x: Tensor, t: Tensor, labels: Tensor | None = None) -> Tensor:
        """Prediction eps' with the error."""
        return self._worse(self._eps(net, x, t, labels))

    def posterior_covariance(self, net: Any, x: Tensor, t: Tensor, labels: Tensor | None = None) -> Tensor | None:
        """Covariance of the wrapped denoiser plus the square of the change of x_0hat."""
        known = call_with_inputs(self.denoiser.posterior_covariance, net, x, t, labels=labels)
        if known is None:
            return None
        kept = self.schedule.alpha_bar(t).to(x).view(-1, *[1] * (x.ndim - 1))
        eps = self._eps(net, x, t, labels)
        off: Tensor = (((1 - kept) / kept).sqrt() * (self._worse(eps) - eps)).flatten(1)
        return known + off[:, :, None] * off[:, None]

    def _eps(self, net: Any, x: Tensor, t: Tensor, labels: Tensor | None) -> Tensor:
        model = DiffusionModel(self.denoiser, net)
        with model.given(labels):
            return model.eps(x, t)

    def _worse(self, eps: Tensor) -> Tensor:
        return self.scale * eps + self.shift

    def sample(self, net: Any, n: int, generator: Generator) -> Tensor | None:
        """See the wrapped denoiser."""
        return self.denoiser.sample(net, n, generator)

    def training_samples(self, net: Any, n: int, generator: Generator) -> Tensor | None:
        """See the wrapped denoiser."""
        return self.denoiser.training_samples(net, n, generator)

    def moments(self, net: Any) -> tuple[Tensor, Tensor] | None:
        """See the wrapped denoiser."""
        return self.denoiser.moments(net)

    def log_prob(self, net: Any, x: Tensor) -> Tensor | None:
        """See the wrapped denoiser."""
        return self.denoiser.log_prob(net, x)

    def hidden_features(self, net: Any, x: Tensor, t: Tensor, labels: Tensor | None = None) -> Tensor | None:
        """See the wrapped denoiser."""
        return call_with_inputs(self.denoiser.hidden_features, net, x, t, labels=labels)

    def sample_posterior(
        self, net: Any, x: Tensor, t: Tensor, noise: Callable[..., Tensor], labels: Tensor | None = None
    ) -> Tensor | None:
        """See the wrapped denoiser."""
        return call_with_inputs(self.denoiser.sample_posterior, net, x, t, noise, labels=labels)

    def reference_data(self, net: Any) -> Tensor | None:
        """See the wrapped denoiser."""
        return self.denoiser.reference_data(net)


@hookimpl
def components() -> list[type[Denoiser]]:
    """The component classes of this module."""
    return [Imperfect]
