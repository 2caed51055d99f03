"""DDIM as a differential equation."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar, Literal

from harness import Sampler, Schedule, derived, hookimpl

from ._heun import heun
from ._linear import Levels, Linear, Plan, deterministic

if TYPE_CHECKING:
    from torch import Tensor


class DDIMOde(Linear):
    """Euler or Heun steps of the ordinary differential equation of DDIM.

    dz/dr = eps(x, t) with z = x / sqrt(A_t), r = sqrt(B_t / A_t), solved in r (Song et al., 2021, section 4.3). `euler`
    is `ddim` without noise. `heun` takes two evaluations per step except for the last: at its end, r = 0, the slope is
    E[eps | x_0] = 0 for data that have a density. Where they have none, as images, the last step of `edm_heun` is
    better.
    """

    reference = """
    @inproceedings{song2021ddim, author = {Song, Jiaming and Meng, Chenlin and Ermon, Stefano}, title = {Denoising
      Diffusion Implicit Models}, booktitle = {International Conference on Learning Representations}, year =
      {2021}}"""

    unused_kinds: ClassVar[Sequence[str]] = ("variance",)
    is_probability_flow: ClassVar[bool] = True
    form: Literal["euler", "heun"] = "heun"

    order = derived(lambda self: 2 if self.form == "heun" else 1)

    def steps_for_nfe(self, nfe: int) -> int:
        """Number of steps K for 2 K - 1 evaluations (`heun`), or for K (`euler`)."""
        return (nfe + 1) // 2 if self.form == "heun" else nfe

    def table(self, schedule: Schedule, times: Tensor) -> Plan:
        """Table with one or two rows per step."""
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
    """The component classes of this module."""
    return [DDIMOde]
