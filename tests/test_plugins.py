"""Plugins as strangers write them: every mistake is one line with its place, and nothing but the plugin suffers."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Callable
from typing import Any

import pytest

from tests.conftest import NOOP, Bench, Ended

HEAD = "from harness import Loss, Metric, Model, Transform, hookimpl, named\n"
LOSS = HEAD + '''
class Mine(Loss):
    """Mine."""
    {fields}

    def __call__(self, logits, target{inputs}):
        return logits.sum(-1)
'''
HOOK = """
@hookimpl
def components():
    return [Mine]
"""

BROKEN: dict[str, tuple[str, int | None, str]] = {
    "no_hookimpl": (LOSS + "def components():\n    return [Mine]\n", 9, "components() is not registered: put @hookimpl above it"),
    "misspelt_hook": (LOSS + HOOK.replace("components", "componets"), 10, "no hook is called 'componets', did you mean components?"),
    "unmarked_misspelt_hook": (LOSS + "def componets():\n    return [Mine]\n", 1, "the plugin registers nothing: it needs @hookimpl def components(), did you mean componets?"),
    "no_hook": (LOSS, 1, "the plugin registers nothing: it needs @hookimpl def components()"),
    "empty": ("", 1, "the plugin registers nothing: it needs @hookimpl def components()"),
    "hook_with_arguments": (LOSS + HOOK.replace("components()", "components(registry)"), 10, "components() has no argument 'registry': it has no arguments"),
    "event_with_wrong_arguments": (LOSS + HOOK + "@hookimpl\ndef case_started(cel):\n    pass\n", 13, "case_started() has no argument 'cel', did you mean cell?"),
    "hook_that_is_no_function": (LOSS + "import functools\n" + HOOK.replace("@hookimpl", "@hookimpl\n@functools.cache"), 1, "components is no plain function, so pluggy does not see it"),
    "hook_that_raises": (LOSS + "@hookimpl\ndef components():\n    return [Mine, 1 / 0]\n", 11, "components() failed: ZeroDivisionError: division by zero"),
    "answer_class": (LOSS + HOOK.replace("[Mine]", "Mine"), 10, "components() must return a list of classes, not the class Mine: return [Mine]"),
    "answer_none": (LOSS + HOOK.replace("[Mine]", "None"), 10, "components() must return a list of classes, not None"),
    "answer_generator": (LOSS + HOOK.replace("return [Mine]", "yield Mine"), 10, "components() must return a list of classes, not a generator"),
    "answer_instance": (LOSS + HOOK.replace("Mine", "Mine()"), 10, "components() must return the class Mine, not an instance of it"),
    "answer_stranger": (LOSS + HOOK.replace("Mine", "dict"), 10, "dict is not a component: subclass Dataset, "),
    "twice": (LOSS + HOOK.replace("[Mine]", "[Mine, Mine]"), 10, "Mine is twice in the list that components() returns"),
    "no_method": (HEAD + 'class Mine(Loss):\n    """Mine."""\n' + HOOK, 2, "Mine lacks the method __call__"),
    "misspelt_method": (LOSS.replace("__call__", "__cal__") + HOOK, 3, "Mine lacks the method __call__, did you mean __cal__?"),
    "misspelt_build": (HEAD + 'class Mine(Model):\n    """Mine."""\n    def biuld(self, inputs, outputs):\n        return None\n' + HOOK, 2, "Mine lacks the method build, did you mean biuld?"),
    "no_docstring": (LOSS.replace('"""Mine."""', "pass") + HOOK, 3, "Mine has no docstring: its first line is its help"),
    "blank_docstring": (LOSS.replace('"""Mine."""', '"""  """') + HOOK, 3, "Mine has no docstring: its first line is its help"),
    "no_annotation": (LOSS.replace("{fields}", "gamma = 2.0") + HOOK, 5, "Mine.gamma has no annotation, so it is no field: write `gamma: float = ...`"),
    "misspelt_attribute": (HEAD + 'class Mine(Metric):\n    """Mine."""\n    beter = "lower"\n    def __call__(self, logits):\n        return logits\n' + HOOK, 4, "Mine.beter has no annotation, so it is no field: write `beter: str = ...`, did you mean better?"),
    "override_without_annotation": (LOSS.replace("{fields}", "gamma: float = 2.0") + '\nclass Other(Mine):\n    """Other."""\n    gamma = 3.0\n' + HOOK.replace("[Mine]", "[Mine, Other]"), 12, "Other.gamma has no annotation, so it is no field: write `gamma: float = ...`"),
    "field_type": (LOSS.replace("{fields}", "when: complex = 1j") + HOOK, 5, "Mine.when: a field cannot have the type <class 'complex'>"),
    "field_annotation": (LOSS.replace("{fields}", 'when: "Flaot" = 1.0') + HOOK, 5, "Mine.when: name 'Flaot' is not defined, did you mean float?"),
    "bad_default": (LOSS.replace("{fields}", 'gamma: float = "two"') + HOOK, 5, "Mine.gamma: default expected a number, got 'two'"),
    "default_out_of_range": (HEAD + "from harness import Unit\n" + LOSS.removeprefix(HEAD).replace("{fields}", "share: Unit = 2") + HOOK, 6, "Mine.share: default expected a number at least 0 and at most 1, got 2"),
    "mutable_default": (LOSS.replace("{fields}", "sizes: list[int] = []") + HOOK, 3, "cannot be imported: ValueError: mutable default <class 'list'> for field sizes is not allowed"),
    "reserved_field": (LOSS.replace("{fields}", 'name: str = "x"') + HOOK, 5, "Mine.name: a field cannot be called 'name'"),
    "field_over_method": (LOSS.replace("{fields}", "spec: float = 1.0") + HOOK, 5, "Mine.spec: a field cannot be called 'spec'"),
    "field_over_attribute": (HEAD + 'class Mine(Metric):\n    """Mine."""\n    better: str = "lower"\n    def __call__(self, logits):\n        return logits\n' + HOOK, 4, "Mine.better: a field cannot be called 'better'"),
    "own_init": (LOSS.replace("{fields}", "gamma: float = 1.0\n    def __init__(self):\n        pass") + HOOK, 3, "Mine defines __init__, which the fields write: leave it out"),
    "better": (HEAD + 'class Mine(Metric):\n    """Mine."""\n    better = "lowr"\n    def __call__(self, logits):\n        return logits\n' + HOOK, 4, "Mine.better: expected one of higher, lower, got 'lowr'"),
    "unknown_input": (LOSS.replace("{inputs}", ", progres") + HOOK, 3, "mine asks for the input 'progres', did you mean progress?"),
    "few_arguments": (LOSS.replace(", target{inputs}", "") + HOOK, 3, "Mine.__call__ takes (logits, target), it has 1 of them"),
    "stock_name": (LOSS.replace("Mine", "CrossEntropy") + HOOK.replace("Mine", "CrossEntropy"), 3, "loss cross_entropy is already defined at "),
    "missing_module": ("import no_such_module\n", 1, "cannot be imported: ModuleNotFoundError: No module named 'no_such_module'"),
    "not_at_the_door": ("import os\nfrom harness import Los\n", 2, "cannot be imported: ImportError: cannot import name 'Los' from 'harness'"),
    "syntax": ("x = 1\ndef f(:\n", 2, "cannot be imported: SyntaxError: invalid syntax"),
    "exception": ("def f():\n    raise ValueError('no\\nsecond line')\nf()\n", 2, "cannot be imported: ValueError: no"),
    "exit": ("import sys\nsys.exit(3)\n", 2, "cannot be imported: SystemExit: 3"),
    "_exit": ("import os\nos._exit(0)\n", None, "cannot be imported: the process ended by itself with exit code 0"),
    "segfault": ("import ctypes\nctypes.string_at(0)\n", None, "cannot be imported: killed by SIGSEGV"),
    "interrupt": ("raise KeyboardInterrupt\n", 1, "cannot be imported: KeyboardInterrupt"),
}  # fmt: skip


def write(bench: Bench, name: str, text: str, **blanks: str) -> Any:
    return bench.write(f"{name}.py", text.replace("{fields}", blanks.get("fields", "")).replace("{inputs}", blanks.get("inputs", "")))


@pytest.fixture(scope="module")
def folder(shared: Callable[[str], Bench]) -> Bench:
    return shared("plugins")


@pytest.fixture(scope="module")
def broken(folder: Bench) -> Ended:
    """One command with every broken plugin at once: none may hide another."""
    for name, (text, _, _) in BROKEN.items():
        write(folder, name, text)
    return folder("list", *(word for name in BROKEN for word in ("--plugin", f"{name}.py")))


def test_every_broken_plugin_is_one_line(broken: Ended) -> None:
    assert broken.code == 2 and broken.out == ""
    assert len(broken.lines) == len(BROKEN), broken.err
    assert "Traceback" not in broken.err


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_plugin_says_what_where_and_what_was_meant(name: str, broken: Ended, folder: Bench) -> None:
    _, line, says = BROKEN[name]
    place = str(folder.folder / f"{name}.py") + (f":{line}" if line else "")
    assert [text for text in broken.lines if text.startswith(f"{place}: {says}")], [
        text for text in broken.lines if name in text
    ]


def test_one_broken_plugin_alone(folder: Bench, broken: Ended) -> None:
    ended = folder("list", "--plugin", "no_docstring.py")
    assert (ended.code, ended.out) == (2, "")
    assert ended.lines == [f"bench: {folder.folder}/no_docstring.py:3: Mine has no docstring: its first line is its help"]
