"""A cell is what it reads: one byte changed measures exactly its rows again and names the reason; no change, none."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.conftest import Bench

PLUGIN = '''
"""A protocol whose losses read files, folders, modules and packages."""
from __future__ import annotations

import importlib
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

from harness import CellRunner, FilePath, ImportPath, Loss, Measurements, Metric, Protocol, hookimpl, named
import beside
from package.inner import deep
import library


class Reading(Protocol):
    """Asks a loss for its number."""

    table: FilePath | None = None
    required_kinds: ClassVar[Mapping[str, Any]] = {"loss": None}
    compared_kinds: ClassVar[Sequence[str]] = ("loss",)
    metric_inputs: ClassVar[Sequence[str]] = ("number",)

    def setup(self, context):
        return Asks(context)


class Asks(CellRunner):
    def __init__(self, context):
        self.context = context

    def measure(self, seeds, tuned):
        numbers = [float(self.context.components["loss"](None, None)) for _ in seeds]
        return Measurements(seeds=seeds, metrics={label: list(numbers) for label in self.context.metrics})


class Number(Metric):
    """The number."""

    higher_is_better = None

    def __call__(self, number):
        return number


class Plain(Loss):
    """Reads nothing."""

    def __call__(self, logits, target):
        return 1.0


class Reads(Loss):
    """Reads what its fields name."""

    file: FilePath | None = None
    files: tuple[FilePath, ...] = ()
    module: ImportPath = ""

    def __call__(self, logits, target):
        return 2.0


class Hidden(Loss):
    """Reads what no field names."""

    how: str = "file"

    def __call__(self, logits, target):
        if self.how == "file":
            return float(Path("hid" + "den.txt").read_text())
        if self.how == "module":
            return importlib.import_module("comp" + "uted").value
        if self.how == "hub":
            return float(Path(os.environ["XDG_CACHE_HOME"], "huggingface", "refs", "main").read_text())
        Path("own.txt").write_text("5")
        with open("log.txt", "a") as log:
            log.write("measured")
        return float(Path("own.txt").read_text())


class Wraps(Loss):
    """Holds another."""

    loss: Loss = named("plain")

    def __call__(self, logits, target):
        return 3.0


@hookimpl
def components():
    return [Reading, Number, Plain, Reads, Hidden, Wraps]
'''

APART = '''
"""A loss in a file of its own, which imports nothing."""
from harness import Loss, hookimpl


class Apart(Loss):
    """Reads nothing."""

    def __call__(self, logits, target):
        return 4.0


@hookimpl
def components():
    return [Apart]
'''

SUITE = """
protocol: {protocol}
plugins: [plugin.py, apart.py]
vary:
  loss:
    - plain
    - apart
    - {{reads: {{file: weights.bin}}, as: one file}}
    - {{reads: {{file: folder}}, as: folder}}
    - {{reads: {{files: [first.txt, second.txt]}}, as: list}}
    - {{reads: {{module: "net.model:build"}}, as: module}}
    - {{wraps: {{loss: {{reads: {{file: inner.npy}}}}}}, as: nested}}
    - {{hidden: {{how: file}}, as: hidden file}}
    - {{hidden: {{how: module}}, as: hidden module}}
    - {{hidden: {{how: hub}}, as: hub}}
    - {{hidden: {{how: own}}, as: own}}
