"""Plugins as strangers write them: every mistake is one line with its place, and nothing but the plugin suffers."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest

from tests.conftest import NOOP, Bench, Ended

HEAD = "from harness import Loss, Metric, Model, Transform, hookimpl, named\n"
LOSS = (
    HEAD
    + '''
class Mine(Loss):
    """Mine."""
    {fields}

    def __call__(self, logits, target{inputs}):
        return logits.sum(-1)
'''
)
HOOK = """
@hookimpl
def components():
    return [Mine]
"""


def kind(base: str, method: str, arguments: str) -> str:
    """A component of a kind with one method that takes such arguments, from line 2 of its file on."""
    given = f"self, {arguments}" if arguments else "self"
    body = f'class Mine({base}):\n    """Mine."""\n    def {method}({given}):\n        return None\n'
    return f"from harness import {base}, hookimpl\n{body}{HOOK}"


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
    "misspelt_attribute": (HEAD + 'class Mine(Metric):\n    """Mine."""\n    higher_is_beter = False\n    def __call__(self, logits):\n        return logits\n' + HOOK, 4, "Mine.higher_is_beter has no annotation, so it is no field: write `higher_is_beter: bool = ...`, did you mean higher_is_better?"),
    "override_without_annotation": (LOSS.replace("{fields}", "gamma: float = 2.0") + '\nclass Other(Mine):\n    """Other."""\n    gamma = 3.0\n' + HOOK.replace("[Mine]", "[Mine, Other]"), 12, "Other.gamma has no annotation, so it is no field: write `gamma: float = ...`"),
    "field_type": (LOSS.replace("{fields}", "when: complex = 1j") + HOOK, 5, "Mine.when: a field cannot have the type <class 'complex'>"),
    "field_annotation": (LOSS.replace("{fields}", 'when: "Flaot" = 1.0') + HOOK, 5, "Mine.when: name 'Flaot' is not defined, did you mean float?"),
    "bad_default": (LOSS.replace("{fields}", 'gamma: float = "two"') + HOOK, 5, "Mine.gamma: default expected a number, got 'two'"),
    "default_no_suite_can_write": (LOSS.replace("{fields}", "thing: object = len").replace(HEAD, HEAD.replace("\n", "; from typing import Any\n")).replace("object", "Any") + HOOK, 5, "Mine.thing: default <built-in function len> is nothing a suite could write"),
    "default_out_of_range": (HEAD + "from harness import UnitInterval\n" + LOSS.removeprefix(HEAD).replace("{fields}", "share: UnitInterval = 2") + HOOK, 6, "Mine.share: default expected a number at least 0 and at most 1, got 2"),
    "mutable_default": (LOSS.replace("{fields}", "sizes: list[int] = []") + HOOK, 3, "cannot be imported: ValueError: mutable default <class 'list'> for field sizes is not allowed"),
    "reserved_field": (LOSS.replace("{fields}", 'name: str = "x"') + HOOK, 5, "Mine.name: a field cannot be called 'name'"),
    "field_over_method": (LOSS.replace("{fields}", "spec: float = 1.0") + HOOK, 5, "Mine.spec: a field cannot be called 'spec'"),
    "field_over_attribute": (HEAD + 'class Mine(Metric):\n    """Mine."""\n    ideal: float = 0.0\n    def __call__(self, logits):\n        return logits\n' + HOOK, 4, "Mine.ideal: a field cannot be called 'ideal'"),
    "own_init": (LOSS.replace("{fields}", "gamma: float = 1.0\n    def __init__(self):\n        pass") + HOOK, 3, "Mine defines __init__, which the fields write: leave it out"),
    "higher_is_better": (HEAD + 'class Mine(Metric):\n    """Mine."""\n    higher_is_better = "lowr"\n    def __call__(self, logits):\n        return logits\n' + HOOK, 4, "Mine.higher_is_better: expected True, False or None, got 'lowr'"),
    "unknown_input": (LOSS.replace("{inputs}", ", progres") + HOOK, 7, "Mine.__call__ asks for the input 'progres', did you mean progress?"),
    "few_arguments": (LOSS.replace(", target{inputs}", "") + HOOK, 7, "Mine.__call__ takes (logits), expected (logits, target)"),
    "positional_input": (LOSS.replace("{inputs}", ", progress, /") + HOOK, 7, "Mine.__call__ takes (logits, target, progress, /), expected (logits, target)"),
    "misspelt_optional_input": (LOSS.replace("{inputs}", ", progres=0.0") + HOOK, 7, "Mine.__call__ asks for the input 'progres', did you mean progress?"),
    "state_in_the_call": (LOSS.replace("{inputs}", ", state") + HOOK, 7, "Mine.__call__ asks for the input 'state': running state is taken by with_state"),
    "state_alone": (LOSS + '    def state(self):\n        return {}\n' + HOOK, 9, "Mine defines state without with_state: a loss with running state defines both"),
    "with_state_alone": (LOSS + '    def with_state(self, logits, target, state):\n        return 0, state\n' + HOOK, 9, "Mine defines with_state without state: a loss with running state defines both"),
    "with_state_without_state": (LOSS + '    def state(self):\n        return {}\n    def with_state(self, logits, target):\n        return 0, {}\n' + HOOK, 11, "Mine.with_state takes (logits, target), expected (logits, target, state=...)"),
    "metric_by_position": (kind("Metric", "__call__", "logits, target, /"), 4, "Mine.__call__ takes (logits, target, /), expected arguments by name, as (logits, target): each is what a protocol offers to metrics"),
    "metric_of_anything": (kind("Metric", "__call__", "*args"), 4, "Mine.__call__ takes (*args), expected arguments by name, as (logits, target)"),
    "curve_by_position": (kind("Metric", "__call__", "samples") .replace(HOOK, "") + "    def curve(self, samples, /):\n        return None\n" + HOOK, 6, "Mine.curve takes (samples, /), expected arguments by name"),
    "transform_of_two": (kind("Transform", "__call__", "logits, temperature"), 4, "Mine.__call__ takes (logits, temperature), expected (logits)"),
    "transform_of_none": (kind("Transform", "__call__", ""), 4, "Mine.__call__ takes (), expected (logits)"),
    "build_of_one": (kind("Model", "build", "inputs"), 4, "Mine.build takes (inputs), expected (inputs, outputs)"),
    "load_without_generator": (kind("Dataset", "load", ""), 4, "Mine.load takes (), expected (generator)"),
    "fit_of_none": (kind("Trainer", "fit", ""), 4, "Mine.fit takes (), expected (job)"),
    "alpha_bar_of_none": (kind("Schedule", "alpha_bar", ""), 4, "Mine.alpha_bar takes (), expected (t)"),
    "times_without_cost": (kind("Spacing", "times", "schedule, steps"), 4, "Mine.times takes (schedule, steps), expected (schedule, steps, cost)"),
    "sample_of_four": (kind("Sampler", "sample", "model, covariance, x, times"), 4, "Mine.sample takes (model, covariance, x, times), expected (model, covariance, x, times, noise)"),
    "sample_of_six": (kind("Sampler", "sample", "model, covariance, x, times, noise, clip"), 4, "Mine.sample asks for the input 'clip' (choose from noise_last_step)"),
    "estimate_of_five": (kind("Variance", "posterior_variance", "model, x, t, s, eps"), 4, "Mine.posterior_variance takes (model, x, t, s, eps), expected (model, fitted, x_t, t, s, eps)"),
    "fit_without_generator": (kind("Variance", "posterior_variance", "model, fitted, x, t, s, eps").replace(HOOK, "") + "    def fit(self, model, data):\n        return {}\n" + HOOK, 6, "Mine.fit takes (model, data), expected (model, data, generator)"),
    "predict_without_time": (kind("Denoiser", "predict", "net, x").replace(HOOK, "") + "    def load(self, device):\n        return None\n" + HOOK, 4, "Mine.predict takes (net, x), expected (net, x, t)"),
    "load_without_device": (kind("Denoiser", "predict", "net, x, t").replace(HOOK, "") + "    def load(self):\n        return None\n" + HOOK, 6, "Mine.load takes (), expected (device)"),
    "load_without_weights": (kind("Denoiser", "predict", "net, x, t").replace(HOOK, "") + "    def load(self, device):\n        return None\n    def train(self, generator, on_progress):\n        return {}\n" + HOOK, 6, "Mine.load takes (device), expected (device, weights): it trains, and the weights are handed over by that name"),
    "unknown_prediction": (kind("Denoiser", "predict", "net, x, t").replace(HOOK, "") + "    def load(self, device):\n        return None\n    prediction_type = 'eps'\n" + HOOK, 8, "Mine.prediction_type: expected one of epsilon, sample, v_prediction, score, flow, got 'eps'"),
    "draw_of_a_number": (kind("Prior", "draw", "n"), 4, "Mine.draw takes (n), expected (shape, generator)"),
    "feature_of_samples": (kind("Feature", "__call__", "x"), 4, "Mine.__call__ takes (x), expected (prepared, x)"),
    "dissimilarity_of_one": (kind("Dissimilarity", "__call__", "x"), 4, "Mine.__call__ takes (x), expected (x, y)"),
    "setup_without_context": (kind("Protocol", "setup", ""), 4, "Mine.setup takes (), expected (context)"),
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
    return bench.write(
        f"{name}.py", text.replace("{fields}", blanks.get("fields", "")).replace("{inputs}", blanks.get("inputs", ""))
    )


@pytest.fixture(scope="module")
def folder(shared: Callable[[str], Bench]) -> Bench:
    return shared("plugins")


@pytest.fixture(scope="module")
def broken(folder: Bench) -> Ended:
    """One command with every broken plugin at once: none may hide another."""
    for name, (text, _, _) in BROKEN.items():
        write(folder, name, text)
    return folder("list", *(word for name in BROKEN for word in ("--plugin", f"{name}.py")))


@pytest.mark.verify
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
    assert ended.lines == [
        f"bench: {folder.folder}/no_docstring.py:3: Mine has no docstring: its first line is its help"
    ]


@pytest.mark.verify
def test_a_plugin_that_hangs_at_import_is_stopped(bench: Bench) -> None:
    file = bench.write("hangs.py", "import time\ntime.sleep(600)\n")
    ended = bench(bench.suite(), "--plugin", "hangs.py", "--timeout", "2")
    assert ended.code == 2
    assert ended.lines == [f"bench: {file}: cannot be imported: no answer within 2 s"]


def test_a_method_that_cannot_be_called_is_found_by_validate(bench: Bench) -> None:
    text = BROKEN["few_arguments"][0].replace("{fields}", "").replace("Mine", "Short")
    file = bench.write("short.py", text)
    ended = bench("validate", bench.suite("[short]", baseline="short", plugins="[noop.py, short.py]"))
    assert (ended.code, ended.out) == (2, "")
    assert ended.lines == [f"bench: {file}:7: Short.__call__ takes (logits), expected (logits, target)"]


NUMBER = '''
from harness import Loss, hookimpl
{more}

class {name}(Loss):
    """A number."""

    add: float = 0.0

    def __call__(self, seeds, case):
        return [{value} + self.add for _ in seeds]


@hookimpl
def components():
    return [{name}]
'''
COMPUTES = (
    "import torch\na = torch.randn(700, 700)\nassert torch.isfinite(torch.linalg.inv(a @ a.T + torch.eye(700))).all()"
)


@pytest.mark.verify
def test_plugins_from_everywhere_work_together(bench: Bench) -> None:
    """Beside the suite, from another folder, by module, with a sibling, with work at import, two of one file name."""
    bench.write("suites/near.py", NUMBER.format(name="Near", value=1, more=""))
    bench.write("other/near.py", NUMBER.format(name="Far", value="helper.VALUE", more="import helper"))
    bench.write("other/helper.py", "VALUE = 2")
    bench.write("path/package/__init__.py", "")
    bench.write(
        "path/package/module.py", NUMBER.format(name="ByModule", value="VALUE", more="from package.values import VALUE")
    )
    bench.write("path/package/values.py", "VALUE = 3")
    bench.write("elsewhere/computes.py", NUMBER.format(name="Computes", value=4, more=COMPUTES))
    bench.suite(
        "[near, far, by-module, computes]",
        name="suites/s.yaml",
        plugins=f"[near.py, ../other/near.py, package.module, {NOOP}]",
        baseline="near",
    )
    env = with_path(bench)
    words = ("suites/s.yaml", "--plugin", "elsewhere/computes.py", "--device", "cpu", "--json", "-")
    refused = bench(*words, env=env)
    assert refused.code == 2
    assert "plugins: ../other/near.py is not beside or below the suite: name it by --plugin" in refused.err
    ended = bench(*words, "--trust", env=env)
    assert ended.code == 0, ended.err
    means = {cell["vary"]["loss"]: cell["metrics"]["score"]["mean"] for cell in ended.json["cells"]}
    assert means == {"near": 1, "far": 2, "by_module": 3, "computes": 4}
    assert set(ended.json["environment"]["plugins"]) == {"near", "other/near", "package.module", "computes", "noop"}


WRONG_PLUGINS = {
    "nowhere.py": r"no plugin file nowhere\.py",
    "goood.py": r"no plugin file goood\.py, did you mean good\.py\?",
    "absent": r"no module named 'absent'",
}


@pytest.mark.parametrize("name", WRONG_PLUGINS)
def test_a_plugin_that_is_not_there(name: str, bench: Bench) -> None:
    bench.write("suites/good.py", "")
    bench.suite(name="suites/s.yaml", plugins=f"[{name}]")
    ended = bench("validate", "suites/s.yaml")
    assert (ended.code, ended.out, len(ended.lines)) == (2, "", 1)
    assert re.match(rf"bench: suites/s\.yaml:7:11: {WRONG_PLUGINS[name]}", ended.err), ended.err


MINE = '''
from harness import Loss

def scores(seeds, case, factor=2.0, offset=1):
    """A function with parameters."""
    return [factor + offset for _ in seeds]

class Maker:
    """A class whose instances are called."""
    def __init__(self, value=5.0):
        self.value = value
    def __call__(self, seeds, case):
        return [self.value for _ in seeds]

class Component(Loss):
    """A component that no plugin registers."""
    value: float = 7.0
    def __call__(self, seeds, case):
        return [self.value for _ in seeds]

class names:
    inner = staticmethod(lambda seeds, case: [9.0 for _ in seeds])

def alone(logits):
    return logits

class Unary:
    """Called with one argument."""
    def __call__(self, logits):
        return logits

def needs(seeds, case, amount):
    return [amount for _ in seeds]
'''

WRONG_LOSSES = {
    "{good: {valeu: 2}}": r"good has no field 'valeu', did you mean value\?",
    "godo": r"unknown loss 'godo', did you mean good\?",
    "{good: {value: x}}": r"good\.value: expected a number, got 'x'",
    "{'mine:scores': {fctor: 1}}": r"mine:scores has no field 'fctor', did you mean factor\?",
    "'mine:alone'": r"mine:alone takes \(logits\), expected \(logits, target\)",
    "'mine:Unary'": r"mine:Unary takes \(logits\), expected \(logits, target\)",
    "'mine:needs'": r"mine:needs needs the field amount",
    "'torch.nn.functional:cros_entropy'": r"torch\.nn\.functional:cros_entropy: torch\.nn\.functional has no 'cros_entropy', did you mean cross_entropy\?",
    "'torch.nn.functionl:cross_entropy'": r"no module named 'torch\.nn\.functionl', did you mean functional\?",
    "'torch:pi'": r"torch:pi: torch has no 'pi'",
    "'torch.nn.functional:GRID_SAMPLE_PADDING_MODES'": r"torch\.nn\.functional:\w+ cannot be called: a loss is a func",
    "'harness:Metric'": r"harness:Metric is a metric, here stands a loss",
    "'harness:Loss'": r"\S+classification\.py:\d+: Loss lacks the method __call__",
    "'no_module_of_mine:x'": r"no module named 'no_module_of_mine'",
    "'this_fails:x'": r"this_fails:x: cannot be imported: ZeroDivisionError: division by zero",
    "'this_exits:x'": r"this_exits:x: cannot be imported: SystemExit: 1",
}  # fmt: skip


@pytest.fixture(scope="module")
def wrong(shared: Callable[[str], Bench]) -> Ended:
    """One suite with every mistake at once."""
    folder = shared("wrong")
    folder.write("path/mine.py", MINE)
    folder.write("path/this_fails.py", "1 / 0")
    folder.write("path/this_exits.py", "import sys; sys.exit(1)")
    folder.suite("[good,\n" + ",\n".join(WRONG_LOSSES) + "]", metrics="[score, 'torch:relu']")
    return folder("validate", "s.yaml", env=with_path(folder))


def with_path(bench: Bench) -> dict[str, str]:
    return {"PYTHONPATH": f"{bench.environment['PYTHONPATH']}:{bench.folder / 'path'}"}


@pytest.mark.parametrize("text", WRONG_LOSSES)
def test_a_suite_that_names_what_is_not_there(text: str, wrong: Ended) -> None:
    line = 9 + list(WRONG_LOSSES).index(text)
    assert [said for said in wrong.lines if re.match(rf"s\.yaml:{line}:\d+: {WRONG_LOSSES[text]}", said)], wrong.err


def test_every_mistake_is_told_in_one_pass(wrong: Ended) -> None:
    mistakes = [line for line in wrong.lines if not line.startswith(" ")]
    assert wrong.code == 2 and wrong.out == "" and len(mistakes) == len(WRONG_LOSSES) + 1
    assert re.match(r"s\.yaml:5:18: torch:relu: a metric must be a subclass of harness\.Metric", mistakes[0])


def test_a_default_that_names_nothing_is_said_with_its_place(bench: Bench) -> None:
    text = NUMBER.format(name="Odd", value=1, more="from harness import Transform, named").replace(
        "    add:", '    transform: Transform = named("softmx")\n    add:'
    )
    file = bench.write("odd.py", text)
    ended = bench(bench.suite("[odd]", baseline="odd"), "--plugin", "odd.py", "--device", "cpu")
    assert ended.code == 2
    assert ended.lines == [f"bench: {file}:5: odd.transform: unknown transform 'softmx', did you mean softmax?"]


def test_modules_beside_two_plugins_may_not_share_a_name(bench: Bench) -> None:
    for name in ("one", "two"):
        text = NUMBER.format(name=name.title(), value="helper.VALUE", more="import helper")
        bench.write(
            f"{name}/{name}.py",
            text if name == "one" else text.replace("Loss", "Transform").replace("seeds, case", "seeds"),
        )
        bench.write(f"{name}/helper.py", f"VALUE = '{name}'")
    with_transform = NUMBER.format(
        name="Holds", value="self.part(0)", more="from harness import Transform, named"
    ).replace("    add:", '    part: Transform = named("two")\n    add:')
    bench.write("one/holds.py", with_transform + "import helper\n")
    ended = bench(
        bench.suite("[one, holds]", baseline="one", plugins="[noop.py, one/one.py, two/two.py, one/holds.py]"),
        "--device",
        "cpu",
        "--json",
        "-",
    )
    reasons = {cell["vary"]["loss"]: cell["reason"] or "" for cell in ended.json["cells"]}
    assert "is also beside another plugin" in reasons["holds"] and "rename one of the two" in reasons["holds"]


def test_a_plugin_can_be_left_out(bench: Bench) -> None:
    def listed(*words: str) -> list[str]:
        ended = bench("list", "loss", *words)
        assert ended.code == 0
        return [line.split()[0] for line in ended.out.splitlines()]

    assert "focal" in listed()
    left = listed("-p", "no:focal")
    assert "focal" not in left and "hinge" in left
    mine = bench.write("focal.py", NUMBER.format(name="Focal", value=1, more=""))
    assert "A number." in bench("list", "loss", "--plugin", mine, "-p", "no:losses.focal").out
    ended = bench("list", "-p", "no:focl")
    assert ended.code == 2
    assert ended.lines == ["bench: -p no:focl: no plugin has this name, did you mean focal?"]
    assert bench("list", "-p", "focal").lines == ["bench: -p focal: write -p no:NAME to leave a plugin out"]


def test_two_plugins_that_clash_are_both_named(bench: Bench) -> None:
    for name in ("one", "two"):
        bench.write(f"{name}.py", NUMBER.format(name="Same", value=1, more=""))
    ended = bench("list", "--plugin", "one.py", "--plugin", "two.py")
    one, two = bench.folder / "one.py", bench.folder / "two.py"
    assert ended.code == 2
    assert ended.lines == [
        f"bench: {two}:5: loss same is already defined at {one}:5; rename one, or leave one out with -p no:one"
    ]
    assert bench("list", "--plugin", "one.py", "--plugin", "./one.py", "--plugin", str(one)).code == 0


@pytest.mark.verify
def test_import_paths_are_components(bench: Bench) -> None:
    bench.write("path/mine.py", MINE)
    paths = """['mine:scores', {'mine:scores': {factor: [3, 4], offset: 2.5}}, 'mine:Maker', {'mine:Maker': {value: 6}},
        'mine:Component', {'mine:Component': {value: 8}}, 'mine:names.inner', {'mine:needs': {amount: 11}}]"""
    env = with_path(bench)
    suite = bench.suite(paths, baseline="mine:scores")
    ended = bench(suite, "--device", "cpu", "--json", "-", env=env)
    assert ended.code == 0, ended.err
    means = {cell["vary"]["loss"]: cell["metrics"]["score"]["mean"] for cell in ended.json["cells"]}
    assert means == {
        "mine:scores": 3,
        "mine:scores(factor=3.0, offset=2.5)": 5.5,
        "mine:scores(factor=4.0, offset=2.5)": 6.5,
        "mine:Maker": 5,
        "mine:Maker(value=6.0)": 6,
        "mine:Component": 7,
        "mine:Component(value=8.0)": 8,
        "mine:names.inner": 9,
        "mine:needs(amount=11)": 11,
    }


@pytest.mark.verify
def test_functions_classes_and_modules_of_torch_train(bench: Bench) -> None:
    suite = bench.write(
        "s.yaml",
        """
