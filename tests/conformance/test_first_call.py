"""What a run refuses at the first call: the row fails with one line that names the plugin's own, the others complete."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest

from tests.conftest import Bench, Ended

LOSSES = '''
"""Losses that are wrong in one thing each."""
import torch
import torch.nn.functional as F
from torch import nn
from harness import Loss, Metric, Model, Skip, Transform, hookimpl


def right(logits, target):
    return F.cross_entropy(logits, target, reduction="none")


class Right(Loss):
    """As it should be."""

    def __call__(self, logits, target):
        return right(logits, target)


class Scalar(Loss):
    """One number in all."""

    def __call__(self, logits, target):
        return right(logits, target).mean()


class Square(Loss):
    """A gather that is not squeezed, minus a row [n, n]."""

    def __call__(self, logits, target):
        return logits.logsumexp(-1) - logits.gather(-1, target[:, None])


class Column(Loss):
    """[n, 1]."""

    def __call__(self, logits, target):
        return right(logits, target)[:, None]


class Wide(Loss):
    """[n, classes]."""

    def __call__(self, logits, target):
        return -logits.log_softmax(-1)


class Short(Loss):
    """n - 1 values."""

    def __call__(self, logits, target):
        return right(logits, target)[1:]


class Counting(Loss):
    """Whole numbers."""

    def __call__(self, logits, target):
        return (logits.argmax(-1) != target).long()


class Pair(Loss):
    """A tuple."""

    def __call__(self, logits, target):
        return right(logits, target), {}


class Cut(Loss):
    """Numbers that no gradient comes from."""

    def __call__(self, logits, target):
        return right(logits.detach(), target)


class InPlace(Loss):
    """Takes the largest logit away, from the caller's too."""

    def __call__(self, logits, target):
        logits.sub_(logits.detach().amax(-1, keepdim=True))
        return right(logits, target)


class Relabels(Loss):
    """Another target for the caller."""

    def __call__(self, logits, target):
        target.fill_(0)
        return right(logits, target)


class Lying(Loss):
    """Says that logits mean 1.5 softmax."""

    def __call__(self, logits, target):
        return right(logits, target)

    def probabilities(self, logits):
        return 1.5 * logits.softmax(-1)


class Above(Lying):
    """Says that they mean more than 1, and less than 0 for another, together 1."""

    def probabilities(self, logits):
        p = logits.softmax(-1)
        return p + torch.tensor([2.0, -2.0, 0.0])


class LogLying(Loss):
    """Says it by the logarithm alone."""

    def __call__(self, logits, target):
        return right(logits, target)

    def log_probabilities(self, logits):
        return logits.log_softmax(-1) + 0.4


class Later(Loss):
    """Lies of logits that training has made large."""

    def __call__(self, logits, target):
        return right(logits, target)

    def probabilities(self, logits):
        p = logits.softmax(-1)
        return p * torch.where(logits.detach().abs().amax() > 1.5, 1.5, 1.0)


class Twice(Transform):
    """Adds up to 2."""

    def __call__(self, logits):
        return 2 * logits.softmax(-1)


class Flat(Transform):
    """One number for all."""

    def __call__(self, logits):
        return logits.softmax(-1)[..., 0]


class Forgetful(Loss):
    """Running state that changes its shape."""

    def __call__(self, logits, target):
        return right(logits, target)

    def state(self):
        return {"mean": torch.zeros(3)}

    def with_state(self, logits, target, state):
        return right(logits, target), {"mean": torch.zeros(())}


class Three(Metric):
    """Three numbers for each example."""

    def __call__(self, logits, target):
        return logits[:, :3]


class Overwrites(Metric):
    """Changes the logits of the metrics after it."""

    def __call__(self, logits, target):
        logits.zero_()
        return 0.0


class Silent(Metric):
    """Has nothing to say, with a reason."""

    def __call__(self, logits, target):
        raise Skip("there is nothing to say")


class Broad(Model):
    """Takes its width from the inputs."""

    def build(self, inputs, outputs):
        return nn.Linear(inputs, 256)


@hookimpl
def components():
    own = dict(globals())
    return [v for k, v in own.items() if isinstance(v, type) and v.__module__ == __name__ and k[0] != "_"]
