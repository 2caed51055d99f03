"""The command line as users meet it: exit codes, streams, near misses, and how little it imports."""

from __future__ import annotations

import json
import os
import pty
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from tests.conftest import NOOP, ROOT, Bench, Ended

HEAVY = ("torch", "numpy", "scipy", "rich", "sklearn", "pandas")


@pytest.fixture(scope="module")
def folder(shared: Callable[[str], Bench]) -> Bench:
    bench = shared("cli")
    bench.suite("[good, {good: {value: 2}}, {bad: {how: raise}}]", name="mixed.yaml", suite="mixed")
    bench.suite()
    bench.write("empty.yaml", "")
    return bench


@pytest.fixture(scope="module")
def good(folder: Bench) -> Ended:
    return folder("s.yaml", "--device", "cpu", "--json", "result.json", "-v")


@pytest.fixture(scope="module")
def mixed(folder: Bench, good: Ended) -> Ended:
    return folder("mixed.yaml", "--device", "cpu", "--json", "-")


def test_everything_measured_is_0_and_the_report_is_on_stdout(good: Ended, folder: Bench) -> None:
    assert good.code == 0
    assert "good(value=2.0) best, +1.00 (" in " ".join(good.out.replace("│", " ").split())
    assert set(good.lines[:-1]) == {"made dataset tiny", "done good", "done good(value=2.0)"}
    assert re.fullmatch(r"stored in results/runs/\S+", good.lines[-1])
    assert json.loads((folder.folder / "result.json").read_text())["exit"] == 0


def test_a_pipe_gets_no_escape_codes_and_fits_its_columns(folder: Bench, good: Ended) -> None:
    assert "\x1b" not in good.out + good.err
    narrow = folder("report", "last", env={"COLUMNS": "80"}).out
    assert "Answer" in narrow and max(len(line) for line in narrow.splitlines()) <= 80
    colored = folder("report", "last", "--color", "always").out
    assert "\x1b[" in colored
    assert "\x1b" not in folder("report", "last", "--color", "always", env={"NO_COLOR": "1"}).out


def test_several_runs_are_printed_in_turn_but_in_formats_for_programs(folder: Bench, good: Ended, mixed: Ended) -> None:
    both, one, other = (folder("report", *runs).out for runs in (("last", "last~1"), ("last",), ("last~1",)))
    assert both == one + other
    ended = folder("report", "last", "last~1", "--format", "json")
    assert (ended.code, ended.out) == (2, "")
    assert ended.lines == ["bench: --format json is of one run; 2 were named"]


def test_a_terminal_gets_colours_unless_no_color(folder: Bench, good: Ended) -> None:
    def on_terminal(**env: str) -> bytes:
        ours, theirs = pty.openpty()
        process = folder.start("report", "last", env={"TERM": "xterm-256color", **env}, stdout=theirs)
        os.close(theirs)
        text = b""
        try:
            while piece := os.read(ours, 65536):
                text += piece
        except OSError:
            pass
        os.close(ours)
        process.communicate()
        assert process.returncode == 0
        return text

    assert b"\x1b[" in on_terminal()
    assert b"\x1b" not in on_terminal(NO_COLOR="1")


def test_some_cells_failed_is_3(mixed: Ended) -> None:
    assert mixed.code == 3 and mixed.json["exit"] == 3


def test_the_json_is_exactly_what_stdout_holds_and_what_is_stored(mixed: Ended, folder: Bench) -> None:
    assert mixed.out.endswith("}\n") and mixed.out.isascii()
    stored = folder.folder / "results" / "runs" / mixed.json["run"]
    assert json.loads((stored / "result.json").read_text()) == mixed.json
    assert (stored / "suite.yaml").read_bytes() == (folder.folder / "mixed.yaml").read_bytes()


