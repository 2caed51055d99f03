"""Every suite but the timing ones, made small, run and kept as JSON; two such folders compared number by number.

    python tests/golden/golden.py run FOLDER
    python tests/golden/golden.py compare OLD NEW

Times, memory and ids are left out of the comparison; names of an older version are changed by `renames.py` first.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
DIGITS = "vary.denoiser=[{digits: {steps_of_training: 60}}]"
REDUCED: dict[str, list[str]] = {
    "accuracy": ["settings.epochs=2", "tune={seeds: 2, lr: [1e-2, 1e-1]}"],
    "activations-accuracy": ["settings.epochs=1", "tune={seeds: 2, lr: [1e-2, 1e-1]}"],
    "analytic-dpm-table": [DIGITS, "settings.samples=64"],
    "diffusers-peers": ["settings={nfe: [10], samples: 128}"],
    "exact": ["settings.epochs=2", "tune={seeds: 2, lr: [1e-2, 1e-1]}"],
    "fid-proxy": ["settings={steps: [5, 10], samples: 128}"],
    "fid-proxy-digits": [DIGITS, "settings={steps: [5], samples: 128}"],
    "five-points": ["settings={epochs: 40, batch: 5, optimizer: sgd, lr: 0.05, normalize_gradient: [false, true]}"],
    "grouped": ["settings.epochs=2", "tune={seeds: 2, lr: [1e-2, 1e-1]}"],
    "hub-sampling": [
        "vary.denoiser=[{digits: {network: unet, predicts: v, steps_of_training: 20}}]",
        "settings={steps: 5, samples: 128}",
    ],
    "hubness": [
        "settings={n: 200, k: 10}",
        "vary.dataset=[{cloud: {prior: [normal, uniform], dim: [3, 30]}}, digits, patches]",
    ],
    "multilabel": ["settings.epochs=1", "tune={metric: map, seeds: 2, lr: [1e-3, 1e-2]}"],
    "optimal-trajectory": ["settings={steps: [10, 25], samples: 128}"],
    "published-rule": [],
    "quick-generation": ["settings={steps: [10], samples: 256}"],
    "quickstart": ["settings.epochs=3", "tune={trials: 2, seeds: 2, lr: [1e-2, 1e-1]}"],
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


if __name__ == "__main__":
    sys.exit(main())