'''


def line(source: str, cls: str, method: str) -> int:
    """The line of a method in a class."""
    before = source.split(f"class {cls}(")[0]
    inside = source.split(f"class {cls}(")[1].split(f"def {method}(")[0]
    return (before + inside).count("\n") + 1


def rows(ended: Ended, axis: str = "loss") -> dict[str, Any]:
    return {cell["vary"][axis]: cell for cell in ended.json["cells"]}


@pytest.fixture(scope="module")
def folder(shared: Callable[[str], Bench]) -> Bench:
    bench = shared("contract")
    bench.write("wrong.py", LOSSES)
    return bench


def accuracy(folder: Bench, loss: str, metrics: str = "[nll]", **keys: Any) -> Ended:
    said = {"protocol": "accuracy", "plugins": "[wrong.py]", "settings": "{epochs: 2}", "seeds": 2} | keys
    vary = said.pop("vary", f"{{dataset: iris, loss: {loss}}}")
    said |= {"metrics": metrics, "vary": vary}
    suite = folder.write("s.yaml", "".join(f"{key}: {value}\n" for key, value in said.items()))
    return folder(suite, "--device", "cpu", "--json", "-", "-q")


REFUSED = {
    "square": ("Square", "__call__", "returned [5, 5] for 5 examples, expected a floating tensor [5] or []"),
    "column": ("Column", "__call__", "returned [5, 1] for 5 examples, expected a floating tensor [5] or []"),
    "wide": ("Wide", "__call__", "returned [5, 3] for 5 examples, expected a floating tensor [5] or []"),
    "short": ("Short", "__call__", "returned [4] for 5 examples, expected a floating tensor [5] or []"),
    "counting": ("Counting", "__call__", "returned [5] of torch.int64 for 5 examples, expected a floating tensor [5] or []"),
    "pair": ("Pair", "__call__", "returned a tuple for 5 examples, expected a floating tensor [5] or []"),
    "cut": ("Cut", "__call__", "returned numbers that no gradient comes from, expected a function of logits"),
    "in_place": ("InPlace", "__call__", "changed its logits in place, expected logits to be left as given"),
    "relabels": ("Relabels", "__call__", "changed its target in place, expected target to be left as given"),
    "lying": ("Lying", "probabilities", "returned probabilities that add up to 1.5, expected a sum of 1"),
    "above": ("Above", "probabilities", "returned -"),
    "log_lying": ("LogLying", "log_probabilities", "returned probabilities that add up to 1.49"),
    "later": ("Later", "probabilities", "returned"),
    "forgetful": ("Forgetful", "with_state", "returned the state {'mean': []}, expected {'mean': [3]}"),
    "nll(transform=twice)": ("Twice", "__call__", "returned probabilities that add up to 2, expected a sum of 1"),
    "expected_error(transform=flat)": ("Flat", "__call__", "returned [5] for logits [5, 3], expected a floating tensor [5, 3]"),
    "scaled(loss=square)": ("Square", "__call__", "returned [5, 5] for 5 examples"),
    "mixture(second=column)": ("Column", "__call__", "returned [5, 1] for 5 examples"),
}  # fmt: skip
SPECS = "[cross_entropy, right, scalar, square, column, wide, short, counting, pair, cut, in_place, relabels, lying, above, log_lying, later, forgetful, {nll: {transform: twice}}, {expected_error: {transform: flat}}, {scaled: {loss: square}}, {mixture: {second: column}}]"


@pytest.fixture(scope="module")
def trained(folder: Bench) -> Ended:
    return accuracy(folder, SPECS, "[nll, brier]", baseline="cross_entropy", settings="{epochs: 30}")


@pytest.mark.parametrize("label", REFUSED)
@pytest.mark.verify
def test_a_wrong_loss_is_a_failed_row_that_names_its_line(label: str, trained: Ended) -> None:
    cls, method, says = REFUSED[label]
    row = rows(trained)[label]
    assert row["status"] == "failed" and row["reason"].startswith(f"wrong.py:{line(LOSSES, cls, method)}: ")
    assert f": {cls}.{method} {says}" in row["reason"], row["reason"]


def test_the_right_ones_complete_and_nothing_wrong_is_ranked(trained: Ended) -> None:
    assert trained.code == 3
    found = rows(trained)
    right = ["cross_entropy", "right", "scalar"]
    assert [label for label, row in found.items() if row["status"] == "ok"] == right
    assert all(found[label]["metrics"]["nll"]["values"] for label in right)
    assert not any(row["metrics"] or row["best"] for label, row in found.items() if label not in right)


@pytest.mark.verify
def test_a_network_of_another_width_is_one_line(folder: Bench) -> None:
    ended = accuracy(folder, "", vary="{dataset: iris, model: [mlp, broad], loss: cross_entropy}")
    found = rows(ended, "model")
    assert ended.code == 3 and found["mlp"]["status"] == "ok"
    place = f"wrong.py:{line(LOSSES, 'Broad', 'build')}"
    said = "Broad.build built a network that returns 256 outputs for 3 classes, expected 3"
    assert (found["broad"]["status"], found["broad"]["reason"]) == ("failed", f"{place}: {said}")


@pytest.mark.parametrize(
    ("metric", "says"),
    [
        ("Three", "returned [30, 3] for 30 examples, expected [30], a number for each example, or one number"),
        ("Overwrites", "changed its logits in place, expected logits to be left as given"),
    ],
)
@pytest.mark.verify
def test_a_wrong_metric_fails_the_row_and_names_its_line(metric: str, says: str, folder: Bench) -> None:
    ended = accuracy(folder, "[cross_entropy]", f"[{metric.lower()}, nll]")
    (row,) = ended.json["cells"]
    assert ended.code == 3 and row["status"] == "failed"
    assert row["reason"] == f"wrong.py:{line(LOSSES, metric, '__call__')}: {metric}.__call__ {says}"


@pytest.mark.verify
def test_a_metric_that_skips_loses_no_row(folder: Bench) -> None:
    ended = accuracy(folder, "[cross_entropy, hinge]", "[nll, silent]")
    assert ended.code == 0
    for row in ended.json["cells"]:
        assert row["status"] == "ok" and len(row["metrics"]["nll"]["values"]) == 2
        assert "silent" not in row["metrics"] or row["metrics"]["silent"] is None
    assert "there is nothing to say" in ended.out


@pytest.mark.verify
def test_multilabel_probabilities_need_not_add_up_to_1_but_lie_between_0_and_1(folder: Bench) -> None:
    folder.write(
        "labels.py",
        '''
