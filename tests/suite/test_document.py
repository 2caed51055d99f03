"""Reading: YAML 1.2 scalars, places, and one clear line for whatever is no suite."""

from __future__ import annotations

import math
import os
import subprocess
import sys
import textwrap
import time
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from harness.errors import BenchError
from harness.suite import check, read
from harness.suite.nodes import data, plain

ROOT = Path(__file__).resolve().parents[2]


def value_of(tmp_path: Path, text: str) -> Any:
    file = tmp_path / "s.yaml"
    file.write_text(text, encoding="utf-8")
    return data(read(file).root)


def refusal(tmp_path: Path, content: bytes | str) -> str:
    """The message for a file's content, with the path cut off. It must be one line."""
    file = tmp_path / "s.yaml"
    file.write_bytes(content.encode() if isinstance(content, str) else content)
    with pytest.raises(BenchError) as caught:
        read(file)
    message = str(caught.value)
    assert "\n" not in message
    assert message.startswith(f"{file}:")
    return message.removeprefix(f"{file}:")


CORE = {
    "1e-3": 1e-3, "1.5": 1.5, ".5": 0.5, "5.": 5.0, "-1E+2": -100.0, "+3": 3, "007": 7, "0o17": 15, "0x1F": 31,
    ".inf": math.inf, "-.Inf": -math.inf, "true": True, "FALSE": False, "null": None, "~": None, "": None,
    "no": "no", "yes": "yes", "on": "on", "off": "off", "y": "y", "1_000": "1_000", "12:30:45": "12:30:45",
    "2024-01-02": "2024-01-02", "0b11": "0b11", "1e": "1e", ".": ".", "tRUE": "tRUE", "1e999": "1e999", "9" * 400: "9" * 400,
}  # fmt: skip


@pytest.mark.parametrize("text", CORE)
def test_scalars_follow_yaml_1_2(tmp_path: Path, text: str) -> None:
    read_back = value_of(tmp_path, f"a: {text}\n")["a"]
    assert (type(read_back), read_back) == (type(CORE[text]), CORE[text])


def test_nan_and_quoted_scalars(tmp_path: Path) -> None:
    found = value_of(tmp_path, "a: .nan\nb: '1e-3'\nc: \"no\"\nd: !!str 5\ne: ! 6\nf: !!float 1\ng: |\n  5\n")
    assert math.isnan(found.pop("a"))
    assert found == {"b": "1e-3", "c": "no", "d": "5", "e": "6", "f": 1.0, "g": "5\n"}


