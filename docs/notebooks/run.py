# %% [markdown]
# # A suite from Python, with a loss of one's own
#
# A loss is a small class. Save it in a file, with the hook that registers it: the file is what every process of the
# run imports, and it belongs to the identity of the rows. In a notebook, `%%writefile tempered.py` does the same.

# %%
from pathlib import Path

import harness

Path("tempered.py").write_text('''
import torch.nn.functional as F
from harness import Loss, Positive, hookimpl


class Tempered(Loss):
    """Cross-entropy of the logits divided by a temperature."""

    temperature: Positive = 2.0

    def __call__(self, logits, target):
        return F.cross_entropy(logits / self.temperature, target, reduction="none")


@hookimpl
def components():
    return [Tempered]
''')

# %% [markdown]
# The question is a suite, as on the command line.

# %%
Path("temperatures.yaml").write_text("""
question: Does a temperature beat plain cross-entropy?
protocol: accuracy
vary:
  dataset: [wine, iris]
  loss: [cross_entropy, {tempered: {temperature: [0.5, 4.0]}}]
settings: {epochs: 10}
seeds: 8
metrics: [accuracy, nll]
baseline: cross_entropy
""")
result = harness.run("temperatures.yaml", plugins=["tempered.py"])
print(result.answer)

# %% [markdown]
# Rows and comparisons are typed values.

# %%
for row in result.rows:
    score = row.metrics["nll"]
    print(f"{row.vary['dataset']:5} {row.vary['loss']:26} nll {score.mean:.3f}, {score.low:.3f} to {score.high:.3f}")
for found in result.comparisons:
    if found.metric == "nll":
        print(f"{found.row.vary['dataset']:5} {found.row.vary['loss']:26} {found.difference:+.3f} {found.verdict}")

# %% [markdown]
# With pandas the run is a table with one line for every row, metric and seed.

# %%
frame = result.to_frame()
print(frame.head())