ENVIRONMENT = {"python", "torch", "device", "threads", "harness", "harness_commit", "commit", "dirty", "plugins"}
CELL = {
    "id",
    "vary",
    "parameters",
    "tuned",
    "status",
    "reason",
    "seconds",
    "peak_memory",
    "seeds",
    "metrics",
    "against",
    "best",
}
METRIC = {"values", "mean", "low", "high", "interval", "higher_is_better", "unit"}
AGAINST = {"baseline", "difference", "low", "high", "p", "p_holm", "family", "verdict", "needed", "reason"}


def test_the_json_has_the_keys_of_the_contract(mixed: Ended) -> None:
    data: dict[str, Any] = mixed.json
    assert {
        "schema",
        "suite",
        "question",
        "run",
        "protocol",
        "exit",
        "environment",
        "cells",
        "answer",
        "issues",
        "statements",
    } <= set(data)
    assert (data["schema"], data["suite"], data["question"], data["protocol"]) == (2, "mixed", "Which is best?", "noop")
    assert set(data["environment"]) >= ENVIRONMENT and set(data["environment"]["plugins"]) == {"noop"}
    base, better, failed = data["cells"]
    for cell in data["cells"]:
        assert set(cell) >= CELL and re.fullmatch("[0-9a-f]{64}", cell["id"])
    assert (base["status"], failed["status"]) == ("ok", "failed") and failed["reason"].startswith(
        "ValueError: not today"
    )
    assert better["vary"] == {"loss": "good(value=2.0)"} and better["parameters"]["loss"] == {
        "name": "good",
        "value": 2.0,
    }
    assert better["seeds"] == list(range(8)) and better["tuned"] == {}
    score = better["metrics"]["score"]
    assert set(score) >= METRIC and score["values"] == [2 + seed / 100 for seed in range(8)]
    assert score["mean"] == pytest.approx(2.035) and score["low"] < 2.03 and score["high"] > 2.04
    assert (score["interval"], score["higher_is_better"], score["unit"]) == ("seeds", True, None)
    against = better["against"]["score"]
    assert set(against) >= AGAINST and against["baseline"] == "good" and against["difference"] == pytest.approx(1)
    assert against["verdict"] == "better" and against["p"] <= against["p_holm"] < 0.05 and against["family"] == 1
    assert set(against["needed"]) == {"seeds", "examples"} and better["best"] == {"score": "best"}
    assert base["best"] == {"score": "beaten"}
    assert isinstance(data["answer"], str) and data["answer"] and isinstance(data["issues"], list)


def test_q_prints_the_answer_alone(folder: Bench, good: Ended) -> None:
    ended = folder("s.yaml", "--device", "cpu", "-q")
    assert (
        ended.code == 0
        and ended.err == ""
        and ended.out.startswith("In score, against good: good(value=2.0) best, +1.00 (")
        and ended.out.count("\n") == 1
    )


def test_a_stored_run_is_found_by_every_name(folder: Bench, mixed: Ended) -> None:
    one = mixed.json["run"]
    files = sorted((folder.folder / "results" / "runs").glob("*/result.json"), key=lambda file: file.stat().st_mtime)
    runs = [file.parent.name for file in files]
    first = runs[0]
    assert folder("report", "last", "--format", "json").json["run"] == runs[-1]
    for name in (one, f"results/runs/{one}", f"results/runs/{one}/result.json"):
        assert folder("report", name, "--format", "json").out == mixed.out
    back = folder("report", f"last~{len(runs) - 1}", "--format", "json").json
    assert back["run"] == first
    assert folder("report", "result.json", "--format", "json").json == back
    assert folder("report", one[:-2], "--format", "json").out == mixed.out, "the beginning of an id"
    assert "✗ failed: ValueError: not today" in folder("report", one).out


