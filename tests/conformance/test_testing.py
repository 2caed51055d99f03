"""`harness.testing.conformance`: the checks of `bench check` as tests in the test suite of a plugin."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

import harness
from harness.commands.check import check
from harness.errors import BenchError
from harness.testing import conformance

PLUGIN = '''
import torch
from harness import Loss, Positive, hookimpl
from torch.nn import functional


class Tempered(Loss):
    """Cross-entropy of tempered logits."""

    temperature: Positive = 1.0

    def __call__(self, logits, target):
        return functional.cross_entropy(logits / self.temperature, target, reduction="none")


class Detached(Loss):
    """Cross-entropy without a gradient."""

    def __call__(self, logits, target):
        return functional.cross_entropy(logits.detach(), target, reduction="none") + 0 * logits.sum(-1)


@hookimpl
def components():
    return [Tempered, Detached]
'''
TESTS = """
from mine import Detached, Tempered

from harness.testing import conformance

test_tempered = conformance(Tempered(), Tempered(temperature=2.0))
test_detached = conformance(Detached())
"""


@pytest.mark.verify
def test_the_tests_of_a_plugin_are_its_checks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "mine.py").write_text(PLUGIN)
    (tmp_path / "test_mine.py").write_text(TESTS)
    command = [sys.executable, "-m", "pytest", "-q", "-rA", "-p", "no:cacheprovider", str(tmp_path)]
    ended = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    said = [line.split(" - ")[0].partition("::")[2] for line in ended.stdout.splitlines() if line.startswith("FAILED")]
    monkeypatch.chdir(tmp_path)
    verdicts = {each.label: each.verdicts for each in check("mine.py")}
    failed = [each.name for each in verdicts["detached"] if each.passed is False]
    assert failed and said == [f"test_detached[detached-{name}]" for name in failed], ended.stdout
    assert "test_mine.py::test_tempered[tempered(temperature=2.0)-gradient]" in ended.stdout
    each = [verdict for name in ("tempered", "tempered", "detached") for verdict in verdicts[name]]
    counts = [sum(verdict.passed is value for verdict in each) for value in (False, True, None)]
    assert ended.stdout.splitlines()[-1].startswith("{} failed, {} passed, {} skipped".format(*counts))


def test_a_kind_without_checks_is_refused() -> None:
    with pytest.raises(BenchError, match="euclidean: no conformance checks for the kind dissimilarity"):
        conformance(harness.component("dissimilarity", "euclidean"))