@given(st.floats(allow_nan=False, allow_infinity=False) | st.integers(-(10**290), 10**290))
def test_numbers_round_trip(number: float) -> None:
    assert plain(repr(number)) == number


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ("", "1:1: the file is empty"),
        ("# only\n# comments\n", "1:1: the file is empty"),
        ("\ufeff", "1:1: the file is empty"),
        ("---\na: 1\n---\nb: 2\n", "3:1: a second document begins here"),
        ("a:\n\tb: 1\n", "2:1: tabs cannot indent"),
        ("a: 1\n\tb: 2\n", "2:1: tabs cannot indent"),
        ("a: [1, 2\nb: 3\n", "2:2: not valid YAML"),
        ("a: b: c\n", "1:5: not valid YAML: mapping values are not allowed"),
        ("a: 'x\n\n", "3:1: not valid YAML: found unexpected end of stream (while scanning a quoted scalar that began on line 1"),
        ("- a\n- b\n", "1:1: a suite is a mapping of keys, got a list"),
        ("just words", "1:1: a suite is a mapping of keys, got 'just words'"),
        ("5", "1:1: a suite is a mapping of keys, got 5"),
        ("~", "1:1: a suite is a mapping of keys, got ~"),
        ("a: *x\n", "1:4: the alias *x has no anchor &x before it"),
        ("a: &x [1, *x]\n", "1:11: the alias *x stands inside its own anchor"),
        ("a: &x {b: {c: *x}}\n", "1:15: the alias *x stands inside its own anchor"),
        ("a: !!python/object/apply:os.system [ls]\n", "1:4: the tag '!!python/object/apply:os.system' is not allowed"),
        ("a: !mine 3\n", "1:4: the tag '!mine' is not allowed"),
        ("a: !!int word\n", "1:4: the tag '!!int' is not allowed"),
        ("a: !!int true\n", "1:4: the tag '!!int' is not allowed"),
        ("a: !!set {b}\n", "1:4: the tag '!!set' is not allowed"),
        ("a: !x!y 3\n", "1:4: not valid YAML: found undefined tag handle"),
        ("%YAML 3.0\n---\na: 1\n", "1:1: not valid YAML"),
        ("é: 1\nb: \x07\n", "2:4: the character '\\x07' does not belong in a text file"),
        (b"a: 1\nb: \0\n", "2:4: a binary file"),
        (b"a: 1\nb: caf\xe9\n", "2:7: not UTF-8"),
        ("a: 1\n".encode("utf-16"), "1:4: a binary file"),
        (b"\x89PNG\r\n\x1a\n\xff\xfe", "1:1: not UTF-8"),
        (b"\xef\xbb\xbfa: \xff", "1:4: not UTF-8"),
        (b"a: " + b"x" * (1 << 20), "1:1: larger than 1048576 bytes"),
    ],
)  # fmt: skip
def test_what_is_no_suite_is_one_line(tmp_path: Path, content: bytes | str, expected: str) -> None:
    assert refusal(tmp_path, content).startswith(expected)


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    for path, expected in {
        tmp_path / "none.yaml": "no such file",
        tmp_path: "is a directory, a suite is a file",
        tmp_path / ("x" * 300): "file name too long",
        tmp_path / "pipe": "is not a regular file",
    }.items():
        with pytest.raises(BenchError) as caught:
            read(path)
        assert str(caught.value) == f"{path}: {expected}"
    with pytest.raises(BenchError, match="is not a file name"):
        read("a\0b")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a: 1\nb: 2\na: 3\n", "3:1: the key 'a' is written twice, first on line 1"),
        ("s:\n  label-noise: 1\n  label_noise: 2\n", "3:3: the key 'label_noise' is written twice, first on line 2 as 'label-noise'"),
        ("a: {b: 1, 'b': 2}\n", "1:11: the key 'b' is written twice, first on line 1"),
        ("&k a: 1\n*k : 2\n", "1:1: the key 'a' is written twice, first on line 1"),
        ("1: x\n", "1:1: a key must be text, got 1"),
        ("true: x\n", "1:1: a key must be text, got true"),
        ("~: x\n", "1:1: a key must be text, got ~"),
        ("? [a, b]\n: 1\n", "1:3: a key must be text, got a list"),
        ("a: &x {b: 1}\nc: {<<: *x}\n", "2:5: merge keys (<<) are not supported"),
    ],
)  # fmt: skip
def test_wrong_keys_are_found_with_the_other_mistakes(tmp_path: Path, text: str, expected: str) -> None:
    file = tmp_path / "s.yaml"
    file.write_text(text)
    document = read(file)
    assert any(entry.startswith(f"{file}:{expected}") for entry in document.findings.entries())
    with pytest.raises(BenchError, match="the key protocol is missing"):
        check(document, {})


def test_places_count_characters_and_every_kind_of_line_break(tmp_path: Path) -> None:
    file = tmp_path / "s.yaml"
    file.write_bytes("é: [ü, '日本']\r\nb: 2\rc: {ö: 1, plugins: 2}\n".encode())
    root = read(file).root
    assert [str(key.place).removeprefix(f"{file}:") for key, _ in root.pairs] == ["1:1", "2:1", "3:1"]
    inner = root.pairs[2][1]
    assert str(inner.pairs[1][0].place) == f"{file}:3:11"  # type: ignore[union-attr]


