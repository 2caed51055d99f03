"""Defaults of options from `[tool.bench]` in the pyproject.toml of the working directory or a parent."""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Mapping
from pathlib import Path

from harness.errors import BenchError, near_miss

MARK = b"[tool.bench]"
PERSONAL = ("trust", "yes")
"""Options that a file, which is data, may not set."""


def apply(parser: argparse.ArgumentParser) -> None:
    """Set the defaults of every option named in the table, in every command that has it.

    A key is a long option without its dashes: `results = "out"`, `plugin = ["mine.py"]`, `fresh = true`. Raises
    BenchError, with the file and the near miss, for an unknown option and for a value that the option rejects.
    """
    found = _table()
    if found is None:
        return
    file, table = found
    commands = [command for action in parser._actions for command in _commands(action)]
    for key, value in table.items():
        if key in PERSONAL:
            raise BenchError(f"[tool.bench] {key}: only the command line may say so", str(file))
        actions = [(command, action) for command in commands for action in command._actions if _is(action, key)]
        if not actions:
            known = {word[2:] for command in commands for word in command._option_string_actions if word[:2] == "--"}
            raise BenchError(f"[tool.bench] has no option {key!r}{near_miss(key, known - {'help'})}", str(file))
        for command, action in actions:
            command.set_defaults(**{action.dest: _value(action, key, value, file)})


def _table() -> tuple[Path, Mapping[str, object]] | None:
    for folder in (Path.cwd(), *Path.cwd().parents):
        file = folder / "pyproject.toml"
        if file.is_file():
            return _read(file) if MARK in file.read_bytes() else None
    return None


def _read(file: Path) -> tuple[Path, Mapping[str, object]]:
    import tomllib

    try:
        return file, tomllib.loads(file.read_text())["tool"]["bench"]
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise BenchError(f"cannot be read: {error}", str(file)) from None


def _commands(action: argparse.Action) -> Iterator[argparse.ArgumentParser]:
    if isinstance(action, argparse._SubParsersAction):
        yield from action.choices.values()


def _is(action: argparse.Action, key: str) -> bool:
    return f"--{key}" in action.option_strings and key not in ("help", "version")


def _value(action: argparse.Action, key: str, value: object, file: Path) -> object:
    """Convert the value with the option's own type."""
    wrong = BenchError(f"[tool.bench] {key}: {value!r} does not fit the option --{key}", str(file))
    if action.nargs == 0:
        if not isinstance(value, bool):
            raise wrong
        return value
    if isinstance(action.default, list):
        values = value if isinstance(value, list) else [value]
        return [str(each) for each in values]
    if isinstance(value, (list, dict, bool)):
        raise wrong
    try:
        made = action.type(str(value)) if callable(action.type) else str(value)
    except (argparse.ArgumentTypeError, ValueError):
        raise wrong from None
    if action.choices is not None and made not in action.choices:
        raise wrong
    return made
