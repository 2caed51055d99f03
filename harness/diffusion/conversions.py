"""Forms of a time that networks take, and x_0 and eps from what they predict."""

from __future__ import annotations

from collections.abc import Callable

from torch import Tensor

from harness.kinds.denoising import Schedule

Level = Tensor | float
"""sqrt A_t or sqrt B_t: one for every sample, or one for all."""

TIMES: dict[str, Callable[[Tensor, Schedule], Tensor]] = {
    "t": lambda t, _: t,
    "sigma": lambda t, schedule: schedule.sigma(t),
    "log_sigma": lambda t, schedule: schedule.sigma(t).log(),
    "c_noise": lambda t, schedule: schedule.sigma(t).log() / 4,
}
"""(times, schedule) -> what the network is given for them."""
DIVIDED = ("epsilon", "score")
"""Predictions from which x_0 is told by a division by sqrt(A_t)."""


CONVERT: dict[str, Callable[[Tensor, Tensor, Level, Level], tuple[Tensor, Tensor]]] = {
    "epsilon": lambda x, guess, a, b: ((x - b * guess) / a, guess),
    "sample": lambda x, guess, a, b: (guess, (x - a * guess) / b),
    "v_prediction": lambda x, guess, a, b: (a * x - b * guess, b * x + a * guess),
    "score": lambda x, guess, a, b: ((x + b * b * guess) / a, -b * guess),
    "flow": lambda x, guess, a, b: _of_flow(x, guess, a, b),
}
"""(x_t, prediction, sqrt A_t, sqrt B_t) -> (x_0, eps)."""


def _of_flow(x: Tensor, guess: Tensor, a: Level, b: Level) -> tuple[Tensor, Tensor]:
    """Convert the prediction eps - x_0 of a flow-matching network."""
    x0 = (x - b * guess) / (a + b)
    return x0, x0 + guess
