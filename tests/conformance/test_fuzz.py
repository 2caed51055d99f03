"""Wrong components made from the correct examples, some for every kind: none is ranked, each is named by its line."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import Bench

EXAMPLES = Path(__file__).resolve().parents[2] / "harness" / "examples"

HEAD = '''
"""Mutants of an example."""
import copy
import dataclasses
import torch
from torch import nn
from harness import Examples, TrainingResult, hookimpl
from harness.examples.{module} import {good}


def mutant(name, method, change, before=None):
    """A class like the good one, of which one method's answer is changed, or its arguments are before."""
    right = getattr({good}, method)

    def wrong(self, *args, **inputs):
        if before is not None:
            before(*args)
        return change(right(self, *args, **inputs))

    wrong.__name__ = method
    wrong.__signature__ = __import__("inspect").signature(right)
    return type(name, ({good},), {{method: wrong, "__doc__": "One thing is wrong.", "__module__": __name__}})


MUTANTS = {mutants}


@hookimpl
def components():
    return [{good}, *(mutant(f"Mutant{{k}}", *each) for k, each in enumerate(MUTANTS))]
'''

VALUES = """
    ("{m}", lambda v: None),
    ("{m}", lambda v: "text"),
    ("{m}", lambda v: (v, v)),
    ("{m}", lambda v: v.tolist()),
    ("{m}", lambda v: v * float("nan")),
    ("{m}", lambda v: v.to(torch.complex64)),
    ("{m}", lambda v: v[1:]),
    ("{m}", lambda v: torch.cat([v, v])),
    ("{m}", lambda v: v[:0]),
    ("{m}", lambda v: v[..., None]),
    ("{m}", lambda v: v[None]),
"""
SHAPES = (
    VALUES
    + """
    ("{m}", lambda v: v.sum()),
    ("{m}", lambda v: v.flatten()),
"""
)
IN_PLACE = """
    ("{m}", lambda v: v, lambda x, *_: x.mul_(2)),
    ("{m}", lambda v: v, lambda x, *_: x.zero_()),
"""

ACCURACY = "protocol: accuracy\nplugins: [wrong.py]\nsettings: {{epochs: 1}}\nseeds: 2\nmetrics: {metrics}\nvary: {{dataset: {dataset}, model: {model}, loss: {loss}, trainer: {trainer}}}\n"
GENERATION = "protocol: generation\nplugins: [wrong.py]\nsettings: {{samples: 64, steps: 4}}\nseeds: 2\nmetrics: fid_proxy\nvary: {{denoiser: {denoiser}, sampler: {sampler}, variance: {variance}, spacing: {spacing}, prior: {prior}, feature: {feature}}}\n"
HUBNESS = "protocol: hubness\nplugins: [wrong.py]\nsettings: {{n: 50}}\nseeds: 2\nmetrics: robin_hood\nvary: {{dataset: {{cloud: {{dim: 3}}}}, dissimilarity: {dissimilarity}}}\n"

KINDS: dict[str, tuple[str, str, str]] = {
    "loss": (
        "Tempered",
        VALUES.format(m="__call__")
        + IN_PLACE.format(m="__call__")
        + '("__call__", lambda v: v.long()), ("__call__", lambda v: v > 0), ("__call__", lambda v: v[:, None] - v), ("__call__", lambda v: v.detach().numpy()),'
        + '("__call__", lambda v: v.view(-1, 1).expand(-1, 2)), ("__call__", lambda v: {"loss": v}), ("__call__", lambda v: 1 / 0),',
        ACCURACY,
    ),
    "transform": (
        "ScaledSoftmax",
        SHAPES.format(m="__call__")
        + IN_PLACE.format(m="__call__")
        + '("__call__", lambda v: 2 * v), ("__call__", lambda v: v - 0.1), ("__call__", lambda v: v[..., :-1]), ("__call__", lambda v: v.long()), ("__call__", lambda v: v.mT), ("__call__", lambda v: 1 / 0),',
        ACCURACY,
    ),
    "metric": (
        "AmongFirst",
        '("__call__", lambda v: "text"), ("__call__", lambda v: (v, v)), ("__call__", lambda v: v[1:]), ("__call__", lambda v: torch.cat([v, v])), ("__call__", lambda v: v[:0]), '
        '("__call__", lambda v: v[:, None].expand(-1, 3)), ("__call__", lambda v: v.to(torch.complex64)), ("__call__", lambda v: {"value": v}), ("__call__", lambda v: 1 / 0),'
        + IN_PLACE.format(m="__call__"),
        ACCURACY,
    ),
    "model": (
        "OneHiddenLayer",
        '("build", lambda v: None), ("build", lambda v: "net"), ("build", lambda v: nn.LazyLinear(7)), ("build", lambda v: nn.LazyLinear(1)), ("build", lambda v: (v, v)), '
        '("build", lambda v: nn.Sequential(v, nn.Flatten(0))), ("build", lambda v: nn.Sequential(v, nn.Unflatten(1, (1, -1)))), ("build", lambda v: v.forward), ("build", lambda v: 1 / 0), ("build", lambda v: type(v)),',
        ACCURACY,
    ),
    "dataset": (
        "Moons",
        '("load", lambda v: None), ("load", lambda v: (v.inputs, v.targets)), '
        + "".join(
            f'("load", lambda v: dataclasses.replace(v, {change})), '
            for change in (
                "inputs=v.inputs.double()",
                "inputs=v.inputs * float('nan')",
                "inputs=v.inputs[1:]",
                "inputs=v.inputs[:, 0]",
                "inputs=v.inputs.numpy()",
                "targets=v.targets.float()",
                "targets=v.targets + 5",
                "targets=v.targets - 1",
                "targets=v.targets[:-1]",
                "targets=v.targets[:, None]",
                "targets=None",
                "classes=1",
                "classes=0",
                "task='regression'",
                "label_noise=2.0",
                "imbalance=0.5",
            )
        )
        + '("load", lambda v: 1 / 0),',
        ACCURACY,
    ),
    "trainer": (
        "GradientDescent",
        '("fit", lambda v: None), ("fit", lambda v: v.test), ("fit", lambda v: (v, v)), '
        + "".join(
            f'("fit", lambda v: dataclasses.replace(v, {change})), '
            for change in (
                "test=v.test[1:]",
                "test=v.test[:, 1:]",
                "test=v.test[..., 1:]",
                "test=v.test[0]",
                "test=v.test.argmax(-1)",
                "test=v.test.numpy()",
                "test=v.test.mT",
                "validation=v.validation[:, 1:]",
            )
        )
        + '("fit", lambda v: 1 / 0),',
        ACCURACY,
    ),
    "denoiser": (
        "Normal",
        SHAPES.format(m="predict") + '("predict", lambda v: v.numpy()), ("predict", lambda v: 1 / 0),',
        GENERATION,
    ),
    "sampler": (
        "PlainDDIM",
        SHAPES.format(m="sample")
        + '("sample", lambda v: v / 0), ("sample", lambda v: v.numpy()), ("sample", lambda v: 1 / 0),',
        GENERATION,
    ),
    "variance": (
        "MeanSquaredError",
        '("fit", lambda v: None), ("fit", lambda v: [v]), ("fit", lambda v: {"error": 1.0}), ("fit", lambda v: v["error"]), ("fit", lambda v: {"error": v["error"] * float("nan")}), ("fit", lambda v: 1 / 0), '
        '("posterior_variance", lambda v: None), ("posterior_variance", lambda v: "text"), ("posterior_variance", lambda v: v * float("nan")), ("posterior_variance", lambda v: v.expand(3, 3)), '
        '("posterior_variance", lambda v: (v, v)), ("posterior_variance", lambda v: v - 9), ("posterior_variance", lambda v: 1 / 0),',
        GENERATION,
    ),
    "spacing": (
        "Geometric",
        "".join(
            line
            for line in SHAPES.format(m="times").splitlines(True)
            if not any(fine in line for fine in ("flatten", "tolist", "v[1:]"))
        )
        + '("times", lambda v: v.flip(0)), ("times", lambda v: v + 1), ("times", lambda v: -v), ("times", lambda v: 2 * v), ("times", lambda v: torch.ones_like(v)), ("times", lambda v: v[:-1]),',
        GENERATION,
    ),
    "schedule": (
        "Rational",
        VALUES.format(m="alpha_bar")
        .replace('("alpha_bar", lambda v: v[1:]),', "")
        .replace('("alpha_bar", lambda v: v[:0]),', "")
        .replace('("alpha_bar", lambda v: torch.cat([v, v])),', "")
        + '("alpha_bar", lambda v: v + 1), ("alpha_bar", lambda v: -v), ("alpha_bar", lambda v: v * 0),',
        GENERATION,
    ),
    "prior": (
        "Scaled",
        SHAPES.format(m="draw").replace('("draw", lambda v: v.tolist()),', "")
        + '("draw", lambda v: v / 0), ("draw", lambda v: 1 / 0),',
        GENERATION,
    ),
    "feature": (
        "Standardized",
        VALUES.format(m="__call__")
        + '("__call__", lambda v: v.sum()), ("__call__", lambda v: v / 0), ("prepare", lambda v: None), ("prepare", lambda v: list(v)), ("prepare", lambda v: {"mean": 0.0, "std": 1.0}),',
        GENERATION,
    ),
    "dissimilarity": (
        "Saturating",
        SHAPES.format(m="__call__") + '("__call__", lambda v: v[:, 1:]), ("__call__", lambda v: 1 / 0),',
        HUBNESS,
    ),
}
"""Kind -> the good class, the mutants as source, the suite."""

DEFAULTS = {
    "dataset": "iris",
    "model": "mlp",
    "loss": "cross_entropy",
    "trainer": "auto",
    "metrics": "nll",
    "denoiser": "{gaussian: {dim: 2}}",
    "sampler": "ddpm",
    "variance": "beta_tilde",
    "spacing": "even",
    "prior": "normal",
    "feature": "pixels",
    "dissimilarity": "euclidean",
}
ASK = {
    "transform": ("loss", "{{nll: {{transform: {name}}}}}"),
    "schedule": ("denoiser", "{{gaussian: {{dim: 2, schedule: {name}}}}}"),
}
"""Kinds that others hold: the axis, and how the component stands there."""


def snake(name: str) -> str:
    return "".join(
        f"_{c.lower()}" if c.isupper() and k and not name[k - 1].isupper() else c.lower() for k, c in enumerate(name)
    ).replace("plain_d_d_i_m", "plain_ddim")


@pytest.fixture(scope="module")
def folder(shared: Callable[[str], Bench]) -> Bench:
    return shared("fuzz")


@pytest.mark.verify
@pytest.mark.parametrize("kind", KINDS)
def test_no_mutant_is_ranked_and_each_is_named(kind: str, folder: Bench) -> None:
    good, mutants, suite = KINDS[kind]
    folder.write("wrong.py", HEAD.format(module=kind, good=good, mutants=f"[{mutants}]"))
    count = len(eval(f"[{mutants}]", {"torch": None, "nn": None}))
    names = [snake(good), *(f"mutant{k}" for k in range(count))]
    if kind == "metric":
        statuses = [(name, _run(folder, suite.format(**DEFAULTS | {"metrics": name}))[0]) for name in names]
    else:
        axis, form = ASK.get(kind, (kind, "{name}"))
        points = "[" + ", ".join(form.format(name=name) for name in names) + "]"
        statuses = list(zip(names, _run(folder, suite.format(**DEFAULTS | {axis: points})), strict=True))
    (_, right), *wrong = statuses
    assert right["status"] == "ok", right["reason"]
    assert count >= 9
    ranked = [name for name, cell in wrong if cell["status"] == "ok"]
    assert not ranked, [(name, mutants.split("lambda v: ")[int(name[6:]) + 1][:60]) for name in ranked]
    nameless = [(name, cell["reason"]) for name, cell in wrong if "wrong.py:" not in cell["reason"]]
    assert not nameless


def _run(folder: Bench, text: str) -> list[Any]:
    folder.write("s.yaml", text)
    ended = folder("s.yaml", "--json", "-", timeout=300)
    assert ended.code in (0, 3, 4), ended.err
    return list(ended.json["cells"])
