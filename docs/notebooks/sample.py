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
# both get the same seed. Their samples are compared with draws from the target: the mean distance between the sorted
# samples and the sorted draws is the Wasserstein distance. Draws against other draws show what is left by chance.

# %%
N = 4096


def drawn(seed: int) -> torch.Tensor:
    """Independent draws from the target."""
    return model.sample(N, torch.Generator().manual_seed(seed))


def distance(x: torch.Tensor, seed: int = 0) -> float:
    """Wasserstein distance of samples from draws."""
    return float((x.flatten().sort().values - drawn(seed).flatten().sort().values).abs().mean())


print(f"chance alone: {distance(drawn(1)):.3f}")
for steps in (5, 10, 25, 100):
    for sampler in ("ddim", "ddpm"):
        x = harness.sample(model, sampler=sampler, steps=steps, n=N, seed=0)
        left = float((x < 0.5).float().mean())
        print(f"{steps:3} steps, {sampler}: {distance(x):.3f}, a share of {left:.3f} on the left")

# %% [markdown]
# The left mode should hold a share of 0.3. Numbers of one seed have an error of their own, so a verdict takes several:
# draw with eight seeds, score each, and compare the two lists of scores.


# %%
def score(sampler: str, seed: int) -> float:
    """Distance of the samples of one seed, in ten steps."""
    return distance(harness.sample(model, sampler=sampler, steps=10, n=N, seed=seed), seed)


scores = {sampler: [score(sampler, seed) for seed in range(8)] for sampler in ("ddim", "ddpm")}
found = harness.compare(scores["ddpm"], scores["ddim"], higher_is_better=False)
print(f"ddpm - ddim: {found.difference:+.4f}, {found.low:+.4f} to {found.high:+.4f}: ddpm is {found.verdict}")

# %% [markdown]
# The parts may be components with fields of their own, and the noise of a step is a choice too. `log_prob` of this
# target is exact, and the target's own draws are the yardstick: above it samples lie too near to the modes, below it
# too far from them.

# %%
half = harness.component("sampler", "ddim", eta=0.5)
samples = {"the target itself": drawn(0)}
for variance in ("beta_tilde", "beta", "analytic"):
    samples[variance] = harness.sample(model, sampler=half, variance=variance, steps=10, n=N)
for name, x in samples.items():
    print(f"{name:17}: mean log density {float(model.log_prob(x).mean()):+.3f}")
