"""What every stock component must do; the subjects are found, not listed."""

from __future__ import annotations

import copy
import dataclasses
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

import harness
from harness import artifacts
from harness.base import default_of, label, name_of, schemas
from harness.discovery import sources
from harness.discovery.registry import Registry
from harness.inputs import required
from harness.kinds import KINDS

REGISTRY = Registry(sources.stock())
GIVEN: dict[tuple[str, str], dict[str, Any]] = {
    ("dataset", "csv"): {"path": "table.csv", "target": "y"},
    ("dataset", "cloud"): {"dim": 5},
    ("loss", "scaled"): {"loss": "cross_entropy"},
    ("grid", "explicit"): {"at": [3, 2, 1]},
    ("denoiser", "checkpoint"): {"module": "torch.nn:Identity", "file": "weights.pt", "shape": [2]},
    ("denoiser", "diffusers"): {"pipeline": "folder"},
    ("denoiser", "imperfect"): {"denoiser": "gaussian"},
}
"""A value for every field without a default."""

SIZES = {"threshold": (1, 2)}
"""Inputs and outputs of the models that are made for one size."""


def every(kind: str) -> list[str]:
    return REGISTRY.names(kind)


def build(kind: str, name: str) -> Any:
    return REGISTRY.build(kind, {"name": name, **GIVEN.get((kind, name), {})})


@pytest.mark.parametrize(("kind", "name"), [(kind, name) for kind in KINDS for name in REGISTRY.names(kind)])
class TestEveryComponent:
    def test_is_rebuilt_from_its_spec(self, kind: str, name: str) -> None:
        component = build(kind, name)
        again = REGISTRY.build(kind, component.spec())
        assert again == component and again.spec() == component.spec() and repr(component) == label(component.spec())

    def test_is_frozen(self, kind: str, name: str) -> None:
        with pytest.raises(dataclasses.FrozenInstanceError):
            build(kind, name).anything = 1

    def test_is_called_after_its_class(self, kind: str, name: str) -> None:
        assert name_of(REGISTRY.get(kind, name)) == name

    def test_its_help_fits_a_line(self, kind: str, name: str) -> None:
        first = (REGISTRY.get(kind, name).__doc__ or "").split("\n")[0]
        assert 10 < len(first) <= 120 and first.endswith(".")

    def test_its_defaults_have_their_fields_types(self, kind: str, name: str) -> None:
        cls = REGISTRY.get(kind, name)
        for field in schemas(cls):
            default_of(cls, field)  # raises where the default does not fit

    def test_an_unknown_field_is_an_error(self, kind: str, name: str) -> None:
        with pytest.raises(harness.BenchError, match="no field"):
            REGISTRY.build(kind, {"name": name, "no_such_field": 1, **GIVEN.get((kind, name), {})})


@pytest.mark.parametrize("name", every("loss"))
class TestEveryLoss:
    """A loss says by `tasks` what its targets are: classes, where it says nothing."""

    def draw(self, name: str, classes: int = 4) -> tuple[torch.Tensor, torch.Tensor]:
        generator = torch.Generator().manual_seed(1)
        rows = (6, 3) if self.task(name) == "grouped" else (6,)
        logits = torch.randn(*rows, classes, generator=generator, dtype=torch.float64)
        if self.task(name) == "multilabel":
            return logits, torch.randint(0, 2, (*rows, classes), generator=generator).double()
        return logits, torch.randint(0, classes, rows, generator=generator)

    def task(self, name: str) -> str:
        return (*build("loss", name).tasks, "classes")[0]

    def loss(self, name: str) -> Callable[..., torch.Tensor]:
        loss = build("loss", name)
        counts = torch.tensor([5.0, 1.0, 3.0, 2.0])
        return lambda logits, target: harness.call(loss, logits, target, class_counts=counts[: logits.shape[-1]])

    def test_is_one_finite_number_an_example_or_in_all(self, name: str) -> None:
        value = self.loss(name)(*self.draw(name))
        assert value.shape in (torch.Size([6]), torch.Size([])) and torch.isfinite(value).all()

    def test_has_a_correct_gradient(self, name: str) -> None:
        logits, target = self.draw(name)
        loss = self.loss(name)
        assert torch.autograd.gradcheck(lambda s: loss(s, target).sum(), logits.requires_grad_())

    def test_can_be_mapped_over_seeds(self, name: str) -> None:
        logits, target = (torch.stack([part, part.flip(0)]) for part in self.draw(name))
        loss = self.loss(name)
        mapped = torch.func.vmap(lambda s, y: loss(s, y).mean())(logits, target)
        assert torch.allclose(mapped, torch.stack([loss(s, y).mean() for s, y in zip(logits, target, strict=True)]))

    def test_prefers_the_right_answer(self, name: str) -> None:
        right, target = torch.tensor([[3.0, 0.0, 0.0]]), torch.tensor([0])
        if self.task(name) == "multilabel":
            right, target = torch.tensor([[3.0, -3.0, -3.0]]), torch.tensor([[1.0, 0.0, 0.0]])
        if self.task(name) == "grouped":
            right, target = right[None], target[None]
        loss = self.loss(name)
        assert loss(right, target).mean() < loss(right.roll(1, -1), target).mean()

    def test_its_probabilities_have_a_logarithm(self, name: str) -> None:
        loss, (logits, _) = build("loss", name), self.draw(name)
        p, log_p = loss.probabilities(logits), loss.log_probabilities(logits)
        assert (p is None) == (log_p is None)
        if p is not None:
            assert p.shape == logits.shape and ((p >= 0) & (p <= 1)).all()
            assert torch.allclose(log_p.exp(), p)

    def test_keeps_nothing_on_itself(self, name: str) -> None:
        loss = build("loss", name)
        before = copy.deepcopy(vars(loss))
        harness.call(loss, *self.draw(name), class_counts=torch.ones(4))
        assert vars(loss) == before


