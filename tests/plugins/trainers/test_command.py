"""Training scripts under `command`: real scripts in real runs, checked before, killed and changed in between."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from harness import BenchError, Job, component
from tests.conftest import ROOT, Bench
from tests.docs.blocks import files

SMALL = """import json, sys
loss, seed = sys.argv[1], int(sys.argv[2])
print("training", loss)
print(json.dumps({"val_acc": 0.5 + 0.1 * (loss == "ours") + 0.001 * seed, "argv": sys.argv}))
"""
COMMAND = "python small.py {loss} {seed}"


def suite(bench: Bench, run: str = COMMAND, name: str = "s.yaml", **keys: Any) -> Path:
    """A suite of one command over two losses."""
    said = {
        "protocol": "accuracy",
        "vary": {"loss": ["plain", "ours"]},
        "trainer": {"command": {"run": run}},
        "seeds": 2,
        "metrics": [{"reported": {"key": "val_acc"}, "as": "accuracy"}],
        "baseline": "plain",
    }
    text = "\n".join(f"{key}: {json.dumps(value)}" for key, value in (said | keys).items())
    return bench.write(name, f"{text}\n")


def script(bench: Bench, text: str) -> None:
    bench.write("small.py", f"import json, os, sys, time\n{text}\n")


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty working directory."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def job(folder: Path) -> Job:
    """The job of one seed, whose folder is `kept`."""
    kept = folder / "kept"
    kept.mkdir(exist_ok=True)
    placed = {"loss": "plain", "seed": "0", "folder": str(kept)}
    about: dict[str, Any] = {"settings": None, "lr": [0.1], "device": "cpu", "on_progress": lambda *_: None}
    return Job(seeds=[0], folder=kept, values=placed, **about)


def reported(folder: Path, text: str) -> Any:
    """The value of `val_acc` in what a script reports, run once by the trainer."""
    (folder / "small.py").write_text(f"import json, os, sys, time\n{text}\n")
    result = component("trainer", "command", run=f"{COMMAND} {{folder}}").fit(job(folder))
    per_example = {key: found[0] for key, found in result.per_example.items()}
    return component("metric", "reported", key="val_acc")(result.outcome[0], per_example)


def values(ended: Any, metric: str = "accuracy") -> dict[str, list[float]]:
    assert ended.code == 0, ended.err
    return {cell["vary"]["loss"]: cell["metrics"][metric]["values"] for cell in ended.json["cells"]}


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except OSError:
        return False


def eventually(holds: Callable[[], bool], within: float = 20.0) -> bool:
    end = time.monotonic() + within
    while time.monotonic() < end:
        if holds():
            return True
        time.sleep(0.05)
    return False


class TestBeforeAnythingRuns:
    """What is checked with the suite, and what needs trust."""

    @pytest.mark.parametrize(
        ("run", "said"),
        [
            ("python small.py {los} {seed}", "s.yaml:3:47: unknown placeholder {los}, did you mean loss?"),
            ("python small.py {loss} {seed} {x", "s.yaml:3:61: a brace alone: write {{ for one in the command"),
            ("python small.py {loss} '{seed}", "the command cannot be split into words: no closing quotation"),
            ("python smal.py {loss} {seed}", "s.yaml:3:38: no file 'smal.py' beside the suite, did you mean small.py?"),
            ("pythn small.py {loss} {seed}", "no program 'pythn' on the PATH"),
            ("./small.sh {loss} {seed}", "no program './small.sh' beside the suite, or it may not be executed"),
            ("python small.py {loss}", "no command has the placeholder {seed}: every seed would be the same run"),
            ("python small.py {seed}", "s.yaml:2:8: vary: no command has the placeholder {loss}"),
            ("", "the command is empty"),
        ],
    )
    @pytest.mark.verify
    def test_mistakes_have_a_place_and_the_near_miss(self, bench: Bench, run: str, said: str) -> None:
        bench.write("small.py", SMALL)
        suite(bench, run)
        ended = bench("validate", "s.yaml")
        assert ended.code == 2 and said in ended.err
        assert not (bench.folder / "results").exists()

    def test_an_unknown_placeholder_names_all_choices(self, bench: Bench) -> None:
        bench.write("small.py", SMALL)
        suite(bench, "python small.py {loss} {seed} {qqq}")
        ended = bench("s.yaml", "--dry-run")
        assert ended.code == 2
        assert all(name in ended.lines[0] for name in ("loss", "seed", "folder", "device", "data", "lr", "epochs"))

    @pytest.mark.parametrize(
        ("keys", "said"),
        [
            ({"settings": {"epochs": 3}}, "settings: no command has the placeholder {epochs}, so this changes nothing"),
            ({"tune": {"lr": [0.1, 1]}}, "tune: no command has the placeholder {lr}"),
            ({"vary": {"loss": ["plain", {"focal": {"gamma": 1}}]}}, "an axis holds words and numbers, got a mapping"),
            ({"vary": {"loss": ["plain"], "seed": [1]}}, "{seed} is a placeholder of the harness: choose another name"),
            ({"metrics": ["accuracy"]}, "accuracy needs logits, target: a trainer that runs a program offers outcome"),
            ({"vary": {"loss": ["plain", "ours"], "trainer": ["auto"]}}, "is not compared with one that does not"),
            ({"metrics": [{"reported": {"key": k}, "as": "x"} for k in "ab"]}, "two have the label 'x'"),
        ],
    )
    def test_what_a_command_cannot_use_is_a_mistake(self, bench: Bench, keys: dict[str, Any], said: str) -> None:
        bench.write("small.py", SMALL)
        suite(bench, **keys)
        ended = bench("validate", "s.yaml")
        assert ended.code == 2 and said in ended.err

    def test_without_trust_nothing_runs(self, bench: Bench) -> None:
        script(bench, "open('ran', 'w')")
        suite(bench)
        for words in (("validate", "s.yaml"), ("s.yaml", "--dry-run")):
            ended = bench(*words)
            assert ended.code == 0 and "needs --trust on the command line: python small.py" in ended.out
        ended = bench("s.yaml")
        said = (
            "bench: s.yaml:3:30: runs a program, which needs --trust on the command line: python small.py {loss} {seed}"
        )
        assert (ended.code, ended.lines) == (2, [said])
        assert not (bench.folder / "ran").exists() and not (bench.folder / "results").exists()

    def test_a_file_cannot_give_trust(self, bench: Bench) -> None:
        bench.write("small.py", SMALL)
        bench.write("pyproject.toml", "[tool.bench]\ntrust = true\n")
        suite(bench)
        ended = bench("s.yaml")
        assert ended.code == 2 and "[tool.bench] trust: only the command line may say so" in ended.err


class TestOutcomes:
    """What a script reports, and what it fails to."""

    @pytest.mark.verify
    def test_values_are_those_of_the_script(self, bench: Bench) -> None:
        bench.write("small.py", SMALL)
        suite(bench)
        ended = bench("s.yaml", "--trust", "--json", "-")
        assert values(ended) == {"plain": [0.5, 0.501], "ours": [0.6, 0.601]}
        (run,) = (bench.folder / "results" / "runs").iterdir()
        assert "training ours" in "".join(log.read_text() for log in (run / "logs").iterdir())
        assert not list((bench.folder / "results" / ".cache" / "scratch").glob("*/*"))

    @pytest.mark.verify
    def test_words_stay_whole_and_meet_no_shell(self, bench: Bench) -> None:
        script(
            bench, "print(json.dumps({'n': len(sys.argv), 'ok': float(sys.argv[1:4] == json.load(open('w.json')))}))"
        )
        odd = 'it\'s; touch broken $(touch broken) "q" {x} é'
        bench.write("w.json", json.dumps([f"--a={odd}", odd, "{braces} two"]))
        run = "python small.py --a={loss} '{loss}' \"{{braces}} two\" {seed}"
        suite(bench, run, vary={"loss": ["plain", odd]}, metrics=[{"reported": {"key": k}} for k in ("n", "ok")])
        found = bench("s.yaml", "--trust", "--json", "-")
        assert values(found, "reported(key=ok)")[odd] == [1.0, 1.0]
        assert values(found, "reported(key=n)")["plain"] == [5.0, 5.0]
        assert not (bench.folder / "broken").exists()

    @pytest.mark.parametrize(
        ("text", "said"),
        [
            ("print('{\"val_ac\": 1}')", "reported no 'val_acc', did you mean val_ac? (reported: val_ac)"),
            ("print('{}')", "the program reported no 'val_acc' (reported: nothing)"),
            ("print('{\"val_acc\": true}')", "the program reported val_acc: true, expected a number"),
            ('print(\'{"val_acc": "0.9"}\')', 'the program reported val_acc: "0.9", expected a number'),
            ("print('{\"val_acc\": null}')", "the program reported val_acc: null, expected a number"),
            ("print('accuracy 0.9')", "python small.py printed no line of JSON, an object: accuracy 0.9"),
            ("print('[1]')", "printed no line of JSON, an object: [1]"),
            ("", "printed no line of JSON, an object: it printed nothing"),
            ("os.close(1); raise ValueError('no such loss')", "ended with exit code 1:"),
            ("os.kill(os.getpid(), 11)", "python small.py was killed by SIGSEGV: it printed nothing"),
            ("sys.exit(3)", "python small.py ended with exit code 3: it printed nothing"),
        ],
    )
    def test_a_script_that_reports_nothing_fails_in_one_line(self, here: Path, text: str, said: str) -> None:
        with pytest.raises(BenchError) as error:
            reported(here, text)
        assert said in str(error.value) and "\n" not in str(error.value)

    def test_the_last_lines_of_a_crash_are_the_reason(self, here: Path) -> None:
        with pytest.raises(BenchError, match=r"exit code 1: ValueError: no such loss \(small.py:\d+\)$"):
            reported(here, "print('{\"val_acc\": 1}')\ndef f():\n    raise ValueError('no such loss')\nf()")
        with pytest.raises(BenchError, match=r"exit code 1: ValueError: invalid literal [^|^]* \(small.py:\d+\)$"):
            reported(here, "y = 1 + int('a')")  # Python marks the place by a line of carets
        with pytest.raises(BenchError, match=r"exit code 2: first \| last$"):
            reported(here, "sys.stderr.write('first\\nlast'); sys.exit(2)")

    def test_the_last_line_of_json_counts(self, here: Path) -> None:
        text = "print('{\"val_acc\": 0.1}')\nprint('{\"val_acc\": 0.2}')\nprint('done {')\nsys.stderr.write('{}')"
        assert reported(here, text) == 0.2

    def test_a_missing_program_and_placeholder_are_one_line(self, here: Path) -> None:
        for run, said in (
            ("./gone {seed}", "./gone cannot be started: no such file"),
            ("{x}", "unknown placeholder {x}"),
        ):
            with pytest.raises(BenchError, match=said):
                component("trainer", "command", run=run).fit(job(here))

    def test_a_long_output_is_read_to_its_end(self, here: Path, capfd: pytest.CaptureFixture[str]) -> None:
        text = "for k in range(30000): print('x' * 99); sys.stderr.write('y' * 99)\nprint('{\"val_acc\": 1}')"
        assert reported(here, text) == 1
        assert len(capfd.readouterr().out) >= 3_000_000

    @pytest.mark.verify
    def test_a_failed_row_names_the_last_line_and_others_complete(self, bench: Bench) -> None:
        script(bench, "assert sys.argv[1] == 'plain', 'no such loss'\nprint('{\"val_acc\": 1}')")
        suite(bench, seeds=1)
        ended = bench("s.yaml", "--trust", "--json", "-")
        assert ended.code == 3
        plain, ours = ended.json["cells"]
        assert plain["status"] == "ok" and ours["status"] == "failed"
        assert ours["reason"].endswith("AssertionError: no such loss (small.py:2)")

    @pytest.mark.verify
    def test_a_script_that_takes_too_long_ends_with_its_last_line(self, bench: Bench) -> None:
        script(bench, "print('epoch 1')\nprint('threads', os.environ['OMP_NUM_THREADS'])\ntime.sleep(600)")
        suite(bench, vary={"loss": ["plain"]}, seeds=1, baseline=None)
        ended = bench("s.yaml", "--trust", "--timeout", "4", "--json", "-", env={"OMP_NUM_THREADS": "3"})
        (cell,) = ended.json["cells"]
        assert (cell["status"], cell["reason"]) == ("timeout", "no answer within 4 s; last printed: threads 3")
        assert ended.json["environment"]["threads"] == 3
        again = bench("s.yaml", "--trust", "--timeout", "90", "--dry-run", env={"OMP_NUM_THREADS": "3"})
        assert "about 90 s (1 row timed out before: 90 s each)" in again.out

    @pytest.mark.verify
    def test_directions_and_units_are_those_of_the_suite(self, bench: Bench) -> None:
        bench.write("small.py", SMALL)
        metric = {"reported": {"key": "val_acc", "higher_is_better": False, "unit": "%"}, "as": "error"}
        suite(bench, metrics=[metric])
        found = bench("s.yaml", "--trust", "--json", "-").json["cells"][0]
        assert found["metrics"]["error"]["higher_is_better"] is False and found["metrics"]["error"]["unit"] == "%"
        assert found["best"]["error"] == "best"

    @pytest.mark.verify
    def test_axes_of_any_name_compete_and_scripts_do(self, bench: Bench) -> None:
        bench.write("small.py", SMALL)
        bench.write("other.py", SMALL)
        runs = {"small": "python small.py {augment} {seed}", "other": "python other.py x {seed}"}
        trainers = [{"command": {"run": run}, "as": name} for name, run in runs.items()]
        suite(bench, vary={"augment": [True, False], "trainer": trainers}, trainer=None, baseline={"trainer": "small"})
        found = bench("s.yaml", "--trust", "--json", "-").json["cells"]
        rows = {(cell["vary"]["augment"], cell["vary"]["trainer"]) for cell in found}
        assert rows == {(True, "small"), (False, "small"), (None, "other")}


STRANGER = """import json
from harness import CommandLine, ExternalTrainer, TrainingResult, fill_command, hookimpl, run_program


