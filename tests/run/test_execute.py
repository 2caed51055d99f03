"""What happens around a cell: faults, time-outs, interruptions, resumes. Every command is real, every cell a no-op."""

from __future__ import annotations

import contextlib
import json
import os
import re
import resource
import shutil
import signal
import socket
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import NOOP, Bench, Ended

FAULTS = {
    "raise": ("failed", r"ValueError: not today \(noop\.py:\d+\)"),
    "exit": ("failed", r"SystemExit: 0 \(noop\.py:\d+\)"),
    "_exit": ("crashed", r"the process ended by itself with exit code 0"),
    "segfault": ("crashed", r"killed by SIGSEGV"),
    "kill": ("crashed", r"killed by SIGKILL"),
    "sleep": ("timeout", r"no answer within 1\.5 s"),
    "hold_gil": ("timeout", r"no answer within 1\.5 s"),
    "ignore_sigterm": ("timeout", r"no answer within 1\.5 s"),
    "half_frame": ("timeout", r"no answer within 1\.5 s"),
    "huge_frame": ("crashed", r"the process sent a message of 2,147,483,648 bytes, the largest has 268,435,456"),
    "no_message": ("crashed", r"the process sent no message: Expected `object`, got `array`"),
    "other_answer": ("crashed", r"the process sent another answer than was asked for: it has no auxiliary, .*"),
    "flood": ("timeout", r"no answer within 1\.5 s"),
    "grow": ("oom", r"used \d+ MiB of memory, more than the 300 MiB allowed"),
    "child_grows": ("oom", r"used \d+ MiB of memory, more than the 300 MiB allowed"),
    "real_time_signal": ("crashed", r"killed by signal 40"),
    "few": ("failed", r"score: 1 numbers for 4 seeds"),
    "unserialisable": ("failed", r"score: expected a number, got a object"),
    "wrong_type": ("failed", r"score: expected a number, got a str"),
    "not_values": ("failed", r"measure\(\) must return harness\.Measurements, not str"),
    "memory": ("oom", r"RuntimeError: .*can't allocate memory.*"),
    "long_reason": ("failed", r"RuntimeError: w{100,400}\.\.\. \(noop\.py:\d+\)"),
    "control_characters": ("failed", r"RuntimeError: red  \[31m and a bell   \(noop\.py:\d+\)"),
    "bench_error": ("failed", r"this loss cannot be used here"),
    "skip": ("skipped", r"this pair is impossible"),
}
WORKING = ("nan", "grandchild", "print", "patched_json", "chatter", "endless_log")


def alive(pid: int) -> bool:
    """Whether a process still runs; one that ended and was not waited for does not."""
    with contextlib.suppress(OSError):
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] not in "ZX"
    return False


def soon(condition: Callable[[], Any], seconds: float) -> bool:
    limit = time.monotonic() + seconds
    while time.monotonic() < limit:
        if condition():
            return True
        time.sleep(0.02)
    return False


def blocks(bench: Bench) -> list[list[str]]:
    """(loss, first seed, process) of every block that was measured, in order."""
    file = bench.folder / "blocks"
    return [line.rsplit(" ", 2) for line in file.read_text().splitlines()] if file.exists() else []


def records(bench: Bench) -> list[dict[str, Any]]:
    files = sorted(bench.folder.glob("results/records/*"))
    return [json.loads(line) for file in files for line in file.read_text().splitlines()]


def stored(bench: Bench) -> set[tuple[str, str]]:
    """(loss, first seed) of every block in a record; torn lines are passed over."""
    found = set()
    for file in bench.folder.glob("results/records/*"):
        for line in file.read_bytes().split(b"\n"):
            with contextlib.suppress(ValueError):
                record = json.loads(line)
                if record["status"] == "ok":
                    found.add((record["vary"]["loss"], str(record["seeds"][0])))
    return found


def marks(bench: Bench, **more: str) -> dict[str, str]:
    return {"BLOCKS": str(bench.folder / "blocks"), **more}


