"""The accuracy protocol: what metrics see, what is kept of every example, what contenders share."""

from __future__ import annotations

import math
from pathlib import Path

import numpy
import pytest
import torch

from harness import Skip, Subset, TrainingJob, TrainingResult, component
from harness.protocols.accuracy.scoring import Answers, judge, score

from .sessions import BLOCK, NOTED, Noting, Spy, Worst, answer, confidence, nll_of, open_session, table


@pytest.fixture(autouse=True)
def _no_jobs() -> None:
    Spy.jobs.clear()


@pytest.mark.verify
@pytest.mark.parametrize("examples", [200, 31, 9])
def test_other_metrics_are_kept_as_the_pseudo_values_of_groups_left_out(examples: int) -> None:
    draw = torch.Generator().manual_seed(examples)
    logits, target = torch.randn(examples, 3, generator=draw), torch.randint(3, (examples,), generator=draw)
    ids = torch.randperm(1000, generator=draw)[:examples]
    p = numpy.exp(logits.double().numpy())
    p /= p.sum(1, keepdims=True)

    def worst(rows: list[int]) -> float:
        return float(max(p[i, j] for i in rows for j in range(3) if j != target[i])) ** 2

    inputs = torch.zeros(1000, 1)
    part = Subset(inputs, ids[None], target[None])
    answers = Answers(logits, part, "classes", component("loss", "cross_entropy"), None)
    judged = judge(Worst(), answers)
    assert judged is not None
    value, pseudo, numbers = judged
    everything = list(range(examples))
    assert value == pytest.approx(worst(everything), rel=1e-6)
    assert numbers.tolist() == list(range(20))
    for group in range(20):
        without = worst([i for i in everything if int(ids[i]) % 20 != group])
        assert float(pseudo[group]) == pytest.approx(20 * worst(everything) - 19 * without, abs=1e-5)
    assert score("worst", Worst(), answers) == value


@pytest.mark.verify
@pytest.mark.parametrize("split", ["seed", "fixed"])
def test_metrics_see_the_test_part_only_and_its_true_labels(split: str, tmp_path: Path) -> None:
    data = table(label_noise=0.4)
    values = open_session(tmp_path, trainer=Spy(), data=data, split=split).measure(range(4), {"lr": 0.3})
    (job,) = Spy.jobs
    for k in range(4):
        assert values.metrics["nll"][k] == pytest.approx(nll_of(confidence("test", k, 0.3)), rel=1e-6)
        ids = values.per_example["nll"][1][k]
        assert set(ids) == set(job.test.index[k].tolist())
        assert not set(ids) & {*job.train.index[k].tolist(), *job.validation.index[k].tolist()}
        assert torch.equal(job.test.labels[k], data.targets[job.test.index[k]])
    assert len({tuple(sorted(ids)) for ids in values.per_example["nll"][1].tolist()}) == (1 if split == "fixed" else 4)


def test_every_example_is_kept_with_its_own_value(tmp_path: Path) -> None:
    NOTED.clear()
    values = open_session(tmp_path, trainer=Noting()).measure([4, 5], {})
    outcome, _ = NOTED[-1]
    data = table()
    for k in range(2):
        for label in ("nll", "accuracy"):
            kept, ids = values.per_example[label]
            assert kept[k].mean() == pytest.approx(values.metrics[label][k], rel=1e-12)
            for place in range(len(ids[k])):
                logits, target = outcome.test[k][place].double(), int(data.targets[ids[k][place]])  # type: ignore[index]
                nll = float(logits.logsumexp(0) - logits[target])
                right = float(int(logits.argmax()) == target)
                assert kept[k][place] == pytest.approx(nll if label == "nll" else right, abs=1e-5)


def test_small_test_parts_give_every_seed_as_many_units(tmp_path: Path) -> None:
    values = open_session(tmp_path, metrics={"ece": component("metric", "ece"), "worst": Worst()}).measure(BLOCK, {})
    for label in ("ece", "worst"):
        assert values.per_example[label][0].shape == values.per_example[label][1].shape == (32, 20)
        assert numpy.isfinite(values.per_example[label][0]).all()
    spread = values.per_example["ece"][0].var(1, ddof=1) / 20
    assert (spread > 0).all()


