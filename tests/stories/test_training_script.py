"""A training script is compared as it is; killed in mid-run, the same command goes on where it was."""

from __future__ import annotations

import json
import os
import signal
import time
from collections import Counter
from collections.abc import Callable

import pytest

from tests.conftest import Bench
from tests.stories.conftest import Documented, program

pytestmark = pytest.mark.verify

SAVED = '    (args.folder / "part.npz").replace(kept)\n'
LOGGED = f"""{SAVED}    with open("log.txt", "a") as log:
        log.write(f"{{args.loss}} {{args.seed}} {{epoch}}\\n")
    __import__("time").sleep(0.02)
"""
"""An epoch of the documented script, which is in the log once it is saved, and takes a while."""
EPOCHS, SEEDS = 60, 2


def eventually(met: Callable[[], bool], seconds: float = 30) -> bool:
    """Whether a condition is met in time."""
    end = time.monotonic() + seconds
    while not met() and time.monotonic() < end:
        time.sleep(0.02)
    return met()


def test_a_killed_run_measures_nothing_twice(bench: Bench, documented: Documented) -> None:
    documented("scripts.md")
    script = (bench.folder / "train.py").read_text()
    assert SAVED in script
    bench.write("train.py", script.replace(SAVED, LOGGED))
    refused = bench("scripts.yaml")
    assert refused.code == 2 and "--trust" in refused.err

    def log() -> list[str]:
        file = bench.folder / "log.txt"
        return file.read_text().splitlines() if file.exists() else []

    command = ("scripts.yaml", "--trust", "--seeds", str(SEEDS), "--json", "-")
    process = bench.start(*command, start_new_session=True)
    assert eventually(lambda: len(log()) > EPOCHS + 10), "one seed is done, the next one is not"
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate()
    length = [-1]

    def quiet() -> bool:
        length.append(len(log()))
        time.sleep(0.5)
        return length[-1] == len(log())

    assert eventually(quiet), "no process goes on without the command"
    before = log()
    assert len(before) < 2 * EPOCHS, "it was in the middle"

    ended = bench(*command)
    assert ended.code == 0, ended.err
    epochs = Counter(log())
    assert max(epochs.values()) == 1, "no epoch of any seed was trained twice"
    assert len(epochs) >= 2 * SEEDS * EPOCHS - 1, "one epoch may be saved and not yet in the log"
    again = bench(*command)
    assert log() == list(epochs), "everything is stored: nothing is run"
    values = {c["vary"]["loss"]: c["metrics"]["accuracy"]["values"] for c in again.json["cells"]}
    assert values == {c["vary"]["loss"]: c["metrics"]["accuracy"]["values"] for c in ended.json["cells"]}

    last, seed, _ = before[-1].split()  # the seed in whose middle the run was killed, trained here at once
    (bench.folder / "alone").mkdir()
    words = ("--seed", seed, "--loss", last, "--lr", "0.5", "--folder", "alone")
    alone = program(bench, "python")("train.py", *words)
    assert json.loads(alone.out)["val_acc"] == values[last][int(seed)]
