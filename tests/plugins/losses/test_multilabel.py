"""The multi-label losses against published answers, torch, formulas of single labels, and finite differences."""

from __future__ import annotations

import functools
import math
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from harness import BenchError, replace_fields
from harness.discovery.registry import component

LOSSES: dict[str, dict[str, Any]] = {
    "bce": {"name": "bce"},
    "focal_bce": {"name": "focal_bce"},
    "focal_bce_weighted": {"name": "focal_bce", "gamma": 0.5, "alpha": 0.25},
    "asymmetric": {"name": "asymmetric"},
    "asymmetric_below_one": {"name": "asymmetric", "gamma_pos": 0.5, "gamma_neg": 0.5, "clip": 0.0},
    "soft_f1": {"name": "soft_f1"},
    "soft_f1_macro": {"name": "soft_f1", "average": "macro"},
    "soft_f1_micro": {"name": "soft_f1", "average": "micro"},
    "zlpr": {"name": "zlpr"},
    "zlpr_soft": {"name": "zlpr_soft"},
    "choose_k": {"name": "choose_k"},
    "choose_k_swaps": {"name": "choose_k", "swaps": 2},
}
EVERY = pytest.mark.parametrize("name", LOSSES)
DTYPES = pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32, torch.float64], ids=str)
SCORES, HARD = torch.tensor([[2.0, -1, 0.5, -3]]).double(), torch.tensor([[1.0, 0, 0, 1]]).double()


@functools.cache
def make(name: str) -> Any:
    return component("loss", **LOSSES[name])


def draw(batch: int, labels: int, seed: int = 0, soft: bool = False) -> tuple[Tensor, Tensor]:
    g = torch.Generator().manual_seed(seed)
    logits = 2 * torch.randn(batch, labels, generator=g, dtype=torch.float64)
    target = torch.rand(batch, labels, generator=g, dtype=torch.float64)
    return logits, target if soft else (target < 0.4).double()


def gradient(loss: Any, logits: Tensor, target: Tensor) -> Tensor:
    logits = logits.detach().clone().requires_grad_()
    (slope,) = torch.autograd.grad(loss(logits, target).double().sum(), logits)
    return slope


def close(value: Tensor, expected: Any, tolerance: float = 1e-12) -> None:
    torch.testing.assert_close(value, torch.as_tensor(expected, dtype=value.dtype), rtol=tolerance, atol=tolerance)


class TestZLPR:
    def test_known_answer(self) -> None:
        close(make("zlpr")(SCORES, HARD), [4.1591158407], 1e-10)
        close(gradient(make("zlpr"), SCORES, HARD)[0], [-0.0063774609, 0.1219516523, 0.5465493873, -0.9464991226], 1e-9)

    def test_without_positives_all_zero_it_is_log_of_one_more_than_the_labels(self) -> None:
        for n in (1, 3, 1000):
            close(make("zlpr")(torch.zeros(2, n).double(), torch.zeros(2, n)), [math.log(n + 1)] * 2)

    def test_one_positive_among_a_thousand_is_not_drowned(self) -> None:
        scores, target = torch.zeros(1, 1000).double(), torch.zeros(1, 1000)
        target[0, 7] = 1
        slope, of_bce = gradient(make("zlpr"), scores, target), gradient(make("bce"), scores, target)
        assert slope[0, 7].item() == pytest.approx(-0.5) and slope.sum().item() == pytest.approx(0.999 - 0.5)
        assert of_bce[0, 7].item() == pytest.approx(-0.5) and of_bce.sum().item() == pytest.approx(499.5 - 0.5)

    def test_the_gradient_is_the_one_written_out(self) -> None:
        s, t = draw(20, 7)
        off = (1 - t) * s.exp() / (1 + ((1 - t) * s.exp()).sum(-1, keepdim=True))
        on = t * (-s).exp() / (1 + (t * (-s).exp()).sum(-1, keepdim=True))
        close(gradient(make("zlpr"), s, t), off - on)

    @pytest.mark.parametrize("name", ["zlpr", "zlpr_soft"])
    def test_each_group_pulls_with_less_than_one(self, name: str) -> None:
        s, t = draw(200, 50, soft=name == "zlpr_soft")
        slope = gradient(make(name), 3 * s, t)
        assert (slope.clamp(min=0).sum(-1) < 1).all() and (slope.clamp(max=0).sum(-1) > -1).all()
        assert slope.clamp(min=0).sum(-1).max() > 0.9

    def test_bce_is_the_product_of_which_it_keeps_the_first_order(self) -> None:
        s, t = draw(20, 6)
        u = torch.where(t == 1, -s, s).exp()
        product_on, product_off = torch.where(t == 1, 1 + u, 1).prod(-1), torch.where(t == 0, 1 + u, 1).prod(-1)
        close(make("bce")(s, t), (product_on * product_off).log())
        first_order = 1 + torch.where(t == 1, u, 0).sum(-1), 1 + torch.where(t == 0, u, 0).sum(-1)
        close(make("zlpr")(s, t), (first_order[0] * first_order[1]).log())
        assert (make("zlpr")(s, t) <= make("bce")(s, t)).all()

    def test_where_the_fit_is_good_it_has_the_scale_of_bce(self) -> None:
        s, t = draw(20, 6)
        fitted = (2 * t - 1) * (8 + s.abs())
        torch.testing.assert_close(make("zlpr")(fitted, t), make("bce")(fitted, t), rtol=2e-3, atol=0)

    def test_of_one_label_it_is_bce(self) -> None:
        s, t = draw(20, 1)
        close(make("zlpr")(s, t), make("bce")(s, t))

    def test_with_a_threshold_class_it_is_itself_of_the_differences(self) -> None:
        s, t = draw(20, 6)
        s0 = draw(20, 1, seed=1)[0]
        off = ((1 - t) * s.exp()).sum(-1) + s0[:, 0].exp()
        on = (t * (-s).exp()).sum(-1) + (-s0[:, 0]).exp()
        close(make("zlpr")(s - s0, t), off.log() + on.log())

    @pytest.mark.parametrize("name", ["bce", "zlpr", "zlpr_soft"])
    def test_a_fit_that_is_nearly_perfect_is_told_from_a_perfect_one(self, name: str) -> None:
        value = make(name)(torch.tensor([[-25.0, 30.0]]), torch.tensor([[0.0, 1.0]]))
        assert value.item() == pytest.approx(math.exp(-25) + math.exp(-30), rel=1e-5)

    def test_a_target_above_one_half_is_on(self) -> None:
        s, t = draw(20, 6, soft=True)
        assert torch.equal(make("zlpr")(s, t), make("zlpr")(s, (t > 0.5).float()))