@pytest.fixture(scope="module")
def folder(shared: Callable[[str], Bench]) -> Bench:
    return shared("faults")


@pytest.fixture(scope="module")
def faults(folder: Bench) -> Ended:
    """Every fault in one suite, beside cells that work."""
    hows = ", ".join([*FAULTS, *WORKING])
    suite = folder.suite(f"[good, {{bad: {{how: [{hows}]}}}}, {{good: {{value: 2}}}}]")
    env = marks(folder, GRANDCHILD=str(folder.folder / "grandchild"))
    return folder(suite, "--timeout", "1.5", "--memory", "300", "-j", "2", "--device", "cpu", "--json", "-", env=env)


@pytest.fixture(scope="module")
def rows(faults: Ended) -> dict[str, dict[str, Any]]:
    return {cell["parameters"]["loss"].get("how", cell["vary"]["loss"]): cell for cell in faults.json["cells"]} | {
        cell["vary"]["loss"]: cell for cell in faults.json["cells"]
    }


@pytest.mark.parametrize("how", FAULTS)
@pytest.mark.verify
def test_a_fault_is_a_row_with_a_reason_of_one_line(how: str, rows: dict[str, dict[str, Any]]) -> None:
    row = rows["bad" if how == "raise" else how]
    status, reason = FAULTS[how]
    assert row["status"] == status
    assert re.fullmatch(reason, row["reason"]), row["reason"]
    assert row["seeds"] == [] and row["metrics"].get("score") is None


def test_faults_end_with_3_and_every_other_cell_is_complete(faults: Ended, rows: dict[str, dict[str, Any]]) -> None:
    assert faults.code == 3 and faults.json["exit"] == 3
    assert "Traceback" not in faults.err
    for name, value in (("good", 1.0), ("good(value=2.0)", 2.0)):
        assert rows[name]["status"] == "ok"
        assert rows[name]["metrics"]["score"]["values"] == [value + seed / 100 for seed in range(8)]


def test_what_was_measured_is_stored(faults: Ended, folder: Bench) -> None:
    whole = {name for name, _ in stored(folder)}
    assert {"good", "good(value=2.0)", "bad(how=nan)", "bad(how=print)"} <= whole
    assert not whole & {f"bad(how={how})" for how in FAULTS}


def test_a_number_that_is_not_finite_is_null(rows: dict[str, dict[str, Any]]) -> None:
    values = rows["nan"]["metrics"]["score"]["values"]
    assert rows["nan"]["status"] == "ok" and values == [None, None, 1.0, 1.0] * 2
    assert "4 of 8 seeds" in rows["nan"]["metrics"]["score"]["reason"]


def test_a_grandchild_is_dead_afterwards(faults: Ended, folder: Bench) -> None:
    assert not alive(int((folder.folder / "grandchild").read_text()))


def test_what_a_plugin_prints_goes_to_its_log(faults: Ended, folder: Bench, rows: dict[str, dict[str, Any]]) -> None:
    assert len(faults.err) < 1000, "nothing of it on stderr, and stdout was JSON"
    logs = {file.name: file.stat().st_size for file in folder.folder.glob("results/runs/*/logs/*")}
    assert logs[f"{rows['print']['id'][:12]}.log"] > 8 * 2**20


def test_nothing_kept_names_the_host_the_user_or_a_path(faults: Ended, folder: Bench) -> None:
    kept = [*folder.folder.glob("results/records/*"), *folder.folder.glob("results/runs/*/result.json")]
    assert len(kept) == 2
    words = [str(folder.folder), str(Path.home()), str(Path(__file__).parents[2]), socket.gethostname(), "/tmp/"]
    for file in kept:
        text = file.read_text()
        assert not [word for word in words if re.search(rf"(?<!\w){re.escape(word)}(?!\w)", text)]