class Formula(ExternalTrainer):
    \"""Computes its outcome without a program.\"""

    def fit(self, job):
        return TrainingResult(outcome=[{"acc": float(job.values["k"]) + int(job.values["seed"])}])


class Fixed(ExternalTrainer):
    \"""Runs a command that it has by default.\"""

    run: CommandLine = "echo '{{\\"acc\\": {k}{seed}}}'"

    def fit(self, job):
        return TrainingResult(outcome=[json.loads(run_program(fill_command(self.run, job.values)).out)])


@hookimpl
def components():
    return [Formula, Fixed]
"""


@pytest.mark.verify
def test_external_trainers_of_others(bench: Bench) -> None:
    """One without a command needs no trust and may use every axis; a command by default needs it."""
    bench.write("mine.py", STRANGER)
    metrics = [{"reported": {"key": "acc"}, "as": "accuracy"}]
    for trainer, expected in (("formula", [[1.0, 2.0], [2.0, 3.0]]), ("fixed", [[10.0, 11.0], [20.0, 21.0]])):
        suite(bench, trainer=trainer, vary={"k": [1, 2]}, metrics=metrics, baseline=1)
        ended = bench("s.yaml", "--plugin", "mine.py", "--json", "-")
        if trainer == "fixed":
            assert ended.code == 2 and "runs a program, which needs --trust" in ended.lines[0]
            ended = bench("s.yaml", "--plugin", "mine.py", "--json", "-", "--trust")
        assert [cell["metrics"]["accuracy"]["values"] for cell in ended.json["cells"]] == expected


