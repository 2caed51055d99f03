"""Conformance checks of a sampler's behavior towards its caller."""

from __future__ import annotations

import warnings

import torch
from torch import Tensor

from harness.conformance.sampler.response import sampled
from harness.conformance.stock import component, target
from harness.diffusion.model import BLOCK, DiffusionModel, NoiseSource
from harness.errors import BenchError, Skip
from harness.kinds import Sampler
from harness.random import generator

STEPS = 10

ASKED = (10, 25, 50)
"""Requested numbers of network evaluations."""

ROUNDING = 1e-4
"""Tolerance for float32 over some steps: matrix products round differently in batches of another size."""


def inputs(sampler: Sampler) -> tuple[bool | None, str]:
    """x_T and the times stay unchanged."""
    data, x, times = case()
    given = x.clone(), times.clone()
    with torch.no_grad():
        sampler.sample(data, None, x, times, NoiseSource(0))
    changed = [name for name, a, b in (("x_T", x, given[0]), ("times", times, given[1])) if not torch.equal(a, b)]
    return not changed, f"inputs: {' and '.join(changed)} written over" if changed else "inputs: left as they were"


def output(sampler: Sampler) -> tuple[bool | None, str]:
    """Each row of x_T gives one finite sample of the same type."""
    data, x, times = case()
    for start in (x, x.double()):
        found = sampled(sampler, data, start, times, NoiseSource(0))
        if found.dtype != start.dtype:
            return False, f"output: {found.dtype} came out for x_T in {start.dtype}"
    return True, "output: finite, in the shape and type of x_T"


def repeats(sampler: Sampler) -> tuple[bool | None, str]:
    """All randomness comes from the noise argument."""
    data, x, times = case()
    with torch.random.fork_rng():
        found = []
        for seed in (0, 1):
            torch.manual_seed(seed)
            found.append(sampled(sampler, data, x, times, NoiseSource(0)))
    off = float((found[0] - found[1]).abs().max())
    return not off, f"repeats: from the same noise samples {f'differ by {off:.2g}' if off else 'are the same'}"


def batches(sampler: Sampler) -> tuple[bool | None, str]:
    """A sample does not depend on the size of its batch."""
    data, x, times = case()
    whole, noise = sampled(sampler, data, x, times, NoiseSource(0)), NoiseSource(0)
    parts = [sampled(sampler, data, x[k : k + BLOCK], times, noise.after(k)) for k in range(0, len(x), BLOCK)]
    off = float((whole - torch.cat(parts)).abs().max())
    same = off <= ROUNDING
    said = "are the same as" if same else f"differ by {off:.2g} from"
    return same, f"batches: {len(x)} samples at once {said} {len(parts)} times {BLOCK}"


def evaluations(sampler: Sampler) -> tuple[bool | None, str]:
    """`steps_for_nfe` is exact: its steps take no more evaluations than requested, one more step would."""
    data, x, _ = case()
    chosen = [sampler.steps_for_nfe(asked) for asked in ASKED]
    made = [_evaluations(sampler, data, x, steps) for steps in chosen]
    if not any(made):
        raise Skip("the network is never asked")
    for asked, steps, count in zip(ASKED, chosen, made, strict=True):
        if count > asked:
            return False, f"evaluations: steps_for_nfe({asked}) is {steps}, which takes {count:g}"
        more = _evaluations(sampler, data, x, steps + 1)
        if more <= asked:
            return False, f"evaluations: steps_for_nfe({asked}) is {steps}, but {steps + 1} steps take {more:g}"
    pairs = ", ".join(f"{count:g} in {steps} steps" for count, steps in zip(made, chosen, strict=True))
    return True, f"evaluations: {pairs} where {', '.join(map(str, ASKED))} were asked for"


def times(sampler: Sampler) -> tuple[bool | None, str]:
    """Times that do not decrease should be refused; no protocol passes such times, so accepting them is no failure."""
    data, x, _ = case()
    risen = torch.tensor([1000.0, 500.0, 700.0, 0.0], dtype=torch.float64)
    try:
        with torch.no_grad(), warnings.catch_warnings(action="ignore"):
            sampler.sample(data, None, x, risen, NoiseSource(0))
    except BenchError:
        return True, "times: refused where they do not fall to 0"
    except Exception as error:
        return None, f"times: {type(error).__name__} where they do not fall to 0"
    return None, "times: those that do not fall to 0 are accepted"


def case() -> tuple[DiffusionModel, Tensor, Tensor]:
    """Return a target with several modes, x_T [2 blocks, 2], and times."""
    data = target("ring8")
    x = torch.randn(2 * BLOCK, *data.shape, generator=generator(0, "x_T"))
    return data, x, component("spacing", "even").times(data.schedule, STEPS)


def _evaluations(sampler: Sampler, data: DiffusionModel, x: Tensor, steps: int) -> float:
    """Return network evaluations per sample; no step takes none."""
    data.evaluated = 0
    if not steps:
        return 0
    sampled(sampler, data, x, component("spacing", "even").times(data.schedule, steps), NoiseSource(0))
    return data.evaluated / len(x)
