"""A pull request in a repository of one's own: one that slows an operation by a tenth is stopped, another is not."""

from __future__ import annotations

import shutil
import sysconfig
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.conftest import Bench, Ended
from tests.helpers import installed
from tests.stories.conftest import Documented, program

pytestmark = pytest.mark.verify

GATES = "gates: {seconds: {max_regression: 3%, confirm_runs: 2}}\n"
MODULE = """
from quickops._loop import rounds


def slow_softmax(logits):
    rounds()
    return logits.softmax(-1)
"""
SOURCE = """
#include <Python.h>

static PyObject *rounds(PyObject *self, PyObject *none) {
    volatile long sum = 0;
    for (long k = 0; k < 200000; k++) sum += k;
    Py_RETURN_NONE;
}

static PyMethodDef methods[] = {{"rounds", rounds, METH_NOARGS, ""}, {0}};
static struct PyModuleDef module = {PyModuleDef_HEAD_INIT, "_loop", "", -1, methods};
PyMODINIT_FUNC PyInit__loop(void) { return PyModule_Create(&module); }
"""
SETUP = """
from setuptools import Extension, setup

setup(name="quickops", version="1", packages=["quickops"], ext_modules=[Extension("quickops._loop", ["quickops/loop.c"])])
"""


@pytest.fixture
def commit(bench: Bench) -> Callable[[], None]:
    """Commits everything in the folder, which is a repository."""
    if shutil.which("git") is None:
        pytest.skip("git is not installed")
    git = program(bench, "git", "-c", "user.name=n", "-c", "user.email=e")
    assert git("init", "-q").code == 0
    bench.write(".gitignore", "results\n__pycache__\nbuild\n*.egg-info\n*.so\n")

    def committed() -> None:
        assert git("add", "-A").code == 0 and git("commit", "-qm", "a change", "--allow-empty").code == 0

    return committed


def change(bench: Bench, name: str, before: str, after: str) -> None:
    """Replace a text that a file has once."""
    text = (bench.folder / name).read_text()
    assert text.count(before) == 1
    bench.write(name, text.replace(before, after))


def checked(bench: Bench, *words: str, budget: int = 2) -> Ended:
    """The check of the pull request, a little shorter."""
    given = ("--device", "cpu", "--set", f"settings.budget={budget}")
    return bench(*words, "--against", "HEAD~1", *given, timeout=60 * budget)


def stopped(bench: Bench, *words: str) -> Ended:
    """The check of a pull request that slows an operation: longer where a busy machine leaves it undecided."""
    for budget in (2, 5, 10):
        found = checked(bench, *words, budget=budget)
        if found.code:
            break
    return found


def test_a_slower_operation_is_stopped_and_another_change_is_not(
    bench: Bench, documented: Documented, commit: Callable[[], None]
) -> None:
    documented("timing.md")
    commit()
    change(bench, "fastops.py", "range(20)", "range(22)")
    commit()
    slower = stopped(bench, "ops.yaml")
    assert slower.code == 1, slower.out + slower.err
    (broken,) = [line for line in slower.lines if line.startswith("bench: gate:")]
    assert "seconds max_regression 3 %: here on fastops:centered_softmax is" in broken
    change(bench, "fastops.py", "import torch\n", '"""Operations."""\n\nimport torch\n')
    commit()
    passed = checked(bench, "ops.yaml")
    assert passed.code == 0, passed.out + passed.err


def test_a_compiled_extension_in_an_editable_install(bench: Bench, commit: Callable[[], None]) -> None:
    """The module is found by the hook of the installer, not by the path: the revision's own is built and timed."""
    if shutil.which((sysconfig.get_config_var("CC") or "cc").split()[0]) is None:
        pytest.skip("no C compiler")
    for name, text in {"quickops/__init__.py": MODULE, "quickops/loop.c": SOURCE, "setup.py": SETUP}.items():
        bench.write(name, text)
    lines = ['vary: {transform: "quickops:slow_softmax"}', "settings: {n: 10, batch: 1, budget: 4}", "seeds: 200"]
    bench.write("checks/ops.yaml", "\n".join(["protocol: speed", *lines, "metrics: seconds", GATES]))
    commit()
    change(bench, "quickops/loop.c", "200000", "220000")
    commit()
    python = Path(str(shutil.which("python", path=bench.environment["PATH"])))
    installed.install(python, "-e", bench.folder)
    try:
        slower = stopped(bench, "checks/ops.yaml", "--trust")  # the package is beside the folder of the suite
        assert slower.code == 1 and "seconds max_regression 3 %: here is" in slower.err, slower.out + slower.err
    finally:
        program(bench, "python", "-m", "pip", "uninstall", "-q", "-y")("quickops")