class TestPerExample:
    """Files with a value for each example."""

    SCRIPT = """import csv
seed = int(sys.argv[2])
right = [(k * 7 + seed) % 10 < (8 if sys.argv[1] == "ours" else 6) for k in range(40)]
with open("{}/right.csv".format(sys.argv[3]), "w", newline="") as stream:
    rows = csv.writer(stream)
    rows.writerow(["example", "val_acc"])
    rows.writerows([k + seed, int(each)] for k, each in enumerate(right))
print(json.dumps({"val_acc": sum(right) / 40, "per_example": "right.csv"}))"""

    @pytest.mark.verify
    def test_intervals_cover_other_examples(self, bench: Bench) -> None:
        script(bench, self.SCRIPT)
        suite(bench, f"{COMMAND} {{folder}}", seeds=4)
        ended = bench("s.yaml", "--trust", "--json", "-")
        assert values(ended) == {"plain": [0.6] * 4, "ours": [0.8] * 4}
        assert {cell["metrics"]["accuracy"]["interval"] for cell in ended.json["cells"]} == {"both"}

    @pytest.mark.parametrize(
        ("line", "said"),
        [
            ("'per_example': 'gone.csv'", "per_example: there is no file gone.csv"),
            ("'per_example': 3", "per_example: expected the name of a .csv file or {key: file.npy}, got 3"),
            ("'per_example': {'val_ac': 'x.npy'}", "'val_ac' is no key of the outcome, did you mean val_acc?"),
            ("'per_example': {'val_acc': 'x.npy'}", "the mean of val_acc over 4 examples is 0.5, reported is 1"),
            ("'per_example': {'val_acc': 'small.py'}", "small.py is no .npy file of numbers"),
            ("'per_example': 'bad.csv'", "per_example: bad.csv:3: 1 values for 2 columns"),
        ],
    )
    def test_a_wrong_file_is_one_line(self, here: Path, line: str, said: str) -> None:
        (here / "bad.csv").write_text("example,val_acc\n1,1\n2\n")
        with pytest.raises(BenchError) as error:
            reported(
                here, f"import numpy\nnumpy.save('x.npy', [0, 1, 0, 1])\nprint(json.dumps({{'val_acc': 1, {line}}}))"
            )
        assert said in str(error.value)

    def test_values_of_a_key_are_the_metric(self, here: Path) -> None:
        line = "import numpy\nnumpy.save(sys.argv[3] + '/x.npy', [0, 1, 0, 1])\n"
        found = reported(here, f"{line}print(json.dumps({{'val_acc': 0.5, 'per_example': {{'val_acc': 'x.npy'}}}}))")
        assert found.tolist() == [0, 1, 0, 1]
        assert not (here / "kept").exists(), "the folder of a finished seed is gone"


