"""Writes the generated parts of the README and of the pages under docs/: `python tests/docs/generate.py [PAGE ...]`."""

from __future__ import annotations

import re
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).resolve().parent.parent.parent))  # this checkout, whatever is installed

from tests.docs.blocks import GENERATED, PAGES, Folder, Part, console, environment, fenced, fences, parts
from tests.docs.tables import TABLES


def generated(page: str, folder: Path, environment: Mapping[str, str], slow: bool = True) -> list[str | None]:
    """What should stand in every generated part of a page; None for the slow ones where they are not asked for."""
    place = Folder(page, folder, environment)
    printed = iter(outputs(page, place))
    return [_made(part, place, next(printed) if part.is_python else "") if slow or not part.slow else None
            for part in parts(page)]  # fmt: skip


def outputs(page: str, place: Folder) -> list[str]:
    """What the Python blocks print that have a generated part below them; all blocks are run."""
    blocks = fences(page, "python")
    printed = place.python() if blocks else []
    shown = [_is_shown(page, block) for block in blocks]
    return [text for text, wanted in zip(printed, shown, strict=True) if wanted]


def _is_shown(page: str, block: str) -> bool:
    after = page[page.index(block) + len(block) :]
    return re.match(r"```\s*<!-- generated: python -->", after) is not None


def _made(part: Part, place: Folder, printed: str) -> str:
    if part.is_table:
        name, *arguments = part.what.split()[1:]
        return TABLES[name](*arguments)
    if part.is_python:
        return fenced("text", printed.rstrip("\n"))
    return console(part.what, place.shell(part.what))


def rewritten(page: str, contents: list[str]) -> str:
    """The page with these contents in its generated parts."""
    left = iter(contents)

    def new(match: re.Match[str]) -> str:
        slow = ", slow" if match["slow"] else ""
        return f"<!-- generated{slow}: {match['what']} -->\n\n{next(left)}\n\n<!-- end -->"

    return GENERATED.sub(new, page)


def main(names: list[str]) -> None:
    """Rewrite the pages named, all where none is."""
    for file in PAGES:
        if names and file.name not in names:
            continue
        page = file.read_text()
        with tempfile.TemporaryDirectory() as folder:
            contents = [content or "" for content in generated(page, Path(folder), environment())]
        new = rewritten(page, contents)
        if new != page:
            file.write_text(new)
            print(f"rewritten: {file.name}")


if __name__ == "__main__":
    main(sys.argv[1:])
