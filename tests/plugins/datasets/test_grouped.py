"""Groups of digits against scikit-learn's table."""

from __future__ import annotations

from typing import Any

import numpy
import pytest
import sklearn.datasets
import torch

from harness import BenchError, Examples
from harness.artifacts import check
from harness.discovery.registry import component, components

TABLE = sklearn.datasets.load_digits()
ROWS = {row.astype(numpy.float32).tobytes(): k for k, row in enumerate(TABLE.data)}
"""Every scan of the table is another one."""


def load(seed: int = 0, **fields: Any) -> Examples:
    data: Examples = component("dataset", "grouped", **fields).load(torch.Generator().manual_seed(seed))
    return data


def scans(data: Examples) -> Any:
    """The table's row of every item; a KeyError where it is none of them."""
    flat = (data.inputs.flatten(0, 1) * 16).numpy()
    return numpy.array([ROWS[row.tobytes()] for row in flat]).reshape(data.inputs.shape[:2])


@pytest.mark.parametrize("fields", [{}, {"items": 7, "classes": 3, "groups": 50, "imbalance": 98}], ids=str)
def test_every_item_is_a_scan_with_its_digit_and_no_part_shares_one(fields: dict[str, Any]) -> None:
    data = load(**fields)
    rows, part = scans(data), data.part
    assert part is not None and data.task == "grouped"
    numpy.testing.assert_array_equal(data.targets, TABLE.target[rows])
    used = [set(rows[part == number].flatten()) for number in range(3)]
    assert all(used) and not (used[0] & used[1] or used[0] & used[2] or used[1] & used[2])


def test_the_fields_are_the_shape() -> None:
    data = load(groups=50, items=7, classes=4)
    assert data.inputs.shape == (50, 7, 64) and data.inputs.dtype == torch.float32
    assert data.targets.shape == (50, 7) and data.targets.dtype == torch.int64
    assert data.part is not None and data.part.bincount().tolist() == [30, 10, 10]
    assert data.classes == 4 and set(data.targets.flatten().tolist()) == {0, 1, 2, 3}
    assert (data.inputs.min().item(), data.inputs.max().item()) == (0.0, 1.0)


def test_training_groups_are_as_imbalanced_as_asked_and_the_others_balanced() -> None:
    data = load(groups=100, items=100, classes=3, imbalance=98)
    counts = [data.targets[data.part == number].flatten().bincount().tolist() for number in range(3)]
    assert counts[0] == [98 * 60, 60, 60]
    assert all(max(some) - min(some) <= 2 for some in counts[1:])


def test_scans_of_a_part_are_used_equally_often() -> None:
    data = load(groups=300, items=20, classes=10)
    uses = numpy.bincount(scans(data)[data.part == 0].flatten(), minlength=len(TABLE.target))
    for digit in range(10):
        some = uses[(TABLE.target == digit) & (uses > 0)]
        assert some.max() - some.min() <= 1
        assert abs(len(some) - 0.6 * (TABLE.target == digit).sum()) <= 1


def test_groups_are_mixed() -> None:
    targets = load(groups=50, items=20, classes=2).targets[:30].double()
    assert 0.1 < targets.mean(1).std() < 0.13  # a fair coin's mean of 20: 0.112, less what the exact total takes away


def test_the_generator_decides() -> None:
    first, again, other = load(0), load(0), load(1)
    assert torch.equal(first.inputs, again.inputs) and torch.equal(first.targets, again.targets)
    assert not torch.equal(first.targets, other.targets)


def blended(x: Any, t: Any) -> bool:
    """Whether x is t_a a + t_b b for two scans of the label's two digits: any a leaves one b, which must be a scan."""
    a, b = numpy.argsort(-t)[:2]
    rest = (16 * x - t[a] * TABLE.data[TABLE.target == a]) / t[b]
    distances = numpy.abs(rest[:, None] - TABLE.data[TABLE.target == b][None]).max(-1)
    return bool(distances.min() < 1e-3 / t[b])


def test_a_soft_item_is_a_blend_of_two_scans_with_their_weights_as_label() -> None:
    data = load(groups=10, items=10, classes=4, soft=True)
    assert data.targets.shape == (10, 10, 4) and data.targets.dtype == torch.float32
    x, t = data.inputs.flatten(0, 1).double().numpy(), data.targets.flatten(0, 1).double().numpy()
    numpy.testing.assert_allclose(t.sum(1), 1, atol=1e-6)
    assert ((t > 0).sum(1) <= 2).all() and (t.max(1) >= 0.5).all()
    mixed = numpy.flatnonzero((t > 0.02).sum(1) == 2)
    assert len(mixed) > 50
    assert all(blended(x[k], t[k]) for k in mixed)
    assert not blended(x[mixed[0]], numpy.roll(t[mixed[0]], 1))


def test_the_larger_weight_of_a_soft_item_is_uniform() -> None:
    targets = load(groups=300, items=20, classes=10, soft=True).targets.flatten(0, 1)
    larger = targets.max(-1).values[(targets > 0).sum(-1) == 2].double()
    assert larger.mean().item() == pytest.approx(0.75, abs=4 * 0.25 / 3**0.5 / len(larger) ** 0.5)
    assert 0.5 <= larger.min() < 0.51 and larger.max() > 0.99


@pytest.mark.parametrize("share", [0.5, 0.8, 1.0])
def test_no_larger_weight_is_below_the_least_share(share: float) -> None:
    targets = load(groups=50, soft=True, least_share=share).targets.flatten(0, 1)
    larger = targets.max(-1).values
    assert larger.min() >= share and (share == 1 or larger.min() < share + 0.02)
    assert bool((larger == 1).all()) == (share == 1)


@pytest.mark.parametrize("fields", [{"groups": 2}, {"groups": 5, "items": 1}], ids=str)
def test_too_few_groups_are_an_error(fields: dict[str, Any]) -> None:
    with pytest.raises(BenchError, match="without an example"):
        load(**fields)


def test_noise_is_passed_on_for_class_numbers_and_refused_for_soft_labels() -> None:
    assert load(label_noise=0.25).label_noise == 0.25
    with pytest.raises(BenchError, match="label_noise"):
        load(label_noise=0.25, soft=True)


@pytest.mark.parametrize("soft", [False, True])
def test_the_table_is_one_the_harness_takes(soft: bool) -> None:
    check(load(soft=soft))


@pytest.mark.parametrize(
    "fields",
    [{"classes": 1}, {"classes": 11}, {"items": 0}, {"imbalance": 0.5}, {"least_share": 0.4}, {"label_noise": 2}],
    ids=str,
)
def test_the_fields_have_ranges(fields: dict[str, Any]) -> None:
    with pytest.raises(BenchError, match=next(iter(fields))):
        components("dataset")["grouped"](**fields)
