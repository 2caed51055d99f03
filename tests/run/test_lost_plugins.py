"""A plugin that cannot be imported fails its own rows: the others are complete, and nothing else is excused."""

from __future__ import annotations

from pathlib import Path

import pytest

import harness
from harness.errors import BenchError
from tests.conftest import Bench

MINE = '''
{first}
from harness import Loss, hookimpl


class MyLoss(Loss):
    """A number."""

    gamma: float = 1.0

    def __call__(self, seeds, case):
        return [self.gamma for seed in seeds]


@hookimpl
def components():
    return [MyLoss]
'''
WAYS = {
    "module": ("import no_such_module", "mine.py:2: cannot be imported: ModuleNotFoundError: No module named 'no_such_module'"),
    "name": ("from harness import Nothing", "mine.py:2: cannot be imported: ImportError: cannot import name 'Nothing'"),
    "syntax": ("def f(:", "mine.py:2: cannot be imported: SyntaxError: "),
    "raises": ("raise ValueError('no')", "mine.py:2: cannot be imported: ValueError: no"),
    "exits": ("import os; os._exit(0)", "mine.py: cannot be imported: the process ended by itself with exit code 0"),
    "dies": ("import ctypes; ctypes.string_at(0)", "mine.py: cannot be imported: killed by SIGSEGV"),
}  # fmt: skip
LOSSES = "[good, {good: {value: 2}}, my_loss, {my_loss: {gamma: [2, 3]}}]"


def broken(bench: Bench, first: str = "import no_such_module", losses: str = LOSSES, **keys: object) -> Path:
    """A suite with the plugin `mine.py`, whose first line keeps it from being imported."""
    bench.write("mine.py", MINE.format(first=first))
    return bench.suite(losses, **{"plugins": "[noop.py, mine.py]", **keys})


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.verify
def test_its_rows_fail_and_the_others_are_complete(way: str, bench: Bench) -> None:
    first, says = WAYS[way]
    ended = bench(broken(bench, first), "--json", "-")
    assert ended.code == 3 and "Traceback" not in ended.err, ended.err
    rows = {str(cell["vary"]["loss"]): cell for cell in ended.json["cells"]}
    assert [*rows] == [
        "good",
        "good(value=2.0)",
        "my_loss",
        "my_loss(gamma=2)",
        "my_loss(gamma=3)",
    ]
    for name, row in rows.items():
        assert row["status"] == ("failed" if name.startswith("my") else "ok")
        assert says in row["reason"] if name.startswith("my") else len(row["metrics"]["score"]["values"]) == 8
    assert rows["good(value=2.0)"]["against"]["score"]["verdict"] == "better"
    assert len([line for line in ended.lines if line.startswith("bench: ") and says in line]) == 1
    assert says in " ".join(bench("report", "last").out.replace("│", " ").split())


@pytest.mark.verify
def test_mended_it_is_measured_alone(bench: Bench) -> None:
    suite = broken(bench)
    assert bench(suite, "-q").code == 3
    bench.write("mine.py", MINE.format(first=""))
    assert "3 cells to do, 2 reused" in bench(suite, "--dry-run").out
    ended = bench(suite, "--json", "-")
    assert ended.code == 0 and {cell["status"] for cell in ended.json["cells"]} == {"ok"}


@pytest.mark.parametrize("words", [["validate"], ["--dry-run"]])
def test_before_a_run_it_is_a_mistake(words: list[str], bench: Bench) -> None:
    ended = bench(*words, broken(bench)) if words == ["validate"] else bench(broken(bench), *words)
    assert ended.code == 2 and ended.out == "" and len(ended.lines) == 1
    assert "mine.py:2: cannot be imported: ModuleNotFoundError" in ended.err


@pytest.mark.parametrize(
    ("losses", "keys", "says"),
    [
        ("[good, {good: {value: 2}}]", {}, "mine.py:2: cannot be imported"),
        ("[good, god, my_loss]", {}, "s.yaml:8:21: unknown loss 'god', did you mean good?"),
        ("[good, {god: {value: 2}}]", {}, "mine.py:2: cannot be imported"),
        ("[good, my_loss]", {"metrics": "[score, my_metric]"}, "unknown metric 'my_metric'"),
        ("[good, my_loss]", {"plugins": "[noop.py, mine.py, gone.py]"}, "no plugin file gone.py"),
    ],
)  # fmt: skip
@pytest.mark.verify
def test_what_is_not_its_own_stays_a_mistake(losses: str, keys: dict[str, str], says: str, bench: Bench) -> None:
    ended = bench(broken(bench, losses=losses, **keys))
    assert ended.code == 2 and says in ended.err and "Traceback" not in ended.err
    assert not (bench.folder / "results").exists()


