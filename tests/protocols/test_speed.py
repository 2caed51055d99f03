"""The speed protocol in real processes: every kind is timed, wrong answers are not ranked, impossible things skipped."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

import pytest

from harness.report import words
from harness.results import MeasuredRow
from harness.run.context import ExecutionConfig
from harness.run.execute import Execution
from harness.run.load import RunOptions, load
from harness.worker.supervisor import Server
from tests.helpers.placed import context

PLUGIN = '''
"""Transforms that are wrong, or slow."""
import time
from harness import Transform, hookimpl


class Off(Transform):
    """Softmax, a little off in float32 alone: some of it goes to the next class."""

    by: float = 0.01

    def __call__(self, logits):
        right = logits.softmax(-1)
        return right + self.by * (logits.element_size() == 4) * (right.roll(1, -1) - right)


class Slow(Transform):
    """Takes 20 ms."""

    def __call__(self, logits):
        time.sleep(0.02)
        return logits.softmax(-1)


class Doubled(Transform):
    """Softmax of twice the logits: right in itself, and not the same as softmax."""

    def __call__(self, logits):
        return (2 * logits).softmax(-1)


@hookimpl
def components():
    return [Off, Slow, Doubled]
'''

Rows = dict[str, MeasuredRow]


@pytest.fixture(scope="module")
def timed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[..., Rows]]:
    """The rows of a suite by label, three blocks each."""
    folder = tmp_path_factory.mktemp("speed")
    (folder / "own.py").write_text(PLUGIN)
    with Server() as server:

        def rows(vary: str, settings: str = "", metrics: str = "seconds", **keys: str) -> Rows:
            said = {"protocol": "speed", "plugins": "[own.py]", "seeds": "3", "device": "cpu", "vary": f"{{{vary}}}"}
            said |= {
                "settings": f"{{budget: 0.05, batch: 8{settings and ', ' + settings}}}",
                "metrics": f"[{metrics}]",
            } | keys
            (folder / "s.yaml").write_text("".join(f"{key}: {value}\n" for key, value in said.items()))
            prepared, conditions = (
                load(str(folder / "s.yaml"), RunOptions(), server),
                ExecutionConfig(folder, fresh=True),
            )
            site = context("run", folder, prepared, conditions, server)
            found = Execution(site).rows()
            site.store.close()
            return {" ".join(str(label) for label in row.vary.values()): row for row in found}

        yield rows


@pytest.mark.verify
def test_times_are_per_call_and_everything_asked_for_is_there(timed: Callable[..., Rows]) -> None:
    rows = timed(
        "transform: [softmax, slow]",
        "n: 5",
        "seconds, throughput, latency, bandwidth, bandwidth_fraction, peak_memory, reserved_memory, max_abs_error",
    )
    slow, fast = rows["slow"].values, rows["softmax"].values
    assert rows["slow"].status == "ok" and len(slow["seconds"]) == 3
    for seconds, rate, latency in zip(slow["seconds"], slow["throughput"], slow["latency"], strict=True):
        assert seconds >= 0.02 and rate == pytest.approx(8 / seconds) and latency >= 0.02
    assert slow["bandwidth"][0] == pytest.approx(2 * 8 * 5 * 4 / slow["seconds"][0]), "input and output, 4 bytes each"
    assert 0 < slow["bandwidth_fraction"][0] < fast["bandwidth_fraction"][0]
    assert all(0 <= row["max_abs_error"][0] < 1e-6 for row in (slow, fast))
    assert "reserved_memory" not in slow, "a GPU's alone"
    assert any(note.startswith("1 thread on core") for note in rows["slow"].notes)


@pytest.mark.verify
def test_what_answers_wrong_is_not_ranked(timed: Callable[..., Rows]) -> None:
    rows = timed("transform: [softmax, off, {off: {by: 1e-5}}, doubled]", "n: 5")
    said = rows["off"].excluded
    assert said and re.fullmatch(r"its output is 0\.00\d+ from the reference, more than 0\.00035", said)
    assert rows["off"].values["seconds"], "and measured all the same"
    assert [rows[name].excluded for name in ("softmax", "off(by=1e-05)", "doubled")] == [None] * 3
    strict = timed("transform: [softmax, {off: {by: 1e-5}}]", "n: 5, tolerance: 1e-6")
    assert strict["off(by=1e-05)"].excluded and not strict["softmax"].excluded


def test_where_all_compute_the_same_the_baseline_is_the_reference(timed: Callable[..., Rows]) -> None:
    rows = timed("transform: [softmax, doubled]", "n: 5, match_reference: true", baseline="softmax")
    assert rows["softmax"].excluded is None and "from the reference" in rows["doubled"].excluded


@pytest.mark.verify
def test_a_reference_of_its_own_is_asked_too(timed: Callable[..., Rows]) -> None:
    rows = timed(
        "transform: [{gaussian: {rule: published, nodes: 10}}, gaussian]",
        "n: 5, dtype: float64, tolerance: 1e-6",
        "max_abs_error",
    )
    errors = {label: row.values["max_abs_error"][0] for label, row in rows.items()}
    assert errors["gaussian"] < 1e-9 and max(errors.values()) > 1e-4


@pytest.mark.verify
@pytest.mark.parametrize(
    ("vary", "settings"),
    [
        ("loss: [cross_entropy, zlpr, grouped_soft, ldam]", "pass: both"),
        ("loss: cross_entropy", "pass: backward"),
        ("dissimilarity: [euclidean, csls]", "n: 20"),
        ("metric: [nll, fid_proxy]", "n: 20, dim: 4"),
        ("denoiser: gaussian, sampler: [ddim, ddpm], variance: beta", "steps: 3"),
        ("denoiser: gaussian_mixture, variance: [beta, exact]", ""),
    ],
)
def test_every_kind_is_timed(vary: str, settings: str, timed: Callable[..., Rows]) -> None:
    if vary.startswith("denoiser: gaussian_mixture"):
        vary = vary.replace("gaussian_mixture", "ring8")
    for label, row in timed(vary, settings).items():
        assert (row.status, row.why) == ("ok", None), label
        assert all(seconds > 0 for seconds in row.values["seconds"]) and row.excluded is None


def test_a_samplers_time_is_its_own_and_its_networks(timed: Callable[..., Rows]) -> None:
    rows = timed("denoiser: ring8, sampler: ddim", "steps: 3", "seconds, sampler_seconds, denoiser_seconds")
    found = rows["ring8 ddim"].values
    for whole, own, network in zip(found["seconds"], found["sampler_seconds"], found["denoiser_seconds"], strict=True):
        assert network > 0 and own + network == pytest.approx(whole)


@pytest.mark.parametrize(
    ("vary", "settings", "reason"),
    [
        ("metric: nll", "pass: both", "nothing is differentiated here: there is no pass both"),
        (
            "loss: {focal: {gamma: {learn: 1.0}}}",
            "",
            "learned and scheduled fields have no value to time outside training",
        ),
        ("transform: softmax", "threads: 4096", "4096 threads on "),
        ("transform: softmax", "flush_cache: true", "flush_cache: a processor's caches cannot be emptied"),
        ("metric: nfe", "", "nfe asks for nfe, which speed does not make up"),
    ],
)
def test_what_cannot_be_timed_is_skipped_with_the_reason(
    vary: str, settings: str, reason: str, timed: Callable[..., Rows]
) -> None:
    (row,) = timed(vary, settings).values()
    assert row.status == "skipped" and row.why is not None and words.reason(row.why).startswith(reason)


@pytest.mark.parametrize(
    ("vary", "reason"),
    [
        ("denoiser: gaussian", "speed needs something to time under vary: one of sampler, "),
        ("loss: cross_entropy, transform: softmax", "speed times one kind at a time, vary names loss and transform"),
    ],
)
def test_a_suite_that_names_nothing_to_time_fails_with_a_line(
    vary: str, reason: str, timed: Callable[..., Rows]
) -> None:
    (row,) = timed(vary).values()
    assert row.status == "failed" and row.why is not None and words.reason(row.why).startswith(reason)
