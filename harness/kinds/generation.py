"""What generates: denoisers, samplers, reverse variances, priors, features.

Times, A_t and B_t as in `times`.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

from harness.base import Component

if TYPE_CHECKING:
    from torch import Generator, Tensor

    from harness.kinds.times import Schedule
    from harness.ready import Noise, Ready


class Denoiser(Component):
    """A network, or a formula, that guesses what noise is in x_t.

    Class attributes or fields: `shape` of a sample; `schedule`; `predicts` (eps | x0 | v | score | flow, default eps);
    `noise` (variance_preserving | sigma, the form of x_t that `predict` takes); `discrete`, whether it knows whole
    times only, to which others are rounded; `range`, (low, high) of the data where it is bounded.
    """

    kind: ClassVar[str] = "denoiser"

    @classmethod
    def is_made(cls) -> bool:
        """One that defines `train`, which is called once, before anything is sampled."""
        return cls.train is not Denoiser.train

    def train(self, generator: Generator, report: Callable[..., None]) -> dict[str, Tensor]:
        """What training makes: tensors by name, kept and given to `load` as `weights`."""
        return {}

    @abstractmethod
    def load(self, device: str) -> Any:
        """What `predict` and the others are given as `net`; once a process. Asks for `weights` by name if it trains."""

    @abstractmethod
    def predict(self, net: Any, x: Tensor, t: Tensor) -> Tensor:
        """(x_t [b, *shape], t [b] float64) -> the prediction [b, *shape]."""

    def knows(self, what: str) -> bool:
        """Whether it defines `draw`, `posterior`, `recover`, ...: by default nobody knows."""
        return getattr(type(self), what) is not getattr(Denoiser, what)

    def draw(self, net: Any, n: int, generator: Generator) -> Tensor | None:
        """Independent data [n, *shape]; None where there are none to be had."""
        return None

    def examples(self, net: Any, n: int, generator: Generator) -> Tensor | None:
        """n draws of the data that it was trained on [n, *shape], for what is fitted to it; None where nobody knows."""
        return self.draw(net, n, generator)

    def moments(self, net: Any) -> tuple[Tensor, Tensor] | None:
        """Exact mean [d] and covariance [d, d] of the data, flattened, float64; None where nobody knows."""
        return None

    def log_density(self, net: Any, x: Tensor) -> Tensor | None:
        """Exact log density of data x [b, *shape] -> [b], nats; None where nobody knows."""
        return None

    def posterior(self, net: Any, x: Tensor, t: Tensor) -> Tensor | None:
        """Exact E[(x_0 - x_0hat) (x_0 - x_0hat)' | x_t], flattened, [b, d, d]; None where nobody knows.

        Of a guess that is exact too it is Cov[x_0 | x_t].
        """
        return None

    def trunk(self, net: Any, x: Tensor, t: Tensor) -> Tensor | None:
        """What the last layer of the network is given: [b, n], or [b, n, h, w] for images; None where there is none."""
        return None

    def recover(self, net: Any, x: Tensor, t: Tensor, noise: Callable[..., Tensor]) -> Tensor | None:
        """An exact draw of x_0 given x_t [b, *shape], from the normal draws of `noise`; None where nobody can."""
        return None

    def data(self, net: Any) -> Tensor | None:
        """Real data [n, *shape] to compare with, not trained on; None for a target that is known exactly."""
        return None


class Sampler(Component):
    """A way from noise to data in few steps.

    `ignores` are the kinds it makes no use of, `order` the order of convergence it claims (a property where it depends
    on the fields), `control` that it is no method but a yardstick, `flow` that it follows the probability flow, whose
    samples have a density.
    """

    kind: ClassVar[str] = "sampler"
    ignores: ClassVar[Sequence[str]] = ()
    order: ClassVar[float | None] = None
    control: ClassVar[bool] = False
    flow: ClassVar[bool] = False

    def skip(self, denoiser: Denoiser) -> str | None:
        """Why this sampler cannot sample from the denoiser, or None."""
        return None

    def steps_for(self, nfe: int) -> int:
        """How many steps come nearest to `nfe` evaluations of the network, without more; 0 where one takes more."""
        return nfe

    def transition(self, schedule: Schedule, times: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor] | None:
        """(scale, gamma, added, share) of each step [K], float64, where x_s given x_t is normal; None where it is not.

        Its mean is scale x_t + gamma x_0hat, its variance added + share c, c = Cov[x_0 | x_t], at s = 0 as at others.
        """
        return None

    @abstractmethod
    def sample(
        self, denoiser: Ready, covariance: Callable[..., Tensor] | None, x: Tensor, times: Tensor, noise: Noise
    ) -> Tensor:
        """(x_T [b, *shape], times [K + 1]) -> x_0 [b, *shape].

        `covariance(x_t, t, s, eps)` estimates Cov[x_0 | x_t]: a scalar, or for each element; None stands for 0.
        `noise(step, x)` gives normal draws like x. A step from t to s adds noise of variance lambda^2 + gamma^2 c, none
        at s = 0. A sampler that can do otherwise takes `last_noise` by name: true asks for that noise too.
        """


class Variance(Component):
    """An estimate of Cov[x_0 | x_t], of which a sampler makes the noise of its own step."""

    kind: ClassVar[str] = "variance"
    by_step: ClassVar[bool] = False
    """Whether the estimate depends on s, where the step ends."""

    def skip(self, denoiser: Denoiser) -> str | None:
        """Why nothing can be estimated of this denoiser, or None."""
        return None

    @classmethod
    def is_made(cls) -> bool:
        """One that defines `fit`."""
        return cls.fit is not Variance.fit

    def fit(self, denoiser: Ready, data: Tensor, generator: Generator) -> dict[str, Tensor]:
        """Statistics of a denoiser on data [n, *shape] that it was trained on, once, for every grid.

        An estimate that takes long to fit takes `report` by name: `report(done, total)`.
        """
        return {}

    def about(self, fitted: Mapping[str, Any]) -> str | None:
        """A line for the report on what was fitted, given as to `covariance`: from how many draws, with what error."""
        return None

    @abstractmethod
    def covariance(self, fitted: Mapping[str, Tensor], x: Tensor, t: float, s: float, eps: Tensor) -> Any:
        """c, the estimate of E[(x_0 - x0hat)^2 | x_t], never negative: a number, [b, *shape] or [b, d, d].

        `fitted` is what `fit` gave and, as "denoiser", the ready denoiser.
        """


class Prior(Component):
    """Where sampling starts."""

    kind: ClassVar[str] = "prior"

    @abstractmethod
    def draw(self, shape: Sequence[int], generator: Generator) -> Tensor:
        """Float32 draws [n, ...] of that shape. A prior that is slow takes `report` by name: `report(done, total)`."""


class Feature(Component):
    """A map from samples to vectors in which distributions are compared."""

    kind: ClassVar[str] = "feature"

    @classmethod
    def is_made(cls) -> bool:
        """One that defines `prepare`."""
        return cls.prepare is not Feature.prepare

    def prepare(self, data: Tensor) -> dict[str, Tensor]:
        """What the map needs of the reference data [n, *shape]; once."""
        return {}

    @abstractmethod
    def __call__(self, prepared: Mapping[str, Tensor], x: Tensor) -> Tensor:
        """(samples [n, *shape]) -> [n, d]."""
