"""A training script of the user's, run once for every seed."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import torch

from harness import (
    BenchError,
    CommandLine,
    ExternalTrainer,
    Job,
    TrainingResult,
    fill_command,
    hookimpl,
    run_program,
)

from ._outcome import outcome, per_example

LINES, LETTERS = 3, 220
"""Most of a failing program's last lines in the reason, and most of their letters."""

TRACEBACK = "Traceback (most recent call last):"
FRAME = re.compile(r'  File "(?P<file>.+)", line (?P<line>\d+)')
LIBRARY = re.compile(r"site-packages|dist-packages|/lib/python|<")
"""Beginning of a traceback, a frame of it, and files of frames that are not the user's."""


class Command(ExternalTrainer):
    """Runs a training script of your own, once for every seed.

    `run` is the command, split into words as by a shell and never given to one: `python train.py --seed {seed} --loss
    {loss} --lr {lr}`. Placeholders are the axes of the suite, the settings of the protocol, and `seed`, `folder` (a
    working folder that survives an interruption, for checkpoints), `device`, `data` (an .npz file with the seed's
    split of a data set of the suite). The script runs in the suite's folder; its last line of JSON on standard output
    is the outcome, which the metric `reported` reads: `{"val_acc": 0.97}`. Under `per_example` it may name a file with
    a value for each example: a .csv with a column for each key, and one called `example` with their numbers; or
    {key: file.npy}. Needs `--trust`.
    """

    run: CommandLine

    def fit(self, job: Job) -> TrainingResult:
        """Run the command for the only seed of the job."""
        variables = {"OMP_NUM_THREADS": str(torch.get_num_threads())}
        variables["PYTHONUNBUFFERED"] = "1"  # so that the log has every line of a script that is killed
        words = fill_command(self.run, job.values)
        ended = run_program(words, variables)
        if ended.code:
            said = _exception(ended.err) or _last_lines(ended.err.strip() or ended.out)
            raise BenchError(f"{self._name(words)} {ended.how}: {said}")
        found = outcome(ended.out)
        if found is None:
            raise BenchError(f"{self._name(words)} printed no line of JSON, an object: {_last_lines(ended.out)}")
        values, examples = per_example(found, job.folder)
        shutil.rmtree(job.folder, ignore_errors=True)
        return TrainingResult(outcome=[found], per_example=values, examples=examples)

    @staticmethod
    def _name(words: list[str]) -> str:
        return " ".join(words[:2])


def _exception(text: str) -> str | None:
    """Return what the last traceback of a Python says, with the script's own line; None where there is none."""
    _, begin, traceback = text.rpartition(TRACEBACK)
    lines = [line for line in traceback.splitlines()[1:] if line.strip()]
    at = next((place for place, line in enumerate(lines) if not line.startswith(" ")), None)
    if not begin or at is None:
        return None
    said = " ".join(line.strip() for line in lines[at : at + LINES])
    own = [found for found in map(FRAME.match, lines[:at]) if found and not LIBRARY.search(found["file"])]
    place = f" ({Path(own[-1]['file']).name}:{own[-1]['line']})" if own else ""
    return f"{said if len(said) <= LETTERS else said[:LETTERS] + '...'}{place}"


def _last_lines(text: str) -> str:
    """Return the last lines of what a program printed, the last one whole, on one line."""
    found: list[str] = []
    for line in reversed([line.strip() for line in text.splitlines() if line.strip()]):
        if len(found) == LINES or (found and sum(map(len, found)) + len(line) > LETTERS):
            break
        found.insert(0, line)
    return " | ".join(found) or "it printed nothing"


@hookimpl
def components() -> list[type[ExternalTrainer]]:
    """The component classes of this module."""
    return [Command]