@pytest.mark.parametrize("name", every("transform"))
class TestEveryTransform:
    """A transform says by `axioms` which of "order" and "shift" it keeps, by `random` that each call draws anew."""

    def axioms(self, name: str) -> tuple[str, ...]:
        return tuple(REGISTRY.get("transform", name).axioms)

    def draw(self, *shape: int) -> torch.Tensor:
        return torch.randn(shape, generator=torch.Generator().manual_seed(2), dtype=torch.float64)

    def same_draws(self, function: Callable[[torch.Tensor], torch.Tensor], logits: torch.Tensor) -> torch.Tensor:
        with torch.random.fork_rng():
            torch.manual_seed(3)
            return function(logits)

    @pytest.mark.parametrize("shape", [(3,), (5, 2), (2, 3, 7), (4, 1)])
    def test_gives_a_distribution(self, name: str, shape: tuple[int, ...]) -> None:
        p = build("transform", name)(self.draw(*shape))
        assert p.shape == shape and (p >= 0).all()
        assert torch.allclose(p.sum(-1), torch.ones(shape[:-1], dtype=torch.float64), atol=1e-9)

    def test_keeps_the_order_of_the_logits_if_it_says_so(self, name: str) -> None:
        logits = torch.cat([self.draw(200, 5), self.draw(200, 5) - 3])
        p = self.same_draws(build("transform", name), logits)
        assert bool((p.gather(-1, logits.argsort(-1)).diff(dim=-1) >= -1e-12).all()) == ("order" in self.axioms(name))

    def test_ignores_a_constant_if_it_says_so(self, name: str) -> None:
        p, moved = (self.same_draws(build("transform", name), self.draw(20, 5) + c) for c in (0, 7))
        assert torch.allclose(p, moved, atol=1e-10) == ("shift" in self.axioms(name))

    def test_draws_anew_if_it_says_so(self, name: str) -> None:
        transform, logits = build("transform", name), self.draw(4, 5)
        same = torch.equal(transform(logits), transform(logits))
        assert same != transform.random

    def test_its_log_is_the_log(self, name: str) -> None:
        transform, logits = build("transform", name), self.draw(4, 5)
        assert torch.allclose(self.same_draws(transform.log, logits).exp(), self.same_draws(transform, logits))


@pytest.mark.parametrize("name", every("model"))
def test_every_model_maps_inputs_to_outputs(name: str) -> None:
    inputs, outputs = SIZES.get(name, (5, 3))
    network = build("model", name).build(inputs, outputs)
    assert network(torch.zeros(7, inputs)).shape == (7, outputs)


CLASSIFIED = [
    name
    for name in every("metric")
    if "target" in (asked := required(REGISTRY.get("metric", name).__call__))
    and set(asked) <= set(REGISTRY.get("protocol", "accuracy").offers) - {"inputs"}
    and REGISTRY.get("metric", name).better is not None
]


@pytest.mark.parametrize("name", every("metric"))
def test_every_metric_says_its_direction_and_is_offered_what_it_asks(name: str) -> None:
    metric = REGISTRY.get("metric", name)
    assert metric.better in ("higher", "lower", None)
    offers = [set(REGISTRY.get("protocol", protocol).offers) for protocol in every("protocol")]
    assert any(set(required(metric.__call__)) <= some for some in offers)


@pytest.mark.parametrize("name", CLASSIFIED)
def test_every_metric_of_classifiers_prefers_the_truth(name: str) -> None:
    metric = build("metric", name)
    target = torch.arange(40) % 4

    def offered(s: torch.Tensor) -> dict[str, torch.Tensor]:
        return {"logits": s, "probabilities": s.softmax(-1), "log_probabilities": s.log_softmax(-1), "target": target}

    good, bad = torch.nn.functional.one_hot(target, 4) * 9.0, torch.nn.functional.one_hot((target + 1) % 4, 4) * 9.0
    values = [
        float(harness.call(metric, **offered(s), validation_logits=s, validation_target=target).float().mean())
        for s in (good, bad)
    ]
    assert (values[0] > values[1]) == (metric.better == "higher")


@pytest.mark.parametrize("name", every("dataset"))
def test_every_data_set_loads_and_is_whole(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "table.csv").write_text("a,b,y\n" + "1,2,no\n3,4,yes\n" * 5)
    monkeypatch.chdir(tmp_path)
    data = build("dataset", name).load(torch.Generator().manual_seed(0))
    artifacts.check(data)
    found = data.targets.sum(0).nonzero() if data.task == "multilabel" else data.targets.unique()
    assert len(found) == data.classes


@pytest.mark.parametrize("name", every("protocol"))
def test_every_protocol_names_known_kinds(name: str) -> None:
    protocol = REGISTRY.get("protocol", name)
    assert {*protocol.needs, *protocol.optional, *protocol.contenders} <= set(KINDS) and protocol.contenders
    assert all(spec is None or REGISTRY.build(kind, spec) for kind, spec in protocol.needs.items())
