"""DDIM as a differential equation."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar, Literal

from harness.stock.samplers._heun import heun
from harness.stock.samplers._linear import Levels, Linear, Plan, deterministic

from harness import Sampler, Schedule, hookimpl

if TYPE_CHECKING:
    from torch import Tensor


class DDIMOde(Linear):
    """dz/dr = eps(x, t) with z = x / sqrt(A_t), r = sqrt(B_t / A_t), solved in r (Song et al., 2021, section 4.3).

    `euler` is `ddim` without noise. `heun` takes two evaluations a step but one for the last: at its end, r = 0, the
    slope is E[eps | x_0] = 0 for data that have a density. Where they have none, as images, `edm_heun` ends better.
    """

    ignores: ClassVar[Sequence[str]] = ("variance",)
    flow: ClassVar[bool] = True
    form: Literal["euler", "heun"] = "heun"

    @property
    def order(self) -> float | None:
        """1 or 2."""
        return 2 if self.form == "heun" else 1

    def steps_for(self, nfe: int) -> int:
        """Of 2 K - 1 evaluations, or of K."""
        return (nfe + 1) // 2 if self.form == "heun" else nfe

    def table(self, schedule: Schedule, times: Tensor) -> Plan:
        """The table: a row a step, or two."""
        levels = Levels.at(schedule, times)
        start, end = levels.starts(), levels.ends()
        if self.form == "heun":
            plan = heun(start, end)
            plan.weights[-1] /= 2
            return plan
        lead = end.signal * (end.ratio - start.ratio)
        return deterministic("eps", times, end.signal / start.signal, lead[:, None])


@hookimpl
def components() -> list[type[Sampler]]:
    """What this file brings."""
    return [DDIMOde]
