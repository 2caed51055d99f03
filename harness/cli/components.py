"""Components as text: the list of a kind, and the details of one. Plain text, so that the command stays fast."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from typing import TYPE_CHECKING

from harness.base import label, same_name
from harness.discovery.references import merged
from harness.errors import BenchError, near_miss
from harness.fields import says
from harness.kinds import KINDS

if TYPE_CHECKING:
    from harness.discovery.catalogue import Catalogue
    from harness.discovery.descriptions import Description, FieldInfo


def listing(catalogue: Catalogue, kind: str | None = None) -> str:
    """List names and first lines, by kind. Raises BenchError for an unknown kind."""
    if kind is not None and kind not in KINDS:
        raise BenchError(f"no kind {kind!r}{near_miss(kind, KINDS)}")
    blocks = []
    for each in [kind] if kind else sorted(KINDS):
        entries = sorted((e for e in catalogue.table.values() if e["kind"] == each), key=lambda e: str(e["name"]))
        if entries:
            column = max(len(str(entry["name"])) for entry in entries)
            lines = [_line(entry, column, 0 if kind else 2) for entry in entries]
            blocks.append("\n".join(([] if kind else [each]) + lines))
    return "\n\n".join(blocks)


def _line(entry: Description, column: int, indent: int) -> str:
    width = shutil.get_terminal_size((100, 24)).columns
    text = f"{'':{indent}}{entry['name']:<{column}}  {entry['doc']}"
    return text if len(text) <= width else text[: width - 3] + "..."


def about(catalogue: Catalogue, name: str) -> str:
    """Describe the component `NAME` or `KIND:NAME`. Raises BenchError if it is unknown or several kinds have it."""
    kind, _, rest = name.rpartition(":")
    if kind and kind not in KINDS:
        raise BenchError(f"no kind {kind!r}{near_miss(kind, KINDS)}")
    wanted = same_name(rest)
    found = [e for (k, n), e in catalogue.table.items() if n == wanted and kind in ("", k)]
    if not found:
        known = [n for k, n in catalogue.table if kind in ("", k)]
        raise BenchError(f"no component {name!r}{near_miss(wanted, known)}")
    if len(found) > 1:
        choices = " or ".join(f"{entry['kind']}:{wanted}" for entry in found)
        raise BenchError(f"{name} is in several kinds: say {choices}")
    entry = found[0]
    lines = [f"{entry['kind']} {entry['name']}", "", entry["help"], ""]
    lines += [f"  {field}: {_field(about)}" for field, about in entry["fields"].items()]
    lines += [f"  {fact} = {_value(value)}" for fact, value in entry["facts"].items()]
    lines += ["", *map(str, merged([entry["reference"]]))] if entry["reference"] else []
    return "\n".join([*lines, "", f"plugin {entry['plugin']}, {entry['file']}:{entry['line']}"])


def _field(field: FieldInfo) -> str:
    default = f", default {_value(field['default'])}" if "default" in field else ", required"
    return says(field["schema"]) + default


def _value(value: object) -> str:
    return label(value) if isinstance(value, Mapping) and "name" in value else json.dumps(value)
