"""Everything users and scripts can name: components with fields and defaults, options, suite keys, JSON keys, hooks.

    python tests/golden/inventory.py > FILE

`inventory.json` is that of version 0.1.0; a test holds that nothing of it is lost, `renames.py` aside.
"""

from __future__ import annotations

import argparse
import importlib
import json
import sys
from typing import Any

import harness
from harness import base, hookspecs
from harness.cli import exit_codes, main, options
from harness.kinds import KINDS


def inventory() -> dict[str, Any]:
    """As JSON data, sorted by name."""
    components = {kind: {name: _fields(cls) for name, cls in harness.components(kind).items()} for kind in KINDS}
    return {
        "components": components,
        "options": dict(_options(options.parser(main.COMMANDS))),
        "suite": sorted(importlib.import_module("harness.suite.check").KEYS),
        "hooks": sorted(n for n, v in vars(hookspecs).items() if hasattr(v, f"{hookspecs.PROJECT}_spec")),
        "door": sorted(harness.__all__),
        "exit": sorted(set(exit_codes.ORDER)),
    }


def _fields(cls: type) -> dict[str, Any]:
    fields = {}
    for name in base.schemas(cls):
        default = base.default_of(cls, name)
        fields[name] = "required" if default is base.REQUIRED else base.data_of(default)
    return fields


def _options(parser: argparse.ArgumentParser, name: str = "bench") -> Any:
    yield name, sorted(option for action in parser._actions for option in action.option_strings)
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            for command, inner in action.choices.items():
                yield from _options(inner, command)


if __name__ == "__main__":
    json.dump(inventory(), sys.stdout, indent=1, sort_keys=True)