@pytest.mark.verify
def test_a_failed_artifact_skips_its_cells_alone(bench: Bench) -> None:
    suite = bench.suite("[good, {good: {value: 2}}]")
    ways = "[tiny, {tiny: {how: [raise, exit, shape, nothing]}}]"
    ended = bench(suite, "--set", f"vary.dataset={ways}", "--device", "cpu", "--json", "-")
    by_way: dict[str, list[Any]] = {}
    for cell in ended.json["cells"]:
        by_way.setdefault(cell["parameters"]["dataset"].get("how", "good"), []).append((cell["status"], cell["reason"]))
    assert by_way.pop("good") == [("ok", None)] * 2
    said = {
        "raise": "OSError: the file is gone (noop.py:",
        "exit": "crashed: the process ended by itself with exit code 7",
        "shape": "a data set's targets must be an int64 tensor [examples]",
        "nothing": "a data set's load() must return harness.Examples, not NoneType",
    }
    for way, reason in said.items():
        assert [status for status, _ in by_way[way]] == ["skipped"] * 2
        assert all(text.startswith(f"artifact dataset tiny(how={way}) ") and reason in text for _, text in by_way[way])
    assert ended.code == 3


@pytest.mark.verify
def test_artifacts_are_made_once_and_anew_for_fresh(bench: Bench) -> None:
    def written(*words: str) -> dict[str, int]:
        assert bench(bench.suite(), "--device", "cpu", *words).code == 0
        return {file.name: file.stat().st_mtime_ns for file in bench.folder.glob("results/.cache/*.pt")}

    first, again, fresh = written(), written("--seeds", "9"), written("--fresh")
    assert first and again == first and fresh.keys() == first.keys()
    assert all(fresh[name] > first[name] for name in first)


@pytest.mark.verify
def test_an_altered_artifact_is_made_again(bench: Bench) -> None:
    assert bench(bench.suite(), "--device", "cpu", "--seeds", "9").code == 0
    (file,) = bench.folder.glob("results/.cache/*.pt")
    right = file.read_bytes()
    for wrong in (right[:-1] + bytes([right[-1] ^ 1]), right[:100], b""):
        file.write_bytes(wrong)
        assert bench(bench.suite(), "--device", "cpu", "--seeds", "9").code == 0
        assert file.read_bytes() == wrong  # every seed is stored already
        shutil.rmtree(bench.folder / "results" / "records")
        assert bench(bench.suite(), "--device", "cpu", "--seeds", "9").code == 0
        assert file.read_bytes() == right
        assert bench(bench.suite(), "--device", "cpu", "--seeds", "9").code == 0


@pytest.mark.verify
def test_runs_keep_their_order_where_the_clock_is_set_back(bench: Bench) -> None:
    """The newest record wins, and `last` is the last, whatever the clock said."""
    assert bench(bench.suite(), "--device", "cpu", "-q").code == 0
    (run,) = (bench.folder / "results" / "runs").iterdir()
    (records,) = (bench.folder / "results" / "records").iterdir()
    later = "29991231-235959-noops"  # as if measured before the clock was set back
    run.rename(run.with_name(later))
    records.rename(records.with_name(f"{later}.jsonl"))
    records.with_name(f"{later}.jsonl").write_text(
        records.with_name(f"{later}.jsonl").read_text().replace("2.0", "7.0")
    )
    assert bench(bench.suite(), "--device", "cpu", "--fresh", "-q").code == 0
    names = sorted(path.name for path in (bench.folder / "results" / "runs").iterdir())
    assert names[0] == later and names[1] == "30000101-000000-noops"
    last = bench("report", "last", "--format", "json").json
    assert last["run"] == names[1] and last["cells"][1]["metrics"]["score"]["mean"] == pytest.approx(2.035)
    assert (
        bench(bench.suite(), "--device", "cpu", "--json", "-").json["cells"][1]["metrics"]
        == last["cells"][1]["metrics"]
    )


@pytest.fixture(scope="module")
def kept(shared: Callable[[str], Bench]) -> Bench:
    """A results folder that the next tests share, in their order: what is stored is not measured again."""
    return shared("stored")


def measured(bench: Bench, *words: str) -> tuple[Ended, list[list[str]]]:
    before = len(blocks(bench))
    ended = bench(bench.suite(), "--device", "cpu", "--json", "-", *words, env=marks(bench))
    assert ended.code == 0, ended.err
    return ended, [[loss, seed] for loss, seed, _ in blocks(bench)[before:]]