def test_plugins_are_read_without_a_table(tmp_path: Path) -> None:
    file = tmp_path / "s.yaml"
    file.write_text("plugins: [a.py, 5, {b: c}, my.module]\n")
    assert read(file).plugins == [("a.py", f"{file}:1:11"), ("my.module", f"{file}:1:28")]
    file.write_text("plugins: one.py\n")
    assert [text for text, _ in read(file).plugins] == ["one.py"]
    file.write_text("plugins:\nvary: {}\n")
    assert read(file).plugins == []


def test_imports_are_found_where_components_stand(tmp_path: Path, table: Any) -> None:
    file = tmp_path / "s.yaml"
    file.write_text(
        textwrap.dedent("""
        vary:
          loss: [torch.nn:CrossEntropyLoss, loss:hinge, {'loss:a.b:c': {}}, {nll: {transform: 'm:soft'}}, 'C:\\x']
          dataset: {csv: {file: 'a:b'}}
        trainer: {'p:Trainer': {x: 'q:r'}}
        metrics: ['n:metric', {scaled: {base: 'u:v'}}]
        question: 'x:y'
        """)
    )
    found = read(file).imports()
    assert found == [
        ("loss", "torch.nn:CrossEntropyLoss"), ("loss", "a.b:c"), ("transform", "m:soft"), ("metric", "n:metric"),
        ("trainer", "p:Trainer"),
    ]  # fmt: skip
    file.write_text("vary: {loss: {mixed: {base: 'u:v'}}}\n")
    known = {("loss", "mixed"): {"fields": {"base": {"schema": {"$ref": "#/$defs/loss"}}}}}
    assert (read(file).imports(), read(file).imports(known)) == ([], [("loss", "u:v")])


def nested(depth: int) -> str:
    return "a: " + "[" * depth + "]" * depth


def test_depth_is_bounded_and_forty_levels_are_fine(tmp_path: Path) -> None:
    assert value_of(tmp_path, nested(39))
    assert refusal(tmp_path, nested(40)).startswith("1:43: nested deeper than 40 levels")
    chain = "x0: &x0 [1]\n" + "".join(f"x{i}: &x{i} [*x{i - 1}]\n" for i in range(1, 60))
    assert "nested deeper than 40 levels" in refusal(tmp_path, chain)


def test_size_counts_aliases_as_what_they_stand_for(tmp_path: Path) -> None:
    assert value_of(tmp_path, "a: &a [1, 2]\nb: [*a, *a]\n") == {"a": [1, 2], "b": [[1, 2], [1, 2]]}
    value_of(tmp_path, "a: [" + "1, " * 19_000 + "]\n")
    assert "more than 20000 values" in refusal(tmp_path, "a: [" + "1, " * 21_000 + "]\n")
    assert "more than 20000 values" in refusal(tmp_path, f"a: &a {'x' * 500_000}\nb: [*a, *a, *a]\n")
    shared = "a: &a [" + "1, " * 5_000 + "]\nb: [*a, *a]\n"
    value_of(tmp_path, shared)
    assert "more than 20000 values" in refusal(tmp_path, shared + "c: [*a, *a]\n")


LAUGHS = "a0: &a0 [x, x]\n" + "".join(f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 9)}]\n" for i in range(1, 12))
HOSTILE = {
    "laughs": LAUGHS,
    "brackets": "[" * 1_000_000,
    "braces": "{a: " * 250_000,
    "dashes": "- " * 500_000,
    "questions": "? " * 500_000,
    "mixed": "{?" * 500_000,
    "anchors": "&a " * 300_000,
    "documents": "---\n" * 250_000,
    "keys": "".join(f"k{i}: {i}\n" for i in range(80_000)),
    "quote": "a: '" + "x " * 500_000,
    "tags": "!a " * 300_000,
    "directives": "%x\n" * 300_000,
    "comments": "#\n" * 500_000,
    "breaks": "\n" * 1_000_000,
    "digits": "a: " + "9" * 1_000_000,
    "float": "a: " + "9" * 500_000 + "e" + "9" * 500_000,
    "aliases": "a: &a {}\nb: [" + "*a, " * 200_000 + "]",
}