"""Losses of many labels."""
import torch
from harness import Loss, hookimpl


class Fine(Loss):
    """Sigmoids."""

    tasks = ("multilabel",)

    def __call__(self, logits, target):
        return torch.nn.functional.binary_cross_entropy_with_logits(logits, target, reduction="none").sum(-1)

    def probabilities(self, logits):
        return logits.sigmoid()


class Over(Fine):
    """More than 1."""

    def probabilities(self, logits):
        return 0.6 + logits.sigmoid()


@hookimpl
def components():
    return [Fine, Over]
''',
    )
    vary = "{dataset: {multilabel: {examples: 400}}, loss: [fine, over]}"
    ended = accuracy(folder, "", "[multilabel_ece]", vary=vary, plugins="[labels.py]", settings="{epochs: 1}")
    found = rows(ended)
    assert ended.code == 3 and found["fine"]["status"] == "ok"
    assert re.fullmatch(
        r"labels\.py:\d+: Over\.probabilities returned 1\.\d+ as a probability, expected numbers in \[0, 1\]",
        found["over"]["reason"],
    )


GENERATING = '''
"""Parts of generation that are wrong in one thing each."""
import torch
from harness import Denoiser, Feature, Metric, Prior, Sampler, Variance, hookimpl


class Right(Sampler):
    """Once from x_T to the guess."""

    def sample(self, model, covariance, x, times, noise):
        return model.x0(x, float(times[0]))


class Fewer(Right):
    """Loses a sample."""

    def sample(self, model, covariance, x, times, noise):
        return super().sample(model, covariance, x, times, noise)[1:]


class Negative(Variance):
    """Below 0."""

    def posterior_variance(self, model, fitted, x, t, s, eps):
        return -0.1


class ForEach(Variance):
    """One for each sample, in no shape that is known."""

    def posterior_variance(self, model, fitted, x, t, s, eps):
        return x.flatten(1)[:, :1].square()


class Endless(Variance):
    """No number."""

    def posterior_variance(self, model, fitted, x, t, s, eps):
        return x / 0


class Remembers(Variance):
    """Fits what is no tensor."""

    def fit(self, model, data, generator):
        return {"model": model}

    def posterior_variance(self, model, fitted, x, t, s, eps):
        return 0.0


