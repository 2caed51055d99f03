"""A stranger's package of plugins type-checks beside a checkout and beside the wheel, and its mistakes are found."""

from __future__ import annotations

import importlib
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from harness.base import Component
from harness.discovery.declarations import check_class
from harness.kinds import KINDS
from tests.helpers import installed

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = Path(__file__).resolve().parent / "stranger"

MODULES = [importlib.import_module(f"tests.typing.stranger.{name}") for name in ("learning", "sampling", "judging")]
CLASSES: list[type[Component]] = [cls for module in MODULES for cls in module.components()]

MISTAKES = (
    # A loss that returns an int.
    ("learning.py", "progress: float = 0.0) -> Tensor:", "progress: float = 0.0) -> int:  # wrong"),
    ("learning.py", 'return functional.cross_entropy(factor * logits, target, reduction="none")', "return int(factor)"),
    # A transform that returns two tensors.
    ("learning.py", "return torch.softmax(self.exponent * logits, -1)", "return logits, logits  # wrong"),
    # A sampler that returns None.
    ("sampling.py", "noise: NoiseSource) -> Tensor:", "noise: NoiseSource) -> None:  # wrong"),
    ("sampling.py", "        return z\n", ""),
    # A variance whose `fit` returns a list.
    (
        "sampling.py",
        'generator: Generator) -> dict[str, Tensor]:\n        """The mean squares',
        'generator: Generator) -> list[Tensor]:  # wrong\n        """The mean squares',
    ),
    ("sampling.py", 'return {"means": (data - model.x0(data, t)).square().mean(0)}', "return [data]"),
    # A declared attribute that is none of the choices.
    ("sampling.py", 'prediction_type = "sample"', 'prediction_type = "samples"  # wrong'),
    # A field of another type, a field that no class has, a name that is not in the package.
    (
        "calling.py",
        "Powers(exponent=2.0)(torch.zeros(3)), Tensor)",
        'Powers(exponent="2")(torch.zeros(3)), Tensor)  # wrong',
    ),
    (
        "calling.py",
        "Rational(num_train_timesteps=100).num_train_timesteps)",
        "Rational(steps=100).num_train_timesteps)  # wrong",
    ),
    (
        "calling.py",
        "import DiffusionModel, GeometricSchedule, Learned",
        "import DiffusionModel, GeometricSchedule, Learned, Los  # wrong",
    ),
)
"""(file, what is right, what is wrong); a line that a checker should refuse ends in `# wrong`."""


@pytest.mark.parametrize("cls", CLASSES, ids=lambda cls: cls.__name__)
def test_its_classes_can_be_registered(cls: type[Component]) -> None:
    check_class(cls)


def test_it_has_a_class_of_every_kind() -> None:
    assert {cls.kind for cls in CLASSES} == set(KINDS)


@pytest.fixture(scope="module")
def packages(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the package, `stranger`, and one with the mistakes in it, `mistaken`."""
    folder = tmp_path_factory.mktemp("packages")
    for name in ("stranger", "mistaken"):
        shutil.copytree(PACKAGE, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name, right, wrong in MISTAKES:
        file = folder / "mistaken" / name
        text = file.read_text()
        assert text.count(right) == 1, right
        file.write_text(text.replace(right, wrong))
    return folder


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of this one."""
    return installed.checkout(tmp_path_factory.mktemp("checkout"))


@pytest.fixture(scope="module", params=["editable", pytest.param("wheel", marks=pytest.mark.verify)])
def python(request: pytest.FixtureRequest, checkout: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The interpreter of an environment with the checkout installed in one way and the libraries that are here."""
    folder = tmp_path_factory.mktemp(request.param)
    python = installed.environment(folder)
    installed.install(python, *(["-e"] if request.param == "editable" else []), checkout)
    code = "import harness; print(harness.__file__)"
    found = subprocess.run([python, "-c", code], cwd=folder, env=clean(), check=True, capture_output=True, text=True)
    where = checkout if request.param == "editable" else installed.packages(python)
    assert Path(found.stdout.strip()).parents[1] == where
    return python


@pytest.fixture(scope="module", params=["mypy", "pyright"])
def errors(
    request: pytest.FixtureRequest, python: Path, packages: Path, tmp_path_factory: pytest.TempPathFactory
) -> list[tuple[str, int]]:
    """File and line of every error that a type checker finds in the packages."""
    if request.param == "mypy":
        return by_mypy(python, packages, tmp_path_factory.getbasetemp() / "mypy")
    return by_pyright(python, packages)


def by_mypy(python: Path, packages: Path, cache: Path) -> list[tuple[str, int]]:
    """What `mypy --strict` finds, without any configuration."""
    options = ["--strict", "--config-file=", "--cache-dir", cache, "--python-executable", python]
    ended = checked("mypy", *options, "stranger", "mistaken", cwd=packages)
    assert ended.returncode in (0, 1), ended.stdout + ended.stderr
    found = re.findall(r"^(\S+?):(\d+): error: ", ended.stdout, re.MULTILINE)
    assert len(found) == ended.stdout.count(": error: "), ended.stdout
    return [(file, int(line)) for file, line in found]


def by_pyright(python: Path, packages: Path) -> list[tuple[str, int]]:
    """What pyright finds, without any configuration. It skips where pyright cannot start, as without a network."""
    pytest.importorskip("pyright", reason="pyright is not installed: pip install touchstone-bench[test]")
    started = checked("pyright", "--version", cwd=packages)
    if started.returncode:
        pytest.skip(f"pyright cannot start: {(started.stderr or started.stdout).strip().splitlines()[-1]}")
    ended = checked("pyright", "--outputjson", "--pythonpath", python, "stranger", "mistaken", cwd=packages)
    assert ended.returncode in (0, 1), ended.stdout + ended.stderr
    found = [each for each in json.loads(ended.stdout)["generalDiagnostics"] if each["severity"] == "error"]
    where = [(Path(each["file"]).resolve().relative_to(packages.resolve()), each["range"]["start"]) for each in found]
    return [(str(file), start["line"] + 1) for file, start in where]


def checked(module: str, *options: object, cwd: Path) -> subprocess.CompletedProcess[str]:
    """A type checker's run."""
    command = [sys.executable, "-m", module, *map(str, options)]
    return subprocess.run(command, cwd=cwd, env=clean(), capture_output=True, text=True, timeout=300)


def clean() -> dict[str, str]:
    """This environment without any path to Python modules."""
    kept = {name: value for name, value in os.environ.items() if name not in ("MYPYPATH", "PYTHONPATH")}
    return {**kept, "PYRIGHT_PYTHON_IGNORE_WARNINGS": "1"}


@pytest.mark.verify
def test_a_strangers_package_has_no_errors(errors: list[tuple[str, int]]) -> None:
    assert [place for place in errors if place[0].startswith("stranger")] == []


@pytest.mark.verify
def test_every_mistake_is_found_once_at_its_line(errors: list[tuple[str, int]], packages: Path) -> None:
    wrong = [
        (f"mistaken/{file.name}", number)
        for file in (packages / "mistaken").glob("*.py")
        for number, line in enumerate(file.read_text().splitlines(), 1)
        if line.endswith("# wrong")
    ]
    assert len(wrong) == sum("# wrong" in mistake for _, _, mistake in MISTAKES)
    assert sorted(place for place in errors if place[0].startswith("mistaken")) == sorted(wrong)
