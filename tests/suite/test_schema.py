"""The editor's schema: valid, and of one mind with the checker."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator  # type: ignore[import-untyped]

from harness import suite
from harness.errors import Mistakes
from harness.suite.nodes import data

Load = Callable[..., suite.Suite]

HEAD = "protocol: accuracy\nmetrics: [accuracy, nll]\n"
SCRIPT = "protocol: accuracy\nmetrics: [{reported: {key: a}, as: accuracy}]\n"
PLAIN = HEAD + "vary: {dataset: digits, loss: [hinge, nll]}\n"


def loss(text: str) -> str:
    return f"{HEAD}vary: {{dataset: digits, loss: {text}}}\n"


GOOD = [
    PLAIN,
    loss("hinge"),
    loss("{hinge: }"),
    loss("{hinge: {}}"),
    loss("[{hinge: , as: Ours}]"),
    loss("{as: Ours, focal: {gamma: [1, 3]}}"),
    loss("{sweep: [hinge, focal]}"),
    loss("{focal: {gamma: 3}}"),
    loss("{focal: {gamma: [1, 2]}}"),
    loss("{focal: {gamma: {sweep: [1, 2]}}}"),
    loss("{focal: {gamma: {learn: 1}}}"),
    loss("{focal: {gamma: [{geometric: [1, 2]}, {linear: [0, 1]}, 4]}}"),
    loss("{exact: {temperature: 1, draws: [4, 5.0]}}"),
    loss("{nll: {transform: [softmax, {gaussian: {scale: [1, {learn: 2}]}}]}}"),
    loss("{nll: {transform: {spherical: {extra: {a: [1]}}}}}"),
    loss("{scaled: {loss: {focal: {gamma: 1}}, temperature: [null, 2, {learn: 3}]}}"),
    loss("{mixed: {parts: [hinge, {focal: {gamma: 3}}]}}"),
    loss("{mixed: {parts: {sweep: [[], [hinge]]}}}"),
    loss("pkg.losses:mine"),
    loss("{'pkg.losses:mine': {any: {thing: [1]}}}"),
    HEAD + "vary: {dataset: {digits: {label_noise: [0, 0.1]}}, loss: hinge, model: {mlp: {hidden: [8, 8]}}}\n",
    HEAD + "vary: {dataset: digits, loss: hinge, trainer: [stacked, {command: {run: x}}]}\n",
    SCRIPT + "vary: {loss: [a, 1, true], other: b}\ntrainer: {script: {run: 'cat {seed} {loss} {other}'}}\n",
    SCRIPT + "vary: {k: [0.5, 1]}\ntrainer: {script: {run: 'cat {seed} {k}'}}\nbaseline: 0.50\n",
    SCRIPT + "vary: {trainer: [{script: {run: 'cat {seed}'}, as: ours}, {script: {run: 'ls {seed}'}}]}\n",
    SCRIPT + "vary: {dataset: {digits: {label_noise: 0.1}}}\ntrainer: {script: {run: 'cat {seed} {data}'}}\n",
    PLAIN + "settings: {epochs: [1, 2], optimizer: [adam, sgd], lr: {sweep: [1, 2]}, amp: true}\n",
    PLAIN
    + "settings:\nseeds:\ntune:\ntrainer:\nquestion:\nsuite:\nbaseline:\nmargin:\ngroup_by:\ninterval:\nplugins:\ndevice:\n",
    PLAIN
    + "suite: a\nquestion: b\nseeds: [1, 2]\ninterval: seeds\ndevice: cpu\nplugins: [a.b, c.d]\ngroup_by: dataset\n",
    PLAIN + "seeds: {n: 3, split: fixed}\nmargin: 0.1\nbaseline: hinge\ngroup_by: [dataset, lr]\nplugins: []\n",
    PLAIN + "seeds: {n: [3, 4]}\nmargin: {nll: 0.1}\nbaseline: {loss: hinge}\ntrainer: auto\n",
    PLAIN
    + "trainer: {command: {run: x}}\ntune: {trials: 2, metric: nll, seeds: 2, lr: [0.1, 1], command.run: [y, z]}\n",
    PLAIN + "tune: {lr: 1, hinge.form: weston_watkins, nll.scale: {learn: 2}}\n",
    PLAIN + "published: {source: a, values: {digits: {hinge: 1, nll: 2.5}}}\n",
    PLAIN + "published: [{source: a, metric: nll, note: b, scale: 0.01, unmeasured: c, values: {c: 1}}]\n",
    PLAIN + "published: [{source: a, metric: , note: , scale: , where: , unmeasured: , values: {hinge: 1}}]\n",
    PLAIN + "published: {source: a, where: {loss: hinge}, unmeasured: [c, d], values: {digits: {c: 1, hinge: 2}}}\n",
    PLAIN + "published:\n",
    PLAIN + "baseline: hinge\ngates: {accuracy: {non_inferior_by: 0.002, min: -1}, nll: {max_regression: 5%}}\n",
    PLAIN + "baseline: hinge\ngates: {accuracy: {max_regression: 0, non_inferior_by: '.5 %'}, nll: {max: 1e-6}}\n",
    PLAIN + "gates:\n",
    "protocol: accuracy\nvary: {dataset: digits, loss: hinge}\nmetrics: {ece: {bins: [5, 10]}}\n",
    "protocol: speed\nvary: {loss: hinge}\nsettings: {n: 3, shape: [1, 2]}\n",
    "protocol: speed\nvary: {loss: [hinge, nll]}\nsettings: {n: 3}\nbaseline: hinge\ngates: {accuracy: {max_regression: 5%, confirm_runs: 2}}\n",
    "protocol: speed\nvary: {loss: hinge}\nsettings: {n: [3, 4], shape: {sweep: [[1, 2], [1]]}}\nmetrics:\n",
]

BAD = [
    PLAIN + "seds: 3\n",
    PLAIN + "gates: {}\n",
    PLAIN + "gates: {nll: {}}\n",
    PLAIN + "gates: {nll: 5}\n",
    PLAIN + "gates: {nll: {mxa: 1}}\n",
    PLAIN + "gates: {nll: {max: 5%}}\n",
    PLAIN + "gates: {nll: {max: }}\n",
    PLAIN + "baseline: hinge\ngates: {nll: {max_regression: -1}}\n",
    PLAIN + "baseline: hinge\ngates: {nll: {max_regression: five}}\n",
    PLAIN + "gates: {nll: {max: 1, confirm_runs: 2}}\n",
    "protocol: accuracy\nmetrics: nll\n",
    "vary: {loss: hinge}\nmetrics: nll\n",
    "protocol: acuracy\nvary: {loss: hinge}\n",
    "protocol: accuracy\nvary: {dataset: digits, loss: hinge}\n",
    HEAD + "vary: {loss: hinge}\n",
    HEAD + "vary: {}\n",
    HEAD + "vary: {dataset: digits, loss: hinge, los: nll}\n",
    loss("focl"),
    loss("[]"),
    loss("5"),
    loss("{}"),
    loss("{as: Ours}"),
    loss("{hinge: {}, focal: {}}"),
    loss("{hinge: {}, focal: {}, as: Both}"),
    loss("{nll: {transform: {softmax: , as: S}}}"),
    loss("{focal: {gama: 1}}"),
    loss("{focal: {gamma: x}}"),
    loss("{focal: {gamma: []}}"),
    loss("{focal: {gamma: true}}"),
    loss("{focal: {gamma: {lern: 1}}}"),
    loss("{focal: {gamma: {geometric: [1]}}}"),
    loss("{focal: 3}"),
    loss("exact"),
    loss("{exact: }"),
    loss("{exact: {margin: 1}}"),
    loss("{exact: {temperature: 0}}"),
    loss("{exact: {temperature: {learn: -1}}}"),
    loss("{exact: {temperature: 1, draws: {learn: 3}}}"),
    loss("{nll: {transform: hinge}}"),
    loss("{nll: {transform: {gaussian: {scale: -1}}}}"),
    loss("{mixed: {parts: [focl]}}"),
    HEAD + "vary: {dataset: digits, loss: hinge, model: {mlp: {hidden: [0]}}}\n",
    PLAIN + "settings: {epoch: 1}\n",
    PLAIN + "settings: {epochs: 0}\n",
    PLAIN + "settings: {epochs: []}\n",
    PLAIN + "settings: {lr: {learn: 1}}\n",
    PLAIN + "settings: {n: 3}\n",
    PLAIN + "seeds: 0\n",
    PLAIN + "seeds: []\n",
    PLAIN + "seeds: [1, 1]\n",
    PLAIN + "seeds: {split: fixed}\n",
    PLAIN + "seeds: {n: 3, spilt: fixed}\n",
    PLAIN + "tune: {}\n",
    PLAIN + "tune: {lr: []}\n",
    PLAIN + "tune: {lr: 1, trial: 3}\n",
    PLAIN + "tune: {nll.scale: []}\n",
    PLAIN + "margin: 0\n",
    PLAIN + "margin: {nll: none}\n",
    PLAIN + "interval: seed\n",
    PLAIN + "device: gpu\n",
    PLAIN + "group_by: []\n",
    PLAIN + "baseline: {}\n",
    PLAIN + "published: 3\n",
    PLAIN + "published: {values: {hinge: 1}}\n",
    PLAIN + "published: {source: a}\n",
    PLAIN + "published: {source: a, values: {}}\n",
    PLAIN + "published: {source: a, values: {hinge: high}}\n",
    PLAIN + "published: {source: a, values: {digits: {hinge: }}}\n",
    PLAIN + "published: {source: a, scale: 0, values: {hinge: 1}}\n",
    PLAIN + "published: {source: a, sacle: 1, values: {hinge: 1}}\n",
    PLAIN + "trainer: stackd\n",
    "protocol: speed\nvary: {loss: hinge}\n",
    "protocol: speed\nvary: {loss: hinge}\nsettings: {shape: [1]}\n",
    "protocol: speed\nvary: {loss: hinge}\nsettings: {n: 3, epochs: 4}\n",
    "protocol: speed\nvary: {loss: hinge, model: mlp}\nsettings: {n: 3}\n",
]


@pytest.fixture(scope="module")
def schema(table: Any) -> dict[str, Any]:
    return suite.json_schema(table)


@pytest.fixture
def complaint(schema: dict[str, Any], tmp_path: Path) -> Callable[[str], str | None]:
    """Text of a suite -> the schema's first complaint, or None."""

    def _complaint(text: str) -> str | None:
        file = tmp_path / "schema.yaml"
        file.write_text(text)
        error = next(Draft202012Validator(schema).iter_errors(data(suite.read(file).root)), None)
        return None if error is None else str(error.message)

    return _complaint