class Whole(Variance):
    """As it should be: a matrix for each sample."""

    def posterior_variance(self, model, fitted, x, t, s, eps):
        return torch.eye(2).expand(len(x), 2, 2)


class Narrow(Denoiser):
    """Guesses one coordinate."""

    shape = (2,)

    def load(self, device):
        return None

    def predict(self, net, x, t):
        return x[:, :1]


class Misshapen(Prior):
    """As many numbers, in another shape."""

    def draw(self, shape, generator):
        return torch.randn(shape[::-1], generator=generator)


class Single(Feature):
    """One number for each sample, as no vector."""

    def __call__(self, prepared, x):
        return x[:, 0]


class Both(Metric):
    """Two numbers."""

    higher_is_better = False

    def __call__(self, samples):
        return samples.mean(0)


@hookimpl
def components():
    return [Right, Fewer, Negative, ForEach, Endless, Remembers, Whole, Narrow, Misshapen, Single, Both]
'''

GENERATED = {
    "sampler": ("right", {"fewer": ("Fewer", "sample", "returned [4, 2] for x_T [5, 2], expected a floating tensor [5, 2]")}),
    "variance": (
        "beta, whole",
        {
            "negative": ("Negative", "posterior_variance", "returned -0.1 as a variance, expected none below 0"),
            "for_each": ("ForEach", "posterior_variance", "returned [5, 1] for x_t [5, 2], expected a floating tensor [] or [5, 2] or [5, 2, 2]"),
            "endless": ("Endless", "posterior_variance", "returned numbers that are not finite, expected finite ones"),
        },
    ),
    "denoiser": ("ring8", {"narrow": ("Narrow", "predict", "returned [5, 1] for x_t [5, 2], expected a floating tensor [5, 2]")}),
    "prior": ("normal", {"misshapen": ("Misshapen", "draw", "returned [2, 5] for the shape [5, 2], expected a floating tensor [5, 2]")}),
    "feature": ("pixels", {"single": ("Single", "__call__", "returned [5] for 5 samples, expected [5, d]")}),
}  # fmt: skip


def generation(folder: Bench, metrics: str = "[energy_distance]", **vary: str) -> Ended:
    folder.write("parts.py", GENERATING)
    parts = {"denoiser": "ring8", "sampler": "ddpm"} | vary
    keys = {"protocol": "generation", "plugins": "[parts.py]", "settings": "{steps: 4, samples: 64}", "seeds": 2}
    keys |= {"metrics": metrics, "vary": f"{{{', '.join(f'{k}: {v}' for k, v in parts.items())}}}"}
    suite = folder.write("g.yaml", "".join(f"{key}: {value}\n" for key, value in keys.items()))
    return folder(suite, "--device", "cpu", "--json", "-", "-q")


@pytest.mark.verify
@pytest.mark.parametrize("kind", GENERATED)
def test_a_wrong_part_of_generation_is_a_failed_row(kind: str, folder: Bench) -> None:
    right, wrong = GENERATED[kind]
    ended = generation(folder, **{kind: f"[{right}, {', '.join(wrong)}]"})
    assert ended.code == 3, ended.err
    found = rows(ended, kind)
    assert [label for label, row in found.items() if row["status"] == "ok"] == right.split(", ")
    for label, (cls, method, says) in wrong.items():
        place = f"parts.py:{line(GENERATING, cls, method)}"
        assert found[label]["reason"] == f"{place}: {cls}.{method} {says}"


def test_what_fits_something_else_than_tensors_is_refused_where_it_is_fitted(folder: Bench) -> None:
    ended = generation(folder, variance="[beta, remembers]")
    found = rows(ended, "variance")
    assert ended.code == 3 and found["beta"]["status"] == "ok" and found["remembers"]["status"] == "skipped"
    says = "Remembers.fit returned a DiffusionModel under 'model', expected a mapping of names to tensors"
    assert f"parts.py:{line(GENERATING, 'Remembers', 'fit')}: {says}" in found["remembers"]["reason"]


def test_a_metric_of_samples_answers_one_number(folder: Bench) -> None:
    ended = generation(folder, "[both]")
    (row,) = ended.json["cells"]
    place = f"parts.py:{line(GENERATING, 'Both', '__call__')}"
    assert ended.code == 3 and row["reason"] == f"{place}: Both.__call__ returned [2], expected one number, or None"


OTHERS = '''
"""Transforms and dissimilarities that are wrong."""
import torch
from harness import Dissimilarity, Metric, Skip, Transform, hookimpl