protocol: accuracy
vary:
  dataset: iris
  model: ['torch.nn:Linear']
  loss: [cross_entropy, 'torch.nn.functional:cross_entropy', 'torch.nn:CrossEntropyLoss',
         {'torch.nn:CrossEntropyLoss': {label_smoothing: 0.3}}, {nll: {transform: {'torch.nn.functional:softmax': {dim: -1}}}}]
settings: {epochs: 2}
seeds: 1
metrics: [nll]
""",
    )
    ended = bench(suite, "--device", "cpu", "--json", "-")
    assert ended.code == 0, ended.err + ended.out
    values = {cell["vary"]["loss"]: cell["metrics"]["nll"]["values"][0] for cell in ended.json["cells"]}
    smoothed = values.pop("torch.nn:CrossEntropyLoss(label_smoothing=0.3)")
    assert len(values) == 4 and max(values.values()) - min(values.values()) < 1e-5
    assert abs(smoothed - values["cross_entropy"]) > 1e-4


COUNTED = "import os\nwith open(os.environ['IMPORTS'], 'a') as stream: stream.write('.')\nimport beside\n"


@pytest.mark.verify
def test_a_description_is_made_once_and_again_when_the_code_changes(bench: Bench) -> None:
    imports = bench.folder / "imports"

    def times() -> int:
        return len(imports.read_text()) if imports.exists() else 0

    def said(*words: str) -> Ended:
        ended = bench(*words, "--plugin", "counted.py", env={"IMPORTS": str(imports)})
        assert ended.code == 0, ended.err
        return ended

    def reused() -> bool:
        return "1 cells to do" not in said(str(suite), "--device", "cpu", "--dry-run").out

    text = NUMBER.format(name="Counted", value="beside.VALUE", more=COUNTED)
    file = bench.write("counted.py", text)
    bench.write("beside.py", "VALUE = 1")
    suite = bench.suite("[counted]", baseline="counted")
    assert "A number." in said("list", "loss").out and times() == 1
    said("list", "loss"), said("info", "counted"), said("schema"), said("validate", str(suite))
    assert times() == 1, "what is known of it is not asked again"
    said(str(suite), "--device", "cpu")
    assert times() == 2 and reused(), "one cell, one process"

    file.write_text(text.replace("A number.", "Another number.") + "# a comment\n")
    assert "Another number." in said("list", "loss").out and times() == 3
    assert reused(), "docstrings and comments change no result"
    file.write_text(text.replace("+ self.add", "+ 2 * self.add"))
    assert not reused(), "code does"
    file.write_text(text)
    bench.write("beside.py", "VALUE = 2")
    assert not reused(), "so does a module beside it"
