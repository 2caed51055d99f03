"""Kinds that sample from a diffusion model: spacings, samplers, reverse variances, priors, features.

Times, A_t and B_t as in `denoising`.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, ClassVar, final

from harness.base import Attributes, Component
from harness.kinds.denoising import Denoiser, Schedule

if TYPE_CHECKING:
    from torch import Generator, Tensor

    from harness.diffusion.model import DiffusionModel, NoiseSource

    Covariance = Callable[[Tensor, float, float, Tensor], float | Tensor]
    """(x_t, t, s, eps) -> an estimate of Cov[x_0 | x_t]: a number, for each element, or a matrix for each sample."""


class Spacing(Component):
    """Times that a sampler visits. `costs` says that it needs the cost of every step."""

    kind: ClassVar[str] = "spacing"
    costs: ClassVar[bool] = False

    @classmethod
    def needs_artifact(cls) -> bool:
        """True if it needs costs, which are the same for any number of steps."""
        return cls.costs

    @abstractmethod
    def times(self, schedule: Schedule, steps: int, cost: Tensor | None = None) -> Tensor:
        """Times, float64, strictly decreasing, ending in 0; equal ones are merged: at most `steps` + 1 of them.

        `cost` [T + 1, T + 1] is the cost of a step from t (row) to s (column). Raises BenchError for more steps than
        the schedule has.
        """


class SamplerAttributes(Attributes):
    """Attributes of a sampler: the `order` of convergence it claims, None for none."""

    order: float | None = None


class Sampler(SamplerAttributes, Component):
    """A way from noise to data in few steps.

    `unused_kinds` are the kinds it makes no use of, `order` the order of convergence it claims, `is_control` that it is
    no method but a yardstick, `is_probability_flow` that it follows the probability flow, whose samples have a density.
    """

    kind: ClassVar[str] = "sampler"
    unused_kinds: ClassVar[Sequence[str]] = ()
    is_control: ClassVar[bool] = False
    is_probability_flow: ClassVar[bool] = False

    def skip(self, denoiser: Denoiser) -> str | None:
        """Reason why this sampler cannot sample from the denoiser, or None."""
        return None

    def overridden(self) -> Mapping[str, str]:
        """Settings of a library's part that have no effect here: name -> what is used instead, for the report."""
        return {}

    def steps_for_nfe(self, nfe: int) -> int:
        """Largest number of steps with at most `nfe` network evaluations; 0 where one step takes more."""
        return nfe

    def transition(self, schedule: Schedule, times: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor] | None:
        """Coefficients (scale, gamma, added, share) of each step [K], float64; None where x_s given x_t is not normal.

        The mean of x_s is scale x_t + gamma x_0hat, its variance added + share c, c = Cov[x_0 | x_t], at s = 0 as at
        others.
        """
        return None

    @abstractmethod
    def sample(
        self,
        model: DiffusionModel,
        covariance: Covariance | None,
        x: Tensor,
        times: Tensor,
        noise: NoiseSource,
        /,
    ) -> Tensor:
        """Samples x_0 [b, *shape] from x_T [b, *shape] along the times [K + 1].

        `covariance(x_t, t, s, eps)` estimates Cov[x_0 | x_t]: a scalar, or for each element; None stands for 0.
        `noise(step, x)` gives normal draws like x. A step from t to s adds noise of variance lambda^2 + gamma^2 c, none
        at s = 0. A sampler that can add that noise too takes `noise_last_step` by name.
        """


class Variance(Component):
    """An estimate of Cov[x_0 | x_t], which determines the noise of a sampler's steps."""

    kind: ClassVar[str] = "variance"
    depends_on_s: ClassVar[bool] = False
    """True if the estimate depends on s, the end of the step."""

    def skip(self, denoiser: Denoiser) -> str | None:
        """Reason why the variance of this denoiser cannot be estimated, or None."""
        return None

    @classmethod
    def needs_artifact(cls) -> bool:
        """True if it defines `fit`."""
        return cls.fit is not Variance.fit

    def fit(self, model: DiffusionModel, data: Tensor, generator: Generator) -> Mapping[str, Tensor]:
        """Statistics of a denoiser on data [n, *shape] that it was trained on; called once, for every spacing.

        A slow fit takes the optional argument `on_progress=None`, called as `on_progress(done, total)`.
        """
        return {}

    def summary(self, model: DiffusionModel, fitted: Mapping[str, Tensor]) -> str | None:
        """Line for the report on the fit, such as the number of draws and the error; None for no line."""
        return None

    @abstractmethod
    def posterior_variance(
        self, model: DiffusionModel, fitted: Mapping[str, Tensor], x_t: Tensor, t: float, s: float, eps: Tensor, /
    ) -> float | Tensor:
        """Estimate c of E[(x_0 - x0hat)^2 | x_t], never negative: a number, [b, *shape] or [b, d, d].

        `fitted` is the result of `fit`, on the model's device.
        """

    @final
    def bind(self, model: DiffusionModel, fitted: Mapping[str, Tensor]) -> Covariance:
        """The function (x_t, t, s, eps) -> estimate that a sampler is given."""

        def covariance(x: Tensor, t: float, s: float, eps: Tensor) -> float | Tensor:
            return self.posterior_variance(model, fitted, x, t, s, eps)

        return covariance


class Prior(Component):
    """Distribution of the start of sampling."""

    kind: ClassVar[str] = "prior"

    @abstractmethod
    def draw(self, shape: Sequence[int], generator: Generator) -> Tensor:
        """Float32 draws [n, ...] of the given shape. A slow one takes `on_progress=None`, called with (done, total)."""


class Feature(Component):
    """A map from samples to vectors in which distributions are compared.

    Without `needs_data` its `prepare` looks at the shape of the data alone. `rounding` and `resize` say in a few words
    what it does to pictures first, which belongs to the identity of a FID; None for nothing.
    """

    kind: ClassVar[str] = "feature"
    needs_data: ClassVar[bool] = True
    rounding: ClassVar[str | None] = None
    resize: ClassVar[str | None] = None

    @classmethod
    def needs_artifact(cls) -> bool:
        """True if it defines `prepare`."""
        return cls.prepare is not Feature.prepare

    def prepare(self, data: Tensor) -> Mapping[str, Tensor]:
        """Statistics of the reference data [n, *shape] that the map needs; called once."""
        return {}

    @abstractmethod
    def __call__(self, prepared: Mapping[str, Tensor], x: Tensor) -> Tensor:
        """Features [n, d] of samples [n, *shape]."""
