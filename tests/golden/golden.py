"""Every suite but the timing ones, made small, run and kept as JSON; two such folders compared number by number.

    python tests/golden/golden.py run FOLDER
    python tests/golden/golden.py compare OLD NEW

Times, memory and ids are left out of the comparison; names of an older version are changed by `renames.py` first.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from renames import AXES, DIRECTIONS, LABELS, METRICS, OF_THE_MOMENT, VERDICTS

ROOT = Path(__file__).resolve().parent.parent.parent
DIGITS = "vary.denoiser=[{digits: {steps_of_training: 60}}]"
REDUCED: dict[str, list[str]] = {
    "accuracy": ["settings.epochs=2", "tune={seeds: 2, lr: [1e-2, 1e-1]}"],
    "activations-accuracy": ["settings.epochs=1", "tune={seeds: 2, lr: [1e-2, 1e-1]}"],
    "analytic-dpm-table": [
        DIGITS,
        "settings={steps: [10, 25], samples: 64}",
        "claims=[{expected: Bao, metric: bits_per_dim, order: [analytic, beta, beta_tilde]}]",
        "published=[]",
    ],
    "diffusers-peers": ["settings={nfe: [10], samples: 128}"],
    "exact": ["settings.epochs=2", "tune={seeds: 2, lr: [1e-2, 1e-1]}"],
    "fid-proxy": ["settings={steps: [5, 10], samples: 128}"],
    "fid-proxy-digits": [DIGITS, "settings={steps: [5], samples: 128}"],
    "five-points": ["settings={epochs: 40, batch: 5, optimizer: sgd, lr: 0.05, normalize_gradient: [false, true]}"],
    "grouped": ["settings.epochs=2", "tune={seeds: 2, lr: [1e-2, 1e-1]}"],
    "hub-sampling": [
        "vary.denoiser=[fitted_mixture, {digits: {prediction_type: v_prediction, steps_of_training: 20}}]",
        "settings={steps: 5, samples: 128}",
    ],
    "hubness": ["settings={n: 200, k: 10}"],
    "hubs-by-dimension": ["settings={n: 200, k: 10, dim: [3, 20, 100, 500]}"],
    "multilabel-digits": ["settings.epochs=1", "tune={metric: mean_average_precision, seeds: 2, lr: [1e-3, 1e-2]}"],
    "multilabel": ["settings.epochs=1", "tune={metric: mean_average_precision, seeds: 2, lr: [1e-3, 1e-2]}"],
    "optimal-trajectory": ["settings={steps: [10, 25], samples: 128}"],
    "published-rule": [],
    "quick-generation": ["settings={steps: [10], samples: 256}"],
    "quickstart": ["settings.epochs=3", "tune={trials: 2, seeds: 2, lr: [1e-2, 1e-1]}"],
    "soft-labels": ["settings={epochs: 40, batch: 1, lr: 0.1, lr_schedule: cosine}"],
    "tabular": ["settings.epochs=2", "tune={trials: 3, seeds: 2, lr: [0.1, 1], exact.margin: [null, 1]}"],
    "three-points": ["settings={epochs: 40, batch: 3, optimizer: sgd, lr: 0.025, normalize_gradient: [false, true]}"],
    "transforms": ["settings={n: [10, 100], batch: 16, dtype: float32}"],
    "variance": ["settings={steps: [5, 25], samples: 128}"],
    "variance-digits": [DIGITS, "settings={steps: [5, 10], samples: 64}"],
}
"""Suite -> what is set in it; two seeds of everything but accuracy, which trains blocks of 32 anyway."""


def run(folder: Path, only: list[str]) -> None:
    """Each reduced suite's JSON in the folder, as SUITE.json, from records of its own."""
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as results:
        for suite, settings in REDUCED.items():
            if only and suite not in only:
                continue
            words = [f"--set={setting}" for setting in settings]
            place = ["--results", results, "--json", str(folder / f"{suite}.json"), "-q"]
            command = [sys.executable, "-m", "harness", f"suites/{suite}.yaml", "--seeds", "3", *words, *place]
            ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
            (folder / f"{suite}.txt").write_text(ended.stdout)
            print(suite, ended.returncode, ended.stderr.strip(), flush=True)


def facts(result: Any) -> list[Any]:
    """What a result says in numbers, row by row, in today's names: values, bounds, p, verdicts, marks, choices."""
    old = "measure" in result  # of version 0.1.0
    rows = []
    for cell in result["cells"]:
        vary = {renamed(axis, AXES, old): labeled(label, old) for axis, label in cell["vary"].items()}
        row: dict[str, Any] = {"row": vary, **{key: cell[key] for key in ("status", "tuned", "seeds")}}
        for part, read in (("metrics", metric), ("against", comparison), ("best", lambda mark, _: mark)):
            found = {renamed(name, METRICS, old): read(entry, old) for name, entry in cell[part].items()}
            row[part] = {name: entry for name, entry in found.items() if name.split("(")[0] not in OF_THE_MOMENT}
        rows.append(row)
    return [*rows, {"claims": [claim(each, old) for each in result["claims"]], "exit": result["exit"]}]


def renamed(word: str, table: Mapping[str, str], old: bool) -> str:
    """A name, or a name with fields, as it is called now."""
    name, bracket, fields = word.partition("(")
    return table.get(name, name) + bracket + fields if old else word


def labeled(label: Any, old: bool) -> Any:
    """A label as it reads now."""
    for before, now in LABELS.items() if old and isinstance(label, str) else ():
        label = label.replace(before, now)
    return label


def metric(entry: Any, old: bool) -> Any:
    """A metric's values and interval."""
    direction = DIRECTIONS[entry["better"]] if old else entry["higher_is_better"]
    return [*(entry[key] for key in ("values", "mean", "low", "high", "interval", "unit")), direction]


def comparison(entry: Any, old: bool) -> Any:
    """A comparison with the baseline."""
    verdict = renamed(entry["verdict"], VERDICTS, old) if entry["verdict"] else None
    numbers = [labeled(entry[key], old) for key in ("baseline", "difference", "low", "high", "p", "p_holm", "family")]
    return [*numbers, verdict, entry["needed"]]


def claim(entry: Any, old: bool) -> Any:
    """A claim with its tests; versions before 0.2.0 have pairs of neighbors."""
    tests = json.dumps(entry["pairs"] if "pairs" in entry else entry["tests"])
    return [entry["kind"], renamed(entry["metric"], METRICS, old), labeled(tests, old)]


def compare(before: Path, after: Path) -> int:
    """How many of the results in both folders differ, each difference on a line."""
    unequal = 0
    for file in sorted(before.glob("*.json")):
        if not (after / file.name).exists():
            print(f"{file.stem}: missing")
            continue
        one, other = (facts(json.loads((folder / file.name).read_text())) for folder in (before, after))
        apart = [k for k, (mine, theirs) in enumerate(zip(one, other, strict=False)) if mine != theirs]
        unequal += bool(apart) or len(one) != len(other)
        print(f"{file.stem}: {len(one)} entries, {len(other)} now, {len(apart)} differ")
        for k in apart[:2]:
            print("   ", json.dumps(one[k])[:600], json.dumps(other[k])[:600], sep="\n    ")
    return unequal


def main() -> int:
    """Run or compare; the exit code says whether two folders are equal."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("what", choices=["run", "compare"])
    parser.add_argument("folders", nargs="+", type=Path)
    parser.add_argument("--only", nargs="*", default=[])
    options = parser.parse_args()
    if options.what == "run":
        run(options.folders[0], options.only)
        return 0
    return min(1, compare(*options.folders))


if __name__ == "__main__":
    sys.exit(main())
