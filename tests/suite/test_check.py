"""Checking: what suites mean, and every mistake in one pass with its place and near miss."""

from __future__ import annotations

import itertools
import re
import time
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from harness import suite
from harness.base import label
from harness.errors import BenchError, Mistakes

Load = Callable[..., suite.Suite]
Wrong = Callable[..., list[str]]

HEAD = "protocol: accuracy\nmetrics: [accuracy, nll]\n"
PLAIN = HEAD + "vary: {dataset: digits, loss: [hinge, nll]}\n"


def losses(load: Load, text: str) -> list[suite.Point]:
    return load(f"{HEAD}vary:\n  dataset: digits\n  loss: {text}\n").axes["loss"]


def wrong(mistakes: Wrong, text: str) -> list[str]:
    """The mistakes of a loss under vary, without their places."""
    found = mistakes(f"{HEAD}vary:\n  dataset: digits\n  loss: {text}\n")
    return [re.sub(r"^\d+:\d+: ", "", line) for line in found]


def test_the_suite_of_the_design(load: Load) -> None:
    found = load("""
suite: losses-on-digits
question: >
  Does any loss
  beat cross-entropy?
protocol: accuracy
vary:
  dataset: [{digits: {label-noise: [0, 0.1]}}]
  loss: [cross-entropy, hinge, {exact: {temperature: {geometric: [10, 0.01]}}}, {nll: {transform: [softmax, gaussian]}}]
settings: {epochs: 30}
tune: {trials: 4, lr: [0.03, 0.1, 0.3, 1.0]}
seeds: 32
metrics: [accuracy, nll, ece]
baseline: cross_entropy
""")
    assert (found.name, found.question) == ("losses-on-digits", "Does any loss beat cross-entropy?")
    assert found.labels() == {
        "dataset": ["digits", "digits(label_noise=0.1)"],
        "loss": [
            "cross_entropy",
            "hinge",
            "exact(temperature=geometric(10.0, 0.01))",
            "nll",
            "nll(transform=gaussian)",
        ],
    }
    assert found.axes["model"] == [suite.Point("mlp", {"name": "mlp"})]
    assert found.settings == {"epochs": 30, "optimizer": "adam", "lr": 0.01, "amp": False}
    assert found.tune == suite.Tune(4, None, 8, [0.03, 0.1, 0.3, 1.0], {})
    assert found.seeds == suite.Seeds(tuple(range(32)), "seed")
    assert list(found.metrics.values()) == [{"name": "accuracy"}, {"name": "nll"}, {"name": "ece"}]
    assert (found.baseline, found.group_by, found.margin, found.interval) == ("cross_entropy", None, None, "both")
    assert (found.contenders, found.trainer, found.device, found.plugins) == (("loss",), None, "auto", [])


def test_cells_are_the_grid_with_problems_outermost(load: Load) -> None:
    found = load("""
protocol: accuracy
metrics: accuracy
vary:
  loss: [hinge, {focal: {gamma: 1}, as: Ours}]
  model: [mlp, linear]
  dataset: digits
settings: {lr: [0.1, 1], amp: [false, true], epochs: [5]}
""")
    cells = found.cells()
    models, rates, amps, contenders = ["mlp", "linear"], [0.1, 1.0], [False, True], ["hinge", "Ours"]
    expected = list(itertools.product(models, rates, amps, contenders))
    assert [(c.vary["model"], c.vary["lr"], c.vary["amp"], c.vary["loss"]) for c in cells] == expected
    assert found.size() == len(cells)
    assert list(cells[0].vary) == ["loss", "model", "dataset", "lr", "amp"] == list(found.varies)
    assert cells[-1].parts == {
        "loss": {"name": "focal", "gamma": 1.0}, "model": {"name": "linear"}, "dataset": {"name": "digits"},
    }  # fmt: skip
    assert cells[-1].settings == {"epochs": 5, "optimizer": "adam", "lr": 1.0, "amp": True}
    assert list(cells[-1].settings) == ["epochs", "optimizer", "lr", "amp"]
    assert found.settings == {"epochs": 5, "optimizer": "adam"}
    assert type(cells[0].vary["lr"]) is float and type(cells[0].vary["amp"]) is bool


def test_what_is_not_written_does_not_vary(load: Load) -> None:
    found = load(HEAD + "vary: {dataset: [digits], loss: hinge}\n")
    assert found.varies == ("dataset", "loss")
    assert [(c.vary, sorted(c.parts)) for c in found.cells()] == [
        ({"dataset": "digits", "loss": "hinge"}, ["dataset", "loss", "model"])
    ]


def test_defaults_of_the_file(load: Load) -> None:
    found = load("protocol: speed\nvary: {loss: hinge}\nsettings: {n: 3}\nquestion:\ntune:\nseeds: ~\n")
    assert (found.name, found.question, found.tune) == ("question", "", None)
    assert list(found.metrics.values()) == [{"name": "accuracy"}]
    assert len(found.seeds.seeds) == 32