WRONG = {
    ("lst",): "bench: no command and no suite is called 'lst', did you mean list?",
    ("nowhere.yaml",): "bench: nowhere.yaml: no such file",
    ("mxed.yaml",): "bench: mxed.yaml: no such file, did you mean mixed.yaml?",
    ("empty.yaml",): "bench: empty.yaml:1:1: the file is empty",
    ("s.yaml", "--dryrun"): "bench: unrecognized arguments: --dryrun, did you mean --dry-run?",
    ("s.yaml", "--fres"): "bench: unrecognized arguments: --fres, did you mean --fresh?",
    ("s.yaml", "-j", "0"): "bench run: argument -j: '0' is not a whole number above 0",
    ("s.yaml", "--shard", "0/4"): "bench run: argument --shard: '0/4' is no shard I/N with I from 1 to N, such as 2/8",
    ("s.yaml", "--shard", "5/4"): "bench run: argument --shard: '5/4' is no shard I/N with I from 1 to N, such as 2/8",
    ("s.yaml", "--shard", "a/b"): "bench run: argument --shard: 'a/b' is no shard I/N with I from 1 to N, such as 2/8",
    ("s.yaml", "--timeout", "nan"): "bench run: argument --timeout: 'nan' is not a number of seconds above 0",
    ("s.yaml", "--json", "nowhere/x.json"): "bench run: argument --json: 'nowhere/x.json' is not a file in a folder that exists",
    ("s.yaml", "--set", "seeds"): "bench: --set seeds: expected KEY=VALUE",
    ("s.yaml", "--set", "settings.block_siz=3"): "--set settings.block_siz: noop has no setting 'block_siz', did you mean block_size?",
    ("s.yaml", "--seeds", "0"): "--set seeds: seeds: expected a whole number at least 1",
    ("s.yaml", "-k", "good and"): "bench: -k 'good and': expected a word before its end",
    ("s.yaml", "--device", "gpu"): "bench run: argument --device: invalid choice: 'gpu'",
    ("run",): "bench run: the following arguments are required: SUITE.yaml",
    ("list", "losss"): "bench: no kind 'losss', did you mean loss?",
    ("info", "nll"): "bench: nll is in several kinds: say loss:nll or metric:nll",
    ("info", "los:nll"): "bench: no kind 'los', did you mean loss?",
    ("info", "loss:focl"): "bench: no component 'loss:focl', did you mean focal?",
    ("list", "--plugin", "nop.py"): "bench: no plugin file nop.py",
    ("compare", "last"): "bench compare: the following arguments are required: RUN",
    ("compare", "last", "nothing"): "bench: no run 'nothing' (choose from ",
    ("compare", "last", "last", "--format", "jsn"): "bench: unknown format 'jsn', did you mean json?",
    ("merge",): "bench merge: the following arguments are required: RESULTS|RUN",
    ("merge", "nowhere"): "bench: no run 'nowhere' (choose from ",
    ("report", "last~99"): "bench: no run 'last~99': ",
    ("report", "nothing"): "bench: no run 'nothing' (choose from ",
    ("report", "2"): "bench: several runs begin with '2' (choose from ",
    ("report", "mixed.yaml"): "bench: mixed.yaml: not the JSON of a result",
    ("report", "last", "--format", "jsn"): "bench: unknown format 'jsn', did you mean json?",
}  # fmt: skip


@pytest.mark.parametrize("words", WRONG, ids=" ".join)
def test_a_wrong_word_is_2_and_one_line(words: tuple[str, ...], folder: Bench, mixed: Ended) -> None:
    ended = folder(*words)
    assert (ended.code, ended.out) == (2, "")
    assert len(ended.lines) == 1 and ended.err.startswith(WRONG[words]), ended.err


def test_nothing_selected_is_4(folder: Bench) -> None:
    ended = folder("s.yaml", "-k", "hinge", "--device", "cpu")
    assert (ended.code, ended.out) == (4, "")
    assert ended.lines == ["bench: -k 'hinge' selects none of 2 cells"]


