"""`bench validate`, `--dry-run` and a run read the tables of a suite: a bad one is a mistake with its line of the suite."""

from __future__ import annotations

import random
from collections.abc import Callable

import pytest

from harness.run.load import RunOptions, load
from harness.run.tables import checked_tables
from harness.worker.supervisor import Server
from tests.conftest import Bench, Ended

HEAD = "protocol: accuracy\nseeds: 3\nmetrics: [accuracy]\n"
GOOD = "a,y\n" + "".join(f"{k * 7 % 12},{'uv'[k % 2]}\n" for k in range(12))
PLUGIN = '''
import torch
from harness import Dataset, Examples, FilePath, Skip, hookimpl

class Own(Dataset):
    """Reads a file of its own."""

    path: FilePath
    skip: bool = False

    def load(self, generator: torch.Generator) -> Examples:
        """Read it."""
        if self.skip:
            raise Skip("needs a library")
        raise ValueError(open(self.path).read())

@hookimpl
def components() -> list[type[Dataset]]:
    """The component classes of this module."""
    return [Own]
'''


@pytest.fixture(scope="module")
def folder(shared: Callable[[str], Bench]) -> Bench:
    bench = shared("tables")
    bench.write("data/good.csv", GOOD)
    bench.write("data/index.csv", "\n".join(f"{k},{line}" for k, line in enumerate(GOOD.split())).replace("0,", ",", 1))
    bench.write("data/semicolon.csv", GOOD.replace(",", ";"))
    bench.write("data/few.csv", "a,y\n1,u\n2,v\n")
    bench.write("own.py", PLUGIN)
    return bench


def suite(bench: Bench, *datasets: str, more: str = "") -> None:
    lines = "".join(f"    - {dataset}\n" for dataset in datasets)
    bench.write("s.yaml", f"{HEAD}{more}vary:\n  loss: hinge\n  dataset:\n{lines}")


def both(bench: Bench, *words: str) -> list[Ended]:
    return [bench("validate", "s.yaml", *words), bench("s.yaml", "--dry-run", "--device", "cpu", *words)]


def every(bench: Bench, *words: str) -> list[Ended]:
    return [*both(bench, *words), bench("s.yaml", "--device", "cpu", *words)]


@pytest.mark.verify
def test_bad_tables_are_named_with_their_lines_of_the_suite(folder: Bench) -> None:
    suite(
        folder,
        "{csv: {path: data/good.csv, target: x}}",
        "{csv: {path: data/good.csv, target: y}}",
        "{csv: {target: y, label_noise: [0, 0.1], path: [data/semicolon.csv, data/few.csv]}}",
        "digits",
    )
    for ended in every(folder):
        assert (ended.code, ended.out) == (2, "")
        told = [line for line in ended.lines if line.startswith("s.yaml:")]
        assert told == [
            "s.yaml:7:20: data/good.csv: line 1: no column 'x' (choose from a, y)",
            "s.yaml:9:55: data/semicolon.csv: line 1: one column; is the delimiter ';'?",
            "s.yaml:9:75: data/few.csv: too few examples to split: no class has more than 1",
        ]
        assert sum(line.strip() == "^" for line in ended.lines) == 3
    assert not (folder.folder / "results").exists()


@pytest.mark.verify
def test_a_run_refuses_a_bad_table_before_it_trains_and_loses_nothing(folder: Bench) -> None:
    """A table that cannot be read is a mistake in the suite (2) as a missing plugin file is, no cell that failed (3).

    Contenders are compared on all tables of a suite: rows of the others would take hours before the mistake is told.
    What is stored stays, and the command with the mistake mended reuses it.
    """
    good, results = "{csv: {path: data/good.csv, target: y}}", folder.folder / "kept"
    words = ("--device", "cpu", "--results", results)
    suite(folder, good)
    assert folder("s.yaml", *words).code == 0
    records = {file: file.read_bytes() for file in (results / "records").iterdir()}
    runs = sorted((results / "runs").iterdir())
    suite(folder, good, "{csv: {path: data/few.csv, target: y}}")
    ended = folder("s.yaml", *words)
    assert (ended.code, ended.out) == (2, "")
    assert ended.lines[0] == "s.yaml:8:20: data/few.csv: too few examples to split: no class has more than 1"
    assert {file: file.read_bytes() for file in (results / "records").iterdir()} == records
    assert sorted((results / "runs").iterdir()) == runs
    assert folder("s.yaml", "-k", "good", *words).code == 0