def test_at_first_everything_is_measured(kept: Bench) -> None:
    ended, new = measured(kept)
    assert sorted(new) == [["good", "0"], ["good", "4"], ["good(value=2.0)", "0"], ["good(value=2.0)", "4"]]
    assert [len(cell["seeds"]) for cell in ended.json["cells"]] == [8, 8]


def test_a_plan_says_what_more_fewer_and_fresh_seeds_would_run(kept: Bench) -> None:
    def plan(*words: str) -> str:
        return kept(kept.suite(), "--device", "cpu", "--dry-run", *words).out

    assert "0 cells to do, 2 reused; 0 seeds to measure" in plan()
    assert "0 cells to do, 2 reused; 0 seeds to measure" in plan("--seeds", "[7, 1]")
    assert "2 cells to do, 0 reused; 4 seeds to measure" in plan("--seeds", "10")
    assert "2 cells to do, 0 reused; 16 seeds to measure" in plan("--fresh")
    assert "2 cells to do, 0 reused; 16 seeds to measure" in plan("--set", "settings.block_size=2")
    assert "2 cells to do, 0 reused; 16 seeds to measure" in plan("--set", "metrics=[score, other]")


def test_more_seeds_run_only_the_new_blocks(kept: Bench) -> None:
    ended, new = measured(kept, "--seeds", "10")
    assert sorted(new) == [["good", "8"], ["good(value=2.0)", "8"]]
    assert ended.json["cells"][0]["metrics"]["score"]["values"] == [1 + seed / 100 for seed in range(10)]


def test_chosen_seeds_are_taken_from_what_is_stored_in_the_order_asked_for(kept: Bench) -> None:
    ended, new = measured(kept, "--seeds", "[11, 2]")
    assert new == [] and ended.json["cells"][0]["seeds"] == [11, 2]
    assert ended.json["cells"][0]["metrics"]["score"]["values"] == [1.11, 1.02]


