# %% [markdown]
# # Is my method better? Two arrays of scores
#
# You have measured two methods yourself: one score for every seed, with the same seeds for both. `harness.compare`
# says whether the difference is real. It needs no suite and no file.

# %%
import numpy as np

import harness

ours = np.array([0.913, 0.921, 0.909, 0.930, 0.918, 0.925, 0.911, 0.922])
theirs = np.array([0.909, 0.919, 0.905, 0.921, 0.917, 0.918, 0.908, 0.919])
found = harness.compare(ours, theirs)
print(f"ours - theirs: {found.difference:+.4f}, 95 % interval {found.low:+.4f} to {found.high:+.4f}")
print(f"p = {found.p:.4f}: {found.verdict}")

# %% [markdown]
# Scores of one method differ by 0.02 from seed to seed, five times the difference between the methods. The difference
# is found all the same, because the comparison is paired: a seed that is easy for one method is easy for the other.
# Shuffle one of the arrays and the pairs are gone.

# %%
shuffled = harness.compare(ours, np.random.default_rng(0).permutation(theirs))
print(f"without pairs: {shuffled.low:+.4f} to {shuffled.high:+.4f}, p = {shuffled.p:.2f}: {shuffled.verdict}")
print(f"needed to decide: {shuffled.needed.seeds} more seeds")

# %% [markdown]
# Undecided does not mean equal. If a difference below 0.01 does not matter to you, say so: with a `margin` a difference
# that is shown to be smaller is called equivalent.

# %%
small = harness.compare(ours, theirs, margin=0.01)
print(f"with a margin of 0.01: {small.verdict}, {small.low:+.4f} to {small.high:+.4f}")
more = np.random.default_rng(1).normal(0.92, 0.003, size=8)
close = harness.compare(more, more[::-1], margin=0.01)
print(f"equal but for luck: {close.verdict}, {close.low:+.4f} to {close.high:+.4f}")

# %% [markdown]
# ## Scores of every test example
#
# With one test set for all seeds there are two sources of doubt: other seeds, and other test examples. Give the score
# of every example, an array [seeds, examples], and the interval covers both. Here two methods of equal skill are judged
# on 400 examples. Some examples are hard for both, some for one of them, and these are the same for every seed.

# %%
draw = np.random.default_rng(2)
hard_for_both = draw.normal(size=400)


def right(seeds: int = 8) -> np.ndarray:
    """1 where a method classifies an example correctly, [seeds, examples]."""
    hard_for_it = 0.5 * draw.normal(size=400)
    return (1.1 + 0.2 * draw.normal(size=(seeds, 400)) > hard_for_both + hard_for_it).astype(float)


a, b = right(), right()
by_seed, by_example = harness.compare(a.mean(1), b.mean(1)), harness.compare(a, b)
for name, one in {"means by seed": by_seed, "seeds and examples": by_example}.items():
    print(f"{name:18}: {one.difference:+.4f}, {one.low:+.4f} to {one.high:+.4f}, p = {one.p:.4f}: {one.verdict}")
print(f"needed: {by_example.needed.examples} more test examples")

# %% [markdown]
# Means by seed see only one half of the doubt. They call a difference real that another test set would not show.