class TestIdentity:
    """What is measured again."""

    @pytest.mark.verify
    def test_a_changed_script_or_module_or_file_is_measured_again(self, bench: Bench) -> None:
        bench.write("helper.py", "OFFSET = 0.5\n")
        bench.write("conf/plain.txt", "a")
        bench.write("conf/ours.txt", "a")
        script(bench, "import helper\nprint(json.dumps({'val_acc': helper.OFFSET + 0.001 * int(sys.argv[1])}))")
        suite(bench, "python small.py {seed} --conf=conf/{loss}.txt")
        assert values(bench("s.yaml", "--trust", "--json", "-"))["ours"] == [0.5, 0.501]
        assert "2 reused; 0 seeds" in bench("s.yaml", "--dry-run").out
        bench.write("helper.py", "OFFSET = 0.6\n")
        assert "(helper.py changed)" in bench("s.yaml", "--dry-run").out
        ended = bench("s.yaml", "--trust", "--json", "-")
        assert values(ended)["ours"] == [0.6, 0.601] and ended.json["cells"][0]["changed"] == ["helper.py"]
        (bench.folder / "small.py").write_text((bench.folder / "small.py").read_text().replace("+ 0.001", "+ 0.002"))
        assert "(small.py changed)" in bench("s.yaml", "--dry-run").out
        (bench.folder / "small.py").write_text((bench.folder / "small.py").read_text().replace("+ 0.002", "+ 0.001"))
        bench.write("conf/ours.txt", "b")
        assert "plain: reused\n  ours: to do (ours.txt changed)" in bench("s.yaml", "--dry-run").out
        bench.write("unnamed.txt", "c")
        bench.write("conf/ours.txt", "a")
        assert "2 reused; 0 seeds" in bench("s.yaml", "--dry-run").out


