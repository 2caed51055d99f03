"""What every stock component must do; the subjects are found, not listed."""

from __future__ import annotations

import dataclasses
import importlib.util
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy
import pytest
import torch
from PIL import Image

import harness
from harness import artifacts
from harness.base import default_of, label, name_of, schemas
from harness.conformance import check_component
from harness.conformance.metric_inputs import OFFERS
from harness.discovery import sources
from harness.discovery.registry import Registry
from harness.inputs import required
from harness.kinds import KINDS

REGISTRY = Registry(sources.stock())
GIVEN: dict[tuple[str, str], dict[str, Any]] = {
    ("dataset", "csv"): {"path": "table.csv", "target": "y"},
    ("dataset", "npz"): {"path": "table.npz"},
    ("dataset", "tensors"): {"path": "table.pt"},
    ("dataset", "image_folder"): {"path": "images"},
    ("dataset", "parquet"): {"path": "table.parquet", "target": "y"},
    ("dataset", "huggingface"): {"path": "folder"},
    ("dataset", "openml"): {"path": "folder", "dataset": "iris"},
    ("dataset", "torchvision"): {"path": "folder", "dataset": "CIFAR10"},
    ("dataset", "cloud"): {"dim": 5},
    ("loss", "scaled"): {"loss": "cross_entropy"},
    ("spacing", "explicit"): {"at": [3, 2, 1]},
    ("denoiser", "checkpoint"): {"module": "torch.nn:Identity", "file": "weights.pt", "shape": [2]},
    ("denoiser", "diffusers"): {"pipeline": "folder"},
    ("denoiser", "imperfect"): {"denoiser": "gaussian"},
    ("trainer", "command"): {"run": "train --seed {seed}"},
    ("metric", "reported"): {"key": "accuracy"},
}
"""A value for every field without a default."""


def write_files(folder: Path) -> None:
    """Write the files that the data sets of `GIVEN` read, as far as they need no further library."""
    (folder / "table.csv").write_text("a,b,y\n" + "1,2,no\n3,4,yes\n" * 5)
    x, y = torch.arange(40.0).view(10, 2, 2), torch.arange(10) % 2
    torch.save({"x": x, "y": y}, folder / "table.pt")
    numpy.savez(folder / "table.npz", x=x.numpy(), y=y.numpy())
    for k in range(10):
        (folder / "images" / "uv"[k % 2]).mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (4, 3), (20 * k, 0, k)).save(folder / "images" / "uv"[k % 2] / f"{k}.png")


def every(kind: str) -> list[str]:
    return REGISTRY.names(kind)


def build(kind: str, name: str, **fields: Any) -> Any:
    return REGISTRY.build(kind, {"name": name, **GIVEN.get((kind, name), {}), **fields})


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


CHECKED = [kind for kind in KINDS if importlib.util.find_spec(f"harness.conformance.{kind}") and kind != "sampler"]
"""Kinds with conformance checks; those of samplers take longest and are in `conformance/test_checks.py`."""

SHORTER: dict[tuple[str, str], dict[str, Any]] = {
    ("variance", "learned_range"): {"steps": 30},
    ("variance", "npr"): {"steps": 30},
    ("variance", "sn"): {"steps": 30},
    ("denoiser", "digits"): {"steps_of_training": 60},
    ("denoiser", "patches"): {"steps_of_training": 20},
}
"""Fields with which fitting and training take seconds."""

COPIED = {("dataset", name) for name in ("huggingface", "openml", "parquet", "torchvision")}
"""Data sets whose files other libraries write; `plugins/datasets` has their tests."""

NEEDS_A_FILE = {("denoiser", "checkpoint"), ("denoiser", "diffusers"), *COPIED}
"""Components of what a user has on disk: their checks run with one in tests of their own."""

COMPILED = {("transform", "noise_argmax")}
"""What takes seconds to compile for its distribution; `plugins/test_compiled_kernel.py` looks at it."""


