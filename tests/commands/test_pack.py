"""A packed run: the same bytes each time, read like any other, enough to repeat it, and harmless whoever wrote it."""

from __future__ import annotations

import io
import json
import pickle
import shlex
import shutil
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from harness.errors import BenchError
from harness.results import packed, runs
from harness.run.snapshot import places
from tests.conftest import NOOP, Bench

PLUGIN = '''
from harness import Loss, hookimpl
from {beside} import NUMBER


class {name}(Loss):
    """A number."""

    def __call__(self, seeds, case):
        return [NUMBER + seed / 100 for seed in seeds]


@hookimpl
def components():
    return [{name}]
'''
SMALL = """
protocol: accuracy
vary: {dataset: iris, model: linear, loss: [cross_entropy, hinge]}
settings: {epochs: 2}
seeds: 4
metrics: [accuracy]
baseline: cross_entropy
"""


def archive(file: Path, members: Mapping[str, bytes | str]) -> Path:
    """An archive with these members, in a folder `r`, whatever they are called."""
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as found:
        for name, content in members.items():
            found.writestr(zipfile.ZipInfo(name) if name.startswith("!") else f"r/{name}", content)
    return file


def npz(**arrays: Any) -> bytes:
    stream = io.BytesIO()
    np.savez_compressed(stream, **arrays)
    return stream.getvalue()


@pytest.mark.verify
def test_unpacked_it_is_stored_and_the_command_measures_nothing(bench: Bench) -> None:
    for name, beside in (("First", "near"), ("Second", "far")):
        folder = "project/plugins" if name == "First" else "elsewhere"
        bench.write(f"{folder}/{name.lower()}.py", PLUGIN.format(name=name, beside=beside))
        bench.write(f"{folder}/{beside}.py", f"NUMBER = {len(name)}.0\n")
    shutil.copy(NOOP, bench.folder / "project" / "plugins" / "noop.py")
    suite = bench.suite(
        "[first, second, good]",
        "project/suites/s.yaml",
        baseline="first",
        plugins="[../plugins/noop.py, ../plugins/first.py]",
    )
    options = "--plugin elsewhere/second.py --seeds 6 -k 'not second' --set \"question='Which, if any?'\" --trust"
    words = (suite, *shlex.split(options))
    assert bench(*words, "-q").code == 0
    for file in (bench.folder / "project" / "plugins").glob("*.py"):
        file.write_text("raise SystemExit")  # the code of the run is packed, not that of today
    assert bench("pack", "last").code == 0 and bench("pack", "last", "again.zip").code == 0
    (kept,) = bench.folder.glob("2*.zip")
    assert kept.read_bytes() == (bench.folder / "again.zip").read_bytes()
    shown = bench("report", "last").out
    there = Bench(bench.folder / "other", bench.environment)
    there.folder.mkdir()
    assert there("report", kept).out == shown and "Which, if any?" in shown
    shutil.unpack_archive(kept, there.folder)
    inside = Bench(there.folder / kept.stem, bench.environment)
    command = json.loads(next(inside.folder.glob("results/runs/*/repeat.json")).read_text())["command"]
    said = "bench suites/s.yaml --plugin outside/second.py --set \"question='Which, if any?'\" --set seeds=6 -k 'not second' --trust"
    assert shlex.split(command) == shlex.split(said)
    assert command in (inside.folder / "README.txt").read_text()
    again = inside(
        "suites/s.yaml", "--plugin", "outside/second.py", "--set", "seeds=6", "-k", "not second", "--trust", "--dry-run"
    )
    assert "0 cells to do, 2 reused" in again.out, again
    assert inside("pack", "last", "../third.zip").code == 0
    assert (there.folder / "third.zip").read_bytes() == kept.read_bytes()
    names = zipfile.ZipFile(kept).namelist()
    assert not [name for name in names if str(bench.folder.name) in name]
    for name in ("plugins/first.py", "plugins/near.py", "outside/second.py", "outside/far.py", "requirements.txt"):
        assert f"{kept.stem}/{name}" in names


@pytest.mark.verify
def test_packed_runs_are_compared_with_their_results_per_example(bench: Bench) -> None:
    bench.write("s.yaml", SMALL)
    for epochs in ("1", "3"):
        assert bench("s.yaml", "--set", f"settings.epochs={epochs}", "-q").code == 0
    shown = bench("compare", "last~1", "last", "--format", "json").json
    assert {row["against"]["accuracy"]["interval"] for row in shown["cells"] if row["against"]} == {"both"}
    bench("pack", "last~1", "one.zip")
    bench("pack", "last", "two.zip")
    later = bench("s.yaml", "--against", "one.zip", "--set", "settings.epochs=3", "--json", "-").json
    shutil.rmtree(bench.folder / "results")
    assert bench("compare", "one.zip", "two.zip", "--format", "json").json == shown
    assert [row["against"] for row in later["cells"]] == [row["against"] for row in shown["cells"]]
    assert bench("report", "one.zip", "--figures", "drawn").code == 0


def test_what_cannot_be_packed_is_said(bench: Bench) -> None:
    assert bench(bench.suite(baseline=None), "-q").code == 0
    assert bench("freeze", "last", "frozen.json").code == 0
    assert bench("pack", "last", "run.zip").lines[-1].startswith("packed in run.zip: ")
    for words, said in (
        (
            ("frozen.json",),
            "bench: frozen.json: a result without its records: name a run in a results folder, by its id or its folder",
        ),
        (("run.zip",), "bench: run.zip: is packed already"),
        (("nonesuch",), "bench: no run 'nonesuch'"),
    ):
        ended = bench("pack", *words)
        assert ended.code == 2 and len(ended.lines) == 1 and ended.lines[0].startswith(said)
    assert bench("freeze", "run.zip", "-").out == (bench.folder / "frozen.json").read_text()


