"""A run as one archive with everything that repeats it: the same run gives the same bytes.

The archive is a folder in which the command of the run, given again, finds all of it stored and measures nothing.
"""

from __future__ import annotations

import json
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from harness.errors import BenchError
from harness.results import Run, runs
from harness.results.packed import is_packed
from harness.results.records import Record
from harness.results.store import writing

FIRST_DAY = (1980, 1, 1, 0, 0, 0)
"""The time of every member: the earliest that the format has."""
README = """Run {run} of {suite}, measured by Touchstone {version}.

`bench report ARCHIVE` shows it. In this folder, unpacked, its command finds it stored and measures nothing:

    {command}

requirements.txt lists the installed packages. results/ has the result, the records and the results per example.
Data that the suite reads from files are not here. The records have their digests, and other data are measured again.
"""
IMPORTED = """Run {run}: results measured elsewhere, imported from the table {suite}.

`bench report ARCHIVE` shows it. In this folder, unpacked, its command imports the table again:

    {command}

The table is here with the files that it names. results/ has the result, the records and the results per example.
"""


class Packed(NamedTuple):
    """A packed run: the archive, the number of its files, its size in bytes."""

    file: Path
    files: int
    size: int


def pack(results: Path, which: str, to: str | None) -> Packed:
    """Write a run as an archive, by default ID.zip. Raises BenchError if its records are not there."""
    place = runs.place(results, which)
    run, folder = runs.stored(results, which), place.parent
    if is_packed(place):
        raise BenchError("is packed already", which)
    if place.name != "result.json" or folder.name != run.run or folder.parent.name != "runs":
        raise BenchError("a result without its records: name a run in a results folder, by its id or its folder", which)
    found = {f"{run.run}/{name}": content for name, content in _members(run, folder)}
    file = Path(to or f"{run.run}.zip")
    with writing(file):
        part = file.with_name(f"{file.name}.part")
        with zipfile.ZipFile(part, "w") as archive:
            for name in sorted(found):
                archive.writestr(_info(name), found[name], compresslevel=9)
        part.replace(file)
    return Packed(file, len(found), file.stat().st_size)


def _info(name: str) -> zipfile.ZipInfo:
    info = zipfile.ZipInfo(name, FIRST_DAY)
    info.create_system, info.external_attr = 3, 0o644 << 16
    info.compress_type = zipfile.ZIP_STORED if name.endswith(".npz") else zipfile.ZIP_DEFLATED
    return info


def _members(run: Run, folder: Path) -> Iterator[tuple[str, bytes]]:
    """Yield the name and the content of every file: code, packages, the run's own folder, records, units."""
    results, inside = folder.parent.parent, f"results/runs/{run.run}"
    names = ["result.json", *(name for name in ("suite.yaml", "repeat.json") if (folder / name).is_file())]
    code = [file for file in sorted((folder / "code").rglob("*")) if file.is_file()]
    yield from ((f"{inside}/{name}", (folder / name).read_bytes()) for name in names)
    yield from ((f"{inside}/{file.relative_to(folder).as_posix()}", file.read_bytes()) for file in code)
    yield from ((file.relative_to(folder / "code").as_posix(), file.read_bytes()) for file in code)
    if "repeat.json" in names:
        repeat = json.loads((folder / "repeat.json").read_bytes())
        yield "requirements.txt", "".join(f"{line}\n" for line in repeat["packages"]).encode()
        version = run.environment.get("harness")
        about = README if "suite.yaml" in names else IMPORTED
        said = about.format(run=run.run, suite=run.suite, version=version, command=repeat["command"])
        yield "README.txt", said.encode()
    records = [record for record in runs.records(run, results) if _is_of(run, record)]
    for writer in dict.fromkeys(record["run"] for record in records):
        lines = [json.dumps(record, allow_nan=False) for record in records if record["run"] == writer]
        yield f"results/records/{writer}.jsonl", "".join(f"{line}\n" for line in lines).encode()
    for name in sorted({units for record in records if (units := record.get("units"))}):
        if (results / "units" / name).is_file():
            yield f"results/units/{name}", (results / "units" / name).read_bytes()


def _is_of(run: Run, record: Record) -> bool:
    """Whether a record was there when the run ended: runs are ordered by their ids."""
    return record["run"] <= run.run or record["run"].startswith(f"{run.run}-confirm-")