@pytest.mark.parametrize(
    ("written", "specs"),
    [
        ("hinge", [{"name": "hinge"}]),
        ("[cross-entropy]", [{"name": "cross_entropy"}]),
        ("loss:hinge", [{"name": "hinge"}]),
        ("{loss:focal: {gamma: 3}}", [{"name": "focal", "gamma": 3.0}]),
        ("{hinge: }", [{"name": "hinge"}]),
        ("{hinge: {}}", [{"name": "hinge"}]),
        ("{sweep: [hinge, focal]}", [{"name": "hinge"}, {"name": "focal"}]),
        ("{focal: {gamma: 2}}", [{"name": "focal"}]),
        ("{focal: {gamma: [2, 1e-3]}}", [{"name": "focal"}, {"name": "focal", "gamma": 0.001}]),
        ("{focal: {gamma: {sweep: [1, 3]}}}", [{"name": "focal", "gamma": 1.0}, {"name": "focal", "gamma": 3.0}]),
        ("{focal: {gamma: {learn: 1}}}", [{"name": "focal", "gamma": {"learn": 1.0}}]),
        ("{focal: {gamma: {linear: [0, 5]}}}", [{"name": "focal", "gamma": {"linear": [0.0, 5.0]}}]),
        ("{exact: {draws: 8.0, temperature: 1}}", [{"name": "exact", "temperature": 1.0}]),
        ("{exact: {margin: 2, temperature: 1}}", [{"name": "exact", "temperature": 1.0, "margin": 2.0}]),
        ("{nll: {scale: 1.0}}", [{"name": "nll"}]),
        ("{nll: {transform: softmax}}", [{"name": "nll"}]),
        ("{nll: {transform: {gaussian: {scale: 1}}}}", [{"name": "nll", "transform": {"name": "gaussian"}}]),
        (
            "{nll: {transform: {gaussian: {scale: {learn: 2}}}}}",
            [{"name": "nll", "transform": {"name": "gaussian", "scale": {"learn": 2.0}}}],
        ),
        ("{scaled: {loss: hinge, temperature: null}}", [{"name": "scaled", "loss": {"name": "hinge"}}]),
        (
            "{scaled: {loss: {focal: {gamma: 1}}, temperature: {learn: 3}}}",
            [{"name": "scaled", "loss": {"name": "focal", "gamma": 1.0}, "temperature": {"learn": 3.0}}],
        ),
        (
            "{mixed: {parts: [hinge, {focal: {gamma: [1, 3]}}]}}",
            [
                {"name": "mixed", "parts": [{"name": "hinge"}, {"name": "focal", "gamma": 1.0}]},
                {"name": "mixed", "parts": [{"name": "hinge"}, {"name": "focal", "gamma": 3.0}]},
            ],
        ),
        ("{mixed: {parts: []}}", [{"name": "mixed"}]),
        ("{mixed: {parts: {sweep: [[hinge], []]}}}", [{"name": "mixed", "parts": [{"name": "hinge"}]}, {"name": "mixed"}]),
        ("{nll: {transform: {spherical: {extra: [1, no]}}}}",
         [{"name": "nll", "transform": {"name": "spherical", "extra": [1, "no"]}}]),
        ("pkg.losses:mine", [{"name": "pkg.losses:mine"}]),
        ("{'pkg.losses:mine': {any: [1, 2]}}", [{"name": "pkg.losses:mine", "any": [1, 2]}]),
        ("{'pkg.losses:mine': {any: {sweep: [1, 2]}}}",
         [{"name": "pkg.losses:mine", "any": 1}, {"name": "pkg.losses:mine", "any": 2}]),
    ],
)  # fmt: skip
def test_components(load: Load, written: str, specs: list[dict[str, Any]]) -> None:
    found = losses(load, written)
    assert [repr(point.value) for point in found] == [repr(spec) for spec in specs]
    assert [point.label for point in found] == [label(spec) for spec in specs]


def test_axes_inside_a_component_are_a_product_in_the_order_written(load: Load) -> None:
    found = losses(load, "{exact: {margin: [1, 2], temperature: [3, 4]}}")
    assert [(p.value["margin"], p.value["temperature"]) for p in found] == [(1, 3), (1, 4), (2, 3), (2, 4)]
    assert list(found[0].value) == ["name", "temperature", "margin"]  # as declared, whatever the order written
    inner = losses(load, "{nll: {scale: [2, 3], transform: [softmax, {gaussian: {scale: [1, 2]}}]}}")
    assert [p.label for p in inner] == [
        f"nll({t}scale={s}.0)"
        for s in (2, 3)
        for t in ("", "transform=gaussian, ", "transform=gaussian(scale=2.0), ")
    ]  # fmt: skip


