"""`bench new`: files of every kind pass lint and their own checks and run as they are; no file is overwritten."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

import jsonschema
import pytest
import yaml

from harness.commands.new import HEADER, SCHEMA, _code, new_plugin, new_suite
from harness.commands.new_suites import suite_of
from harness.errors import BenchError
from harness.kinds import KINDS
from tests.conftest import Bench

OUTSIDE = ("--isolated", "--no-cache")
"""Options of ruff for a folder that has no settings, as a newcomer's has none."""


def ruff(folder: Path, *words: str) -> None:
    ended = subprocess.run(
        [sys.executable, "-m", "ruff", *words, *OUTSIDE, folder], cwd=folder, capture_output=True, text=True
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr


def test_plugins_of_every_kind_pass_lint(tmp_path: Path) -> None:
    for kind in KINDS:
        (tmp_path / f"{kind}.py").write_text(_code(kind, f"my_{kind}"))
    ruff(tmp_path, "check", "--select", "E,F,I,UP,B,SIM,C4,RUF", "--line-length", "120")
    ruff(tmp_path, "format", "--check")


@pytest.mark.parametrize("kind", KINDS)
def test_a_suite_of_every_kind_names_its_plugin(kind: str) -> None:
    suite = yaml.safe_load(suite_of(kind, "mine"))
    assert suite["suite"] == "mine" and suite["plugins"] == ["mine.py"]
    own = suite["protocol"] if kind == "protocol" else suite["metrics"] if kind == "metric" else suite["vary"]
    assert "mine" in json.dumps(own)


@pytest.mark.parametrize(
    ("kind", "name", "said"),
    [
        ("los", "mine", "no kind 'los', did you mean loss?"),
        ("loss", "Mine", "'Mine' is no name: lower-case letters, digits, _ and -, such as my_loss"),
        ("loss", "../mine", "'../mine' is no name: lower-case letters, digits, _ and -, such as my_loss"),
        ("loss", "class", "'class' is the name of a module or a word of Python: choose another"),
        ("loss", "random", "'random' is the name of a module or a word of Python: choose another"),
        ("loss", "py-compile", "'py-compile' is the name of a module or a word of Python: choose another"),
        ("loss", "null", "'null' is a word of YAML: choose another name"),
        ("loss", "tensor", "tensor: the class Tensor would hide another of that name: choose another"),
        ("loss", "top_2", "top_2: the name of the class Top2 is top2: choose that, or another"),
        ("loss", "there", "there.yaml: exists already, nothing was written"),
    ],
)
def test_a_name_that_cannot_be_used_is_one_line(tmp_path: Path, kind: str, name: str, said: str) -> None:
    (tmp_path / "there.yaml").write_text("mine")
    with pytest.raises(BenchError) as error:
        list(new_plugin(kind, name, folder=tmp_path))
    assert str(error.value) == said
    assert [file.name for file in tmp_path.iterdir()] == ["there.yaml"]


def test_a_suite_is_not_overwritten(tmp_path: Path) -> None:
    (tmp_path / "there.yaml").symlink_to("nowhere")
    with pytest.raises(BenchError, match=r"there\.yaml: exists already, nothing was written"):
        list(new_suite("there", folder=tmp_path))


@pytest.fixture(scope="module")
def folder(shared: Callable[[str], Bench]) -> Bench:
    return shared("new")


@pytest.mark.verify
@pytest.mark.parametrize("kind", KINDS)
def test_a_plugin_of_every_kind_passes_its_checks_and_runs(kind: str, folder: Bench) -> None:
    made = folder("new", "plugin", kind, f"my-{kind}")
    name = f"my_{kind}"
    assert made.code == 0 and made.out.split()[:2] == [f"{name}.py", f"{name}.yaml"], made.err
    assert made.lines == [f"next: bench check {name}.py, then bench {name}.yaml"]
    suite = (folder.folder / f"{name}.yaml").read_text()
    assert suite.startswith(HEADER) and (folder.folder / SCHEMA).is_file()
    checked = folder("check", f"{name}.py", timeout=300)
    assert checked.code == 0, checked.out + checked.err
    done = folder(f"{name}.yaml", "--json", "-", timeout=300)
    assert done.code == 0, done.out + done.err
    assert {cell["status"] for cell in done.json["cells"]} == {"ok"} and len(done.json["cells"]) > 1
    again = folder("new", "plugin", kind, name)
    assert again.code == 2 and again.lines == [f"bench: {name}.py, {name}.yaml: exists already, nothing was written"]


@pytest.mark.verify
def test_a_new_suite_runs_and_its_schema_accepts_it(bench: Bench) -> None:
    made = bench("new", "suite", "mine")
    assert made.code == 0 and made.out.split() == ["mine.yaml", SCHEMA]
    found: Mapping[str, object] = yaml.safe_load((bench.folder / "mine.yaml").read_text())
    jsonschema.validate(found, json.loads((bench.folder / SCHEMA).read_text()))
    assert bench("mine.yaml", "-q", "--seeds", "2", "--set", "settings.epochs=1", timeout=300).code == 0
    assert bench("new", "suite").code == 2 and bench("new", "suite", "a", "b").code == 2


@pytest.mark.verify
def test_the_schema_beside_a_plugin_knows_it(bench: Bench) -> None:
    assert bench("new", "plugin", "loss", "mine").code == 0
    schema = json.loads((bench.folder / SCHEMA).read_text())
    suite = yaml.safe_load((bench.folder / "mine.yaml").read_text())
    jsonschema.validate(suite, schema)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({**suite, "vary": {**suite["vary"], "loss": "mien"}}, schema)


@pytest.mark.verify
def test_a_name_that_a_component_has_is_refused(bench: Bench) -> None:
    refused = bench("new", "plugin", "loss", "focal")
    assert refused.code == 2 and len(refused.lines) == 1 and "the loss focal exists already (" in refused.lines[0]
    assert list(bench.folder.iterdir()) == []
