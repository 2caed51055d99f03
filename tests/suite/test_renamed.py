"""Keys of version 0.1.0: refused, each with what it is called today as the near miss."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.conftest import Bench

Wrong = Callable[..., list[str]]

HEAD = "protocol: accuracy\nmetrics: [accuracy, nll]\n"
PLAIN = HEAD + "vary: {dataset: digits, loss: [hinge, nll]}\n"
COMPARED = PLAIN + "baseline: hinge\n"
TIMED = "protocol: speed\nvary: {loss: [hinge, focal]}\nsettings: {n: 3}\nbaseline: hinge\n"


def loss(text: str) -> str:
    return f"{HEAD}vary: {{dataset: digits, loss: {text}}}\n"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (PLAIN.replace("metrics", "measure"), "2:1: unknown key 'measure', did you mean metrics?"),
        (PLAIN + "within: dataset\n", "4:1: unknown key 'within', did you mean group_by?"),
        (PLAIN + "gate: {nll: {max: 1}}\n", "4:1: unknown key 'gate', did you mean gates?"),
        (PLAIN + "tune: {lr: 1, on: nll}\n", "4:15: tune has no key 'on', did you mean metric?"),
        (COMPARED + "gates: {nll: {worse_than: 5%}}\n", "5:15: gates.nll has no key 'worse_than', did you mean max_regression?"),
        (COMPARED + "gates: {nll: {worse-than: 5%}}\n", "5:15: gates.nll has no key 'worse-than', did you mean max_regression?"),
        (COMPARED + "gates: {nll: {not_worse_than: 1}}\n", "5:15: gates.nll has no key 'not_worse_than', did you mean non_inferior_by?"),
        (COMPARED + "gates: {nll: {at_most: 1}}\n", "5:15: gates.nll has no key 'at_most', did you mean max?"),
        (COMPARED + "gates: {nll: {at_least: 1}}\n", "5:15: gates.nll has no key 'at_least', did you mean min?"),
        (TIMED + "gates: {accuracy: {max_regression: 5%, confirm: 2}}\n", "5:40: gates.accuracy has no key 'confirm', did you mean confirm_runs?"),
        (loss("{grid: [hinge, nll]}"), "3:38: the fields of grid are a mapping, {field: value}, got a list, did you mean sweep?"),
        (loss("{nll: {transform: {grid: [softmax]}}}"), "3:56: the fields of grid are a mapping, {field: value}, got a list, did you mean sweep?"),
        (loss("{mixed: {parts: {grid: [[hinge]]}}}"), "3:47: mixed.parts: expected a list, got a mapping, did you mean sweep?"),
        (loss("{focal: {gamma: {grid: [1, 3]}}}"), "3:47: focal.gamma: expected a number, got a mapping, did you mean sweep?"),
        (loss("hinge, model: {mlp: {hidden: {grid: [[8], [64]]}}}"), "3:60: mlp.hidden: expected a list, got a mapping, did you mean sweep?"),
        (PLAIN + "settings: {epochs: {grid: [1, 2]}}\n", "4:20: epochs: expected a whole number at least 1, got a mapping, did you mean sweep?"),
        (PLAIN + "settings: {optimizer: {grid: [adam]}}\n", "4:23: optimizer: expected one of adam, sgd, got a mapping, did you mean sweep?"),
    ],
)  # fmt: skip
def test_a_key_of_before_is_one_mistake_that_names_todays(mistakes: Wrong, text: str, expected: str) -> None:
    assert mistakes(text) == [expected]


@pytest.mark.parametrize(
    ("text", "renamed"),
    [
        ("protocol: generation\nvary: {denoiser: ring8, grid: log_snr, sampler: ddim, variance: beta}\n"
         "settings: {clip: true, last_noise: true}\n",
         {"axis 'grid'": "spacing", "setting 'clip'": "clip_x0", "setting 'last_noise'": "noise_last_step"}),
        ("protocol: speed\nvary: {loss: [cross_entropy, hinge]}\n"
         "settings: {same: true, flush: true, half_width: 0.1, direction: both}\n",
         {"setting 'same'": "match_reference", "setting 'flush'": "flush_cache",
          "setting 'half_width'": "target_half_width", "setting 'direction'": "pass"}),
    ],
)  # fmt: skip
def test_so_is_what_the_stock_protocols_take(bench: Bench, text: str, renamed: dict[str, str]) -> None:
    bench.write("old.yaml", text)
    ended = bench("validate", "old.yaml")
    assert ended.code == 2
    for old, new in renamed.items():
        assert f" has no {old}, did you mean {new}?" in ended.err
    assert ended.err.count("did you mean") == len(renamed)
