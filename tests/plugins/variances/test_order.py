"""A theorem: the more an exact variance tells of x_0, the less a sampler's likelihood loses (Bao et al., 2022)."""

from __future__ import annotations

from functools import cache
from itertools import pairwise
from typing import Any

import pytest
import torch
from scipy import stats

import harness
from tests.plugins.estimates import posterior_variance
from tests.plugins.sampling import even, sampler
from tests.plugins.variances.test_analytic import MIXTURE

TARGETS: dict[str, tuple[dict[str, Any], int, tuple[int, ...]]] = {
    "grid25": ({}, 128, (5, 10, 25, 50, 100)),
    "ring8": ({}, 128, (5, 10, 25, 50, 100)),
    "gaussian_mixture": (MIXTURE, 256, (5, 10, 25, 50, 100, 1000)),
    "fitted_mixture": ({}, 64, (5, 10, 25, 50)),
}
SEEDS = 4


@cache
def variances(name: str) -> tuple[Any, list[Any]]:
    """The denoiser, and beta~, beta, the best number and the best diagonal."""
    ready = harness.denoiser(name, **TARGETS[name][0])
    data = ready.sample(200, torch.Generator().manual_seed(0))
    made = [harness.component("variance", each) for each in ("beta_tilde", "beta")]
    made += [harness.component("variance", "exact", form=form, draws=200) for form in ("isotropic", "diagonal")]
    found = []
    for variance in made:
        given = variance.fit(ready, data, torch.Generator().manual_seed(1)) | {"denoiser": ready}
        found.append(lambda *args, variance=variance, given=given: posterior_variance(variance, given, *args))
    return ready, found


@pytest.mark.verify
@pytest.mark.parametrize(("name", "steps"), [(name, k) for name in TARGETS for k in TARGETS[name][2]])
def test_the_order_of_likelihoods_at_every_number_of_steps(name: str, steps: int) -> None:
    """By a paired test over seeds: the same data and noise for all. In one dimension a diagonal is a number."""
    ready, every = variances(name)
    metric, n = harness.component("metric", "step_kl"), TARGETS[name][1]
    rows = []
    for seed in range(SEEDS):
        x0 = ready.sample(n, torch.Generator().manual_seed(100 + seed))
        given = {"reference": x0, "model": ready, "sampler": sampler("ddpm"), "times": even(steps)}
        rows.append(
            [harness.call_with_inputs(metric, **given, covariance=c, noise=harness.NoiseSource(seed)) for c in every]
        )
    columns = list(zip(*rows, strict=True))
    for worse, better in pairwise(columns):
        lead = [a - b for a, b in zip(worse, better, strict=True)]
        p = stats.ttest_1samp(lead, 0, alternative="greater").pvalue
        assert p < 0.05 or (abs(sum(lead)) / SEEDS < 1e-3 and min(lead) > -1e-3), (lead, p)
