"""The real command in real processes, with a cache of its own so that stock plugins are described once."""

from __future__ import annotations

import contextlib
import dataclasses
import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parent.parent
NOOP = Path(__file__).resolve().parent / "helpers" / "noop.py"


@dataclasses.dataclass(frozen=True)
class Ended:
    """How a command ended and what it printed."""

    code: int
    out: str
    err: str

    @property
    def lines(self) -> list[str]:
        """The lines on stderr."""
        return self.err.splitlines()

    @property
    def json(self) -> Any:
        """All of stdout as JSON."""
        return json.loads(self.out)


@dataclasses.dataclass(frozen=True)
class Bench:
    """Runs `bench`, or another command, in a folder."""

    folder: Path
    environment: Mapping[str, str]
    command: Sequence[str] = (sys.executable, "-P", "-W", "error", "-m", "harness")

    def __call__(self, *words: str | Path, env: Mapping[str, str] | None = None, timeout: float = 60) -> Ended:
        process = self.start(*words, env=env)
        out, err = process.communicate(timeout=timeout)
        return Ended(process.returncode, out.decode(), err.decode())

    def start(self, *words: str | Path, env: Mapping[str, str] | None = None, **options: Any) -> Any:
        """The command, still running."""
        command = [*self.command, *map(str, words)]
        options = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "stdin": subprocess.DEVNULL} | options
        environment = {**self.environment, **(env or {})}
        # A shell's background job ignores Ctrl-C, and so would everything it starts.
        hear = signal.signal(signal.SIGINT, signal.default_int_handler)
        try:
            return subprocess.Popen(command, cwd=self.folder, env=environment, **options)
        finally:
            signal.signal(signal.SIGINT, hear)

    def write(self, name: str, text: str) -> Path:
        """A file in the folder."""
        file = self.folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
        return file

    def suite(self, loss: str = "[good, {good: {value: 2}}]", name: str = "s.yaml", **keys: Any) -> Path:
        """A suite of no-op cells over some losses, written in YAML's flow style."""
        said = {"suite": "noops", "question": "Which is best?", "protocol": "noop", "seeds": 8, "metrics": "[score]"}
        said |= {"baseline": "good", "plugins": "[noop.py]"} | keys
        lines = [f"{key}: {value}" for key, value in said.items() if value is not None]
        file = self.write(name, "\n".join([*lines, f"vary: {{loss: {loss}}}", ""]))
        with contextlib.suppress(FileExistsError):
            (file.parent / "noop.py").symlink_to(NOOP)
        return file


@pytest.fixture(scope="session")
def environment(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The environment of every command: nothing of the user's, one cache in which the stock plugins are described."""
    kept = {key: value for key, value in os.environ.items() if key in ("PATH", "HOME", "LANG", "TMPDIR")}
    cache = tmp_path_factory.mktemp("cache")
    made = {**kept, "PYTHONPATH": str(ROOT), "XDG_CACHE_HOME": str(cache), "COLUMNS": "100"}
    ended = Bench(cache, made)("list", "--plugin", NOOP)
    assert ended.code == 0, ended.err
    return made


@pytest.fixture
def bench(environment: dict[str, str], tmp_path: Path) -> Bench:
    """The command in an empty folder."""
    return Bench(tmp_path, environment)


@pytest.fixture(scope="session")
def shared(environment: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Bench]:
    """The command in a folder that several tests share."""
    return lambda name: Bench(tmp_path_factory.mktemp(name), environment)