HANGS = """import subprocess
if int(sys.argv[2]) or sys.argv[1] == "ours":
    print('{"val_acc": 1}'); sys.exit()
code = "import os, time; open('pid-%s' % sys.argv[1], 'w').write(str(os.getpid())); time.sleep(100)"
for name in ("same", "own"):
    code = f"import os, time; open('pid-{name}', 'w').write(str(os.getpid())); time.sleep(100)"
    subprocess.Popen([sys.executable, "-c", code], start_new_session=name == "own")
"""


class TestEnds:
    """Time-outs and what a script leaves behind."""

    def started(self, bench: Bench) -> list[int]:
        files = [bench.folder / f"pid-{name}" for name in ("same", "own")]
        assert eventually(lambda: all(file.exists() and file.read_text() for file in files))
        return [int(file.read_text()) for file in files]

    @pytest.mark.verify
    def test_a_time_out_ends_everything(self, bench: Bench) -> None:
        script(bench, f"{HANGS}\ntime.sleep(100)")
        suite(bench, vary={"loss": ["plain"]}, baseline=None)
        ended = bench("s.yaml", "--trust", "--json", "-", "--timeout", "3")
        assert ended.code == 3 and ended.json["cells"][0]["status"] == "timeout"
        pids = self.started(bench)
        assert eventually(lambda: not any(map(alive, pids)))

    @pytest.mark.verify
    def test_what_a_script_leaves_running_ends_with_it(self, bench: Bench) -> None:
        wait = "while not all(os.path.exists(f'pid-{n}') for n in ('same', 'own')): time.sleep(0.01)"
        script(bench, f"{HANGS}\n{wait}\nprint('{{\"val_acc\": 0.5}}')")
        suite(bench, seeds=1)
        assert values(bench("s.yaml", "--trust", "--json", "-")) == {"plain": [0.5], "ours": [1.0]}
        assert not any(map(alive, self.started(bench)))

    @pytest.mark.verify
    def test_a_killed_run_leaves_nothing(self, bench: Bench) -> None:
        script(bench, f"{HANGS}\ntime.sleep(100)")
        suite(bench, seeds=1)
        process = bench.start("s.yaml", "--trust")
        pids = self.started(bench)
        os.kill(process.pid, signal.SIGKILL)
        process.communicate()
        assert eventually(lambda: not any(map(alive, pids)))


