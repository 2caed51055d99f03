"""A schedule: how much of the data is left at each time."""

from torch import Tensor

from harness import Positive, Schedule, hookimpl


class Rational(Schedule):
    """alpha_bar(t) = 1 / (1 + strength (t / T)^2)."""

    strength: Positive = 1e4

    def alpha_bar(self, t: Tensor) -> Tensor:
        """Times -> float64 values that fall from 1 at 0 to nearly 0 at T."""
        part = t.double() / self.num_train_timesteps
        return 1 / (1 + self.strength * part.square())


@hookimpl
def components() -> list[type[Schedule]]:
    """The component classes of this module."""
    return [Rational]