def test_k_selects_cells_and_the_baseline_may_be_missing(folder: Bench, mixed: Ended) -> None:
    ended = folder("mixed.yaml", "-k", "VALUE=2 or (bad and not good)", "--device", "cpu", "--dry-run")
    assert [line.split(":")[0].strip() for line in ended.out.splitlines()[1:3]] == ["good(value=2.0)", "bad"]
    ended = folder("mixed.yaml", "-k", "value=2", "--device", "cpu", "--json", "-")
    against = ended.json["cells"][0]["against"]["score"]  # the baseline is left out, and stored
    assert ended.code == 0 and against["baseline"] == "good" and against["verdict"] == "better"


def test_seeds_and_set_replace_what_the_suite_says(folder: Bench) -> None:
    plan = folder("s.yaml", "--seeds", "3", "--set", "settings.block_size=3", "--device", "cpu", "--dry-run")
    assert "2 cells to do, 0 reused; 6 seeds to measure" in plan.out and plan.code == 0
    assert "2 cells x 5 seeds" in folder("validate", "s.yaml", "--seeds", "[9, 8, 7, 1, 0]").out


def test_no_arguments_is_the_help(folder: Bench) -> None:
    ended = folder()
    assert ended.code == 0 and ended.err == "" and ended.out == folder("--help").out
    for command in ("run", "validate", "schema", "list", "info", "report"):
        assert re.search(rf"^ +{command} ", ended.out, re.MULTILINE)
    assert re.fullmatch(r"bench \d+\.\d+\.\d+\n", folder("--version").out)


def test_list_and_info_know_every_component(folder: Bench) -> None:
    everything = folder("list", "--plugin", NOOP).out
    assert all(re.search(rf"^{kind}$", everything, re.MULTILINE) for kind in ("dataset", "loss", "metric", "protocol"))
    losses = folder("list", "loss", "--plugin", NOOP, env={"COLUMNS": "80"}).out.splitlines()
    assert [line.split()[0] for line in losses] == sorted(line.split()[0] for line in losses)
    assert {"bad", "cross_entropy", "good"} <= {line.split()[0] for line in losses} and max(map(len, losses)) <= 80
    about = folder("info", "loss:good", "--plugin", NOOP).out
    assert "Always works." in about and "value: a number, default 1.0" in about
    line = NOOP.read_text().split("class Good(")[0].count("\n") + 1
    assert about.endswith(f"plugin noop, {NOOP}:{line}\n")
    assert "higher_is_better = false" in folder("info", "metric-nll".replace("metric-", "metric:")).out
    assert folder("info", "cross-entropy").out.startswith("loss cross_entropy")


def test_validate_tells_all_mistakes_at_once(folder: Bench) -> None:
    folder.suite("[godo, {good: {valeu: 1}}]", name="wrong.yaml", seeds=0, baselin="good", metrics="[scoer]")
    ended = folder("validate", "wrong.yaml")
    assert (ended.code, ended.out) == (2, "")
    told = [line for line in ended.lines if line.startswith("wrong.yaml:")]
    for what in ("unknown loss 'godo', did you mean good?", "no field 'valeu', did you mean value?", "expected a whole number",
                 "unknown key 'baselin', did you mean baseline?", "unknown metric 'scoer', did you mean score?"):  # fmt: skip
        assert sum(what in line for line in told) == 1, ended.err
    assert len(told) == 5 and sum(line.strip() == "^" for line in ended.lines) == 5
    assert "s.yaml: 2 cells x 8 seeds, protocol noop" in folder("validate", "s.yaml").out


class Yaml(yaml.SafeLoader):
    """YAML 1.2, as editors read it: 1e-3 is a number and `on` is a word."""

    yaml_implicit_resolvers = {  # noqa: RUF012
        first: [pair for pair in pairs if not pair[0].endswith(":bool")]
        for first, pairs in yaml.SafeLoader.yaml_implicit_resolvers.items()
    }