@pytest.mark.parametrize(
    ("kind", "name"),
    [(k, n) for k in CHECKED for n in every(k) if (k, n) not in NEEDS_A_FILE | COMPILED],
)
def test_every_stock_component_passes_its_conformance_checks(
    kind: str, name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each check is passed or does not apply, with a reason, and some are passed."""
    write_files(tmp_path)
    monkeypatch.chdir(tmp_path)
    found = check_component(build(kind, name, **SHORTER.get((kind, name), {})))
    assert [verdict.says for verdict in found if verdict.passed is False] == []
    assert [verdict for verdict in found if verdict.passed]
    assert all(verdict.says.startswith(verdict.name) and len(verdict.says) > len(verdict.name) for verdict in found)


@pytest.mark.parametrize("name", every("loss"))
def test_every_loss_prefers_the_right_answer_in_float32(name: str) -> None:
    loss, task = build("loss", name), (*build("loss", name).tasks, "classes")[0]
    right, target = torch.tensor([[3.0, 0.0, 0.0]]), torch.tensor([0])
    if task == "multilabel":
        right, target = torch.tensor([[3.0, -3.0, -3.0]]), torch.tensor([[1.0, 0.0, 0.0]])
    if task == "grouped":
        right, target = right[None], target[None]

    def of(logits: torch.Tensor) -> torch.Tensor:
        counts = torch.tensor([5.0, 1.0, 3.0])
        value: torch.Tensor = harness.call_with_inputs(loss, logits, target, class_counts=counts)
        return value.mean()

    assert of(right) < of(right.roll(1, -1))


@pytest.mark.parametrize("name", every("loss"))
def test_every_loss_can_be_mapped_over_seeds(name: str) -> None:
    (found,) = [verdict for verdict in check_component(build("loss", name)) if verdict.name == "mapped"]
    assert found.passed, found.says


@pytest.mark.parametrize("name", every("transform"))
class TestEveryTransform:
    """A transform says by `properties` which of "order" and "shift" it keeps, by `stochastic` that calls draw anew."""

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
        claimed = "order" in REGISTRY.get("transform", name).properties
        assert bool((p.gather(-1, logits.argsort(-1)).diff(dim=-1) >= -1e-12).all()) == claimed

    def test_ignores_a_constant_if_it_says_so(self, name: str) -> None:
        p, moved = (self.same_draws(build("transform", name), self.draw(20, 5) + c) for c in (0, 7))
        assert torch.allclose(p, moved, atol=1e-10) == ("shift" in REGISTRY.get("transform", name).properties)

    def test_draws_anew_if_it_says_so(self, name: str) -> None:
        transform, logits = build("transform", name), self.draw(4, 5)
        same = torch.equal(transform(logits), transform(logits))
        assert same != transform.stochastic

    def test_its_log_is_the_log(self, name: str) -> None:
        transform, logits = build("transform", name), self.draw(4, 5)
        assert torch.allclose(self.same_draws(transform.log, logits).exp(), self.same_draws(transform, logits))


@pytest.mark.parametrize("name", every("metric"))
def test_every_metric_says_its_direction_and_is_offered_what_it_asks(name: str) -> None:
    metric = REGISTRY.get("metric", name)
    assert metric.higher_is_better in (True, False, None)
    offers = [set(REGISTRY.get("protocol", protocol).metric_inputs) for protocol in every("protocol")]
    assert any(set(required(metric.__call__)) <= some for some in offers)


def test_what_checks_make_up_is_what_protocols_offer() -> None:
    assert {*OFFERS} == {*every("protocol")}
    for protocol, names in OFFERS.items():
        assert tuple(REGISTRY.get("protocol", protocol).metric_inputs) == names


CLASSIFIED = [
    name
    for name in every("metric")
    if "target" in (asked := required(REGISTRY.get("metric", name).__call__))
    and set(asked) <= set(REGISTRY.get("protocol", "accuracy").metric_inputs)
    and REGISTRY.get("metric", name).higher_is_better is not None
]


@pytest.mark.parametrize("name", CLASSIFIED)
def test_every_metric_of_classifiers_has_a_direction_that_is_seen(name: str) -> None:
    (found,) = [verdict for verdict in check_component(build("metric", name)) if verdict.name == "direction"]
    assert found.passed, found.says


@pytest.mark.parametrize("name", [name for name in every("dataset") if ("dataset", name) not in COPIED])
def test_every_data_set_says_its_classes(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_files(tmp_path)
    monkeypatch.chdir(tmp_path)
    data = build("dataset", name).load(torch.Generator().manual_seed(0))
    artifacts.check(data)
    found = data.targets.sum(0).nonzero() if data.task == "multilabel" else data.targets.unique()
    assert len(found) == data.classes


@pytest.mark.parametrize("name", every("protocol"))
def test_every_protocol_names_known_kinds(name: str) -> None:
    protocol = REGISTRY.get("protocol", name)
    assert {*protocol.required_kinds, *protocol.optional_kinds, *protocol.compared_kinds} <= set(
        KINDS
    ) and protocol.compared_kinds
    assert all(spec is None or REGISTRY.build(kind, spec) for kind, spec in protocol.required_kinds.items())