def test_as_is_the_label_and_several_points_add_what_varies(load: Load) -> None:
    assert [p.label for p in losses(load, "[{hinge: , as: Old}, {as: New, focal: {gamma: 1}}]")] == ["Old", "New"]
    found = losses(load, "{nll: {scale: 3, transform: [softmax, {gaussian: {scale: [1, 2]}}]}, as: Ours}")
    assert [p.label for p in found] == [
        "Ours(transform=softmax)", "Ours(transform=gaussian)", "Ours(transform=gaussian(scale=2.0))",
    ]  # fmt: skip
    assert [p.label for p in losses(load, "{focal: {gamma: [2, 1]}, as: Ours}")] == [
        "Ours(gamma=2.0)",
        "Ours(gamma=1.0)",
    ]


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("focl", "unknown loss 'focl', did you mean focal?"),
        ("Hinge", "unknown loss 'Hinge', did you mean hinge?"),
        ("softmax", "unknown loss 'softmax' (there is a transform of that name)"),
        ("transform:softmax", "'transform:softmax' is a transform, here stands a loss"),
        ("loss:focl", "unknown loss 'focl', did you mean focal?"),
        ("not.there:thing", "unknown loss 'not.there:thing': nothing was found at this import path"),
        ("5", "expected the name of a loss, got 5"),
        ("''", "expected the name of a loss, got ''"),
        ("[]", "an empty list: loss needs at least one point"),
        ("[[hinge]]", "expected the name of a loss, got a list"),
        ("[hinge, ]\n  model:", "expected the name of a model, got nothing"),
        ("{}", "expected the name of a loss, got an empty mapping"),
        ("{as: Ours}", "expected the name of a loss, got an empty mapping"),
        ("{hinge: {}, focal: {}}", "'focal' stands beside 'hinge': fields of hinge are indented below it"),
        ("{focal: 3}", "the fields of focal are a mapping, {field: value}, got 3"),
        ("{focal: [gamma]}", "the fields of focal are a mapping, {field: value}, got a list"),
        ("{focal: {gama: 1}}", "focal has no field 'gama', did you mean gamma?"),
        ("{cross_entropy: {gama: 1}}", "cross_entropy has no field 'gama': it has no fields"),
        ("{focal: {gamma: high}}", "focal.gamma: expected a number, got 'high'"),
        ("{focal: {gamma: true}}", "focal.gamma: expected a number, got true"),
        ("{focal: {gamma: }}", "focal.gamma: expected a number, got nothing"),
        ("{focal: {gamma: .nan}}", "focal.gamma: expected a number, got .nan"),
        ("{focal: {gamma: [[1, 2]]}}", "focal.gamma: expected a number, got a list"),
        ("{focal: {gamma: []}}", "focal.gamma: an empty list, an axis needs at least one value"),
        ("{focal: {gamma: [1, 1.0]}}", "focal.gamma: the same value twice"),
        ("{focal: {gamma: {sweep: 3}}}", "focal.gamma: sweep takes a list, got 3"),
        ("{focal: {gamma: {lern: 3}}}", "focal.gamma: expected a number, got a mapping"),
        ("exact", "exact needs the field temperature: a number above 0"),
        ("{exact: {temperature: 0}}", "exact.temperature: expected a number above 0, got 0"),
        ("{exact: {temperature: 1, draws: 2.5}}", "exact.draws: expected a whole number at least 1, got 2.5"),
        ("{exact: {temperature: 1, draws: {learn: 3}}}", "exact.draws: expected a whole number at least 1, got a mapping"),
        ("{exact: {temperature: {learn: -1}}}", "exact.temperature: learn: expected a number above 0, got -1"),
        ("{exact: {temperature: {learn: [1, 2]}}}", "exact.temperature: learn: expected a number above 0, got a list"),
        ("{exact: {temperature: {learn: .inf}}}", "exact.temperature: a learned or scheduled number must be finite"),
        ("{exact: {temperature: {linear: [1, 0]}}}", "exact.temperature: linear: expected a number above 0, got 0"),
        ("{exact: {temperature: {linear: 3}}}", "exact.temperature: linear takes two numbers"),
        ("{focal: {gamma: {geometric: [1]}}}", "focal.gamma: geometric takes two numbers"),
        ("{focal: {gamma: {geometric: [1, -1]}}}", "focal.gamma: geometric needs two numbers of one sign"),
        ("{focal: {gamma: {geometric: [0, 1]}}}", "focal.gamma: geometric needs two numbers of one sign"),
        ("{focal: {gamma: {geometric: [a, 1]}}}", "focal.gamma: geometric: expected a number, got 'a'"),
        ("{hinge: {form: crammer-singr}}",
         "hinge.form: expected one of crammer_singer, weston_watkins, got 'crammer-singr', did you mean crammer_singer?"),
        ("{nll: {transform: sofmax}}", "unknown transform 'sofmax', did you mean softmax?"),
        ("{nll: {transform: hinge}}", "unknown transform 'hinge' (there is a loss of that name)"),
        ("{nll: {transform: {gaussian: {scal: 1}}}}", "gaussian has no field 'scal', did you mean scale?"),
        ("{nll: {transform: {gaussian: {scale: -1}}}}", "gaussian.scale: expected a number above 0, got -1"),
        ("{nll: {transform: {gaussian: {}, as: G}}}", "'as' stands beside 'gaussian'"),
        ("{nll: {transform: 3}}", "nll.transform: expected a transform, got 3"),
        ("{nll: {transform: [softmax, {softmax: {}}]}}", "nll.transform: the same value twice"),
        ("{mixed: {parts: [hinge, focl]}}", "unknown loss 'focl', did you mean focal?"),
        ("[&a {focal: {gamma: 1}}, *a]", "focal(gamma=1.0) is here twice, first on line 5"),
        ("[hinge, loss:hinge]", "hinge is here twice, first on line 5"),
        ("[{focal: {gamma: [1, 2]}}, focal]", "focal is here twice, first on line 5"),
        ("[hinge, {focal: {}, as: hinge}]", "two points have the label 'hinge', first on line 5"),
        ("[{hinge: , as: ''}]", "as: expected a short printable text, got ''"),
        ('[{hinge: , as: "\\e[31m"}]', "as: expected a short printable text, got '\\x1b[31m'"),
        ("[{hinge: , as: 3}]", "as: expected a short printable text, got 3"),
    ],
)  # fmt: skip
def test_mistakes_in_components(mistakes: Wrong, written: str, expected: str) -> None:
    found = wrong(mistakes, written)
    assert len(found) == 1
    assert found[0].startswith(expected)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (PLAIN + "seds: 3\n", "4:1: unknown key 'seds', did you mean seeds?"),
        (PLAIN + "data: {}\n", "4:1: the key data is not supported by this version"),
        (PLAIN + "reference: {stats: a.npz}\n", "4:1: reference: accuracy compares nothing with a reference"),
        ("vary: {}\n", "1:1: the key protocol is missing (choose from accuracy, speed, training)"),
        ("protcol: accuracy\n", "1:1: unknown key 'protcol', did you mean protocol?"),
        ("protocol: accuracy\nmetrics: nll\n", "1:1: the key vary is missing"),
        ("protocol: acuracy\nvary: {loss: hinge}\n", "1:11: unknown protocol 'acuracy', did you mean accuracy?"),
        ("protocol: {accuracy: {}}\nvary: {loss: hinge}\n", "1:11: protocol: expected a name, got a mapping"),
        ("protocol: accuracy\nvary: {dataset: digits, loss: hinge}\n", "1:1: the key metrics is missing (choose from"),
        (HEAD + "vary: {loss: hinge}\n", "3:1: accuracy needs a dataset under vary (choose from csv, digits)"),
        (HEAD + "vary: {dataset: digits, los: hinge}\n", "3:25: accuracy has no axis 'los', did you mean loss?"),
        (HEAD + "vary: {dataset: digits, loss: hinge, lr: [1]}\n", "3:38: accuracy has no axis 'lr' of components: a setting"),
        (HEAD + "vary: [hinge]\n", "3:7: vary: expected a mapping, kind: contenders, got a list"),
        (PLAIN + "settings: {epoch: 3}\n", "4:12: accuracy has no setting 'epoch', did you mean epochs?"),
        (PLAIN + "settings: {loss: hinge}\n", "4:12: settings: loss is a kind of component, write it under vary"),
        (PLAIN + "settings: {lr: [1, 0]}\n", "4:20: lr: expected a number above 0, got 0"),
        (PLAIN + "settings: {lr: {learn: 1}}\n", "4:16: lr: only the fields of losses and transforms can be learned"),
        (PLAIN + "settings: {amp: no}\n", "4:17: amp: expected true or false, got 'no'"),
        (PLAIN + "settings: fast\n", "4:11: settings: expected a mapping, got 'fast'"),
        ("protocol: speed\nvary: {loss: hinge}\nsettings: {}\n", "3:1: speed needs the setting n"),
        ("protocol: speed\nvary: {loss: hinge}\nsettings: {n: 1}\ntrainer: stacked\n", "4:10: speed uses no trainer"),
        (HEAD + "metrics: nll\nvary: {dataset: digits, loss: hinge}\n", "3:1: the key 'metrics' is written twice"),
        (PLAIN.replace("[accuracy, nll]", "[acuracy, nll]"), "2:11: unknown metric 'acuracy', did you mean accuracy?"),
        (PLAIN.replace("[accuracy, nll]", "[]"), "2:10: metrics: an empty list"),
        (PLAIN.replace("[accuracy, nll]", "[nll, metric:nll]"), "2:16: metrics: nll is here twice"),
        (PLAIN.replace("[accuracy, nll]", "fid"), "2:10: fid needs samples: accuracy offers logits, probabilities, target"),
        (
            PLAIN.replace("[accuracy, nll]", "misspelled"),
            "2:10: misspelled takes the argument 'tarket' (mine.py:7), which no protocol offers, did you mean target?",
        ),
        (PLAIN + "seeds: 0\n", "4:8: seeds: expected a whole number at least 1 and at most 100000, got 0"),
        (PLAIN + "seeds: -3\n", "4:8: seeds: expected a whole number"),
        (PLAIN + "seeds: 100001\n", "4:8: seeds: expected a whole number"),
        (PLAIN + "seeds: 2.5\n", "4:8: seeds: expected a whole number"),
        (PLAIN + "seeds: true\n", "4:8: seeds: expected a whole number"),
        (PLAIN + "seeds: []\n", "4:8: seeds: an empty list"),
        (PLAIN + "seeds: [0, 1, 0]\n", "4:15: seeds: 0 is here twice"),
        (PLAIN + "seeds: [0, -1]\n", "4:12: seeds: expected a whole number at least 0"),
        (PLAIN + "seeds: {n: 3, splt: fixed}\n", "4:15: seeds has no key 'splt', did you mean split?"),
        (PLAIN + "seeds: {n: 3, split: fix}\n", "4:22: seeds.split: expected one of seed, fixed, got 'fix', did you mean fixed?"),
        (PLAIN + "seeds: {split: fixed}\n", "4:8: seeds: n is missing"),
        (PLAIN + "interval: seed\n", "4:11: interval: expected one of both, seeds, examples, got 'seed', did you mean seeds?"),
        (PLAIN + "device: gpu\n", "4:9: device: expected one of auto, cpu, cuda, got 'gpu'"),
        (PLAIN + "suite: a/b\n", "4:8: suite: expected a short name without"),
        (PLAIN + "suite: 5\n", "4:8: suite: expected printable text, got 5"),
        (PLAIN + "question: [a]\n", "4:12: question: expected a mapping, {ask: ..., metric: ..., axis: ...}, got 'a'"),
        (PLAIN + "plugins: [5]\n", "4:11: plugins: expected a file or a module, got 5"),
        (PLAIN + "plugins: my.py\n", "4:10: plugins: no file 'my.py' beside the suite"),
        (PLAIN + "plugins: [a.b, a.b]\n", "4:16: plugins: 'a.b' is here twice"),
        (PLAIN + "group_by: [datset]\n", "4:12: group_by: no axis 'datset', did you mean dataset?"),
        (PLAIN + "group_by: [loss, loss]\n", "4:18: group_by: loss is here twice"),
        (PLAIN + "group_by: []\n", "4:11: group_by: an empty list"),
        (PLAIN + "group_by: 3\n", "4:11: group_by: expected the name of an axis, got 3"),
        (PLAIN + "margin: 0\n", "4:9: margin: expected a number above 0, got 0"),
        (PLAIN + "margin: .inf\n", "4:9: margin: must be finite"),
        (PLAIN + "margin: {acuracy: 1}\n", "4:10: margin: 'acuracy' is not measured here, did you mean accuracy?"),
        (PLAIN + "margin: {nll: small}\n", "4:15: margin.nll: expected a number above 0, got 'small'"),
        (PLAIN + "baseline: hing\n", "4:11: baseline: no contender 'hing' in this suite, did you mean hinge?"),
        (PLAIN + "baseline: focal\n", "4:11: baseline: no contender 'focal' in this suite (choose from hinge, nll)"),
        (PLAIN + "baseline: [hinge]\n", "4:11: baseline: expected the name of a contender or a mapping axis: name, got a list"),
        (PLAIN + "baseline: {}\n", "4:11: baseline: an empty mapping"),
        (PLAIN + "baseline: {los: hinge}\n", "4:12: baseline: 'los' is no axis that competes here, did you mean loss?"),
        (PLAIN + "baseline: {dataset: digits}\n", "4:12: baseline: 'dataset' is no axis that competes here"),
        (PLAIN + "baseline: {loss: hing}\n", "4:18: baseline.loss: no point 'hing', did you mean hinge?"),
        (PLAIN + "baseline: {loss: [hinge]}\n", "4:18: baseline.loss: expected a name, got a list"),
        (PLAIN + "trainer: stackd\n", "4:10: unknown trainer 'stackd', did you mean stacked?"),
        (PLAIN + "trainer: command\n", "4:10: command needs the field run: text"),
        (PLAIN + "trainer: [stacked, command]\n", "4:10: trainer: one trainer stands here"),
        (PLAIN + "tune: 3\n", "4:7: tune: expected a mapping, got 3"),
        (PLAIN + "tune: {}\n", "4:7: tune: nothing to try"),
        (PLAIN + "tune: {trials: 3}\n", "4:7: tune: nothing to try"),
        (PLAIN + "tune: {lr: []}\n", "4:12: tune.lr: an empty list"),
        (PLAIN + "tune: {lr: [1, 1]}\n", "4:16: tune.lr: 1.0 is here twice"),
        (PLAIN + "tune: {lr: [1, -1]}\n", "4:16: tune.lr: expected a number above 0, got -1"),
        (PLAIN + "tune: {lr: 1, trails: 3}\n", "4:15: tune has no key 'trails', did you mean trials?"),
        (PLAIN + "tune: {lr: 1, trials: 0}\n", "4:23: tune.trials: expected a whole number"),
        (PLAIN + "tune: {lr: 1, metric: ece}\n", "4:23: tune.metric: 'ece' is not measured here (choose from accuracy, nll)"),
        (PLAIN + "tune: {hing.form: [crammer_singer]}\n", "4:8: tune: no contender 'hing' in this suite, did you mean hinge?"),
        (PLAIN + "tune: {hinge.from: [crammer_singer]}\n", "4:8: tune: hinge has no field 'from', did you mean form?"),
        (PLAIN + "tune: {hinge.form: [crammer]}\n", "4:21: tune.hinge.form: expected one of"),
        (PLAIN + "tune: {nll.scale: [1, 0]}\n", "4:23: tune.nll.scale: expected a number above 0, got 0"),
        (PLAIN + "tune: {nll.scale: []}\n", "4:19: tune.nll.scale: an empty list"),
        (PLAIN + "tune: {nll.scale: [1, 1]}\n", "4:23: tune.nll.scale: the same value twice"),
        (PLAIN + "tune: {lr: 1}\nsettings: {lr: 2}\n", "5:16: lr: tune chooses it"),
        ("protocol: speed\nvary: {loss: hinge}\nsettings: {n: 1}\ntune: {lr: 1}\n", "4:12: tune: speed has no setting lr"),
    ],
)  # fmt: skip
def test_mistakes_elsewhere(mistakes: Wrong, text: str, expected: str) -> None:
    assert any(line.startswith(expected) for line in mistakes(text)), mistakes(text)