Yaml.add_implicit_resolver("tag:yaml.org,2002:bool", re.compile("true|True|TRUE|false|False|FALSE"), list("tTfF"))
Yaml.add_implicit_resolver(
    "tag:yaml.org,2002:float", re.compile(r"[-+]?(\d+(\.\d*)?|\.\d+)[eE][-+]?\d+"), list("-+.0123456789")
)


def test_the_schema_is_one_and_accepts_the_suites_that_come_along(folder: Bench) -> None:
    schema = folder("schema", "--plugin", NOOP).json
    validator = jsonschema.validators.validator_for(schema)
    validator.check_schema(schema)
    suites = [*(ROOT / "suites").glob("*.yaml"), folder.folder / "s.yaml"]
    for file in suites:
        validator(schema).validate(yaml.load(file.read_text(), Yaml))
    wrong = yaml.load((folder.folder / "s.yaml").read_text(), Yaml) | {"sedes": 3}
    assert not validator(schema).is_valid(wrong)
    assert not validator(folder("schema").json).is_valid(yaml.load(suites[-1].read_text(), Yaml))


WITHOUT = [
    ["--help"], ["--version"], ["list"], ["list", "loss"], ["info", "focal"], ["schema"],
    ["validate", str(ROOT / "suites" / "quickstart.yaml")], ["report", "last", "--format", "json"],
    ["s.yaml", "--dry-run", "--device", "cpu"], ["compare", "last", "last", "--format", "json"],
]  # fmt: skip


@pytest.mark.parametrize("words", WITHOUT, ids=lambda words: " ".join(words[:2]).rsplit("/", 1)[-1])
def test_what_measures_nothing_imports_nothing_heavy(words: list[str], folder: Bench, good: Ended) -> None:
    script = f"""
import sys
from harness.cli.main import main
try:
    code = main({words!r})
except SystemExit as end:
    code = end.code
sys.stderr.write(f"{{code or 0}} {{[name for name in {HEAVY!r} if name in sys.modules]}}")
"""
    command = [sys.executable, "-W", "error", "-c", script]
    done = subprocess.run(
        command, cwd=folder.folder, env=folder.environment, capture_output=True, text=True, timeout=60
    )
    assert done.stderr == "0 []", done.stderr


@pytest.mark.parametrize(
    "words", [["list"], ["report", "last"], ["schema"], ["report", "last", "--format", "json"]], ids=" ".join
)
def test_a_reader_that_leaves_is_no_error(words: list[str], folder: Bench, good: Ended) -> None:
    ours, theirs = os.pipe()
    os.close(ours)
    process = folder.start(*words, stdout=theirs)
    os.close(theirs)
    _, err = process.communicate(timeout=30)
    assert (process.returncode, err) == (0, b"")


def test_a_result_of_another_version_is_refused(folder: Bench, good: Ended) -> None:
    data = json.loads((folder.folder / "result.json").read_text())
    folder.write("later.json", json.dumps({**data, "schema": 99}))
    ended = folder("report", "later.json")
    assert ended.code == 2 and ended.lines == [
        "bench: later.json: a result of schema 99: this version reads schemas up to 2"
    ]


def test_the_command_is_installed(folder: Bench) -> None:
    command = Path(sys.executable).with_name("bench")
    if not command.exists():
        pytest.skip("the package is not installed here")
    done = subprocess.run(
        [command, "--version"], cwd=folder.folder, env=folder.environment, capture_output=True, text=True
    )
    assert done.stdout == folder("--version").out


def test_a_mistake_in_one_suite_does_not_keep_the_next_from_running(bench: Bench) -> None:
    bad, good = bench.suite("[goood]", name="bad.yaml"), bench.suite("[good]", name="good.yaml")
    ended = bench(bad, good, "--device", "cpu", "-q")
    assert ended.code == 2 and "unknown loss 'goood', did you mean good?" in ended.err
    (run,) = bench.folder.glob("results/runs/*/result.json")
    assert json.loads(run.read_text())["cells"][0]["status"] == "ok"
