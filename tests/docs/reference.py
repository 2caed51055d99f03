"""Makes the reference runs: `python tests/docs/reference.py [--list] [--fresh] [SUITE ...]`, all where none is named.

A reference run is kept in `results/reference/` as SUITE.json (the result) and SUITE.md (the report); `index.json` has its
time, its CPU time and its machine. A run whose suite file is as it was is skipped. What was interrupted is resumed from the records in
`results/`; it keeps the longest times of its suite, without `--fresh`.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import platform
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).resolve().parent.parent.parent))  # this checkout, whatever is installed

from harness.report import render
from harness.results.runs import stored
from tests.docs.topics import FIGURES, TOPICS

ROOT = Path(__file__).resolve().parent.parent.parent
REFERENCE = ROOT / "results" / "reference"
INDEX = REFERENCE / "index.json"
NOT_HERE: Mapping[str, str] = {"speed-gpu": "needs a GPU"}
"""Suites without a reference run, and the reason."""


def index() -> dict[str, Any]:
    """The entry of every reference run, by suite."""
    return dict(json.loads(INDEX.read_text())) if INDEX.exists() else {}


def suites() -> list[str]:
    """Every suite that has a reference run or should have one."""
    return [file.stem for file in sorted((ROOT / "suites").glob("*.yaml")) if file.stem not in NOT_HERE]


def digest(suite: str) -> str:
    """Digest of a suite's file."""
    return hashlib.sha256((ROOT / "suites" / f"{suite}.yaml").read_bytes()).hexdigest()[:16]


def is_current(suite: str) -> bool:
    """Whether a suite's reference run is of its file as it is now."""
    entry = index().get(suite)
    return entry is not None and entry["digest"] == digest(suite) and (REFERENCE / f"{suite}.json").exists()


def make(suite: str, fresh: bool) -> None:
    """Run a suite and keep its result and its report; figures of an earlier run are removed."""
    start, used, read = time.monotonic(), _cpu(), digest(suite)
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "result.json"
        command = [sys.executable, "-m", "harness", f"suites/{suite}.yaml", "-q", "--json", str(file)]
        ended = subprocess.run([*command, *(["--fresh"] if fresh else [])], cwd=ROOT, stdout=subprocess.DEVNULL)
        if ended.returncode not in (0, 1):
            sys.exit(f"{suite}: ended with {ended.returncode}, nothing is kept")
        known = {} if fresh else index().get(suite, {})
        spent = {"minutes": time.monotonic() - start, "cpu_minutes": _cpu() - used}
        times = {name: max(round(seconds / 60, 1), known.get(name, 0.0)) for name, seconds in spent.items()}
        found = json.loads(file.read_text())
        found["seconds"] = max(found["seconds"], 60 * known.get("minutes", 0.0))
        (REFERENCE / f"{suite}.json").write_text(json.dumps(found, separators=(",", ":")) + "\n")
    run = stored(REFERENCE, str(REFERENCE / f"{suite}.json"))
    entry = {
        "digest": read, **times, "machine": machine(), "commit": run.environment.get("commit"),
    }  # fmt: skip
    INDEX.write_text(json.dumps(index() | {suite: entry}, indent=1, sort_keys=True) + "\n")
    (REFERENCE / f"{suite}.md").write_text(f"{head(suite, entry)}\n{render(run, 'md')}")
    for name in shown(suite):  # `articles.py` draws them again
        (FIGURES / f"{suite}-{name}.png").unlink(missing_ok=True)


def _cpu() -> float:
    """Return the CPU seconds of the ended processes of this one."""
    ended = resource.getrusage(resource.RUSAGE_CHILDREN)
    return ended.ru_utime + ended.ru_stime


def shown(suite: str) -> Iterator[str]:
    """Names of the figures of a suite that pages show."""
    for topic in TOPICS:
        yield from (figure["name"] for figure in topic.figures if figure["suite"] == suite)


def head(suite: str, entry: Mapping[str, Any]) -> str:
    """Opening of a report: the command, the machine, the time."""
    spent = f"{entry['cpu_minutes']} CPU-minutes" if "cpu_minutes" in entry else f"{entry['minutes']} minutes"
    return f"`bench suites/{suite}.yaml`, {spent} on {entry['machine']}.\n"


def machine() -> str:
    """The processor, without the machine's name."""
    lines = Path("/proc/cpuinfo").read_text().splitlines() if Path("/proc/cpuinfo").exists() else []
    name = next((line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")), platform.machine())
    count = sum(line.startswith("processor") for line in lines)
    return f"{count} shared cores of {name}, {platform.system()}"


def main(words: Sequence[str]) -> None:
    """Make what is missing."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("suites", nargs="*", metavar="SUITE", help="all where none is named")
    parser.add_argument("--list", action="store_true", help="say what would be made, and make nothing")
    parser.add_argument("--fresh", action="store_true", help="measure again what is stored")
    asked = parser.parse_args(words)
    if unknown := set(asked.suites) - set(suites()):
        parser.error(f"no suite {', '.join(sorted(unknown))}")
    wanted = [s for s in asked.suites or suites() if asked.fresh or asked.suites or not is_current(s)]
    known = index()
    minutes = [known[suite]["minutes"] for suite in wanted if suite in known]
    print(
        f"{len(wanted)} of {len(suites())} reference runs to make; {len(minutes)} of them took {sum(minutes):.0f} minutes"
    )
    for suite in wanted:
        print(suite, flush=True)
        if not asked.list:
            make(suite, asked.fresh)


if __name__ == "__main__":
    main(sys.argv[1:])