def test_members_of_other_names_are_never_written(tmp_path: Path) -> None:
    inside = {
        "results/records/good.jsonl": "{}\n",
        "results/units/good.npz": npz(a=np.zeros(2)),
        "results/units/../../../up.npz": b"",
        "results/units/..npz": b"",
        "results/units/.hidden.npz": b"",
        "results/units/sub/deep.npz": b"",
        "results/units/back\\slash.npz": b"",
        "../up.jsonl": b"",
        "results/records/code.py": b"raise SystemExit",
    }
    file = archive(tmp_path / "a.zip", inside)
    with zipfile.ZipFile(file, "a") as found:
        found.writestr("/etc/results/records/absolute.jsonl", "")
        link = zipfile.ZipInfo("r/results/records/link.jsonl")
        link.create_system, link.external_attr = 3, 0o120777 << 16
        found.writestr(link, "/etc/passwd")
    to = tmp_path / "deep" / "to"
    packed.unpack(file, to)
    written = {path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*") if path.is_file()}
    assert written == {
        "a.zip",
        *(f"deep/to/{name}" for name in ("records/good.jsonl", "units/good.npz", "records/link.jsonl")),
    }
    assert (
        not (to / "records" / "link.jsonl").is_symlink()
        and (to / "records" / "link.jsonl").read_text() == "/etc/passwd"
    )


def test_a_run_is_found_or_the_archive_is_refused(tmp_path: Path) -> None:
    run = "results/runs/{}/result.json"
    cases: dict[str, tuple[dict[str, bytes | str], str]] = {
        "none": ({"results/runs/a/other.json": "{}"}, "an archive with no results: no packed run"),
        "two": ({run.format("a"): "{}", run.format("b"): "{}"}, "an archive with 2 results: no packed run"),
        "no_json": ({run.format("a"): "{"}, "a damaged archive: JSONDecodeError: "),
        "deep": ({run.format("a"): "[" * 200_000}, "a damaged archive: RecursionError: "),
        "schema": ({run.format("a"): '{"schema": 99}'}, "a result of schema 99: this version reads schemas up to 2"),
    }
    for name, (members, said) in cases.items():
        file = archive(tmp_path / f"{name}.zip", members)
        with pytest.raises(BenchError, match=said) as found:
            runs.stored(tmp_path, str(file))
        assert str(found.value).startswith(f"{file}: ")


def test_a_damaged_archive_is_refused(tmp_path: Path) -> None:
    file = archive(tmp_path / "a.zip", {"results/runs/a/result.json": json.dumps(list(range(9999)))})
    whole = bytearray(file.read_bytes())
    whole[2000] ^= 255
    file.write_bytes(whole)
    with pytest.raises(BenchError, match="a damaged archive"):
        packed.result(file)


def test_more_than_the_largest_size_is_not_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(packed, "MOST", 10_000)
    bomb = archive(tmp_path / "bomb.zip", {"results/runs/a/result.json": b" " * 10_001})
    many = archive(tmp_path / "many.zip", {f"results/records/{n}.jsonl": b" " * 2000 for n in range(6)})
    inner = archive(tmp_path / "inner.zip", {"results/units/a.npz": npz(a=np.zeros(100_000))})
    assert len(inner.read_bytes()) < 2000
    with pytest.raises(BenchError, match=r"10,001 bytes when unpacked: more than 10,000 are not read"):
        packed.result(bomb)
    for file in (many, inner):
        with pytest.raises(BenchError, match=r"more than 10,000 are not read"):
            packed.unpack(file, tmp_path / "to")
    assert not list((tmp_path / "to").rglob("*.jsonl"))


class _Trap:
    """Writes a file when it is unpickled."""

    def __reduce__(self) -> Any:
        return (open, ("trapped", "w"))


@pytest.mark.verify
def test_arrays_of_an_archive_cannot_run_code_or_fill_the_memory(bench: Bench) -> None:
    bench.write("s.yaml", SMALL)
    assert bench("s.yaml", "-q").code == 0 and bench("pack", "last", "run.zip").code == 0
    with zipfile.ZipFile(bench.folder / "run.zip") as found:
        members = {name: found.read(name) for name in found.namelist()}
    units = sorted(name for name in members if name.endswith(".npz"))
    header = (
        b"\x93NUMPY\x01\x00"
        + (118).to_bytes(2, "little")
        + b"{'descr': '<f8', 'fortran_order': False, 'shape': (999999999999999,), }".ljust(117)
        + b"\n"
    )
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as inner:
        inner.writestr("seeds.npy", header)
    trap = np.array([_Trap()], dtype=object)
    for content in (npz(seeds=trap), stream.getvalue(), pickle.dumps(_Trap()), npz(seeds=np.arange(4))[:200], b""):
        with zipfile.ZipFile(bench.folder / "bad.zip", "w") as made:
            for name, text in members.items():
                made.writestr(name, content if name == units[0] else text)
        ended = bench("compare", "run.zip", "bad.zip")
        assert ended.code == 2 and len(ended.lines) == 1, ended
        assert bench("report", "bad.zip").code == 0
        assert not list(bench.folder.rglob("trapped"))


def test_files_outside_of_the_root_have_places_without_their_folders() -> None:
    root, far = Path("/a/project"), Path("/b/secret/name")
    files = [root / "s.yaml", root / "x" / "y.py", far / "p.py", far / "sub" / "q.py", Path("/c/p.py")]
    assert [*places(files, root).values()] == [
        "outside/p.py",
        "s.yaml",
        "x/y.py",
        "outside-2/p.py",
        "outside-2/sub/q.py",
    ]
