"""The notebooks run from top to bottom where the wheel is installed, and print numbers that other ways confirm."""

from __future__ import annotations

import re

import numpy as np
import pytest
from scipy import stats

from tests.conftest import Bench, Ended
from tests.stories.conftest import DOCS, program

pytestmark = pytest.mark.verify

NUMBER = r"[-+]?\d+\.\d+"


def printed(bench: Bench, name: str) -> Ended:
    """What a notebook prints."""
    text = (DOCS / "notebooks" / name).read_text()
    assert text.startswith("# %% [markdown]\n# # ") and "\n# %%\n" in text
    ended = program(bench, "python")(bench.write(name, text), timeout=120)
    assert ended.code == 0, ended.err
    return ended


def numbers(out: str, start: str) -> list[float]:
    """The numbers in the line that starts so."""
    (line,) = [line for line in out.splitlines() if line.startswith(start)]
    return [float(found) for found in re.findall(NUMBER, line.removeprefix(start))]


def test_compare(bench: Bench) -> None:
    text = (DOCS / "notebooks" / "compare.py").read_text()
    ours, theirs = (np.array(eval(found)) for found in re.findall(r"= np\.array\((\[[^]]*\])\)", text)[:2])
    out = printed(bench, "compare.py").out
    paired = stats.ttest_rel(ours, theirs)
    interval = paired.confidence_interval()
    expected = [(ours - theirs).mean(), interval.low, interval.high]
    difference, _, low, high = [*numbers(out, "ours - theirs: ")[:1], 0, *numbers(out, "ours - theirs: ")[1:]]
    assert [difference, low, high] == pytest.approx(expected, abs=6e-5)
    assert numbers(out, "p = ") == pytest.approx([paired.pvalue], abs=6e-5) and ": better" in out
    assert "without pairs" in out and "undecided" in out and out.count("equivalent") == 2
    by_seed, by_example = numbers(out, "means by seed     : "), numbers(out, "seeds and examples: ")
    assert by_seed[0] == by_example[0] and by_example[1] < 0 < by_seed[1], "one hides half of the doubt"


def test_sample(bench: Bench) -> None:
    out = printed(bench, "sample.py").out
    mean = 0.3 * -1 + 0.7 * 2
    deviation = (0.04 + 0.3 * 0.7 * 3**2) ** 0.5
    assert numbers(out, "target: ") == pytest.approx([mean, deviation], abs=6e-5)
    (chance,) = numbers(out, "chance alone: ")
    distances = [numbers(out, f"{steps:3} steps, ddim: ") for steps in (5, 10, 25, 100)]
    assert distances[0][0] > distances[1][0] > distances[2][0] and distances[3][0] < 2 * chance
    assert distances[3][1] == pytest.approx(0.3, abs=0.02)
    weights, means, normal = [0.3, 0.7], [-1.0, 2.0], stats.norm
    draws = np.random.default_rng(0).choice(means, 100_000, p=weights) + 0.2 * np.random.default_rng(1).normal(
        size=100_000
    )
    density = sum(w * normal.pdf(draws, m, 0.2) for w, m in zip(weights, means, strict=True))
    assert numbers(out, "the target itself: ") == pytest.approx([np.log(density).mean()], abs=0.05)
    assert re.search(r"ddpm - ddim: .*: ddpm is (better|worse|undecided)", out)


def test_run(bench: Bench) -> None:
    out = printed(bench, "run.py").out
    assert out.startswith("No row") or out.startswith("In accuracy")
    rows = re.findall(r"^(wine|iris) +(\S+) +nll ", out, re.MULTILINE)
    assert len(rows) == 6 and len(set(rows)) == 6
    assert "status" in out and "seed" in out, "the frame has a line for every row, seed and metric"
