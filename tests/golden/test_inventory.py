"""Nothing that version 0.1.0 offered is lost but by name."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))
import renames  # noqa: E402

OLD: dict[str, Any] = json.loads((HERE / "inventory.json").read_text())


@pytest.fixture(scope="module")
def now() -> dict[str, Any]:
    """The inventory of this code."""
    found = subprocess.run(
        [sys.executable, HERE / "inventory.py"], cwd=HERE.parent.parent, capture_output=True, check=True
    )
    inventory: dict[str, Any] = json.loads(found.stdout)
    return inventory


@pytest.mark.parametrize("kind", OLD["components"])
def test_every_component_is_there_with_its_fields_and_defaults(kind: str, now: dict[str, Any]) -> None:
    known = now["components"][renames.KINDS.get(kind, kind)]
    for name, fields in OLD["components"][kind].items():
        found = known[renames.METRICS.get(name, name) if kind == "metric" else name]
        for field, default in fields.items():
            today = renames.FIELDS.get(kind, {}).get(field, field)
            expected = (
                renames.VALUES.get(default, default) if kind == "denoiser" and isinstance(default, str) else default
            )
            assert found[today] == expected, f"{kind} {name}.{field}"


@pytest.mark.parametrize("command", OLD["options"])
def test_every_option_is_there(command: str, now: dict[str, Any]) -> None:
    assert set(OLD["options"][command]) - set(renames.OPTIONS_GONE.get(command, ())) <= set(now["options"][command])


def test_every_suite_key_hook_exit_code_and_name_of_the_door_is_there(now: dict[str, Any]) -> None:
    assert {renames.SUITE_KEYS.get(key, key) for key in OLD["suite"]} <= set(now["suite"])
    assert set(OLD["hooks"]) <= set(now["hooks"]) and set(OLD["exit"]) <= set(now["exit"])
    assert {renames.DOOR.get(name, name) for name in OLD["door"]} - set(renames.GONE) <= set(now["door"])