class TestSparseZLPR:
    def numbers(self, target: Tensor, k: int) -> Tensor:
        rows = [row.nonzero()[:, 0].tolist() for row in target]
        return torch.tensor([row + [-1] * (k - len(row)) for row in rows])

    def test_it_is_the_dense_one(self) -> None:
        s, t = draw(30, 9)
        t[0] = 0
        positives = self.numbers(t, 9)
        close(make("zlpr").of_indices(s, positives), make("zlpr")(s, t))
        close(gradient(make("zlpr").of_indices, s, positives), gradient(make("zlpr"), s, t))
        shuffled = positives[:, torch.randperm(9, generator=torch.Generator().manual_seed(0))]
        close(make("zlpr").of_indices(s, shuffled), make("zlpr")(s, t))

    def test_the_first_and_the_last_label_can_be_on(self) -> None:
        close(make("zlpr").of_indices(SCORES, torch.tensor([[3, -1, 0]])), [4.1591158407], 1e-10)
        close(make("zlpr").of_indices(SCORES, torch.empty(1, 0, dtype=torch.int64)), (1 + SCORES.exp().sum(-1)).log())

    def test_large_positive_scores_do_not_swallow_the_negatives(self) -> None:
        s, t = torch.full((1, 1000), -3.0), torch.zeros(1, 1000)
        s[0, :3], t[0, :3] = 30.0, 1
        expected = math.log1p(997 * math.exp(-3)) + math.log1p(3 * math.exp(-30))
        value = make("zlpr").of_indices(s, torch.tensor([[0, 1, 2, -1]]))
        assert value.item() == pytest.approx(expected, rel=1e-6)
        slope = gradient(lambda x, _: make("zlpr").of_indices(x, torch.tensor([[0, 1, 2, -1]])), s, t)
        torch.testing.assert_close(slope, gradient(make("zlpr"), s, t))

    def test_it_can_be_mapped_over_seeds(self) -> None:
        runs = [draw(5, 8, seed=k) for k in range(3)]
        positives = torch.stack([self.numbers(t, 8) for _, t in runs])
        mapped = torch.func.vmap(make("zlpr").of_indices)(torch.stack([s for s, _ in runs]), positives)
        close(mapped, torch.stack([make("zlpr")(s, t) for s, t in runs]))

    def test_it_works_in_half_and_with_masks(self) -> None:
        s = torch.tensor([[-torch.inf, -1e4, 1.0, -2.0]]).half()
        value = make("zlpr").of_indices(s, torch.tensor([[2, -1]]))
        expected = math.log1p(math.exp(-2)) + math.log1p(math.exp(-1))
        assert value.item() == pytest.approx(expected, rel=1e-6)
        assert gradient(make("zlpr").of_indices, s, torch.tensor([[2, -1]])).isfinite().all()


