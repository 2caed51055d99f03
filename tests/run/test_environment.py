"""The environment of a run: the user's own repository, threads."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from harness.machine import cores
from harness.run.environment import cores_per_cell, repository, threads_per_cell


@pytest.mark.parametrize(("said", "threads"), [("1", 1), ("3", 3), ("5,2", 5), ("", None), ("0", None), ("all", None)])
def test_threads_of_a_cell_are_those_that_the_user_sets(
    monkeypatch: pytest.MonkeyPatch, said: str, threads: int | None
) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", said)
    assert threads_per_cell() == (threads or min(2, cores()))
    assert cores_per_cell() == max(threads or 0, min(2, cores()))


def test_commit_and_dirtiness_of_the_repository_around_a_folder(tmp_path: Path) -> None:
    def git(*words: str) -> str:
        command = ["git", "-C", str(tmp_path), "-c", "user.name=n", "-c", "user.email=e", *words]
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()

    try:
        git("--version")
    except OSError:
        pytest.skip("git is not installed")
    nothing = {"commit": None, "dirty": None}
    assert repository(tmp_path) == nothing
    git("init", "-q")
    assert repository(tmp_path) == nothing  # no commit yet
    inside = tmp_path / "suites"
    inside.mkdir()
    (inside / "s.yaml").write_text("a\n")
    git("add", "-A")
    git("commit", "-qm", "one")
    commit = git("rev-parse", "HEAD")
    assert repository(inside) == {"commit": commit, "dirty": False}
    (tmp_path / "new.txt").write_text("")
    assert repository(inside) == {"commit": commit, "dirty": True}
    git("add", "-A")
    git("commit", "-qm", "two")
    (inside / "s.yaml").write_text("b\n")
    assert repository(inside) == {"commit": git("rev-parse", "HEAD"), "dirty": True}


def test_what_a_run_stores_does_not_make_the_repository_dirty(tmp_path: Path) -> None:
    subprocess.run(["git", "-C", tmp_path, "init", "-q"], check=True)
    (tmp_path / "s.yaml").write_text("a\n")
    results = tmp_path / "out [1]" / "results"
    results.mkdir(parents=True)
    who = ["-c", "user.name=n", "-c", "user.email=e"]
    subprocess.run(["git", "-C", tmp_path, "add", "-A"], check=True)
    subprocess.run(["git", "-C", tmp_path, *who, "commit", "-qm", "one"], check=True)
    (results / "records.jsonl").write_text("{}\n")
    assert repository(tmp_path)["dirty"] is True
    for folder in (tmp_path, tmp_path / "deep"):
        (folder / "__pycache__").mkdir(parents=True)
        (folder / "__pycache__" / "s.pyc").write_text("")
    assert repository(tmp_path, results)["dirty"] is False
    assert repository(tmp_path, tmp_path.parent)["dirty"] is True, "a folder outside of it leaves nothing out"
    (tmp_path / "s.yaml").write_text("b\n")
    assert repository(tmp_path, results)["dirty"] is True
