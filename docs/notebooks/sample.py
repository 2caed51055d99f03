# %% [markdown]
# # Two samplers on a target that is known exactly
#
# `harness.sample` draws samples of a diffusion model without a suite. Here the model is exact: a mixture of two normal
# distributions, whose denoiser is a formula. Whatever is wrong with the samples is the sampler's doing.

# %%
import torch

import harness

model = harness.denoiser("gaussian_mixture", means=[-1.0, 2.0], weights=[0.3, 0.7], stds=0.2)
mean, covariance = model.moments()
print(f"target: mean {float(mean[0]):.4f}, deviation {float(covariance[0, 0].sqrt()):.4f}")

# %% [markdown]
# DDIM follows the probability flow from its start; DDPM adds noise in every step. Both get the same starts, because
# both get the same seed. The left mode should hold a share of 0.3 and be 0.2 wide.

# %%
for steps in (5, 10, 25, 100):
    for sampler in ("ddim", "ddpm"):
        x = harness.sample(model, sampler=sampler, steps=steps, n=4096, seed=0)
        left = x < 0.5
        print(f"{steps:3} steps, {sampler}: share {left.float().mean():.3f}, width {x[left].std():.3f}")

# %% [markdown]
# Few steps make the mode too narrow. Numbers of one seed have an error of their own, so a verdict takes several: draw
# with eight seeds, score each, and compare the two lists of scores. The score is the error of the width.


# %%
def error(sampler: str, seed: int) -> float:
    """How far the width of the left mode is from 0.2."""
    x = harness.sample(model, sampler=sampler, steps=10, n=4096, seed=seed)
    return abs(float(x[x < 0.5].std()) - 0.2)


scores = {sampler: [error(sampler, seed) for seed in range(8)] for sampler in ("ddim", "ddpm")}
found = harness.compare(scores["ddpm"], scores["ddim"], higher_is_better=False)
print(f"ddpm - ddim: {found.difference:+.4f}, {found.low:+.4f} to {found.high:+.4f}: ddpm is {found.verdict}")

# %% [markdown]
# The parts may be components with fields of their own, and the noise of a step is a choice too. `log_prob` of this
# target is exact: samples that are too narrow lie too close to the modes, where the density is too high.

# %%
half = harness.component("sampler", "ddim", eta=0.5)
drawn = {
    v: harness.sample(model, sampler=half, variance=v, steps=10, n=4096) for v in ("beta_tilde", "beta", "analytic")
}
drawn["the target itself"] = model.sample(4096, torch.Generator().manual_seed(0))
for name, x in drawn.items():
    print(f"{name:17}: mean log density {float(model.log_prob(x).mean()):+.3f}")
