"""The door from Python: `harness.component`, `components` and `run` say and do what the command does."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import textwrap
from collections.abc import Callable
from typing import Any

import pytest
import torch

import harness
from tests.conftest import NOOP, Bench


def test_a_component_is_built_by_name_with_its_fields() -> None:
    loss = harness.component("loss", "focal", gamma=3)
    assert (
        isinstance(loss, harness.Loss)
        and repr(loss) == "focal(gamma=3.0)"
        and loss.spec() == {"name": "focal", "gamma": 3.0}
    )
    assert repr(harness.component("loss", "cross-entropy")) == "cross_entropy"
    assert repr(harness.component("loss", "loss:nll", transform={"name": "softmax"})) == "nll"
    learned = harness.component("loss", "scaled", loss="focal", temperature={"geometric": [10, 0.1]})
    assert learned.temperature == harness.GeometricSchedule(10, 0.1) and isinstance(learned.loss, harness.Loss)


WRONG: list[tuple[str, str, dict[str, Any], str]] = [
    ("los", "focal", {}, "no kind 'los', did you mean loss?"),
    ("loss", "focl", {}, "no loss 'focl', did you mean focal?"),
    ("loss", "focal", {"gama": 1}, "focal has no field 'gama', did you mean gamma?"),
    ("loss", "focal", {"gamma": "x"}, "focal.gamma: expected a number at least 0, got 'x'"),
    ("loss", "focal", {"gamma": {"geometric": 3}}, "focal.gamma: expected a number at least 0, got {'geometric': 3}"),
    ("loss", "scaled", {}, "loss scaled needs a value for loss"),
    ("loss", "scaled", {"loss": "hinj"}, "no loss 'hinj', did you mean hinge?"),
    ("loss", "torch.nn.functional:cros_entropy", {}, "has no 'cros_entropy', did you mean cross_entropy?"),
    ("model", "mlp", {"hidden": [0]}, "mlp.hidden: expected a whole number at least 1, got [0]"),
]


@pytest.mark.parametrize(("kind", "name", "fields", "says"), WRONG)
def test_a_mistake_is_a_bench_error_with_the_near_miss(kind: str, name: str, fields: dict[str, Any], says: str) -> None:
    with pytest.raises(harness.BenchError) as caught:
        harness.component(kind, name, **fields)
    assert str(caught.value).endswith(says) and "\n" not in str(caught.value)


def test_components_are_the_classes_by_name() -> None:
    losses = harness.components("loss")
    assert list(losses) == sorted(losses) and {"cross_entropy", "focal", "nll"} <= set(losses)
    assert all(issubclass(cls, harness.Loss) for cls in losses.values())
    assert losses["focal"](gamma=1) == harness.component("loss", "focal", gamma=1)
    with pytest.raises(harness.BenchError, match="no kind 'losses', did you mean loss"):
        harness.components("losses")


def test_everything_the_door_promises_is_there() -> None:
    assert all(getattr(harness, name) is not None for name in harness.__all__)
    with pytest.raises(AttributeError, match="no attribute 'componet'"):
        harness.componet  # noqa: B018


@pytest.fixture(scope="module")
def folder(shared: Callable[[str], Bench]) -> Bench:
    return shared("python")


def script(bench: Bench, text: str) -> Any:
    """What a script prints as JSON, run as a user runs it, in a process of its own."""
    file = bench.write("script.py", textwrap.dedent(text))
    command = [sys.executable, "-W", "error", str(file)]
    done = subprocess.run(command, cwd=bench.folder, env=bench.environment, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.mark.verify
def test_run_answers_what_the_command_prints(folder: Bench) -> None:
    folder.suite(name="suites/s.yaml", plugins=None)
    printed = folder("suites/s.yaml", "--plugin", NOOP, "--seeds", "6", "--device", "cpu", "--json", "-").json
    found = script(
        folder,
        f"""
        import json, harness
        result = harness.run("suites/s.yaml", plugins=[{str(NOOP)!r}], seeds=6, device="cpu")
        frame = result.to_frame()
        print(json.dumps({{
            "json": result.to_json(), "answer": result.answer, "exit": result.exit,
            "rows": [row.status for row in result.rows], "compared": [[c.row.vary["loss"], c.metric, c.verdict] for c in result.comparisons],
            "values": list(result.values()), "repr": repr(result), "frame": json.loads(frame.to_json(orient="records")),
        }}))
        """,
    )
    data = json.loads(found["json"])
    for own in ("run", "seconds"):
        assert data.pop(own) != printed.pop(own)
    assert data == printed
    assert (found["answer"], found["exit"], found["rows"]) == (printed["answer"], 0, ["ok", "ok"])
    assert found["compared"] == [["good(value=2.0)", "score", "better"]]
    assert found["repr"] == f"Result(noops: {printed['answer']})"
    assert found["values"] == found["frame"]
    assert found["frame"] == [
        {"loss": label, "status": "ok", "seed": seed, "metric": "score", "value": value + seed / 100}
        for label, value in (("good", 1.0), ("good(value=2.0)", 2.0))
        for seed in range(6)
    ]


def test_run_raises_what_the_command_says(folder: Bench) -> None:
    folder.suite("[godo]", name="wrong.yaml")
    folder.suite("[{bad: {how: raise}}, good]", name="failing.yaml")
    found = script(
        folder,
        """
        import json, harness
        said = []
        for path, more in (("wrong.yaml", {}), ("nowhere.yaml", {}), ("failing.yaml", {"plugins": ["nop.py"]}),
                           ("failing.yaml", {"overrides": {"settings.block_siz": "3"}}), ("failing.yaml", {"results": "script.py"})):
            try:
                harness.run(path, **{"device": "cpu"} | more)
            except harness.BenchError as error:
                said.append(str(error))
        failing = harness.run("failing.yaml", device="cpu")
        print(json.dumps([said, failing.exit, [row.status for row in failing.rows]]))
        """,
    )
    wrong, nowhere, plugin, setting, results = found[0]
    assert "wrong.yaml:8:15: unknown loss 'godo', did you mean good?" in wrong
    assert nowhere.startswith("nowhere.yaml: no such file")
    assert plugin.startswith("no plugin file nop.py")
    assert setting == "--set settings.block_siz: noop has no setting 'block_siz', did you mean block_size?"
    assert results.startswith("cannot write script.py/runs: ")
    assert found[1:] == [3, ["failed", "ok"]]


def test_importing_the_door_is_cheap() -> None:
    code = "import sys, harness; print([n for n in ('torch', 'numpy', 'scipy', 'rich', 'yaml') if n in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env={**os.environ})
    assert done.stdout == "[]\n"


def test_a_class_called_directly_has_the_components_its_defaults_name() -> None:
    loss = harness.components("loss")["nll"]()
    logits, target = torch.tensor([[0.5, 2.0, -1.0]]), torch.tensor([2])
    assert repr(loss) == "nll" and loss.spec() == {"name": "nll"} and loss == harness.component("loss", "nll")
    assert torch.equal(loss(logits, target), torch.nn.functional.cross_entropy(logits, target, reduction="none"))
    flat = harness.components("denoiser")["gaussian"](dim=2)
    assert flat.schedule == harness.component("schedule", "linear") and flat.shape == (2,)