def test_all_mistakes_come_at_once_in_order_with_line_and_caret(load: Load, tmp_path: Path) -> None:
    text = """
sute: x
protocol: accuracy
vary:
  dataset: {digits: {label_noise: 2}}
  loss: [hinge, {focal: {gama: 1}}, "é", nl]
settings: {epochs: 0, epochs: 1}
seeds: none
metrics: [accuracy]
baseline: hinges
"""
    with pytest.raises(Mistakes) as caught:
        load(text)
    entries = [entry.split("\n") for entry in caught.value.lines]
    file = tmp_path / "question.yaml"
    spots = [(2, 1), (5, 35), (6, 26), (6, 37), (6, 42), (7, 20), (7, 23), (8, 8), (10, 11)]
    assert [entry[0].split(": ")[0] for entry in entries] == [f"{file}:{line}:{column}" for line, column in spots]
    for (what, line, caret), (row, column) in zip(entries, spots, strict=True):
        assert what
        assert line == "    " + text.split("\n")[row - 1]
        assert caret == " " * (4 + column - 1) + "^"
    assert str(caught.value) == "\n".join(caught.value.lines)


def test_a_mistake_is_not_reported_again_where_its_name_is_used(mistakes: Wrong) -> None:
    text = HEAD + "vary: {dataset: digits, loss: [{focal: {gama: 1}, as: Ours}, hing, {exact: {}}, nll]}\n"
    for rest in (
        "baseline: hinge",
        "baseline: Ours",
        "baseline: exact",
        "tune: {focal.gamma: [1]}",
        "baseline: {loss: Ours}",
    ):
        assert len(mistakes(text + rest + "\n")) == 3, rest
    assert len(mistakes(text + "baseline: other\n")) == 4


