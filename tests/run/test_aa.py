"""Contenders that are one method under many names, orders, companies and batches: never better, never worse."""

from __future__ import annotations

import json
import os
from typing import Any

import pytest

from tests.conftest import Bench

COUNT = 200 if os.environ.get("FULL") == "1" else 40
PLUGIN = '''
"""One loss under many names."""
import torch
from harness import Loss, hookimpl


class Same(Loss):
    """Cross-entropy."""

    def __call__(self, logits, target):
        return torch.nn.functional.cross_entropy(logits, target, reduction="none")


@hookimpl
def components():
    return [type(f"Same{chr(97 + k // 26)}{chr(97 + k % 26)}", (Same,), {"__doc__": "Cross-entropy.", "__module__": __name__}) for k in range(200)]
'''
NAMES = ["same" + chr(97 + k // 26) + chr(97 + k % 26) for k in range(COUNT)]
SUITE = "protocol: accuracy\nplugins: [same.py]\nvary: {{dataset: wine, loss: [{names}]}}\nmetrics: [nll, accuracy]\nseeds: 8\nsettings: {{epochs: 3}}\ntrainer: {trainer}\n"


def measured(
    bench: Bench, names: list[str], trainer: str, folder: str, more: str = "", jobs: int = 1, cores: int | None = None
) -> dict[str, Any]:
    """Rows by loss, measured by `jobs` cells at a time, on `cores` cores: a cell has two threads, or one on one core."""
    suite = bench.write("s.yaml", SUITE.format(names=", ".join(names), trainer=trainer) + more)
    free = sorted(os.sched_getaffinity(0))[:cores]
    words = (suite, "--results", folder, "-j", str(jobs), "--json", "-")
    process = bench.start(*words, preexec_fn=lambda: os.sched_setaffinity(0, free))
    out, err = process.communicate(timeout=1200)
    assert process.returncode == 0, err.decode()
    return {cell["vary"]["loss"]: cell for cell in json.loads(out)["cells"]}


@pytest.mark.verify
@pytest.mark.parametrize("trainer", ["stacked", "loop"])
def test_many_names_of_one_method_are_identical_in_any_order_company_and_number_of_threads(
    bench: Bench, trainer: str
) -> None:
    bench.write("same.py", PLUGIN)
    names = NAMES if trainer == "stacked" else NAMES[:6]
    together = measured(bench, names, trainer, "a", f"baseline: {names[0]}\n")
    verdicts = {
        cell["against"][label]["verdict"] for cell in list(together.values())[1:] for label in ("nll", "accuracy")
    }
    assert verdicts == {"identical"}
    numbers = {name: cell["metrics"]["nll"]["values"] for name, cell in together.items()}
    assert len({tuple(values) for values in numbers.values()}) == 1
    backward = measured(bench, names[::-1], trainer, "b")
    alone = measured(bench, [names[3]], trainer, "c")
    crowded = measured(bench, names[:6], trainer, "d", jobs=2)
    baseline = f"baseline: {names[0]}\n"
    narrow = measured(bench, names[:6], trainer, "e", baseline, cores=1)
    assert {cell["against"]["nll"]["verdict"] for cell in list(narrow.values())[1:]} == {"identical"}
    for cell in narrow.values():  # threads may round in another order
        assert cell["metrics"]["nll"]["values"] == pytest.approx(numbers[names[0]], rel=1e-5)
    for other in (backward, alone, crowded):
        assert {name: cell["metrics"]["nll"]["values"] for name, cell in other.items()}.items() <= numbers.items()


@pytest.mark.verify
def test_batches_make_no_difference_to_samples(bench: Bench) -> None:
    suite = bench.write(
        "g.yaml",
        "protocol: generation\nvary: {denoiser: ring8, sampler: [ddpm, ddim]}\nsettings: {samples: 256, steps: 5, batch: [64, 128, 256]}\n"
        "metrics: [mmd, fid_proxy]\nseeds: 6\ngroup_by: [denoiser, sampler, steps, samples]\nbaseline: {batch: 64}\n",
    )
    ended = bench(suite, "--json", "-", timeout=300)
    assert ended.code == 0, ended.err
    compared = [
        cell["against"][label]["verdict"]
        for cell in ended.json["cells"]
        if cell["vary"]["batch"] != 64
        for label in ("mmd", "fid_proxy")
    ]
    assert len(compared) == 8 and set(compared) <= {"identical", "undecided"}