class TestSoftZLPR:
    TARGET = torch.tensor([[0.9, 0.2, 0.5, 0.01]], dtype=torch.float64)

    def test_known_minimum(self) -> None:
        best = torch.tensor([[1.0986123, -0.6931472, 0.0, -2.2975599]], dtype=torch.float64)
        close(make("zlpr_soft")(best, self.TARGET), [1.6653823], 1e-7)
        close(gradient(make("zlpr_soft"), self.TARGET.logit() / 2, self.TARGET), torch.zeros(1, 4))

    @pytest.mark.parametrize("labels", [1, 4, 30])
    def test_lbfgs_finds_the_target_in_its_probabilities(self, labels: int) -> None:
        target = draw(1, labels, seed=3, soft=True)[1]
        s = torch.zeros_like(target, requires_grad=True)
        search = torch.optim.LBFGS(
            [s], max_iter=500, tolerance_grad=1e-13, tolerance_change=0, line_search_fn="strong_wolfe"
        )

        def closure() -> Tensor:
            search.zero_grad()
            value = make("zlpr_soft")(s, target).sum()
            value.backward()
            return value

        search.step(closure)
        close(make("zlpr_soft").probabilities(s.detach()), target, 1e-6)
        close(s.detach(), target.logit() / 2, 1e-5)
        assert not torch.allclose(s.detach().sigmoid(), target, atol=1e-2)

    def test_of_hard_labels_it_is_zlpr(self) -> None:
        s, t = draw(30, 9)
        close(make("zlpr_soft")(s, t), make("zlpr")(s, t))
        close(gradient(make("zlpr_soft"), s, t), gradient(make("zlpr"), s, t))

    def test_the_formula_written_out(self) -> None:
        s, t = draw(30, 9, soft=True)
        expected = (1 + (t * (-s).exp()).sum(-1)).log() + (1 + ((1 - t) * s.exp()).sum(-1)).log()
        close(make("zlpr_soft")(s, t), expected)

    def test_the_gradient_by_targets_is_a_number_too(self) -> None:
        s, t = draw(3, 4)
        t.requires_grad_()
        (slope,) = torch.autograd.grad(make("zlpr_soft")(s, t).sum(), t)
        assert slope.isfinite().all()

    def test_no_other_loss_here_reads_its_logits_otherwise(self) -> None:
        logits = draw(3, 4)[0]
        for name in LOSSES:
            read = getattr(make(name), "probabilities", lambda _: None)(logits)
            assert (read is not None) == (name == "zlpr_soft")