@pytest.mark.verify
def test_a_name_that_its_text_does_not_have_is_its_own_too(bench: Bench) -> None:
    """Components may be made in any way: `wholly_new` is like no known name."""
    ended = bench(broken(bench, losses="[good, {wholly_new: {inner: {good: {value: 2}}, size: [3]}}]"), "--json", "-")
    assert ended.code == 3 and [cell["status"] for cell in ended.json["cells"]] == ["ok", "failed"]


@pytest.mark.verify
def test_a_module_named_by_an_import_path(bench: Bench) -> None:
    bench.write("nets.py", "1 / 0\n")
    suite = bench.suite("[good, 'nets:loss', {'nets:other': {a: 1}}]")
    ended = bench(suite, "--json", "-")
    assert ended.code == 3, ended.err
    assert [cell["status"] for cell in ended.json["cells"]] == ["ok", "failed", "failed"]
    assert "nets:loss: cannot be imported: ZeroDivisionError: division by zero" in ended.json["cells"][1]["reason"]
    assert bench("validate", suite).code == 2


@pytest.mark.verify
def test_a_baseline_that_is_lost_leaves_the_others_without_a_verdict(bench: Bench) -> None:
    ended = bench(broken(bench, losses="[good, my_loss]", baseline="my_loss"), "--json", "-")
    assert ended.code == 3
    good, mine = ended.json["cells"]
    assert (good["status"], mine["status"]) == ("ok", "failed")
    assert good["against"]["score"]["verdict"] is None and "cannot be imported" in good["against"]["score"]["reason"]


SPEED = """
protocol: speed
vary: {transform: [my_own, softmax, sparsemax]}
settings: {n: 10, batch: 4, budget: 0.2}
seeds: 14
metrics: seconds
baseline: BASELINE
"""


@pytest.mark.parametrize("baseline", ["softmax", "my_own"])
@pytest.mark.verify
def test_contenders_that_take_turns_go_on_without_it(baseline: str, bench: Bench) -> None:
    bench.write("mine.py", "import no_such_module\n")
    bench.write("s.yaml", SPEED.replace("BASELINE", baseline))
    ended = bench("s.yaml", "--plugin", "mine.py", "--device", "cpu", "--json", "-")
    assert ended.code == 3, ended.err
    assert {cell["vary"]["transform"]: cell["status"] for cell in ended.json["cells"]} == {
        "my_own": "failed", "softmax": "ok", "sparsemax": "ok",
    }  # fmt: skip


TRAINED = """
protocol: accuracy
vary: {dataset: [iris, mine], loss: [cross_entropy, {nll: {transform: [softmax, my_noise]}}]}
settings: {epochs: 2}
tune: {trials: 2, lr: [0.1, 0.3]}
seeds: 4
metrics: [accuracy]
baseline: cross_entropy
"""


@pytest.mark.verify
def test_components_inside_others_and_data_sets(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also from Python, where the suite runs too; what is not imported is a row, what is not there an error."""
    bench.write("mine.py", "import no_such_module\n\nclass Mine: ...\n\nclass MyNoise: ...\n")
    bench.write("s.yaml", TRAINED)
    monkeypatch.chdir(bench.folder)
    result = harness.run("s.yaml", plugins=["mine.py"], device="cpu")
    statuses = {(row.vary["dataset"], row.vary["loss"]): row.status for row in result.rows}
    lost = {key for key in statuses if key[0] == "mine" or "my_noise" in str(key[1])}
    assert len(statuses) == 6 and len(lost) == 4
    assert all(status == ("failed" if key in lost else "ok") for key, status in statuses.items())
    with pytest.raises(BenchError, match=r"no plugin file gone\.py"):
        harness.run("s.yaml", plugins=["gone.py"], device="cpu")
