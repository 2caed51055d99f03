"""The speed protocol in real processes: every kind is timed, wrong answers are not ranked, impossible things skipped."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from harness.engines.local import Server
from harness.planning.record import Store
from harness.running.measuring import Measuring
from harness.running.preparation import Wishes, prepare
from harness.running.runner import planned
from harness.running.site import Conditions, Site

PLUGIN = '''
"""Transforms that are wrong, or slow."""
import time
from harness import Transform, hookimpl


class Off(Transform):
    """Softmax, a little off in float32 alone."""

    by: float = 0.01

    def __call__(self, logits):
        return logits.softmax(-1) + self.by * (logits.element_size() == 4)


class Slow(Transform):
    """Takes 20 ms."""

    def __call__(self, logits):
        time.sleep(0.02)
        return logits


class Doubled(Transform):
    """Twice softmax: right in itself, and not the same as softmax."""

    def __call__(self, logits):
        return 2 * logits.softmax(-1)


@hookimpl
def components():
    return [Off, Slow, Doubled]
'''

Rows = dict[str, dict[str, Any]]


@pytest.fixture(scope="module")
def timed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[..., Rows]]:
    """The rows of a suite by label, three blocks each."""
    folder = tmp_path_factory.mktemp("speed")
    (folder / "own.py").write_text(PLUGIN)
    with Server() as server:

        def rows(vary: str, settings: str = "", measure: str = "seconds", **keys: str) -> Rows:
            said = {"protocol": "speed", "plugins": "[own.py]", "seeds": "3", "device": "cpu", "vary": f"{{{vary}}}"}
            said |= {
                "settings": f"{{budget: 0.05, batch: 8{settings and ', ' + settings}}}",
                "measure": f"[{measure}]",
            } | keys
            (folder / "s.yaml").write_text("".join(f"{key}: {value}\n" for key, value in said.items()))
            prepared, conditions = prepare(str(folder / "s.yaml"), Wishes(), server), Conditions(folder, fresh=True)
            site = Site("run", folder, planned(prepared, conditions), conditions, server, Store(folder, "run"))
            found = Measuring(site).rows()
            site.store.close()
            return {" ".join(str(label) for label in row["vary"].values()): row for row in found}

        yield rows


def test_times_are_per_call_and_everything_asked_for_is_there(timed: Callable[..., Rows]) -> None:
    rows = timed(
        "transform: [softmax, slow]",
        "n: 5",
        "seconds, throughput, latency, bandwidth, limit, peak_bytes, reserved_bytes, error",
    )
    slow, fast = rows["slow"]["metrics"], rows["softmax"]["metrics"]
    assert rows["slow"]["status"] == "ok" and len(slow["seconds"]) == 3
    for seconds, rate, latency in zip(slow["seconds"], slow["throughput"], slow["latency"], strict=True):
        assert seconds >= 0.02 and rate == pytest.approx(8 / seconds) and latency >= 0.02
    assert slow["bandwidth"][0] == pytest.approx(2 * 8 * 5 * 4 / slow["seconds"][0]), "input and output, 4 bytes each"
    assert 0 < slow["limit"][0] < fast["limit"][0]
    assert slow["error"] == [0.0] * 3 and 0 <= fast["error"][0] < 1e-6
    assert "reserved_bytes" not in slow, "a GPU's alone"
    assert any(note.startswith("1 thread on core") for note in rows["slow"]["notes"])


def test_what_answers_wrong_is_not_ranked(timed: Callable[..., Rows]) -> None:
    rows = timed("transform: [softmax, off, {off: {by: 1e-5}}, doubled]", "n: 5")
    assert rows["off"]["unranked"] == "its output is 0.01 from the reference, more than 0.00035"
    assert rows["off"]["metrics"]["seconds"], "and measured all the same"
    assert [rows[name]["unranked"] for name in ("softmax", "off(by=1e-05)", "doubled")] == [None] * 3
    strict = timed("transform: [softmax, {off: {by: 1e-5}}]", "n: 5, tolerance: 1e-6")
    assert strict["off(by=1e-05)"]["unranked"] and not strict["softmax"]["unranked"]


def test_where_all_compute_the_same_the_baseline_is_the_reference(timed: Callable[..., Rows]) -> None:
    rows = timed("transform: [softmax, doubled]", "n: 5, same: true", baseline="softmax")
    assert rows["softmax"]["unranked"] is None and "from the reference" in rows["doubled"]["unranked"]


def test_a_reference_of_its_own_is_asked_too(timed: Callable[..., Rows]) -> None:
    rows = timed(
        "transform: [{gaussian: {rule: published, nodes: 10}}, gaussian]",
        "n: 5, dtype: float64, tolerance: 1e-6",
        "error",
    )
    errors = {label: row["metrics"]["error"][0] for label, row in rows.items()}
    assert errors["gaussian"] < 1e-9 and max(errors.values()) > 1e-4


@pytest.mark.parametrize(
    ("vary", "settings"),
    [
        ("loss: [cross_entropy, zlpr, grouped_soft, ldam]", "direction: both"),
        ("loss: cross_entropy", "direction: backward"),
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
        assert (row["status"], row["reason"]) == ("ok", None), label
        assert all(seconds > 0 for seconds in row["metrics"]["seconds"]) and row["unranked"] is None


def test_a_samplers_time_is_its_own_and_its_networks(timed: Callable[..., Rows]) -> None:
    rows = timed("denoiser: ring8, sampler: ddim", "steps: 3", "seconds, sampler_seconds, denoiser_seconds")
    found = rows["ring8 ddim"]["metrics"]
    for whole, own, network in zip(found["seconds"], found["sampler_seconds"], found["denoiser_seconds"], strict=True):
        assert network > 0 and own + network == pytest.approx(whole)


@pytest.mark.parametrize(
    ("vary", "settings", "reason"),
    [
        ("metric: nll", "direction: both", "nothing is differentiated here: there is no direction both"),
        (
            "loss: {focal: {gamma: {learn: 1.0}}}",
            "",
            "what is learned or scheduled has no speed before there is a step",
        ),
        ("transform: softmax", "threads: 4096", "4096 threads on "),
        ("transform: softmax", "flush: true", "flush: a processor's caches cannot be emptied"),
        ("metric: nfe", "", "nfe asks for nfe, which speed does not make up"),
    ],
)
def test_what_cannot_be_timed_is_skipped_with_the_reason(
    vary: str, settings: str, reason: str, timed: Callable[..., Rows]
) -> None:
    (row,) = timed(vary, settings).values()
    assert row["status"] == "skipped" and row["reason"].startswith(reason)


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
    assert row["status"] == "failed" and row["reason"].startswith(reason)