EXAMPLE = files((ROOT / "docs" / "scripts.md").read_text())["train.py"]
NOTED = """with open("done.txt", "a") as log:
    log.write(f"{args.loss} {args.seed} {start}\\n")
"""
SLOW = """    import time
    time.sleep(0.3 if Path("slow").exists() and args.seed == 2 else 0)
"""
IRIS = "python train.py --seed {seed} --loss {loss} --lr {lr} --folder {folder}"


@pytest.mark.verify
class TestATrainingScript:
    """The script of the documentation: logistic regression on iris with a checkpoint after every epoch."""

    def prepared(self, bench: Bench, **keys: Any) -> None:
        loop = next(line for line in EXAMPLE.splitlines(keepends=True) if line.startswith("for epoch"))
        bench.write("train.py", EXAMPLE.replace(loop, loop + SLOW) + NOTED)
        nll = {"reported": {"key": "val_nll", "higher_is_better": False}, "as": "nll"}
        metrics = [{"reported": {"key": "val_acc"}, "as": "accuracy"}, nll]
        suite(bench, IRIS, vary={"loss": ["plain", "smoothed"]}, settings={"lr": 0.5}, seeds=6, metrics=metrics, **keys)

    def by_hand(self, bench: Bench, loss: str, seed: int) -> dict[str, float]:
        folder = bench.folder / f"hand-{loss}-{seed}"
        folder.mkdir()
        words = ["train.py", "--seed", str(seed), "--loss", loss, "--lr", "0.5", "--folder", str(folder)]
        made = subprocess.run([sys.executable, *words], cwd=bench.folder, check=True, capture_output=True, text=True)
        found: dict[str, float] = json.loads(made.stdout.splitlines()[-1])
        return found

    def test_the_table_is_that_of_the_script_run_by_hand(self, bench: Bench) -> None:
        self.prepared(bench)
        ended = bench("s.yaml", "--trust", "-j", "2", "--json", "-", timeout=300)
        accuracy, nll = values(ended), values(ended, "nll")
        for loss in ("plain", "smoothed"):
            hand = [self.by_hand(bench, loss, seed) for seed in range(6)]
            assert accuracy[loss] == [each["val_acc"] for each in hand]
            assert nll[loss] == [each["val_nll"] for each in hand]
        against = ended.json["cells"][1]["against"]["accuracy"]
        mean = sum(a - b for a, b in zip(accuracy["smoothed"], accuracy["plain"], strict=True)) / 6
        assert against["difference"] == pytest.approx(mean) and against["verdict"] is not None

    def test_killed_and_resumed_it_goes_on_from_its_checkpoint(self, bench: Bench) -> None:
        self.prepared(bench, name="slow.yaml")
        slow = bench.folder / "slow"
        slow.touch()  # every epoch then takes a while, from the third seed on
        process = bench.start("slow.yaml", "--trust", "-j", "1")
        checkpoints = lambda: list((bench.folder / "results" / ".cache" / "scratch").glob("*/seed-2/checkpoint.npz"))  # noqa: E731
        assert eventually(lambda: bool(checkpoints()), within=60)
        os.kill(process.pid, signal.SIGKILL)
        process.communicate()
        slow.unlink()
        ended = bench("slow.yaml", "--trust", "--json", "-", timeout=300)
        runs = (bench.folder / "done.txt").read_text().splitlines()
        assert sorted(line.rsplit(maxsplit=1)[0] for line in runs) == sorted(
            f"{loss} {seed}" for loss in ("plain", "smoothed") for seed in range(6)
        )
        resumed = [int(line.rsplit(maxsplit=1)[1]) for line in runs if line.startswith("plain 2 ")]
        assert resumed[0] > 0, "it began again"
        assert values(ended)["plain"][2] == self.by_hand(bench, "plain", 2)["val_acc"]

    def test_a_data_set_of_the_harness_is_handed_over(self, bench: Bench) -> None:
        script(bench, """import numpy as np
data = np.load(sys.argv[3])
center = [data["train_inputs"][data["train_targets"] == k].mean(0) for k in range(3)]
near = ((data["test_inputs"][:, None] - np.array(center)) ** 2).sum(-1).argmin(1) == data["test_targets"]
np.savetxt(sys.argv[4] + "/e.csv", np.stack([data["test_index"], near], 1), "%d", ",", header="example,val_acc", comments="")
print(json.dumps({"val_acc": float(near.mean()), "per_example": "e.csv"}))""")  # fmt: skip
        vary = {"loss": ["plain"], "dataset": [{"iris": {"label_noise": [0, 0.2]}}]}
        suite(bench, f"{COMMAND} {{data}} {{folder}}", vary=vary, seeds=4, baseline=None)
        ended = bench("s.yaml", "--trust", "--json", "-")
        assert ended.code == 0, ended.err
        clean, noisy = (cell["metrics"]["accuracy"] for cell in ended.json["cells"])
        assert clean["interval"] == "both" and clean["mean"] > 0.8 and clean["values"] != noisy["values"]

    def test_tuning_chooses_on_seeds_of_its_own_and_is_resumed(self, bench: Bench) -> None:
        lines = [
            "open('ran.txt', 'a').write(' '.join(sys.argv[1:]) + chr(10))",
            "time.sleep(60 * (sys.argv[2] == '0.3' and os.path.exists('slow')))",
            "print(json.dumps({'val_acc': 1 - abs(float(sys.argv[2]) - 0.3), 'seed': int(sys.argv[3])}))",
        ]
        script(bench, "\n".join(lines))
        metrics = [{"reported": {"key": key}, "as": name} for key, name in (("val_acc", "accuracy"), ("seed", "seed"))]
        keys = {"vary": {"loss": ["ours"]}, "baseline": None, "tune": {"lr": [0.1, 0.3], "seeds": 2}}
        suite(bench, "python small.py {loss} {lr} {seed}", metrics=metrics, **keys)
        slow, ran = bench.write("slow", ""), bench.folder / "ran.txt"
        process = bench.start("s.yaml", "--trust")
        assert eventually(lambda: ran.exists() and "0.3" in ran.read_text(), within=60)
        os.kill(process.pid, signal.SIGKILL)
        process.communicate()
        slow.unlink()
        ended = bench("s.yaml", "--trust", "--json", "-")
        assert values(ended, "seed")["ours"] == [0, 1] and ended.json["cells"][0]["tuned"] == {"lr": 0.3}
        tried = [line.split() for line in ran.read_text().splitlines()]
        assert sorted(int(seed) for _, lr, seed in tried if lr == "0.1") == [2**31 - 2, 2**31 - 1], "tried twice"
