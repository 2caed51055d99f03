"""`bench check` as users meet it: what it can be asked about, its exit codes, what it prints, how little it imports."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable

import pytest

from tests.conftest import ROOT, Bench, Ended

PLUGIN = ROOT / "tests" / "helpers" / "checked.py"


@pytest.fixture(scope="module")
def folder(shared: Callable[[str], Bench]) -> Bench:
    return shared("check")


@pytest.fixture(scope="module")
def both(folder: Bench) -> Ended:
    return folder("check", PLUGIN, env={"COLUMNS": "80"})


@pytest.mark.verify
def test_every_component_of_a_file_is_checked_and_a_failure_is_1(both: Ended) -> None:
    assert (both.code, both.err) == (1, "")
    line = PLUGIN.read_text().split("class Boaster(")[0].count("\n") + 1
    lines = both.out.splitlines()
    assert lines[:2] == ["sampler boaster", f"  {PLUGIN}:{line}"] and "loss moody" in lines
    assert "  ✗ order claimed 2, observed 1.00" in lines and "  ✓ gradient: that of finite differences" in lines
    assert lines[-1] == "16 passed, 1 failed, 3 not applicable"


@pytest.mark.verify
def test_a_pipe_gets_no_escape_codes_and_80_columns_hold_everything(both: Ended, folder: Bench) -> None:
    assert "\x1b" not in both.out
    place = [line for line in both.out.splitlines() if "checked.py" in line]
    assert all(len(line) <= 80 for line in both.out.splitlines() if line not in place)
    colored = folder("check", "loss:hinge", "--color", "always").out
    assert "\x1b[" in colored
    assert "\x1b" not in folder("check", "loss:hinge", "--color", "always", env={"NO_COLOR": "1"}).out


def test_a_stream_of_ascii_gets_ascii(folder: Bench) -> None:
    ended = folder("check", "softmax", env={"PYTHONIOENCODING": "ascii"})
    assert ended.code == 0 and ended.out.isascii() and "\n  + shift claimed, kept\n" in ended.out


SUBJECTS = {
    "hinge": ["loss hinge"],
    "loss:nll": ["loss nll"],
    "label-smoothing": ["loss label_smoothing"],
    "focal: {gamma: [1, 3]}": ["loss focal(gamma=1.0)", "loss focal(gamma=3.0)"],
    "expected_error: {transform: {entmax: {alpha: {learn: 1.5}}}}": [
        "loss expected_error(transform=entmax(alpha=learn(1.5)))"
    ],
    "transform:torch.nn:Softmin": ["transform torch.nn:Softmin"],
    "truncated": ["prior truncated"],
}  # fmt: skip


@pytest.mark.parametrize("subject", SUBJECTS)
@pytest.mark.verify
def test_a_component_is_named_as_in_a_suite(subject: str, folder: Bench) -> None:
    ended = folder("check", subject)
    heads = [line for line in ended.out.splitlines() if line and line[0] != " "]
    assert heads[:-1] == SUBJECTS[subject] and ended.err == ""
    assert ended.code == (1 if "Softmin" in subject else 0), ended.out
    if subject == "truncated":
        assert "  registered; a prior has no conformance checks\n\nno conformance checks\n" in ended.out


def test_a_module_on_the_path_is_a_plugin(folder: Bench) -> None:
    source = "from harness import hookimpl\nfrom tests.helpers.checked import Moody\n\n\n@hookimpl\ndef components():\n    return [Moody]\n"
    folder.write("moods.py", source)
    path = f"{folder.environment['PYTHONPATH']}:{folder.folder}"
    ended = folder("check", "moods", env={"PYTHONPATH": path})
    assert ended.code == 0 and ended.out.startswith("loss moody\n"), ended.err


@pytest.mark.parametrize(
    ("mood", "says"),
    [
        ("crash", "  ✗ process: crashed: killed by SIGSEGV"),
        ("hang", "  ✗ process: timeout: no answer within 4 s"),
    ],
)
@pytest.mark.verify
def test_what_crashes_or_hangs_is_one_line(mood: str, says: str, folder: Bench) -> None:
    ended = folder("check", f"moody: {{mood: {mood}}}", "--plugin", PLUGIN, "--timeout", "4")
    assert (ended.code, ended.err) == (1, "")
    assert says in ended.out.splitlines() and ended.out.endswith("\n1 failed\n")


def test_what_has_to_be_given_is_asked_for(folder: Bench) -> None:
    ended = folder("check", ROOT / "plugins" / "denoisers" / "diffusers.py")
    assert ended.code == 0 and "1 not applicable" in ended.out
    assert "– fields: pipeline must be given, as in bench check 'diffusers: {pipeline: ...}'" in ended.out


WRONG = {
    "hnge": "bench: no component, plugin file or module is called 'hnge', did you mean hinge?",
    "nowhere.py": "bench: no plugin file nowhere.py",
    "syntax.py": "syntax.py:1: cannot be imported: SyntaxError: ",
    "bare.py": "bare.py:1: the plugin registers nothing: it needs @hookimpl def components()",
    "undocumented.py": "Nameless has no docstring: its first line is its help",
    "nll": "bench: nll is in several kinds: say loss:nll or metric:nll",
    "focal: {gama: 1}": "bench check: focal has no field 'gama', did you mean gamma?",
    "focal: {gamma: [}": "bench check: ",
    "": "bench: no component, plugin file or module is called ''",
}


@pytest.mark.parametrize("subject", WRONG)
@pytest.mark.verify
def test_what_cannot_be_found_or_used_is_2_and_one_line(subject: str, folder: Bench) -> None:
    folder.write("syntax.py", "def\n")
    folder.write("bare.py", "x = 1\n")
    folder.write(
        "undocumented.py",
        "from harness import Loss, hookimpl\n\n\nclass Nameless(Loss):\n    def __call__(self, logits, target):\n"
        "        return logits\n\n\n@hookimpl\ndef components():\n    return [Nameless]\n",
    )
    ended = folder("check", subject)
    assert (ended.code, ended.out, len(ended.lines)) == (2, "", 1), ended.err
    assert WRONG[subject] in ended.err


@pytest.mark.verify
def test_the_documentation_says_what_comes_out(folder: Bench) -> None:
    text = (ROOT / "docs" / "plugins.md").read_text()
    code = next(block for block in text.split("```python\n") if '"""A second-order sampler' in block).split("```")[0]
    shown = text.split("\nsampler mine\n")[1].split("```")[0]
    folder.write("mine.py", code)
    ended = folder("check", "mine.py")
    said, known = ([line.split() for line in part.splitlines()] for part in (ended.out.partition("\n")[2], shown))
    assert ended.code == 1 and len(said) == len(known)
    # Another machine may round the distances on many modes otherwise.
    assert [line for line in said if "floor:" not in line] == [line for line in known if "floor:" not in line]


def test_nothing_heavy_is_imported_by_the_command(folder: Bench) -> None:
    script = """
import sys
from harness.cli.main import main
code = main(["check", "hinge"])
sys.stderr.write(f"{code} {[name for name in ('torch', 'numpy', 'scipy') if name in sys.modules]}")
"""
    command = [sys.executable, "-W", "error", "-c", script]
    done = subprocess.run(
        command, cwd=folder.folder, env=folder.environment, capture_output=True, text=True, timeout=60
    )
    assert done.stderr == "0 []", done.stderr
