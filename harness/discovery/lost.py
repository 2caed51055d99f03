"""Plugins that cannot be imported: which names of a suite may be theirs, and what stands in for these components."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from harness.base import same_name, snake_case
from harness.discovery.sources import Source
from harness.kinds import KINDS as EVERY

if TYPE_CHECKING:
    from harness.discovery.descriptions import Description

KINDS = frozenset(EVERY) - {"protocol", "metric", "trainer"}
"""Kinds of which a row has its own component; without one of another kind there is no row to fail."""


def owner(name: str, plugins: Sequence[Source], misspelled: bool) -> Source | None:
    """Return the plugin that may bring a component of this name: one whose file or whose text has it.

    Else the first one that the user named, since components may be made in any way, unless the name is close to a known
    one and so is `misspelled`.
    """
    named = next((plugin for plugin in plugins if same_name(name) in _words(plugin)), None)
    given = next((plugin for plugin in plugins if plugin.origin == "given"), None)
    return named or (None if misspelled else given)


def _words(plugin: Source) -> set[str]:
    """Return every word of a plugin's text and the name of its file, as components would be called after them."""
    try:
        text = Path(plugin.file).read_text(encoding="utf-8", errors="replace")
    except OSError:
        text = ""
    return {snake_case(word) for word in [Path(plugin.file).stem, *re.findall(r"[A-Za-z_]\w*", text)]}


def description(kind: str, name: str, plugin: Source, why: str) -> Description:
    """Return what stands in for a component of a plugin that cannot be imported."""
    return {
        "kind": kind, "name": name, "fields": {}, "doc": "", "help": "", "file": plugin.file, "line": 1,
        "plugin": plugin.name, "dynamic": False, "inputs": [], "lost": why,
        "facts": {"needs_artifact": False, "not_in_artifact": []},
    }  # fmt: skip