def test_it_is_a_schema_and_plain_json(schema: dict[str, Any]) -> None:
    Draft202012Validator.check_schema(schema)
    assert json.loads(json.dumps(schema)) == schema
    assert suite.json_schema({})["$defs"].keys() >= {"loss", "loss.point", "transform"}
    Draft202012Validator.check_schema(suite.json_schema({}))


@pytest.mark.parametrize("text", GOOD)
def test_both_accept(complaint: Callable[[str], str | None], load: Load, text: str) -> None:
    load(text)
    assert complaint(text) is None


@pytest.mark.parametrize("text", BAD)
def test_both_refuse(complaint: Callable[[str], str | None], load: Load, text: str) -> None:
    with pytest.raises(Mistakes):
        load(text)
    assert complaint(text) is not None


def test_editors_get_names_documents_and_defaults(schema: dict[str, Any]) -> None:
    names = schema["$defs"]["transform"]["anyOf"][0]["enum"]
    assert names == ["softmax", "gaussian", "spherical"]
    focal = schema["$defs"]["loss.focal"]
    assert focal["description"] == "The focal."
    assert focal["anyOf"][0]["properties"]["gamma"]["default"] == 2.0
    assert schema["$defs"]["loss.nll"]["anyOf"][0]["properties"]["transform"]["default"] == "softmax"
    assert "exact" not in schema["$defs"]["loss"]["anyOf"][0]["enum"]  # a bare name would lack its temperature
    assert schema["properties"]["protocol"]["enum"] == ["accuracy", "training", "speed"]
    assert all("description" in said for said in schema["properties"].values())