@pytest.mark.verify
def test_a_table_that_no_seed_needs_any_more_is_not_read(folder: Bench) -> None:
    code = PLUGIN.replace(
        "raise ValueError(open(self.path).read())",
        'open("read.txt", "a").write("x")\n        return Moons().load(generator)',
    )
    folder.write("counting.py", code.replace("class Own", "from harness.examples.dataset import Moons\n\nclass Own"))
    suite(folder, "{own: {path: data/few.csv}}", more="plugins: [counting.py]\n")
    words = ("s.yaml", "--device", "cpu", "--results", folder.folder / "counted")
    read = []
    for _ in range(2):
        ended = folder(*words)
        assert ended.code == 0, ended.err
        read.append((folder.folder / "read.txt").read_text())
    assert read[0] == read[1] == "xxx"  # checked, then loaded twice to compare, and kept for every cell


def test_only_the_selected_tables_are_read(folder: Bench) -> None:
    suite(
        folder, "{csv: {path: data/good.csv, target: x}, as: bad}", "{csv: {path: data/good.csv, target: y}, as: fine}"
    )
    assert [ended.code for ended in both(folder)] == [2, 2]
    assert folder("s.yaml", "--dry-run", "--device", "cpu", "-k", "fine").code == 0


@pytest.mark.verify
def test_notes_on_good_tables_are_shown(folder: Bench) -> None:
    suite(folder, "{csv: {path: data/index.csv, target: y}}")
    for ended in both(folder):
        assert ended.code == 0, ended.err
        assert "note: data/index.csv: column 1 of the file has no name and is ignored as an index" in ended.out
    assert "good" not in folder("validate", "s.yaml").out


def test_an_override_is_the_place_of_its_mistake(folder: Bench) -> None:
    suite(folder, "digits")
    ended = folder("validate", "s.yaml", "--set", "vary.dataset={csv: {path: data/good.csv, target: z}}")
    assert ended.code == 2
    assert ended.err.startswith("--set vary.dataset: data/good.csv: line 1: no column 'z'")


@pytest.mark.verify
def test_data_sets_of_plugins_that_read_files_are_tried_too(folder: Bench) -> None:
    suite(folder, "{own: {path: data/few.csv}}", more="plugins: [own.py]\n")
    for ended in every(folder):
        assert ended.code == 2 and "s.yaml:8:20: data/few.csv: ValueError: a,y (own.py:15)" in ended.err
    suite(folder, "{own: {path: data/few.csv, skip: true}}", more="plugins: [own.py]\n")
    for ended in both(folder):
        assert ended.code == 0 and "note: own(path=data/few.csv, skip=true): needs a library" in ended.out


def test_a_suite_without_files_starts_no_process(folder: Bench) -> None:
    suite(folder, "digits", "{cloud: {dim: 3}}")
    with Server() as server:
        prepared = load(str(folder.folder / "s.yaml"), RunOptions(), server)
    with Server() as fresh:
        assert checked_tables(prepared, fresh) == ([], [])
        assert fresh._process is None


@pytest.mark.verify
def test_units_and_offsets_of_columns_do_not_change_a_run(folder: Bench) -> None:
    draw = random.Random(0)
    rows = [[draw.gauss(0, 1), draw.randint(0, 99), draw.choice(["red", "blue", ""])] for _ in range(150)]
    rows = [[*row, int(row[0] + row[1] / 50 - 1 + draw.gauss(0, 0.3) > 0)] for row in rows]
    for name, unit, offset in (("plain", 1, 0), ("units", 4096, 1700000000)):
        lines = [
            f"{place},{value * unit},{count + offset if place % 5 else ''},{color},{label}"
            for place, (value, count, color, label) in enumerate(rows)
        ]
        folder.write(f"data/{name}.csv", "\n".join([",value,count,color,y", *lines]))
    suite(folder, *("{csv: {path: data/%s.csv, target: y}, as: %s}" % (name, name) for name in ("plain", "units")))  # noqa: UP031
    ended = folder("s.yaml", "--device", "cpu", "--json", "-")
    assert ended.code == 0, ended.err
    plain, units = ended.json["cells"]
    assert plain["metrics"]["accuracy"]["values"] == units["metrics"]["accuracy"]["values"]
    assert plain["metrics"]["accuracy"]["mean"] > 0.7
    assert plain["notes"] == units["notes"]
    gaps = sum(color == "" for _, _, color, _ in rows)
    assert plain["notes"][:4] == [
        "column 1 of the file has no name and is ignored as an index",
        "'count' (30): missing values are replaced by the column's mean (of training rows), beside an indicator column",
        "'color' (3): text becomes a 0/1 column for each category",
        f"'color' ({gaps}): missing cells become a category",
    ]
