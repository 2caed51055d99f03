"""Parts of a diffusion model: the noise schedule, and the denoiser.

Times are real, 0 < t <= T, and 0 is data. A_t is the share of the data's variance that is left at t, B_t = 1 - A_t that
of the noise: x_t = sqrt(A_t) x_0 + sqrt(B_t) e with e normal.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from harness.base import Attributes, Component
from harness.fields import PositiveInt, named

if TYPE_CHECKING:
    from torch import Generator, Tensor

PredictionType = Literal["epsilon", "sample", "v_prediction", "score", "flow"]
"""Quantity that a network predicts, in the words of the diffusers library where it has one."""
Parameterization = Literal["vp", "ve"]
"""Form of x_t that a network takes: variance preserving, or data plus noise of deviation sigma."""


TimeForm = Literal["t", "sigma", "log_sigma", "c_noise"]
"""Form in which a network is given a time: t, sigma = sqrt(B_t / A_t), its logarithm, or a quarter of that (EDM)."""


class Schedule(Component):
    """Amount of noise at each time. `num_train_timesteps` is T, the last time."""

    kind: ClassVar[str] = "schedule"
    num_train_timesteps: PositiveInt = 1000

    @abstractmethod
    def alpha_bar(self, t: Tensor) -> Tensor:
        """A_t, float64, at real times t in [0, T] of any shape; 1 at 0, decreasing."""

    def sigma(self, t: Tensor) -> Tensor:
        """Deviation sqrt(B_t / A_t), float64, of the noise beside data of unit weight."""
        kept = self.alpha_bar(t)
        return ((1 - kept) / kept).sqrt()


class DenoiserAttributes(Attributes):
    """Attributes of a denoiser, set in its class or by fields.

    `shape` of a sample; `schedule`; `prediction_type`; `parameterization`; `time`, what `predict` is given for a time;
    `discrete_time`, whether only whole times are valid, to which others are rounded; `data_range`, (low, high) of the
    data where they are bounded; `classes`, the number of classes where it predicts for class labels; `null_label`, the
    label that stands for none, by default `classes`.
    """

    shape: tuple[int, ...] = ()
    schedule: Schedule = named("linear")
    prediction_type: PredictionType = "epsilon"
    parameterization: Parameterization = "vp"
    time: TimeForm = "t"
    discrete_time: bool = False
    data_range: tuple[float, float] | None = None
    classes: PositiveInt | None = None
    null_label: int | None = None


class Denoiser(DenoiserAttributes, Component):
    """A network, or a formula, that predicts the noise in x_t.

    It sets these attributes in its class, or has fields of these names: `shape` of a sample; `schedule`;
    `prediction_type`; `parameterization`; `time`, what `predict` is given for a time: `t`, `sigma` = sqrt(B_t / A_t),
    `log_sigma`, or `c_noise` = log(sigma) / 4 (Karras et al., 2022, table 1); `discrete_time`, whether only whole times
    are valid, to which others are rounded; `data_range`, (low, high) of the data where they are bounded; `classes`,
    their number where it predicts for class labels: `predict` then takes `labels` [b] int64 by name, from 0, with
    `null_label` (by default `classes`) for a prediction without one, as classifier-free guidance needs it (Ho and
    Salimans, 2022). `hidden_features`, `posterior_covariance` and `sample_posterior` may take them too.
    """

    kind: ClassVar[str] = "denoiser"

    @classmethod
    def needs_artifact(cls) -> bool:
        """True if it defines `train`, which is called once, before any sampling."""
        return cls.train is not Denoiser.train

    def train(self, generator: Generator, on_progress: Callable[..., None]) -> dict[str, Tensor]:
        """Result of training: tensors by name, stored and passed to `load` as `weights`."""
        return {}

    def to_fetch(self) -> str | None:
        """Name of what `load` would download; None where all of it is here. Called without a network too."""
        return None

    def fetch(self) -> bool:
        """Download what `load` reads, unless it is there, for `bench fetch`; return whether anything was downloaded."""
        return False

    @abstractmethod
    def load(self, device: str, /, *args: Any, **inputs: Any) -> Any:
        """Object passed to `predict` and the other methods as `net`; called once per process.

        A denoiser with `train` requests `weights` by name.
        """

    @abstractmethod
    def predict(self, net: Any, x: Tensor, t: Tensor, /, *args: Any, **inputs: Any) -> Tensor:
        """Prediction [b, *shape] for x_t [b, *shape] at times t [b] float64, in the form that `time` declares.

        A denoiser with `classes` requests `labels` [b] by name.
        """

    def overridden(self) -> Mapping[str, str]:
        """Settings of a library's part that have no effect here: name -> what is used instead, for the report."""
        return {}

    def supports(self, what: str) -> bool:
        """True if it defines the optional method `what`: `sample`, `posterior_covariance`, `sample_posterior`, ..."""
        return getattr(type(self), what) is not getattr(Denoiser, what)

    def sample(self, net: Any, n: int, generator: Generator) -> Tensor | None:
        """Independent data [n, *shape]; None where they cannot be drawn."""
        return None

    def training_samples(self, net: Any, n: int, generator: Generator) -> Tensor | None:
        """Draws [n, *shape] from its training data, for statistics fitted to it; None where unknown."""
        return self.sample(net, n, generator)

    def moments(self, net: Any) -> tuple[Tensor, Tensor] | None:
        """Exact mean [d] and covariance [d, d] of the data, flattened, float64; None where unknown."""
        return None

    def log_prob(self, net: Any, x: Tensor) -> Tensor | None:
        """Exact log density of data x [b, *shape] -> [b], nats; None where unknown."""
        return None

    def posterior_covariance(self, net: Any, x: Tensor, t: Tensor) -> Tensor | None:
        """Exact E[(x_0 - x_0hat) (x_0 - x_0hat)' | x_t], flattened, [b, d, d]; None where unknown.

        For an exact prediction it is Cov[x_0 | x_t].
        """
        return None

    def hidden_features(self, net: Any, x: Tensor, t: Tensor) -> Tensor | None:
        """Input of the network's last layer: [b, n], or [b, n, h, w] for images; None where there is none."""
        return None

    def sample_posterior(self, net: Any, x: Tensor, t: Tensor, noise: Callable[..., Tensor]) -> Tensor | None:
        """Exact draws of x_0 given x_t [b, *shape], from the normal draws of `noise`; None where unknown."""
        return None

    def reference_data(self, net: Any) -> Tensor | None:
        """Real data [n, *shape] to compare with, not trained on; None for a target that is known exactly."""
        return None
