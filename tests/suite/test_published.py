"""Published numbers: what an entry means, and every mistake in one line with its place and near miss."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from harness import suite

Load = Callable[..., suite.Suite]
Wrong = Callable[..., list[str]]

HEAD = "protocol: accuracy\nmetrics: [accuracy, nll]\n"
PLAIN = HEAD + "vary: {dataset: [digits, {digits: {label_noise: 0.1}, as: noisy}], loss: [hinge, {nll: , as: Ours}]}\n"
WIDE = HEAD + "vary: {dataset: digits, model: [mlp, linear], loss: [hinge, nll], trainer: [auto, stacked]}\n"


def paper(text: str, source: str = "A, B & C 2022") -> str:
    return f"published: {{source: '{source}', {text}}}\n"


def told(load: Load, text: str) -> list[tuple[dict[str, Any], float]]:
    return [(row["vary"], row["value"]) for row in load(text).published]


def test_a_number_is_one_entry_of_the_result(load: Load) -> None:
    found = load(PLAIN + paper("metric: nll, note: 5 seeds, values: {digits: {hinge: 0.5, Ours: 1}}")).published
    about = {"source": "A, B & C 2022", "note": "5 seeds", "metric": "nll"}
    assert found == [
        {**about, "vary": {"dataset": "digits", "loss": "hinge"}, "value": 0.5},
        {**about, "vary": {"dataset": "digits", "loss": "Ours"}, "value": 1.0},
    ]
    assert [type(row["value"]) for row in found] == [float, float]


def test_a_suite_without_the_key_has_none(load: Load) -> None:
    assert (
        load(PLAIN).published
        == load(PLAIN + "published:\n").published
        == load(PLAIN + "published: []\n").published
        == []
    )


def test_the_first_metric_is_meant_and_the_note_may_be_missing(load: Load) -> None:
    (row,) = load(PLAIN + paper("values: {digits: {hinge: 0.5}}")).published
    assert (row["metric"], row["note"]) == ("accuracy", None)


@pytest.mark.parametrize(
    ("scale", "number", "expected"),
    [
        ("0.01", "95.61", 0.9561),
        ("0.01", "95.7", 0.957),
        ("0.01", "100", 1.0),
        ("1e-3", "250", 0.25),
        ("2", "-3", -6.0),
    ],
)
def test_a_scale_moves_the_point_and_adds_no_digits(load: Load, scale: str, number: str, expected: float) -> None:
    (row,) = load(PLAIN + paper(f"scale: {scale}, values: {{digits: {{hinge: {number}}}}}")).published
    assert row["value"] == expected


def test_names_are_labels_or_else_components(load: Load) -> None:
    (found,) = {str(told(load, PLAIN + paper(f"values: {{noisy: {{{n}: 1}}}}"))) for n in ("Ours", "nll", "loss:nll")}
    assert found == str([({"dataset": "noisy", "loss": "Ours"}, 1.0)])
    assert told(load, PLAIN + paper("values: {digits: {hinge: 1}}"))[0][0]["dataset"] == "digits"


def test_a_contender_that_only_the_paper_has_is_named(load: Load) -> None:
    text = paper("unmeasured: [scikit-learn, SVM], values: {digits: {scikit-learn: 1, SVM: 2}}")
    expected = [({"dataset": "digits", "loss": "scikit-learn"}, 1.0), ({"dataset": "digits", "loss": "SVM"}, 2.0)]
    assert told(load, PLAIN + text) == expected


def test_where_says_what_keys_leave_open(load: Load) -> None:
    expected = {"dataset": "digits", "model": "linear", "loss": "nll", "trainer": "stacked"}
    nested = "where: {model: linear, trainer: stacked}, values: {digits: {nll: 1}}"
    assert told(load, WIDE + paper(nested)) == [(expected, 1.0)]
    assert told(load, WIDE + paper("where: {trainer: stacked}, values: {linear: {nll: 1}}")) == [(expected, 1.0)]
    flat = "where: {model: linear, trainer: stacked}, values: {nll: 1}"
    assert told(load, WIDE + paper(flat)) == [(expected, 1.0)]
    alone = "where: {model: linear}, unmeasured: SVM, values: {SVM: 1}"
    assert told(load, WIDE + paper(alone)) == [({"dataset": "digits", "model": "linear", "loss": "SVM"}, 1.0)]


def test_settings_are_axes_with_their_values(load: Load) -> None:
    text = PLAIN + "settings: {epochs: [5, 30]}\n"
    expected = [({"dataset": "noisy", "loss": "hinge", "epochs": 30}, 1.0)]
    assert told(load, text + paper("where: {epochs: 30}, values: {noisy: {hinge: 1}}")) == expected
    assert told(load, text + paper("where: {dataset: noisy}, values: {'30': {hinge: 1}}")) == expected


def test_two_papers_may_say_the_same(load: Load) -> None:
    entry = "{{source: {}, values: {{digits: {{hinge: 1}}}}}}"
    found = load(PLAIN + f"published: [{entry.format('one')}, {entry.format('two')}]\n").published
    assert [row["source"] for row in found] == ["one", "two"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("published: 3\n", "4:12: published: expected a mapping with source and values, got 3"),
        ("published: [hinge]\n", "4:13: published: expected a mapping with source and values, got 'hinge'"),
        ("published: {values: {digits: {hinge: 1}}}\n", "4:12: published: source is missing"),
        (paper("note: x"), "4:12: published: values is missing"),
        (paper("valeus: {digits: {hinge: 1}}"), "4:38: published has no key 'valeus', did you mean values?"),
        (paper("values: 3"), "4:46: published.values: expected a mapping, problem: {contender: number}, got 3"),
        (paper("values: {}"), "4:46: published.values: expected a mapping, problem: {contender: number}, got an empty"),
        (paper("values: {digts: {hinge: 1}}"), "4:47: published: 'digts' is no problem of this suite, did you mean digits?"),
        (paper("values: {digits: {hing: 1}}"), "4:56: published: 'hing' is no contender of this suite and not under "
            "unmeasured, did you mean hinge?"),
        (paper("values: {digits: {focal: 1}}"), "4:56: published: 'focal' is no contender of this suite and not under "
            "unmeasured (choose from Ours, hinge)"),
        (paper("unmeasured: svm, values: {digits: {svn: 1}}"), "4:73: published: 'svn' is no contender of this suite and "
            "not under unmeasured, did you mean svm?"),
        (paper("unmeasured: nll, values: {digits: {hinge: 1}}"), "4:50: published.unmeasured: 'nll' is a contender"),
        (paper("unmeasured: [3], values: {digits: {hinge: 1}}"), "4:51: published.unmeasured: expected printable text, got 3"),
        (paper("values: {digits: {hinge: high}}"), "4:63: published.hinge: expected a number, got 'high'"),
        (paper("values: {digits: {hinge: [1]}}"), "4:63: published.hinge: expected a number, got a list"),
        (paper("values: {digits: {hinge: }}"), "4:63: published.hinge: expected a number, got nothing"),
        (paper("values: {digits: {hinge: .inf}}"), "4:63: published.hinge: must be finite"),
        (paper("values: {hinge: 1}"), "4:47: published: 'hinge' leaves dataset open: write where: {dataset: ...}"),
        (paper("values: {digits: {Ours: 1, nll: 2}}"), "4:65: published: 'nll' is here twice, first on line 4"),
        (paper("metric: acuracy, values: {digits: {hinge: 1}}"),
            "4:46: published.metric: 'acuracy' is not measured here, did you mean accuracy?"),
        (paper("metric: [nll], values: {digits: {hinge: 1}}"),
            "4:46: published.metric: expected the name of a metric, got a list"),
        (paper("scale: 0, values: {digits: {hinge: 1}}"), "4:45: published.scale: expected a number above 0, got 0"),
        (paper("scale: .inf, values: {digits: {hinge: 1}}"), "4:45: published.scale: must be finite"),
        (paper("note: [a], values: {digits: {hinge: 1}}"), "4:44: published.note: expected printable text, got a list"),
        (paper("where: linear, values: {digits: {hinge: 1}}"), "4:45: published.where: expected a mapping, axis: value, "
            "got 'linear'"),
        (paper("where: {datset: noisy}, values: {hinge: 1}"), "4:46: published.where: 'datset' is no axis that varies "
            "here, did you mean dataset?"),
        (paper("where: {dataset: nosy}, values: {hinge: 1}"), "4:55: published.where.dataset: no point 'nosy', did you "
            "mean noisy?"),
        (paper("where: {dataset: noisy}, values: {digits: {hinge: 1}}"), "4:72: published: 'digits' is no problem of this "
            "suite (choose from noisy)"),
    ],
)  # fmt: skip
def test_a_mistake_is_one_line_with_its_place(mistakes: Wrong, text: str, expected: str) -> None:
    found = mistakes(PLAIN + text)
    assert len(found) == 1
    assert found[0].startswith(expected)


def test_axes_left_open_and_names_of_several_points(mistakes: Wrong) -> None:
    (problem,) = mistakes(WIDE + paper("where: {trainer: auto}, values: {digits: {nll: 1}}"))
    assert problem.endswith("published: 'digits' leaves model open: write where: {model: ...}")
    (contender,) = mistakes(WIDE + paper("where: {model: mlp}, values: {digits: {nll: 1}}"))
    assert contender.endswith("published: 'nll' leaves trainer open: write where: {trainer: ...}")
    several = HEAD + "vary: {dataset: digits, loss: {focal: {gamma: [1, 3]}}}\n"
    (many,) = mistakes(several + paper("values: {digits: {focal: 1}}"))
    assert "'focal' stands for 2 contenders: choose from loss focal(gamma=1.0), loss focal(gamma=3.0)" in many


def test_the_same_paper_may_not_say_it_twice(mistakes: Wrong) -> None:
    entry = "{source: one, values: {digits: {hinge: 1}}}"
    assert mistakes(PLAIN + f"published: [{entry}, {entry}]\n") == [
        "4:90: published: 'hinge' is here twice, first on line 4"
    ]
    assert len(mistakes(PLAIN + f"published: [&a {entry}, *a]\n")) == 1


def test_all_mistakes_are_told_at_once_and_none_for_what_another_one_hides(mistakes: Wrong) -> None:
    found = mistakes(PLAIN + paper("sorce: x, values: {digts: {hing: high}, noisy: {hinge: low}}"))
    assert len(found) == 4
    hidden = PLAIN.replace("hinge", "hingee") + paper("values: {digits: {hinge: 1}}")
    assert [line for line in mistakes(hidden) if "published" in line] == []
    unknown = PLAIN.replace("accuracy\n", "acuracy\n", 1) + paper("values: {digits: {hinge: 1}}")
    assert [line for line in mistakes(unknown) if "published" in line] == []