def test_long_lines_and_wide_letters_keep_the_caret_in_place(load: Load) -> None:
    padding = ", ".join(f"{{focal: {{gamma: {i + 3}}}}}" for i in range(60))
    with pytest.raises(Mistakes) as caught:
        load(f"{HEAD}vary:\n  dataset: digits\n  loss: [{padding}, hing, nll]\n")
    _, line, caret = caught.value.lines[0].split("\n")
    assert len(line) < 130
    assert line[caret.index("^") :].startswith("hing, nll")
    with pytest.raises(Mistakes) as caught:
        load(PLAIN + "settings: {日本: 1, é: 2}\n")
    assert [entry.split("\n")[2].index("^") - 4 for entry in caught.value.lines] == [11, 20]  # 日 and 本 are two wide


def test_paths_must_exist_beside_the_suite_and_stay_as_written(load: Load, mistakes: Wrong, tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "a.csv").write_text("x\n")
    text = HEAD + "vary:\n  loss: hinge\n  dataset: {csv: {file: %s}}\n"
    found = load(text % "data/a.csv")
    assert found.axes["dataset"][0].value == {"name": "csv", "file": "data/a.csv"}
    assert mistakes(text % "data/b.csv") == ["5:25: no file 'data/b.csv' beside the suite, did you mean a.csv?"]
    assert mistakes(text % "gone/b.csv") == ["5:25: no file 'gone/b.csv' beside the suite"]
    assert mistakes(text % '"a\\0b"')[0].startswith("5:25: no file")
    assert mistakes(text % "[data/a.csv, b.csv]") == ["5:38: no file 'b.csv' beside the suite"]