class TestBinary:
    def test_bce_is_torchs_summed_over_labels(self) -> None:
        for soft in (False, True):
            s, t = draw(20, 6, soft=soft)
            close(make("bce")(s, t), F.binary_cross_entropy_with_logits(s, t, reduction="none").sum(-1))

    @pytest.mark.parametrize("gamma", [0.0, 0.5, 2.0])
    def test_focal_of_one_label_is_the_single_label_focal_of_two_classes(self, gamma: float) -> None:
        s, t = draw(20, 1)
        two = torch.cat([torch.zeros_like(s), s], -1)
        expected = component("loss", "focal", gamma=gamma)(two, t[:, 0].long())
        close(component("loss", "focal_bce", gamma=gamma)(s, t), expected)

    def test_alpha_weighs_labels_that_are_on(self) -> None:
        s, t = draw(20, 6)
        on, off = (component("loss", "focal_bce", alpha=alpha)(s, t) for alpha in (1.0, 0.0))
        close(component("loss", "focal_bce")(s, t), on + off)
        close(component("loss", "focal_bce", alpha=0.3)(s, t), 0.3 * on + 0.7 * off)
        p = s.sigmoid()
        close(on, -(t * (1 - p) ** 2 * p.log()).sum(-1))

    @pytest.mark.parametrize("fields", [{}, {"gamma_pos": 1.0, "gamma_neg": 2.0, "clip": 0.2}, {"clip": 0.0}], ids=str)
    def test_asymmetric_is_the_formula_written_out(self, fields: dict[str, float]) -> None:
        plus, minus, clip = (fields.get(k, d) for k, d in (("gamma_pos", 0.0), ("gamma_neg", 4.0), ("clip", 0.05)))
        s, t = draw(20, 6, soft=True)

        def one(x: float, y: float) -> float:
            p = 1 / (1 + math.exp(-x))
            shifted = max(p - clip, 0.0)
            return -y * (1 - p) ** plus * math.log(p) - (1 - y) * shifted**minus * math.log(1 - shifted)

        expected = [sum(map(one, *rows)) for rows in zip(s.tolist(), t.tolist(), strict=True)]
        close(component("loss", "asymmetric", **fields)(s, t), expected)

    @pytest.mark.parametrize("gamma", [0.0, 0.5, 3.0])
    def test_asymmetric_without_asymmetry_is_focal(self, gamma: float) -> None:
        s, t = draw(20, 6, soft=True)
        symmetric = component("loss", "asymmetric", gamma_pos=gamma, gamma_neg=gamma, clip=0.0)
        close(symmetric(s, t), component("loss", "focal_bce", gamma=gamma)(s, t))

    def test_asymmetric_forgets_negatives_below_the_clip(self) -> None:
        scores = torch.tensor([[math.log(0.04 / 0.96), math.log(0.06 / 0.94)]], dtype=torch.float64)
        slope = gradient(make("asymmetric"), scores, torch.zeros(1, 2))
        assert slope[0, 0] == 0 and slope[0, 1] > 0

    def test_a_sure_mistake_costs_its_logit(self) -> None:
        scores = torch.tensor([[500.0, -500.0]])
        for name in ("bce", "focal_bce"):
            assert make(name)(scores, torch.tensor([[0.0, 1.0]])).item() == pytest.approx(1000)
        for name in ("asymmetric", "asymmetric_below_one"):
            assert make(name)(scores[:, 1:], torch.tensor([[1.0]])).item() == pytest.approx(500)
        assert make("asymmetric_below_one")(scores[:, :1], torch.tensor([[0.0]])).item() == pytest.approx(500)
        saturated = -math.log(0.05) * 0.95**4
        assert make("asymmetric")(scores[:, :1], torch.tensor([[0.0]])).item() == pytest.approx(saturated)


class TestSoftF1:
    @pytest.mark.parametrize("average", ["samples", "macro", "micro"])
    def test_of_certain_logits_it_is_one_minus_scikit_learns(self, average: str) -> None:
        import sklearn.metrics

        s, t = draw(40, 5)
        s = torch.where(s > 0, 200.0, -200.0).double()
        t[:, 0] = 1
        expected = sklearn.metrics.f1_score(t.numpy(), (s > 0).numpy(), average=average)
        value = component("loss", "soft_f1", average=average)(s, t)
        assert value.shape == ((40,) if average == "samples" else ())
        assert value.mean().item() == pytest.approx(1 - expected)

    def test_the_formula_written_out(self) -> None:
        s, t = draw(20, 6, soft=True)
        p = s.sigmoid()
        expected = [1 - 2 * (y @ q).item() / (y.sum() + q.sum()).item() for y, q in zip(t, p, strict=True)]
        close(make("soft_f1")(s, t), expected)
        columns = [1 - 2 * (y @ q).item() / (y.sum() + q.sum()).item() for y, q in zip(t.T, p.T, strict=True)]
        close(make("soft_f1_macro")(s, t), sum(columns) / 6)
        close(make("soft_f1_micro")(s, t), 1 - 2 * (t * p).sum() / (t + p).sum())

    @pytest.mark.parametrize("average", ["samples", "macro", "micro"])
    def test_nothing_to_find_and_nothing_predicted_is_a_number(self, average: str) -> None:
        loss = component("loss", "soft_f1", average=average)
        scores = torch.full((2, 3), -torch.inf)
        assert (loss(scores, torch.zeros(2, 3)) == 1).all()
        assert torch.equal(gradient(loss, scores, torch.zeros(2, 3)), torch.zeros(2, 3))


