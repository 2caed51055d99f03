"""What generates: noise schedules, time grids, denoisers, samplers, reverse variances, priors, features.

Times are real, 0 < t <= T, and 0 is data. A_t is the share of the data's variance that is left at t, B_t = 1 - A_t that
of the noise: x_t = sqrt(A_t) x_0 + sqrt(B_t) e with e normal.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

from harness.base import Component
from harness.fields import Count

if TYPE_CHECKING:
    from torch import Generator, Tensor

    from harness.ready import Noise, Ready


class Schedule(Component):
    """How much noise there is at a time. `steps` is T, the last time."""

    kind: ClassVar[str] = "schedule"
    steps: Count = 1000

    @abstractmethod
    def alpha_bar(self, t: Tensor) -> Tensor:
        """A_t, float64, at real times t in [0, T] of any shape; 1 at 0, falling."""

    def sigma(self, t: Tensor) -> Tensor:
        """sqrt(B_t / A_t), float64: the deviation of the noise beside data of unit weight."""
        kept = self.alpha_bar(t)
        return ((1 - kept) / kept).sqrt()


class Grid(Component):
    """The times a sampler visits. `costs` says that it needs the cost of every step."""

    kind: ClassVar[str] = "grid"
    costs: ClassVar[bool] = False

    @abstractmethod
    def times(self, schedule: Schedule, steps: int, cost: Tensor | None = None) -> Tensor:
        """Float64 times, strictly decreasing, ending in 0; equal ones merged: at most `steps` + 1 of them.

        `cost` [T + 1, T + 1] is what a step from t (row) to s (column) costs. Raises BenchError for more steps than
        the schedule has.
        """


class Denoiser(Component):
    """A network, or a formula, that guesses what noise is in x_t.

    Class attributes or fields: `shape` of a sample; `schedule`; `predicts` (eps | x0 | v | score | flow, default eps);
    `noise` (variance_preserving | sigma, the form of x_t that `predict` takes); `discrete`, whether it knows whole
    times only, to which others are rounded; `range`, (low, high) of the data where it is bounded.
    """

    kind: ClassVar[str] = "denoiser"
    trained: ClassVar[bool] = False
    """Whether `train` has to be called once, before anything is sampled."""

    def train(self, generator: Generator, report: Callable[..., None]) -> dict[str, Tensor]:
        """What training makes: tensors by name, kept and given to `load` as `weights`."""
        return {}

    @abstractmethod
    def load(self, device: str) -> Any:
        """What `predict` and the others are given as `net`; once a process. Asks for `weights` by name if it trains."""

    @abstractmethod
    def predict(self, net: Any, x: Tensor, t: Tensor) -> Tensor:
        """(x_t [b, *shape], t [b] float64) -> the prediction [b, *shape]."""

    def draw(self, net: Any, n: int, generator: Generator) -> Tensor | None:
        """Independent data [n, *shape]; None where there are none to be had."""
        return None

    def moments(self, net: Any) -> tuple[Tensor, Tensor] | None:
        """Exact mean [d] and covariance [d, d] of the data, flattened, float64; None where nobody knows."""
        return None

    def log_density(self, net: Any, x: Tensor) -> Tensor | None:
        """Exact log density of data x [b, *shape] -> [b], nats; None where nobody knows."""
        return None

    def posterior(self, net: Any, x: Tensor, t: Tensor) -> Tensor | None:
        """Exact Cov[x_0 | x_t], flattened, [b, d, d]; None where nobody knows."""
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
    on the fields), `control` that it is no method but a yardstick.
    """

    kind: ClassVar[str] = "sampler"
    ignores: ClassVar[Sequence[str]] = ()
    order: ClassVar[float | None] = None
    control: ClassVar[bool] = False

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

    def skip(self, denoiser: Denoiser) -> str | None:
        """Why nothing can be estimated of this denoiser, or None."""
        return None

    def fit(self, denoiser: Ready, data: Tensor, generator: Generator) -> dict[str, Tensor]:
        """Statistics of a denoiser on data [n, *shape], once, for every grid."""
        return {}

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

    def prepare(self, data: Tensor) -> dict[str, Tensor]:
        """What the map needs of the reference data [n, *shape]; once."""
        return {}

    @abstractmethod
    def __call__(self, prepared: Mapping[str, Tensor], x: Tensor) -> Tensor:
        """(samples [n, *shape]) -> [n, d]."""