def test_lists_of_a_field_are_values(load: Load, mistakes: Wrong) -> None:
    text = HEAD + "vary: {loss: hinge, dataset: digits, model: {mlp: {hidden: %s}}}\n"
    assert [p.label for p in load(text % "[8, 8]").axes["model"]] == ["mlp(hidden=[8, 8])"]
    assert [p.value for p in load(text % "{sweep: [[8], [64]]}").axes["model"]] == [
        {"name": "mlp", "hidden": [8]}, {"name": "mlp"},
    ]  # fmt: skip
    assert mistakes(text % "[8, 0]") == ["3:64: mlp.hidden: expected a whole number at least 1, got 0"]
    speed = load("protocol: speed\nvary: {loss: hinge}\nsettings: {n: [3, 4], shape: {sweep: [[1, 2], [1]]}}\n")
    assert speed.labels()["shape"] == ["[1, 2]", "[1]"]
    assert [c.settings["shape"] for c in speed.cells()] == [[1, 2], [1]] * 2


def test_baselines(load: Load, mistakes: Wrong) -> None:
    vary = "vary: {dataset: digits, loss: [hinge, {focal: {gamma: [1, 3]}}, {nll: , as: Old}], trainer: [stacked, {command: {run: x}}]}\n"
    one = HEAD + vary.replace(", trainer: [stacked, {command: {run: x}}]", "")
    assert load(one + "baseline: loss:hinge\n").baseline == "hinge"
    assert load(one + "baseline: nll\n").baseline == "Old"
    assert load(one + "baseline: focal(gamma=3.0)\n").baseline == "focal(gamma=3.0)"
    assert load(one + "baseline: {loss: Old}\n").baseline == {"loss": "Old"}
    assert mistakes(one + "baseline: focal\n") == [
        "4:11: baseline: 'focal' stands for 2 contenders: choose from focal(gamma=1.0), focal(gamma=3.0)"
    ]
    assert "leaves trainer open: write {loss: hinge, trainer: ...}" in mistakes(HEAD + vary + "baseline: hinge\n")[0]
    both = load(HEAD + vary + "baseline: {loss: hinge, trainer: command}\n")
    assert both.baseline == {"loss": "hinge", "trainer": "command(run=x)"}
    assert both.contenders == ("loss", "trainer")
    settings_axis = load(one + "settings: {epochs: [1, 2]}\ngroup_by: [dataset, loss]\nbaseline: {epochs: 2}\n")
    assert (settings_axis.contenders, settings_axis.baseline) == (("epochs",), {"epochs": 2})
    assert (
        "no point '3'" in mistakes(one + "settings: {epochs: [1, 2]}\ngroup_by: [dataset]\nbaseline: {epochs: 3}\n")[0]
    )


