"""Signals that end a run, and a standard output that closes or is full: the exit code is that of the run."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.conftest import ROOT, Bench


def start(bench: Bench, *words: str, **more: object) -> subprocess.Popen[bytes]:
    """The command, which hears every signal: a shell's background job and one under nohup ignore some."""
    command = [sys.executable, "-m", "harness", *words]
    return subprocess.Popen(command, cwd=bench.folder, env=bench.environment, preexec_fn=heard, **more)  # type: ignore[call-overload, no-any-return]


def heard() -> None:
    signal.signal(signal.SIGHUP, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.mark.verify
@pytest.mark.parametrize(
    ("number", "code", "said"),
    [
        (signal.SIGTERM, 143, "terminated"),
        (signal.SIGHUP, 143, "terminated"),
        (signal.SIGINT, 130, "interrupted"),
    ],
)
def test_a_signal_ends_the_run_and_the_same_command_goes_on(
    number: signal.Signals, code: int, said: str, bench: Bench
) -> None:
    bench.write(
        "s.yaml",
        "protocol: accuracy\nvary: {dataset: digits, loss: [cross_entropy, hinge]}\ntrainer: loop\nseeds: 400\n"
        "settings: {epochs: 2}\nmetrics: [accuracy]\n",
    )
    process = start(bench, "s.yaml", "-q", "--device", "cpu", stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    records = bench.folder / "results" / "records"
    deadline = time.monotonic() + 120
    while not any(file.stat().st_size for file in records.glob("*.jsonl")) and time.monotonic() < deadline:
        time.sleep(0.1)
    process.send_signal(number)
    _, told = process.communicate(timeout=60)
    assert process.returncode == code
    assert told.decode().splitlines() == [f"{said}: everything finished is stored, the same command goes on from there"]
    left = bench("s.yaml", "--dry-run", "--device", "cpu").out
    assert "seeds to measure" in left and "800 seeds to measure" not in left


@pytest.mark.parametrize(("loss", "code"), [("good", 0), ("[good, bad]", 3)])
@pytest.mark.verify
def test_a_reader_that_leaves_does_not_change_the_code(loss: str, code: int, bench: Bench) -> None:
    read, write = os.pipe()
    os.close(read)
    process = start(bench, str(bench.suite(loss, baseline=None)), stdout=write, stderr=subprocess.PIPE)
    os.close(write)
    _, told = process.communicate(timeout=120)
    assert process.returncode == code and b"Traceback" not in told


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full")
def test_a_full_standard_output_is_said_and_does_not_change_the_code(bench: Bench) -> None:
    with open("/dev/full", "wb") as full:
        process = start(bench, str(bench.suite(baseline=None)), stdout=full, stderr=subprocess.PIPE)
        _, told = process.communicate(timeout=120)
    assert process.returncode == 0
    assert told.decode().splitlines()[0] == "bench: cannot write to standard output: No space left on device"


@pytest.mark.parametrize(
    "words", [["report", "RUN", "--format", "md"], ["report", "RUN", "-v"], ["report", "RUN", "--format", "csv"]]
)
def test_an_encoding_without_a_sign_loses_the_sign_and_no_report(words: list[str], bench: Bench) -> None:
    shown = json.loads((ROOT / "results" / "reference" / "quickstart.json").read_text())
    shown["suite"] = "größe"
    run = bench.write("run.json", json.dumps(shown))
    words = [str(run) if word == "RUN" else word for word in words]
    command = [sys.executable, "-m", "harness", *words]
    ended = subprocess.run(
        command, cwd=bench.folder, env=bench.environment | {"PYTHONIOENCODING": "ascii"}, capture_output=True
    )
    assert ended.returncode == 0 and b"label_smoothing" in ended.stdout and ended.stdout.isascii()


def test_a_command_without_a_standard_output_ends_as_with_one(bench: Bench) -> None:
    run = ROOT / "results" / "reference" / "quickstart.json"
    for more in ("", "--format html", "--format csv"):
        shell = f"exec {sys.executable} -m harness report {run} {more} >&-"
        ended = subprocess.run(
            shell, shell=True, cwd=bench.folder, env=bench.environment, stderr=subprocess.PIPE, text=True
        )
        assert (ended.returncode, ended.stderr) == (0, "")
