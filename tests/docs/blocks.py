"""Parts of a Markdown page that are more than prose: files, Python to run, and what is generated.

A file is a fenced block below `<!-- file: NAME -->`. A generated part stands between `<!-- generated: WHAT -->` and
`<!-- end -->`, where WHAT is one of

- `table NAME ARGUMENTS`: a function of `tables.py`;
- `python`: what the Python block above prints;
- a command for the shell, run in a folder that holds the files of the page and the suites. A comment at its end,
  `# lines 6-15`, says which lines of the output are shown; `...` stands for the others.

`<!-- generated, slow: WHAT -->` marks what takes more than some seconds.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parent.parent.parent
PAGES = (ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md")))

GENERATED = re.compile(r"<!-- generated(?P<slow>, slow)?: (?P<what>.+?) -->\n(?P<content>.*?)<!-- end -->", re.DOTALL)
FILE = re.compile(r"<!-- file: (?P<name>\S+) -->\n+```\w+\n(?P<text>.*?)```", re.DOTALL)
FENCE = re.compile(r"^```(?P<language>\w+)\n(?P<text>.*?)^```$", re.DOTALL | re.MULTILINE)
LINES = re.compile(r"\s+# lines (?P<ranges>[\d, -]+)$")
BETWEEN = "\x00"


class Part(NamedTuple):
    """A generated part: what it is made of, whether that takes long, what stands on the page."""

    what: str
    slow: bool
    content: str

    @property
    def is_table(self) -> bool:
        """Whether a function of `tables.py` makes it."""
        return self.what.startswith("table ")

    @property
    def is_python(self) -> bool:
        """Whether the Python block above it prints it."""
        return self.what == "python"


def parts(page: str) -> list[Part]:
    """The generated parts of a page, in order."""
    return [Part(m["what"], bool(m["slow"]), m["content"]) for m in GENERATED.finditer(page)]


def files(page: str) -> dict[str, str]:
    """The files that a page shows, by name."""
    return {match["name"]: match["text"] for match in FILE.finditer(page)}


def fences(page: str, language: str) -> list[str]:
    """The fenced blocks of a language that are neither files nor generated."""
    plain = GENERATED.sub("", FILE.sub("", page))
    return [match["text"] for match in FENCE.finditer(plain) if match["language"] == language]


class Folder:
    """A folder with the files of a page and the suites, in which its commands run."""

    def __init__(self, page: str, folder: Path, environment: Mapping[str, str]) -> None:
        self._page, self._folder = page, folder
        for made in ("bin", "work"):
            (folder / made).mkdir()
        for name, options in (("bench", "-P -W error -m harness"), ("python", "")):
            script = folder / "bin" / name
            script.write_text(f'#!/bin/sh\nexec "{sys.executable}" {options} "$@"\n')
            script.chmod(0o755)
        (folder / "work" / "suites").symlink_to(ROOT / "suites")
        for name, text in files(page).items():
            (folder / "work" / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / "work" / name).write_text(text)
        self._environment = {
            **environment,
            "PATH": f"{folder / 'bin'}:{environment['PATH']}",
            "PYTHONPATH": str(ROOT),
            "COLUMNS": "100",
            "NO_COLOR": "1",
            "CUDA_VISIBLE_DEVICES": "",
        }

    def shell(self, command: str) -> str:
        """What a command prints on stdout, without paths of this machine. A traceback anywhere is an error."""
        ended = self._run(["bash", "-c", command])
        assert "Traceback (most" not in ended.stdout + ended.stderr, ended.stdout + ended.stderr
        return self._plain(ended.stdout)

    def python(self) -> list[str]:
        """What every Python block of the page prints, run one after the other in one process."""
        blocks = fences(self._page, "python")
        script = f"\nprint({BETWEEN!r}, end='')\n".join(blocks)
        ended = self._run([sys.executable, "-P", "-W", "error", "-c", script])
        assert ended.returncode == 0, ended.stderr
        return self._plain(ended.stdout).split(BETWEEN)

    def _run(self, words: Sequence[str]) -> subprocess.CompletedProcess[str]:
        work = self._folder / "work"
        return subprocess.run(words, cwd=work, env=self._environment, capture_output=True, text=True, timeout=600)

    def _plain(self, text: str) -> str:
        return text.replace(f"{self._folder.resolve()}/work/", "").replace(f"{ROOT}/", "")


NUMBER = r"[-−+<]?(?:[0-9a-f]{12,}|\d+(?:,\d{3})*(?:\.\d+)?(?:e[-+]?\d+)?)"
INTERVAL = re.compile(r"0\s*±\s*0|0\s*\[\s*0,\s*0\]")
DURATION = re.compile(r"0 (?:h|min|s|ms|µs)(?: 0 (?:min|s))*")
UNIT = re.compile(r"\[(?:n|µ|m)?s\]")
LAYOUT = re.compile(r"[\s│╭╮╰╯─…]+")


def without_numbers(output: str) -> str:
    """Output with 0 for every number and duration, one unit of time, one form of interval, no blanks, lines or frames."""
    plain = UNIT.sub("[s]", DURATION.sub("0 s", re.sub(NUMBER, "0", output)))
    return LAYOUT.sub("", INTERVAL.sub("0±0", plain))


def environment() -> dict[str, str]:
    """Nothing of the user's but what a command needs."""
    return {key: value for key, value in os.environ.items() if key in ("PATH", "HOME", "LANG", "TMPDIR")}


def console(command: str, output: str) -> str:
    """A command and the chosen lines of what it printed, as a block of a page."""
    said = LINES.search(command)
    lines = [line.rstrip() for line in output.rstrip("\n").split("\n")]
    shown = lines if said is None else list(_chosen(lines, said["ranges"]))
    return fenced("console", "\n".join([f"$ {LINES.sub('', command)}", *shown]))


def _chosen(lines: Sequence[str], ranges: str) -> Iterator[str]:
    done = 0
    for some in ranges.split(","):
        first, _, last = some.strip().partition("-")
        if int(first) > done + 1:
            yield "..."
        done = int(last or first)
        yield from lines[int(first) - 1 : done]
    if done < len(lines):
        yield "..."


def fenced(language: str, text: str) -> str:
    """A block of a page."""
    return f"```{language}\n{text}\n```"
