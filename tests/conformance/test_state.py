"""State that seeds would share: of data sets and trainers it is refused, and their lines are named."""

from __future__ import annotations

import pytest

from tests.conftest import Bench

PLUGIN = '''
import itertools

import torch

from harness import Dataset, Examples, Trainer, TrainingResult, hookimpl

COUNT = itertools.count()


def table(shift):
    inputs = torch.arange(40.0)[:, None] + shift
    return Examples(inputs, torch.arange(40) % 2, 2)


class Good(Dataset):
    """The same table at every load."""

    def load(self, generator):
        return table(torch.randn(1, generator=generator))


class Counting(Dataset):
    """Another table at every load, by a number of the module."""

    def load(self, generator):
        return table(next(COUNT))


class Keeping(Dataset):
    """Changes an attribute of its own."""

    def __post_init__(self):
        object.__setattr__(self, "seen", [])

    def load(self, generator):
        self.seen.append(1)
        return table(0)


class Remembering(Trainer):
    """Keeps what it has learned from one seed for the next."""

    def __post_init__(self):
        object.__setattr__(self, "weights", {})

    def fit(self, job):
        self.weights[len(self.weights)] = job.seeds
        test = torch.zeros(len(job.seeds), job.test.index.shape[1], job.classes)
        return TrainingResult(test=test)


@hookimpl
def components():
    return [Good, Counting, Keeping, Remembering]
'''


@pytest.mark.verify
def test_state_that_seeds_would_share_is_a_failed_row_that_names_its_line(bench: Bench) -> None:
    bench.write("state.py", PLUGIN)
    keys = "seeds: 2\nsettings: {epochs: 1}\nmetrics: [accuracy]\nplugins: [state.py]\nvary:\n  loss: cross_entropy\n"
    bench.write(
        "s.yaml", f"protocol: accuracy\n{keys}  dataset: [good, counting, keeping]\n  trainer: [auto, remembering]\n"
    )
    found = bench("s.yaml", "--json", "-", "--device", "cpu").json
    said = {tuple(cell["vary"].values())[-2:]: str(cell["reason"]) for cell in found["cells"]}
    assert said["good", "auto"] == "None"
    lines = PLUGIN.splitlines()
    for (data, trainer), text in said.items():
        if (data, trainer) != ("good", "auto"):
            name, method = ("Remembering", "fit") if data == "good" else (data.capitalize(), "load")
            place = next(k for k, line in enumerate(lines, 1) if line.startswith(f"class {name}"))
            line = next(k for k, text in enumerate(lines[place:], place + 1) if f"def {method}" in text)
            assert f"state.py:{line}: {name}.{method} " in text, text
            assert ("second time" if data == "counting" else "changed its attribute") in text