def test_tuning(load: Load, mistakes: Wrong) -> None:
    text = HEAD + "vary: {dataset: digits, loss: [{exact: {temperature: 1}, as: E}, nll, {focal: {gamma: [1, 3]}}]}\n"
    found = load(
        text + "tune: {lr: 1, exact.margin: [0, 1], loss:nll.transform: [softmax, gaussian], metric: nll, seeds: 3}\n"
    ).tune
    assert found == suite.Tune(
        1, "nll", 3, [1.0], {"exact.margin": [0.0, 1.0], "nll.transform": [{"name": "softmax"}, {"name": "gaussian"}]}
    )
    assert load(text + "tune: {E.temperature: [1, 2, {learn: 3}]}\n").tune == suite.Tune(
        3, None, 8, [], {"E.temperature": [1.0, 2.0, {"learn": 3.0}]}
    )
    assert load(text).tune is None
    assert "has a value under vary already" in mistakes(text + "tune: {focal.gamma: [1, 2]}\n")[0]
    assert "has a value under vary already" in mistakes(text + "tune: {'focal(gamma=1.0).gamma': [1, 2]}\n")[0]
    trained = load(text + "trainer: {command: {run: a}}\ntune: {command.run: [b, c]}\n")
    assert trained.tune is not None and trained.tune.fields == {"command.run": ["b", "c"]}
    assert trained.cells()[0].parts["trainer"] == {"name": "command", "run": "a"}


def test_seeds_margins_and_trainers(load: Load, mistakes: Wrong) -> None:
    assert load(PLAIN + "seeds: [3, 1]\n").seeds == suite.Seeds((3, 1))
    assert load(PLAIN + "seeds: {n: 2, split: fixed}\n").seeds == suite.Seeds((0, 1), "fixed")
    assert load(PLAIN + "margin: {accuracy: 1, nll: 2}\n").margin == {"accuracy": 1.0, "nll": 2.0}
    assert load(PLAIN + "margin: 0.5\n").margin == 0.5
    assert load(PLAIN + "trainer: auto\n").trainer is None
    assert load(PLAIN + "trainer: stacked\n").trainer == {"name": "stacked"}
    ece = "protocol: accuracy\nmetrics: [{ece: {bins: [10, 15]}}]\nvary: {dataset: digits, loss: hinge}\n"
    assert list(load(ece).metrics.values()) == [{"name": "ece", "bins": 10}, {"name": "ece"}]
    assert load(ece + "margin: {ece: 1}\n").margin == {"ece": 1.0}
    varied = PLAIN.replace("loss:", "trainer: stacked, loss:")
    assert load(varied).varies == ("dataset", "trainer", "loss")
    assert "stands under vary too" in mistakes(varied + "trainer: stacked\n")[0]


def test_a_trainer_that_the_protocol_needs(load: Load) -> None:
    text = "protocol: training\nmetrics: accuracy\n"
    single = text + "vary: {loss: hinge}\n"
    for rest, spec in (("", "auto"), ("trainer: auto\n", "auto"), ("trainer: stacked\n", "stacked")):
        found = load(single + rest)
        assert [cell.parts["trainer"] for cell in found.cells()] == [{"name": spec}]
        assert (found.varies, found.contenders) == (("loss",), ("loss",))
    varied = load(text + "vary: {loss: hinge, trainer: [auto, stacked]}\n")
    assert [cell.vary["trainer"] for cell in varied.cells()] == ["auto", "stacked"]


def test_overrides(load: Load, mistakes: Wrong) -> None:
    text = PLAIN + "seeds: {n: 9, split: fixed}\n"
    found = load(text, {"settings.epochs": "[1, 2]", "seeds": "4", "vary.loss": "[hinge, focal, nll]", "device": "cpu"})
    assert found.labels()["epochs"] == [1, 2]
    assert (found.seeds, found.device) == (suite.Seeds((0, 1, 2, 3), "fixed"), "cpu")
    assert found.labels()["loss"] == ["hinge", "focal", "nll"]
    assert load(text, {"tune.hinge.form": "[weston_watkins]"}).tune == suite.Tune(
        1, None, 8, [], {"hinge.form": ["weston_watkins"]}
    )
    assert load(text, {"seeds": "{n: 2}"}).seeds == suite.Seeds((0, 1), "seed")
    assert load(text + "tune: {lr: 1}\n", {"tune": ""}).tune is None
    for key, value, expected in (
        ("settings.epoch", "3", "--set settings.epoch: accuracy has no setting 'epoch', did you mean epochs?"),
        ("settings.epochs", "0", "--set settings.epochs: epochs: expected a whole number at least 1, got 0"),
        ("nothing", "1", "--set nothing: unknown key 'nothing'"),
    ):
        assert mistakes(text, {key: value})[-1].startswith(expected)
    for key, value, expected in (
        ("vary.loss.0", "hinge", "--set vary.loss.0: vary.loss is a list in the suite: set vary.loss as a whole"),
        ("a..b", "1", "--set a..b: expected KEY.KEY=VALUE, got the key 'a..b'"),
        ("settings", "{a: ", "--set settings: not valid YAML"),
        ("settings", "a\n---\nb", "--set settings: a second document begins here"),
        ("x." * 5000 + "x", "1", "--set x.x"),
    ):
        with pytest.raises(BenchError) as caught:
            load(text, {key: value})
        assert str(caught.value).startswith(expected)