@EVERY
class TestEvery:
    def test_gives_a_number_an_example_or_one_in_all_and_leaves_its_inputs_alone(self, name: str) -> None:
        s, t = draw(6, 5)
        before = s.clone(), t.clone()
        value = make(name)(s, t)
        assert value.shape == (() if name in ("soft_f1_macro", "soft_f1_micro") else (6,)) and (value >= 0).all()
        assert torch.equal(s, before[0]) and torch.equal(t, before[1])
        assert make(name).tasks == ("multilabel",)

    @pytest.mark.parametrize("labels", [1, 2, 5])
    @pytest.mark.parametrize("soft", [False, True])
    def test_gradient_equals_finite_differences(self, name: str, labels: int, soft: bool) -> None:
        s, t = draw(4, labels, soft=soft)
        assert torch.autograd.gradcheck(lambda x: make(name)(x, t), s.requires_grad_())

    def test_vmap_over_seeds_equals_a_loop(self, name: str) -> None:
        runs = [draw(6, 5, seed=k) for k in range(3)]

        def step(s: Tensor, t: Tensor) -> tuple[Tensor, Tensor]:
            return torch.func.grad_and_value(lambda x: make(name)(x, t).mean())(s)

        mapped = torch.func.vmap(step)(*(torch.stack(part) for part in zip(*runs, strict=True)))
        for k, (s, t) in enumerate(runs):
            for found, expected in zip(mapped, step(s, t), strict=True):
                close(found[k], expected)

    @DTYPES
    @pytest.mark.parametrize("mask", [-1e4, -1e12, -math.inf])
    def test_a_masked_label_is_as_if_it_were_not_there(self, name: str, mask: float, dtype: torch.dtype) -> None:
        s, t = draw(6, 5)
        s, t = s.to(dtype), t.to(dtype)
        column = torch.tensor(mask, dtype=torch.float64).to(dtype).expand(6, 1)  # in half precision -1e12 is -inf
        masked, target = torch.cat([column, s, column, column], -1), F.pad(t, (1, 2))
        value, slope = make(name)(masked, target), gradient(make(name), masked, target)
        expected, expected_slope = make(name)(s, t), gradient(make(name), s, t)
        if name == "soft_f1_macro":  # a mean over labels, in which the three masked ones have a loss of 1
            expected, expected_slope = (5 * expected + 3) / 8, expected_slope * 5 / 8
        close(value, expected, 1e-6)
        close(slope[:, 1:6], expected_slope, max(1e-6, torch.finfo(dtype).eps))  # in the precision of the logits
        assert slope.isfinite().all() and (slope[:, [0, 6, 7]] == 0).all()

    @DTYPES
    @pytest.mark.parametrize("labels", [1, 10, 1000])
    def test_extreme_logits_stay_finite(self, name: str, labels: int, dtype: torch.dtype) -> None:
        logits, target = torch.zeros(4, labels, dtype=dtype), torch.zeros(4, labels)
        logits[0], logits[1], logits[2, 0] = 1e4, -1e4, 1e4
        target[1], target[2, 0], target[3, -1] = 1, 1, 1
        loss = make(name) if labels < 1000 or name != "choose_k" else make("choose_k_swaps")
        value, slope = loss(logits, target), gradient(loss, logits, target)
        assert value.isfinite().all() and slope.isfinite().all()

    def test_half_precision_agrees_with_double(self, name: str) -> None:
        s, t = draw(32, 10)
        s = s.half()
        torch.testing.assert_close(make(name)(s, t.half()).double(), make(name)(s.double(), t), rtol=1e-4, atol=1e-5)

    def test_shapes_that_do_not_fit_are_an_error(self, name: str) -> None:
        with pytest.raises(BenchError, match=r"one shape.*\[batch, labels\], got \(4, 4\) and \(4,\)"):
            make(name)(torch.zeros(4, 4), torch.zeros(4, dtype=torch.int64))


FIELDS: list[tuple[dict[str, Any], str]] = [
    ({"name": "focal_bce"}, "gamma"),
    ({"name": "focal_bce"}, "alpha"),
    ({"name": "asymmetric"}, "gamma_pos"),
    ({"name": "asymmetric"}, "gamma_neg"),
    ({"name": "asymmetric"}, "clip"),
]


@pytest.mark.parametrize(("spec", "field"), FIELDS, ids=[f"{s['name']}.{f}" for s, f in FIELDS])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_a_field_may_be_one_learned_number_per_seed(spec: dict[str, Any], field: str, dtype: torch.dtype) -> None:
    loss, (s, t) = component("loss", **spec), draw(6, 4)
    s[0, 0], t[0, 0] = -torch.inf, 0

    def mean(value: Any) -> Tensor:
        result: Tensor = replace_fields(loss, {(field,): value})(s.to(dtype), t).mean()
        assert result.dtype == dtype
        return result

    values = torch.tensor([0.25, 0.5, 0.75])
    slopes, results = torch.func.vmap(torch.func.grad_and_value(mean))(values)
    for k, value in enumerate(values.tolist()):
        torch.testing.assert_close(results[k], mean(value))
        step = 0.02
        expected = (mean(value + step) - mean(value - step)) / (2 * step)
        torch.testing.assert_close(slopes[k].to(dtype), expected, rtol=2e-2, atol=1e-3)