def test_hostile_files_cost_little_time_and_memory(tmp_path: Path) -> None:
    """Each in the same child, which is limited to 150 MiB of address space beyond what it starts with and 20 s of CPU."""
    for name, text in HOSTILE.items():
        (tmp_path / f"{name}.yaml").write_text(text)
    script = """
import pathlib, resource, sys, time
from harness.errors import BenchError
from harness.suite import check, read
pages = int(open("/proc/self/statm").read().split()[0])
limit = pages * resource.getpagesize() + (150 << 20)
resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
resource.setrlimit(resource.RLIMIT_CPU, (20, 20))
for file in sorted(pathlib.Path(sys.argv[1]).glob("*.yaml")):
    start = time.process_time()
    try:
        check(read(file), {})
    except BenchError as error:
        print(file.stem, round(time.process_time() - start, 3), len(str(error)))
"""
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-c", script, str(tmp_path)]
    ran = subprocess.run(command, env=env, capture_output=True, text=True, timeout=60, check=False)
    assert (ran.returncode, ran.stderr) == (0, "")
    rows = {line.split()[0]: line.split()[1:] for line in ran.stdout.splitlines()}
    assert set(rows) == set(HOSTILE)
    assert max(float(seconds) for seconds, _ in rows.values()) < 3
    assert max(int(length) for _, length in rows.values()) < 50_000


def test_nothing_heavy_is_imported() -> None:
    heavy = "torch numpy scipy rich pandas sklearn jsonschema"
    code = f"import sys, harness.suite; print([m for m in '{heavy}'.split() if m in sys.modules])"
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    ran = subprocess.run([sys.executable, "-c", code], env=env, capture_output=True, text=True, check=True)
    assert ran.stdout == "[]\n"


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(content=st.binary(max_size=200) | st.text(max_size=200).map(lambda t: t.encode("utf-8", "surrogatepass")))
def test_random_files_give_a_suite_or_a_mistake(tmp_path: Path, table: Any, content: bytes) -> None:
    file = tmp_path / "fuzz.yaml"
    file.write_bytes(content)
    try:
        document = read(file)
        document.imports(table)
        assert isinstance(document.plugins, list)
        check(document, table)
    except BenchError as error:
        assert str(error).startswith(str(file))


YAMLISH = st.lists(
    st.sampled_from(
        ["vary", "loss", "nll", "transform", "settings", "tune", "a.b", "seeds", "as", "sweep", "learn", "x:y", "<<", "&a ",
         "*a", "!!str ", "!x ", ": ", ":\n  ", "\n", "- ", "[", "]", "{", "}", ", ", "\t", "'", '"', "|", "#", "1e-3", "?",
         "protocol: accuracy\n", "metrics: ", "baseline: ", "margin: ", "group_by: ", "plugins: "]
    ),
    max_size=40,
).map("".join)  # fmt: skip


@settings(max_examples=500, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(text=YAMLISH)
def test_scrambled_suites_give_a_suite_or_a_mistake(tmp_path: Path, table: Any, text: str) -> None:
    test_random_files_give_a_suite_or_a_mistake.hypothesis.inner_test(tmp_path, table, text.encode())  # type: ignore[attr-defined]


def test_time_of_a_normal_suite(tmp_path: Path, table: Any) -> None:
    file = tmp_path / "s.yaml"
    file.write_text("protocol: accuracy\nvary: {dataset: digits, loss: [hinge, nll]}\nmetrics: accuracy\n")
    start = time.process_time()
    for _ in range(10):
        check(read(file), table)
    assert (time.process_time() - start) / 10 < 0.05