def test_an_override_does_not_reach_what_shares_an_anchor(load: Load) -> None:
    text = HEAD + "vary: {dataset: {digits: &x {label_noise: 0.5}}, loss: hinge, model: linear}\n"
    found = load(
        text.replace("loss: hinge", "loss: {'pkg.losses:mine': *x}"), {"vary.dataset.digits.label_noise": "0.25"}
    )
    assert found.axes["dataset"][0].value["label_noise"] == 0.25
    assert found.axes["loss"][0].value["label_noise"] == 0.5


BIG = ", ".join(str(i) for i in range(1, 200))
HOSTILE = {
    "grid of grids": f"{{exact: {{margin: [{BIG}], temperature: [{BIG}], draws: [{BIG}]}}}}",
    "tower": "{scaled: {temperature: [1, 2, 3, 4], loss: " * 15 + "hinge" + "}}" * 15,
    "many parts": "{mixed: {parts: [" + ", ".join(["{focal: {gamma: [1, 3]}}"] * 40) + "]}}",
    "many wrong": "[" + ", ".join(f"focl{i}" for i in range(9000)) + "]",
    "many alike": "[" + ", ".join(["hinge"] * 9000) + "]",
    "many wrong fields": "{focal: {" + ", ".join(f"gamm{i}: 1" for i in range(9000)) + "}}",
    "aliases": f"[&a {{exact: {{margin: [{BIG}], temperature: 1}}}}, {', '.join(['*a'] * 90)}]",
    "long name": "f" * 900_000,
    "long label": "{hinge: , as: " + "f" * 900_000 + "}",
    "dots": "hinge\ntune: {" + "." * 100_000 + ": 1, " + ", ".join(f"hinge.x{i}: 1" for i in range(5000)) + "}",
    "margins": "hinge\nmargin: {" + ", ".join(f"m{i}: 1" for i in range(9000)) + "}",
    "plugins": "hinge\nplugins: [" + ", ".join(f"m{i}.n" for i in range(15000)) + ", 5]",
}  # fmt: skip


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_suites_cost_little_time_and_memory(load: Load, name: str) -> None:
    text = f"{HEAD}vary:\n  dataset: digits\n  loss: {HOSTILE[name]}\n"
    start = time.process_time()
    with pytest.raises(BenchError) as caught:
        load(text)
    assert time.process_time() - start < 4
    assert len(str(caught.value)) < 60_000


def test_a_grid_of_grids_takes_no_memory(load: Load) -> None:
    tracemalloc.start()
    try:
        with pytest.raises(Mistakes, match="exact expands to more points than a suite can hold"):
            losses(load, HOSTILE["grid of grids"])
        assert tracemalloc.get_traced_memory()[1] < 20 << 20
    finally:
        tracemalloc.stop()
    points = ", ".join(f"{{focal: {{gamma: {i + 3}}}}}" for i in range(400))
    rates = ", ".join(str(i + 1) for i in range(300))
    with pytest.raises(Mistakes, match="the grid has 120000 cells"):
        load(f"{HEAD}vary: {{dataset: digits, loss: [{points}]}}\nsettings: {{epochs: [{rates}]}}\n")


def test_only_the_first_hundred_mistakes_are_printed(mistakes: Wrong) -> None:
    found = mistakes(PLAIN + "".join(f"key{i}: 1\n" for i in range(150)))
    assert len(found) == 101
    assert found[-1] == "and 50 more mistakes"


WORDS = st.sampled_from(
    ["hinge", "nll", "focal", "exact", "gamma", "transform", "gaussian", "scale", "sweep", "as", "learn", "digits", "loss",
     "loss:nll", "a:b", "n", "lr", "accuracy", "hinge.form", "split", "x"]
)  # fmt: skip
LEAVES = WORDS | st.none() | st.booleans() | st.integers(-3, 3) | st.floats() | st.text(max_size=5)
TREES = st.recursive(LEAVES, lambda t: st.lists(t, max_size=4) | st.dictionaries(WORDS, t, max_size=3), max_leaves=12)
KEYS = [
    "vary",
    "settings",
    "trainer",
    "tune",
    "seeds",
    "metrics",
    "baseline",
    "group_by",
    "margin",
    "interval",
    "plugins",
]


@settings(max_examples=400, deadline=None, suppress_health_check=list(HealthCheck))
@given(key=st.sampled_from([*KEYS, "vary.loss", "vary.dataset", "settings.lr", "vary.loss.nll"]), tree=TREES)
def test_any_tree_anywhere_gives_a_suite_or_mistakes(load: Load, key: str, tree: Any) -> None:
    text = HEAD + "vary: {dataset: digits, loss: {nll: {transform: gaussian}}}\n"
    try:
        found = load(text, {key: yaml.safe_dump(tree, allow_unicode=True)})
        cells = found.cells()
        assert len(cells) == found.size()
        assert len({repr(cell.vary) for cell in cells}) == len(cells)
    except Mistakes as error:
        assert error.lines
    except BenchError as error:
        assert str(error).startswith("--set ")
