"""Suites to start from, one for each kind of plugin, as small as they can be: half a minute at most on two cores."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

_ACCURACY = """suite: {name}
question: {question}
protocol: accuracy
plugins: [{name}.py]
vary:
  dataset: {dataset}
  model: {model}
  loss: {loss}
{more}settings: {{epochs: 5}}
seeds: 8
metrics: [{metrics}]
baseline: {baseline}
"""
_GENERATION = """suite: {name}
question: {question}
protocol: generation
plugins: [{name}.py]
vary:
  denoiser: {denoiser}
  sampler: {sampler}
{more}settings: {{steps: 10, samples: 256}}
seeds: 8
metrics: [{metrics}]
baseline: {baseline}
"""
_HUBNESS = """suite: {name}
question: Does {name} make points each other's neighbors more evenly?
protocol: hubness
plugins: [{name}.py]
vary:
  dataset: digits
  dissimilarity: [euclidean, {name}]
settings: {{n: 200}}
seeds: 8
metrics: [robin_hood, k_skewness]
baseline: euclidean
"""
_PROTOCOL = """suite: {name}
question: Which transform has the least Brier score on random logits?
protocol: {name}
plugins: [{name}.py]
vary:
  transform: [softmax, gaussian]
seeds: 8
metrics: [brier]
baseline: softmax
"""
_SUITE = """suite: {name}
question: Does any loss beat cross-entropy when a tenth of the labels is wrong?
protocol: accuracy
vary:
  dataset: [{{digits: {{label_noise: 0.1}}}}]
  loss: [cross_entropy, hinge, focal, {{label_smoothing: {{epsilon: [0.05, 0.1]}}}}]
settings: {{epochs: 15}}
tune: {{trials: 3, lr: [0.01, 0.03, 0.1]}}
seeds: 16
metrics: [accuracy, nll]
baseline: cross_entropy
"""
SUITES: Mapping[str, str] = MappingProxyType(
    {
        "accuracy": _ACCURACY,
        "generation": _GENERATION,
        "dissimilarity": _HUBNESS,
        "protocol": _PROTOCOL,
        "suite": _SUITE,
    }
)
"""Template by name: a kind whose suite is written out, a protocol whose parts FILLED names, or `suite`."""
DEFAULTS: Mapping[str, Mapping[str, str]] = MappingProxyType(
    {
        "accuracy": {
            **{"dataset": "iris", "model": "linear", "loss": "cross_entropy", "metrics": "accuracy, nll"},
            **{"baseline": "cross_entropy", "more": ""},
        },
        "generation": {
            **{"denoiser": "{{gaussian: {{dim: 2}}}}", "sampler": "ddim", "metrics": "mmd, fid_proxy"},
            **{"baseline": "ddim", "more": ""},
        },
    }
)
"""Parts of a protocol's template for every kind that does not name another."""
FILLED: Mapping[str, tuple[str, Mapping[str, str]]] = MappingProxyType(
    {
        "dataset": (
            "accuracy",
            {
                "question": "Does the hinge loss beat cross-entropy on {name}?",
                "dataset": "{name}",
                "loss": "[cross_entropy, hinge]",
            },
        ),
        "model": (
            "accuracy",
            {
                "question": "Does {name} beat a linear model?",
                "model": "[linear, {name}]",
                "more": "group_by: [dataset]\n",
                "baseline": "linear",
            },
        ),
        "trainer": (
            "accuracy",
            {
                "question": "Does {name} reach what the stock trainer reaches?",
                "more": "  trainer: [stacked, {name}]\n",
                "baseline": "stacked",
            },
        ),
        "loss": ("accuracy", {"question": "Does {name} beat cross-entropy?", "loss": "[cross_entropy, {name}]"}),
        "transform": (
            "accuracy",
            {
                "question": "Does {name} beat softmax as the last layer?",
                "loss": "[cross_entropy, {{nll: {{transform: {name}}}, as: {name}}}]",
            },
        ),
        "metric": (
            "accuracy",
            {
                "question": "Does the hinge loss beat cross-entropy in {name}?",
                "loss": "[cross_entropy, hinge]",
                "metrics": "{name}, accuracy",
            },
        ),
        "schedule": (
            "generation",
            {
                "question": "Which sampler comes nearest to the target, under {name} and under the linear schedule?",
                "denoiser": "[{{gaussian: {{dim: 2, schedule: [linear, {name}]}}}}]",
                "sampler": "[ddim, ddpm]",
            },
        ),
        "spacing": (
            "generation",
            {
                "question": "Does {name} bring samples nearer to the target than even steps?",
                "more": "  spacing: [even, {name}]\ngroup_by: [denoiser]\n",
                "baseline": "even",
            },
        ),
        "denoiser": (
            "generation",
            {
                "question": "Which sampler comes nearest to the data of {name}?",
                "denoiser": "{name}",
                "sampler": "[ddim, ddpm]",
            },
        ),
        "sampler": ("generation", {"question": "Does {name} beat DDIM?", "sampler": "[ddim, {name}]"}),
        "variance": (
            "generation",
            {
                "question": "Does {name} beat the least variance?",
                "sampler": "ddpm",
                "more": "  variance: [beta_tilde, {name}]\n",
                "baseline": "beta_tilde",
            },
        ),
        "prior": (
            "generation",
            {
                "question": "Does {name} bring samples nearer to the target than the normal prior?",
                "more": "  prior: [normal, {name}]\n",
                "baseline": "normal",
            },
        ),
        "feature": (
            "generation",
            {
                "question": "Which sampler comes nearest to the target in the features {name}?",
                "sampler": "[ddim, ddpm]",
                "more": "  feature: {name}\n",
                "metrics": "fid_proxy, mmd",
            },
        ),
    }
)
"""Kind -> the protocol whose template it fills, and the parts that differ from DEFAULTS."""


def suite_of(kind: str, name: str) -> str:
    """Return the suite of a plugin of a kind: the component beside a stock one."""
    if kind not in FILLED:
        return SUITES[kind].format(name=name)
    protocol, parts = FILLED[kind]
    whole = {part: text.format(name=name) for part, text in {**DEFAULTS[protocol], **parts}.items()}
    return SUITES[protocol].format(name=name, **whole)