def test_a_torn_line_is_passed_over(kept: Bench) -> None:
    file = max(kept.folder.glob("results/records/*"))
    whole = file.read_bytes()
    file.write_bytes(whole + whole[: len(whole) // 3])
    ended = kept(kept.suite(), "--seeds", "10", "--device", "cpu", "--dry-run")
    assert "0 cells to do, 2 reused" in ended.out
    file.write_bytes(whole)


def running(bench: Bench, *words: str, at_least: int = 2, **options: Any) -> Any:
    """A run of many slow blocks that has measured some of them."""
    suite = bench.suite(settings="{pause: 0.15}", seeds=24)
    process = bench.start(suite, "--device", "cpu", *words, env=marks(bench), **options)
    assert soon(lambda: len(blocks(bench)) >= at_least, 30), process.communicate()
    return process


def resumed(bench: Bench) -> Ended:
    """The same command again: what a record had is not measured again, and the result is whole."""
    had, before = stored(bench), len(blocks(bench))
    assert had
    ended = bench(bench.folder / "s.yaml", "--device", "cpu", "--json", "-", env=marks(bench))
    assert ended.code == 0, ended.err
    again = {(loss, seed) for loss, seed, _ in blocks(bench)[before:]}
    assert again and not again & had and len(again | had) == 12
    assert [cell["seeds"] for cell in ended.json["cells"]] == [list(range(24))] * 2
    return ended


@pytest.mark.verify
def test_a_killed_driver_takes_its_children_along_and_loses_nothing(bench: Bench) -> None:
    process = running(bench, "-j", "2")
    pids = {int(pid) for _, _, pid in blocks(bench)}
    servers = {int(Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[1]) for pid in pids}
    assert all(alive(pid) for pid in pids | servers) and len(servers) == 1
    process.kill()
    assert soon(lambda: not any(alive(pid) for pid in pids | servers), 2)
    process.communicate()
    file = next(bench.folder.glob("results/records/*"))
    file.write_bytes(file.read_bytes() + b'{"cell": "to')
    resumed(bench)


@pytest.mark.verify
def test_ctrl_c_stores_what_is_finished_and_resumes(bench: Bench) -> None:
    process = running(bench, start_new_session=True)
    os.killpg(process.pid, signal.SIGINT)
    out, err = process.communicate(timeout=10)
    assert process.returncode == 130 and out == b""
    assert err.decode().splitlines() == [
        "interrupted: everything finished is stored, the same command goes on from there"
    ]
    assert not any(alive(int(pid)) for _, _, pid in blocks(bench))
    resumed(bench)


def test_ctrl_c_while_the_server_warms_up_ends_at_once(bench: Bench) -> None:
    process = bench.start(bench.suite(settings="{pause: 60}"), "--device", "cpu", start_new_session=True)
    assert soon(lambda: list(bench.folder.glob("results/runs/*/logs/*")), 30)
    os.killpg(process.pid, signal.SIGINT)
    _, err = process.communicate(timeout=5)
    assert process.returncode == 130 and err.count(b"\n") == 1


@pytest.mark.verify
def test_a_full_disk_is_one_line_and_nothing_is_lost(bench: Bench) -> None:
    most = NOOP.stat().st_size + 1000  # the plugin itself is copied into the run's folder

    def small() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (most, most))

    suite = bench.suite(seeds=64)
    process = bench.start(suite, "--device", "cpu", env=marks(bench, PYTHONDONTWRITEBYTECODE="1"), preexec_fn=small)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 2 and out == b""
    lines = err.decode().splitlines()
    assert len(lines) == 1 and re.match(r"bench: cannot write results/records/\S+\.jsonl: ", lines[0])
    had, before = stored(bench), len(blocks(bench))
    assert 1 <= len(had) < 32
    ended = bench(suite, "--device", "cpu", "--json", "-", env=marks(bench))
    assert ended.code == 0 and len(blocks(bench)) - before == 32 - len(had)


@pytest.mark.parametrize("place", ["file", "file/results"])
def test_a_results_folder_that_cannot_be_written_is_one_line(place: str, bench: Bench) -> None:
    bench.write("file", "")
    ended = bench(bench.suite(), "--device", "cpu", "--results", place, env=marks(bench))
    assert (ended.code, ended.out) == (2, "") and blocks(bench) == []
    assert len(ended.lines) == 1 and ended.lines[0].startswith(f"bench: cannot write {place}/runs: ")


@pytest.mark.verify
def test_two_runs_into_one_folder_at_once(bench: Bench) -> None:
    suite = bench.suite(settings="{pause: 0.1}", seeds=16)
    both = [bench.start(suite, "--device", "cpu", "--json", "-", env=marks(bench)) for _ in range(2)]
    results = [json.loads(process.communicate(timeout=60)[0]) for process in both]
    assert [process.returncode for process in both] == [0, 0]
    assert len({result["run"] for result in results}) == 2
    for result in results:
        assert [cell["metrics"]["score"]["values"] for cell in result["cells"]] == [
            [value + seed / 100 for seed in range(16)] for value in (1, 2)
        ]
        kept = json.loads((bench.folder / "results" / "runs" / result["run"] / "result.json").read_text())
        assert kept == result
    assert len(stored(bench)) == 8 and all("cell" in record for record in records(bench))


def test_an_event_hook_hears_of_every_block(bench: Bench) -> None:
    bench.write(
        "listener.py",
        """
import os
from harness import hookimpl

@hookimpl
def case_started(cell):
    _say(f"started {cell['vary']['loss']}")

@hookimpl
def case_finished(cell, values):
    _say(f"finished {cell['vary']['loss']} {values['seeds']}")

def _say(line):
    with open(os.environ["HEARD"], "a") as stream:
        print(line, file=stream)
""",
    )
    heard = bench.folder / "heard"
    ended = bench(bench.suite("[good]"), "--plugin", "listener.py", "--device", "cpu", env={"HEARD": str(heard)})
    assert ended.code == 0, ended.err
    assert heard.read_text().splitlines() == [
        "started good",
        "finished good [0, 1, 2, 3]",
        "finished good [4, 5, 6, 7]",
    ]


@pytest.mark.verify
def test_a_killed_server_costs_the_cell_and_not_the_run(bench: Bench) -> None:
    suite = bench.suite("[good, {good: {value: [2, 3]}}]", settings="{pause: 0.3}")
    process = bench.start(suite, "--device", "cpu", "-j", "1", "--json", "-", env=marks(bench))
    assert soon(lambda: len(blocks(bench)) >= 3, 30), "the second cell has measured its first block of two"
    child = int(blocks(bench)[-1][2])
    os.kill(int(Path(f"/proc/{child}/stat").read_text().rsplit(")", 1)[1].split()[1]), signal.SIGKILL)
    out, _ = process.communicate(timeout=60)
    cells = json.loads(out)["cells"]
    assert process.returncode == 3 and sorted(cell["status"] for cell in cells) == ["crashed", "ok", "ok"]
    lost = next(cell for cell in cells if cell["status"] == "crashed")
    assert lost["reason"] == "the fork server was killed and took it along"
    assert not alive(child)


GLOBALS = '''
"""Losses that draw from global generators, or fork."""
import os
import random
import numpy as np
import torch
from harness import Loss, hookimpl


class Python(Loss):
    """Noise of Python's generator."""

    def __call__(self, logits, target):
        return torch.nn.functional.cross_entropy(logits + random.random(), target, reduction="none") * random.random()


class Numpy(Loss):
    """Noise of numpy's generator."""

    def __call__(self, logits, target):
        return torch.nn.functional.cross_entropy(logits, target, reduction="none") * np.random.rand()


class Forks(Loss):
    """Both copies of the process go on."""

    done = os.environ.get("FORKED", "")

    def __call__(self, logits, target):
        if not os.path.exists(self.done):
            open(self.done, "w").close()
            os.fork()
        return torch.nn.functional.cross_entropy(logits, target, reduction="none")


@hookimpl
def components():
    return [Python, Numpy, Forks]
'''


@pytest.mark.verify
@pytest.mark.parametrize("trainer", ["loop", "auto"])
def test_global_generators_are_those_of_the_seed_alone_or_beside_others(bench: Bench, trainer: str) -> None:
    bench.write("globals.py", GLOBALS.replace("done = ", "done: str = "))
    text = f"protocol: accuracy\nplugins: [globals.py]\nvary: {{dataset: iris, loss: LOSSES}}\nmetrics: nll\nseeds: 2\ntrainer: {trainer}\nsettings: {{epochs: 2}}\n"

    def values(losses: str, folder: str) -> dict[str, list[float]]:
        ended = bench(bench.write("s.yaml", text.replace("LOSSES", losses)), "--results", folder, "--json", "-")
        assert ended.code == 0, ended.err
        return {cell["vary"]["loss"]: cell["metrics"]["nll"]["values"] for cell in ended.json["cells"]}

    together = values("[cross_entropy, python, numpy]", "a")
    assert values("[numpy, python]", "b").items() <= together.items()
    assert values("[python]", "c").items() <= together.items()
    assert len({tuple(numbers) for numbers in together.values()}) == 3


@pytest.mark.verify
def test_a_copy_that_a_component_forks_answers_nothing(bench: Bench) -> None:
    bench.write("globals.py", GLOBALS.replace("done = ", "done: str = "))
    text = "protocol: accuracy\nplugins: [globals.py]\nvary: {dataset: iris, loss: [cross_entropy, forks]}\nmetrics: nll\nseeds: 40\ntrainer: loop\nsettings: {epochs: 2}\n"
    ended = bench(bench.write("s.yaml", text), "--json", "-", env={"FORKED": str(bench.folder / "forked")})
    plain, forked = (cell["metrics"]["nll"]["values"] for cell in ended.json["cells"])
    assert ended.code == 0 and forked == pytest.approx(plain, rel=1e-5) and (bench.folder / "forked").exists()