WORDS = st.sampled_from(
    ["hinge", "nll", "focal", "exact", "gamma", "temperature", "transform", "gaussian", "scale", "scaled", "loss", "sweep",
     "as", "learn", "linear", "pkg.losses:mine", "n", "lr", "epochs", "accuracy", "hinge.form", "split", "fixed", "stacked"]
)  # fmt: skip
LEAVES = WORDS | st.none() | st.booleans() | st.integers(-2, 3) | st.floats(-2, 3)
TREES = st.recursive(LEAVES, lambda t: st.lists(t, max_size=3) | st.dictionaries(WORDS, t, max_size=2), max_leaves=8)
KEYS = [
    "settings",
    "trainer",
    "tune",
    "seeds",
    "metrics",
    "baseline",
    "group_by",
    "margin",
    "loss",
    "nll",
    "focal",
    "scaled",
]


@settings(max_examples=600, deadline=None, suppress_health_check=list(HealthCheck))
@given(key=st.sampled_from(KEYS), tree=TREES)
def test_whatever_the_checker_accepts_the_schema_accepts(
    complaint: Callable[[str], str | None], load: Load, key: str, tree: Any
) -> None:
    suite_data: dict[str, Any] = {
        "protocol": "accuracy",
        "metrics": "nll",
        "vary": {"dataset": "digits", "loss": "hinge"},
    }
    written = tree if key in KEYS[:8] or key == "loss" else {key: tree}
    if key in KEYS[:8]:
        suite_data[key] = written
    else:
        suite_data["vary"]["loss"] = written
    text = json.dumps(suite_data)
    try:
        load(text)
    except Mistakes:
        return
    assert complaint(text) is None