class Half(Transform):
    """Adds up to a half."""

    def __call__(self, logits):
        return logits.softmax(-1) / 2


class Column(Dissimilarity):
    """[n, 1]."""

    def __call__(self, x, y=None):
        return x.norm(dim=-1, keepdim=True)


class Optional(Metric):
    """What it is offered, and one thing more where it may."""

    def __call__(self, probabilities, gradient=None, nothing=None):
        return float(gradient is not None and nothing is None)


class Silent(Metric):
    """Nothing to say."""

    def __call__(self):
        raise Skip("there is nothing to say")


@hookimpl
def components():
    return [Half, Column, Optional, Silent]
'''


@pytest.fixture(scope="module")
def others(folder: Bench) -> Callable[..., Ended]:
    folder.write("others.py", OTHERS)

    def run(protocol: str, vary: str, metrics: str, settings: str) -> Ended:
        keys = {"protocol": protocol, "plugins": "[others.py]", "seeds": 2, "vary": f"{{{vary}}}"}
        keys |= {"metrics": metrics, "settings": f"{{{settings}}}"}
        suite = folder.write("o.yaml", "".join(f"{key}: {value}\n" for key, value in keys.items()))
        return folder(suite, "--device", "cpu", "--json", "-", "-q")

    return run


@pytest.mark.verify
@pytest.mark.parametrize("protocol", ["transform", "speed"])
def test_a_transform_gives_a_distribution_in_every_protocol(protocol: str, others: Callable[..., Ended]) -> None:
    settings = "n: 7, batch: 16" + (", budget: 0.05" if protocol == "speed" else "")
    found = rows(ended := others(protocol, "transform: [softmax, half]", "[seconds]", settings), "transform")
    assert ended.code == 3 and found["softmax"]["status"] == "ok" and found["half"]["status"] == "failed"
    says = "Half.__call__ returned probabilities that add up to 0.5, expected a sum of 1"
    assert found["half"]["reason"] == f"others.py:{line(OTHERS, 'Half', '__call__')}: {says}"


@pytest.mark.verify
def test_a_dissimilarity_answers_for_every_pair(others: Callable[..., Ended]) -> None:
    vary = "dataset: iris, dissimilarity: [euclidean, column]"
    found = rows(ended := others("hubness", vary, "[k_skewness]", "n: 50, k: 3"), "dissimilarity")
    assert ended.code == 3 and found["euclidean"]["status"] == "ok"
    place = f"others.py:{line(OTHERS, 'Column', '__call__')}"
    says = "Column.__call__ returned [20, 1] for 20 points and 20 others, expected a floating tensor [20, 20]"
    assert (found["column"]["status"], found["column"]["reason"]) == ("failed", f"{place}: {says}")


@pytest.mark.verify
@pytest.mark.parametrize(
    ("protocol", "vary", "settings"),
    [
        ("transform", "transform: softmax", "n: 7, batch: 16"),
        ("hubness", "dataset: iris, dissimilarity: euclidean", "n: 50, k: 3"),
        ("generation", "denoiser: ring8, sampler: ddim", "steps: 3, samples: 64"),
        ("speed", "transform: softmax", "n: 7, batch: 16, budget: 0.05"),
    ],
)
def test_a_metric_that_skips_is_a_note_in_every_protocol(
    protocol: str, vary: str, settings: str, others: Callable[..., Ended]
) -> None:
    measured = {"transform": "entropy", "hubness": "k_skewness", "generation": "nfe", "speed": "seconds"}[protocol]
    ended = others(protocol, vary, f"[{measured}, silent]", settings)
    (row,) = ended.json["cells"]
    assert ended.code == 0 and row["status"] == "ok" and row["metrics"][measured]["mean"] is not None, ended.err
    assert row["skipped"] == {"silent": "there is nothing to say"}


def test_a_metric_gets_what_it_can_do_without_too(others: Callable[..., Ended]) -> None:
    ended = others("transform", "transform: softmax", "[optional]", "n: 7, batch: 16")
    assert ended.json["cells"][0]["metrics"]["optional"]["values"] == [1.0, 1.0]
