"""Snapshot of a run, kept in its folder: the suite, the user's own code, the command, the installed packages.

An imported run has its table and the files that it names in their place.

`code/` has the layout that the suite and the code have on disk: names are those below the nearest folder that holds the
suite and the plugins that it names. Code from elsewhere is under `outside/`, `outside-2/`, one for each folder.
"""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TypedDict

from harness.command_line import placed
from harness.discovery import sources
from harness.results.store import write, writing
from harness.run.load import LoadedSuite

_DISTRIBUTION = re.compile(r"(?P<name>[\w.]+)-(?P<version>[\w.!]+)(?:\+[\w.]+)?\.dist-info")


class Repeat(TypedDict):
    """How a run is repeated: the command, to be given in `code/`, and the packages that were installed."""

    command: str
    packages: list[str]


def keep(prepared: LoadedSuite, folder: Path, trust: bool) -> None:
    """Write the snapshot of a run into its folder."""
    suite = prepared.suite.file.resolve()
    named = [text for text, _ in prepared.document.plugins if text.endswith(".py") and not Path(text).is_absolute()]
    root = _root(suite.parent, [(suite.parent / text).resolve().parent for text in named])
    found = places([suite, *sorted(own_code(prepared))], root)
    with writing(folder):
        shutil.copyfile(suite, folder / "suite.yaml")
    _keep(found, folder, [found[suite], *_options(prepared, found), *["--trust"] * trust])


def keep_table(table: Path, beside: Iterable[str], folder: Path, options: Sequence[str]) -> None:
    """Write the snapshot of an imported run into its folder: its table, and files named relative to the table's folder.

    `options` are those of the command that imports it.
    """
    whole = table.resolve()
    files = [whole, *((whole.parent / name).resolve() for name in beside)]
    found = places(files, _root(whole.parent, [file.parent for file in files]))
    _keep(found, folder, ["import", found[whole], *options])


def _keep(files: Mapping[Path, str], folder: Path, words: Sequence[str]) -> None:
    """Copy files to their places, and write how the run is repeated; `words` are those of the command."""
    with writing(folder):
        for file, place in files.items():
            to = folder / "code" / place
            to.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(file, to)
    repeat: Repeat = {"command": shlex.join(["bench", *words]), "packages": packages()}
    write(folder / "repeat.json", f"{json.dumps(repeat, indent=1)}\n")


def _root(suite: Path, named: Iterable[Path]) -> Path:
    """Return the nearest folder that holds the suite's and those of the plugins it names, unless all folders do."""
    root = Path(os.path.commonpath([suite, *named]))
    return root if root != Path(root.anchor) else suite


def places(files: Iterable[Path], root: Path) -> dict[Path, str]:
    """Return the place of every file: relative to the root, or to a folder of files that are not below it."""
    homes = [root]
    found = {}
    for file in sorted(files, key=lambda each: len(each.parts)):
        home = next((home for home in homes if file.is_relative_to(home)), file.parent)
        if home not in homes:
            homes.append(home)
        number = homes.index(home)
        lead = "" if number == 0 else "outside/" if number == 1 else f"outside-{number}/"
        found[file] = f"{lead}{file.relative_to(home).as_posix()}"
    return found


def own_code(prepared: LoadedSuite) -> set[Path]:
    """Return the files of the user's own code: of plugins, used or not, modules, programs, and all that they import."""
    folder, catalogue = prepared.suite.file.parent, prepared.catalogue
    used = [
        (kind, spec, placed({**cell.settings, **cell.values}))
        for cell in prepared.cells
        for kind, spec in cell.parts.items()
    ]
    used += [("metric", spec, {}) for spec in prepared.suite.metrics.values()]
    used.append(("protocol", {"name": prepared.suite.protocol}, {}))
    found = (file for kind, spec, values in used for file in catalogue.own_code(kind, spec, folder, values))
    return {file.resolve() for file in (*catalogue.given_code(), *found)}


def _options(prepared: LoadedSuite, found: Mapping[Path, str]) -> Iterator[str]:
    """Yield the options that select and change what the suite asks for."""
    wishes = prepared.wishes
    for text in wishes.plugins:
        file = sources.given(text, Path.cwd()).file
        yield from ("--plugin", found.get(Path(file).resolve(), text))
    yield from (word for name in wishes.blocked for word in ("-p", f"no:{name}"))
    yield from (word for key, value in wishes.overrides.items() for word in ("--set", f"{key}={value}"))
    yield from () if wishes.select is None else ("-k", wishes.select)
    yield from () if wishes.shard is None else ("--shard", "{}/{}".format(*wishes.shard))


def packages() -> list[str]:
    """Return `name==version` of every installed distribution, by the names of the folders of their metadata."""
    found = set()
    for folder in filter(os.path.isdir, sys.path):
        with os.scandir(folder) as entries:
            matches = (_DISTRIBUTION.fullmatch(entry.name) for entry in entries)
            found |= {f"{match['name']}=={match['version']}" for match in matches if match}
    return sorted(found, key=str.lower)
