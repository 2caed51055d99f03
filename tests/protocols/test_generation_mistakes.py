"""Bad input to the generation protocol, by the real command: a row fails with one line, the others are complete."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest

from tests.conftest import Bench, Ended

PLUGIN = '''
"""Denoisers and a spacing that are wrong."""

import torch
from harness import Denoiser, Schedule, Spacing, hookimpl, named


class Good(Denoiser):
    """Data that are 0."""

    shape: tuple[int, ...] = (2,)
    schedule: Schedule = named("linear")

    def load(self, device):
        return None

    def sample(self, net, n, generator):
        return torch.zeros(n, 2)

    def predict(self, net, x, t):
        return x / (1 - self.schedule.alpha_bar(t[:1]).to(x)).sqrt()


class Lost(Good):
    """Answers NaN once it comes near the data."""

    def predict(self, net, x, t):
        return super().predict(net, x, t) + (float("nan") if t[0] < 500 else 0)


class Endless(Good):
    """Answers infinity in one place."""

    def predict(self, net, x, t):
        found = super().predict(net, x, t)
        found[3, 1] = float("inf")
        return found


class Narrow(Good):
    """Answers one column of two."""

    def predict(self, net, x, t):
        return super().predict(net, x, t)[:, :1]


class Rising(Spacing):
    """Goes up and down."""

    def times(self, schedule, steps, cost=None):
        return torch.tensor([100.0, 900.0, 0.0])


class Endlong(Spacing):
    """Stops before the data."""

    def times(self, schedule, steps, cost=None):
        return torch.tensor([900.0, 100.0])


@hookimpl
def components():
    return [Good, Lost, Endless, Narrow, Rising, Endlong]
'''

SUITE = """
suite: mistakes
question: What goes wrong?
protocol: generation
vary: {{denoiser: [{denoiser}], spacing: [{spacing}], sampler: [{sampler}]}}
settings: {{samples: 100, {settings}}}
seeds: 2
metrics: [energy_distance, nfe]
plugins: [wrong.py]
"""
CHECKPOINT = "{{checkpoint: {{module: 'torch.nn:Identity', file: {file}, shape: [2]}}}}"


def suite(bench: Bench, denoiser: str, spacing: str, sampler: str, settings: str) -> Ended:
    bench.write("wrong.py", PLUGIN)
    text = SUITE.format(denoiser=denoiser, spacing=spacing, sampler=sampler, settings=settings)
    return bench(bench.write("s.yaml", text), "--json", "-", "-q", "--device", "cpu")


@pytest.fixture(scope="module")
def ended(shared: Callable[[str], Bench]) -> list[Ended]:
    bench = shared("wrong")
    bench.write("torn.pt", "no weights")
    torn = CHECKPOINT.format(file="torn.pt")
    return [
        suite(bench, f"good, lost, endless, narrow, {torn}", "even", "ddim", "steps: 4"),
        suite(bench, "good", "even, rising, endlong", "ddim", "steps: [4, 2000]"),
    ]


@pytest.fixture(scope="module")
def rows(ended: list[Ended]) -> dict[tuple[str, str, int], Any]:
    return {
        (row["parameters"]["denoiser"]["name"], row["vary"]["spacing"], row["vary"].get("steps", 4)): row
        for each in ended
        for row in each.json["cells"]
    }


@pytest.mark.verify
def test_the_rest_runs(ended: list[Ended], rows: dict[tuple[str, str, int], Any]) -> None:
    assert all(each.code == 3 and "Traceback" not in each.err for each in ended)
    assert [key for key, row in rows.items() if row["status"] == "ok"] == [("good", "even", 4)]
    assert rows["good", "even", 4]["metrics"]["nfe"]["values"] == [4, 4]
    assert {row["status"] for key, row in rows.items() if key != ("good", "even", 4)} == {"failed"}


@pytest.mark.parametrize(
    ("denoiser", "spacing", "steps", "reason"),
    [
        (
            "good",
            "rising",
            4,
            r"wrong\.py:\d+: Rising\.times gave times that do not decrease to 0: 100, 900, 0, expected [^\n]*",
        ),
        (
            "good",
            "endlong",
            4,
            r"wrong\.py:\d+: Endlong\.times gave times that do not decrease to 0: 900, 100, expected [^\n]*",
        ),
        ("good", "even", 2000, r"even\(?\)?: 2000 steps asked of a schedule with 1000"),
        ("lost", "even", 4, r"lost\b.* answered NaN or infinity at t = 334; do its prediction_type, [^\n]*"),
        ("endless", "even", 4, r"wrong\.py:\d+: Endless\.predict returned numbers that are not finite at t = 1000.*"),
        (
            "narrow",
            "even",
            4,
            r"wrong\.py:\d+: Narrow\.predict returned \[5, 1\] for x_t \[5, 2\], expected a floating tensor \[5, 2\]",
        ),
        ("checkpoint", "even", 4, r"[^\n]*torn\.pt[^\n]*"),
    ],
)
def test_a_mistake_is_one_line_that_names_the_thing(
    denoiser: str, spacing: str, steps: int, reason: str, rows: dict[tuple[str, str, int], Any]
) -> None:
    said = rows[denoiser, spacing, steps]["reason"]
    assert re.fullmatch(reason, said), said


def test_times_written_in_the_wrong_order(bench: Bench) -> None:
    ended = suite(bench, "good", "even, {explicit: {at: [900, 950, 3]}}", "ddim", "steps: 4")
    even, explicit = ended.json["cells"]
    assert ended.code == 3 and even["status"] == "ok"
    assert explicit["reason"] == "explicit.at: 950 does not lie below 900"


@pytest.mark.verify
def test_too_few_evaluations(bench: Bench) -> None:
    pytest.importorskip("diffusers")
    ended = suite(bench, "good", "even", "pndm, edm_heun, {diffusers: {scheduler: PNDMScheduler}}", "nfe: 5")
    found = {row["parameters"]["sampler"]["name"]: row for row in ended.json["cells"]}
    assert ended.code == 3 and [found[name]["metrics"]["nfe"]["mean"] for name in ("pndm", "edm_heun")] == [5, 5]
    assert re.fullmatch(
        r"diffusers\(.*PNDM.*\) takes more than 5 evaluations of the network", found["diffusers"]["reason"]
    )


@pytest.mark.parametrize(
    ("spacing", "sampler", "settings", "said"),
    [
        ("even", "ddim", "steps: 4", "no file 'absent.pt' beside the suite"),
        ("even", "ddim", "steps: 0", "steps"),
        ("even", '"diffusers:DDIMSchedular"', "steps: 4", "did you mean DDIMScheduler?"),
        ("even", '{"diffusers:DDIMScheduler": {scheduler: PNDMScheduler}}', "steps: 4", "scheduler"),
        ("even", "ddim", "noise_last_step: 3", "noise_last_step"),
    ],
)
@pytest.mark.verify
def test_what_the_suite_alone_shows_is_told_before_anything_runs(
    spacing: str, sampler: str, settings: str, said: str, bench: Bench
) -> None:
    if "diffusers" in sampler:
        pytest.importorskip("diffusers")
    denoiser = CHECKPOINT.format(file="absent.pt") if "absent" in said else "good"
    ended = suite(bench, denoiser, spacing, sampler, settings)
    assert ended.code == 2 and "Traceback" not in ended.err
    assert re.search(r"s\.yaml:\d+:\d+: ", ended.lines[0]) and said in ended.lines[0]