class Lossy(Spy):
    """Loses the seeds 5 and 6."""

    def fit(self, job: TrainingJob) -> TrainingResult:
        """NaN in one logit of seed 5, infinity in one of seed 6."""
        logits = answer(job, job.test, "test").float()
        for k, seed in enumerate(job.seeds):
            logits[k, 3, 1] = {5: math.nan, 6: math.inf}.get(seed, 0.0)
        return TrainingResult(test=logits)


def test_seeds_that_diverged_are_named(tmp_path: Path) -> None:
    session = open_session(tmp_path, trainer=Lossy(), metrics={"ece": component("metric", "ece"), "nll": component("metric", "nll")})  # fmt: skip
    assert session.measure(range(4), {}).diverged == []
    values = session.measure(range(4, 8), {})
    assert values.diverged == [5, 6]
    for label in ("ece", "nll"):
        assert [math.isfinite(number) for number in values.metrics[label]] == [True, False, False, True]
        assert [bool(numpy.isfinite(row).all()) for row in values.per_example[label][0]] == [True, False, False, True]


class Masking(Spy):
    """Masks a class of every example that is not its label."""

    def fit(self, job: TrainingJob) -> TrainingResult:
        """-inf in one logit of every row."""
        logits = answer(job, job.test, "test").float()
        wrong = (job.test.labels + 1) % 3
        return TrainingResult(test=logits.scatter(-1, wrong[..., None], -math.inf))


def test_masked_classes_have_not_diverged(tmp_path: Path) -> None:
    names = ("nll", "brier", "ece", "accuracy", "balanced_accuracy", "f1_macro", "mean_average_precision")
    metrics = {name: component("metric", name) for name in names}
    values = open_session(tmp_path, trainer=Masking(), metrics=metrics).measure(range(4), {})
    assert values.diverged == []
    assert all(math.isfinite(number) for name in names for number in values.metrics[name])
    assert all(numpy.isfinite(values.per_example[name][0]).all() for name in names)


@pytest.mark.verify
def test_what_a_loss_learned_is_told_by_seed(tmp_path: Path) -> None:
    loss = component("loss", "scaled", loss="cross_entropy", temperature={"learn": 2.0})
    values = open_session(tmp_path, loss=loss).measure(BLOCK, {})
    assert [name for name in values.auxiliary if name.startswith("learned")] == ["learned temperature"]
    assert len(values.auxiliary["learned temperature"]) == 32
    assert all(t != 2.0 for t in values.auxiliary["learned temperature"])


def test_contenders_share_weights_batches_and_splits(tmp_path: Path) -> None:
    for loss in ("cross_entropy", "hinge"):
        open_session(tmp_path, loss=loss, trainer=Spy()).measure(range(4, 8), {})
    one, other = Spy.jobs
    for k in range(4):
        for a, b in zip(one.model(k).parameters(), other.model(k).parameters(), strict=True):
            assert torch.equal(a, b)
        assert torch.equal(one.train.index[k], other.train.index[k])
        assert one.generator("batches", k).initial_seed() == other.generator("batches", k).initial_seed()
    assert not torch.equal(next(one.model(0).parameters()), next(one.model(1).parameters()))
    assert one.generator("batches", 0).initial_seed() != one.generator("layers", 0).initial_seed()
    state = torch.get_rng_state()
    one.model(0)
    assert torch.equal(torch.get_rng_state(), state)


def test_a_trainer_that_cannot_run_is_a_reason(tmp_path: Path) -> None:
    with pytest.raises(Skip, match="stacked: mixed precision"):
        open_session(tmp_path, amp=True)
    session = open_session(tmp_path, trainer="auto", amp=True)
    assert session.block_size == 1
    assert "loop" in session.notes[0]
    assert open_session(tmp_path, trainer="auto").block_size == 32