metrics: number
settings: {{table: table.csv}}
seeds: 2
"""

FILES = {
    "plugin.py": PLUGIN,
    "apart.py": APART,
    "beside.py": "x = 1\n",
    "weights.bin": "w",
    "folder/a/config.json": "{}",
    "folder/model.bin": "m",
    "first.txt": "1",
    "second.txt": "2",
    "inner.npy": "i",
    "table.csv": "t",
    "hidden.txt": "6",
    "path/computed.py": "value = 7.0\n",
    "path/package/__init__.py": "",
    "path/package/inner.py": "from . import sub\ndeep = 1\n",
    "path/package/sub.py": "import far\n",
    "path/far.py": "def f():\n    import farther\n",
    "path/farther.py": "y = 1\n",
    "path/net/__init__.py": "",
    "path/net/model.py": "import layers\n\n\ndef build():\n    return layers\n",
    "path/layers.py": "z = 1\n",
    "site-packages/library/__init__.py": "",
    "site-packages/library-1.0.dist-info/METADATA": "Name: library\nVersion: 1.0\n",
    "site-packages/library-1.0.dist-info/RECORD": "library/__init__.py,sha256=a,0\n",
}

HIDDEN = ("hidden file", "hidden module", "hub", "own")
EVERY = ("plain", "apart", "one file", "folder", "list", "module", "nested", *HIDDEN)


@pytest.fixture(scope="module")
def project(shared: Callable[[str], Bench]) -> Bench:
    bench = shared("identity")
    for name, text in FILES.items():
        bench.write(name, text)
    bench.write("s.yaml", SUITE.format(protocol="reading"))
    hub = Path(bench.environment["XDG_CACHE_HOME"], "huggingface", "refs", "main")
    hub.parent.mkdir(parents=True)
    hub.write_text("8")
    path = os.pathsep.join(
        [bench.environment["PYTHONPATH"], *(str(bench.folder / name) for name in ("path", "site-packages"))]
    )
    measured = Bench(bench.folder, {**bench.environment, "PYTHONPATH": path})
    ended = measured("s.yaml", "-q")
    assert ended.code == 0, ended.err
    return measured


def to_do(project: Bench) -> dict[str, str]:
    """Row -> what the dry run says has changed, of the rows to be measured."""
    lines = [line.strip() for line in project("s.yaml", "--dry-run").out.splitlines()]
    rows = dict(line.split(": ", 1) for line in lines if ": to do" in line or ": reused" in line)
    assert tuple(rows) == EVERY
    return {
        row: says.removeprefix("to do").strip(" ()").removesuffix(" changed")
        for row, says in rows.items()
        if says != "reused"
    }


def test_nothing_changed_measures_nothing(project: Bench) -> None:
    assert to_do(project) == {}
    for file in FILES:  # touched, with the same content
        os.utime(project.folder / file)
    assert to_do(project) == {}


@pytest.mark.verify
@pytest.mark.parametrize(
    ("file", "rows", "named"),
    [
        ("weights.bin", ("one file",), "reads.file"),
        ("folder/model.bin", ("folder",), "reads.file"),
        ("folder/a/config.json", ("folder",), "reads.file"),
        ("first.txt", ("list",), "reads.files"),
        ("second.txt", ("list",), "reads.files'"),
        ("inner.npy", ("nested",), "reads.file"),
        ("table.csv", EVERY, "reading.table"),
        ("path/net/model.py", ("module",), "net/model.py"),
        ("path/layers.py", ("module",), "layers.py"),
        ("beside.py", EVERY, "beside.py"),  # the protocol is in the same file
        ("path/package/inner.py", EVERY, "package/inner.py"),
        ("path/package/sub.py", EVERY, "package/sub.py"),
        ("path/far.py", EVERY, "far.py"),
        ("path/farther.py", EVERY, "farther.py"),
        ("apart.py", ("apart",), "apart.py"),
        ("site-packages/library-1.0.dist-info/RECORD", EVERY, "package library"),
        ("path/computed.py", ("hidden module",), "path/computed.py"),
    ],
)
def test_a_changed_byte_measures_exactly_its_rows_again(
    project: Bench, file: str, rows: tuple[str, ...], named: str
) -> None:
    path = project.folder / file
    kept = path.read_bytes()
    try:
        path.write_bytes(kept + b"w = 2\n")
        assert to_do(project) == dict.fromkeys(rows, named)
    finally:
        path.write_bytes(kept)
    assert to_do(project) == {}


def test_a_file_that_no_field_names_is_seen_as_it_is_opened(project: Bench) -> None:
    hub = Path(project.environment["XDG_CACHE_HOME"], "huggingface", "refs", "main")
    for path, row in ((project.folder / "hidden.txt", "hidden file"), (hub, "hub")):
        kept = path.read_text()
        path.write_text("9")
        name = path.relative_to(project.folder) if path.is_relative_to(project.folder) else path
        assert to_do(project) == {row: str(name)}
        path.write_text(kept)
    assert to_do(project) == {}


def test_comments_and_docstrings_change_nothing(project: Bench) -> None:
    path = project.folder / "beside.py"
    path.write_text('"""A docstring."""\n# A comment.\nx = 1\n')
    assert to_do(project) == {}
    path.write_text(FILES["beside.py"])


def test_a_new_version_of_a_package_is_named(project: Bench) -> None:
    old, new = (project.folder / f"site-packages/library-{v}.dist-info" for v in ("1.0", "2.0"))
    old.rename(new)
    assert to_do(project) == dict.fromkeys(EVERY, "package library")
    new.rename(old)


@pytest.mark.verify
def test_the_report_says_what_was_measured_again_and_the_record_holds_no_path(project: Bench) -> None:
    (project.folder / "weights.bin").write_text("other")
    ended = project("s.yaml", "--json", "r.json")
    found = {
        cell["vary"]["loss"]: cell["changed"] for cell in json.loads((project.folder / "r.json").read_text())["cells"]
    }
    assert found == {row: ["reads.file"] * (row == "one file") for row in EVERY}
    assert "one file: measured again: reads.file changed" in " ".join(ended.out.split())
    assert project("s.yaml", "--json", "-").json["cells"][2]["changed"] == []
    written = "".join(file.read_text() for file in (project.folder / "results" / "records").glob("*.jsonl"))
    assert str(project.folder) not in written and str(Path.home()) not in written


@pytest.mark.verify
def test_a_large_file_is_hashed_once_and_again_when_it_changes(project: Bench) -> None:
    file = project.folder / "weights.bin"
    file.write_bytes(b"0" * (1 << 21))
    os.utime(file, (1, 1))
    project("s.yaml", "-q")
    assert to_do(project) == {}
    changed = bytearray(file.read_bytes())
    changed[1 << 20] += 1
    file.write_bytes(changed)
    os.utime(file, (1, 1))  # size and time are the same; that of the inode is not
    assert set(to_do(project)) == {"one file"}


TABLE = '''
"""A data set that reads a file which no field names."""
from pathlib import Path

import torch

from harness import Dataset, Examples, hookimpl


class Secret(Dataset):
    """Numbers of a file."""

    def load(self, generator):
        numbers = [float(each) for each in Path("num" + "bers.txt").read_text().split()]
        return Examples(torch.tensor(numbers)[:, None], torch.arange(len(numbers)) % 2, 2)


@hookimpl
def components():
    return [Secret]
'''


@pytest.mark.verify
def test_what_is_trained_on_a_file_that_no_field_names_is_trained_again(bench: Bench) -> None:
    bench.write("secret.py", TABLE)
    bench.write("numbers.txt", " ".join(map(str, range(40))))
    keys = "seeds: 2\nsettings: {epochs: 1}\nmetrics: [accuracy]\nplugins: [secret.py]\n"
    bench.write("s.yaml", f"protocol: accuracy\n{keys}vary: {{dataset: secret, loss: [cross_entropy, hinge]}}\n")
    assert bench("s.yaml", "-q", "--device", "cpu").code == 0
    assert "0 cells to do, 2 reused" in (again := bench("s.yaml", "--dry-run", "--device", "cpu").out), again
    bench.write("numbers.txt", " ".join(map(str, range(1, 41))))
    assert bench("s.yaml", "--dry-run", "--device", "cpu").out.count("numbers.txt changed") == 2
    found = bench("s.yaml", "--json", "-", "--device", "cpu").json
    assert [cell["changed"] for cell in found["cells"]] == [["numbers.txt"]] * 2
    assert "numbers.txt changed" not in bench("s.yaml", "--dry-run", "--device", "cpu").out
