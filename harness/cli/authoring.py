"""Commands for authors: files to start from, and the completion of the command in a shell."""

from __future__ import annotations

import argparse
import os
import re
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from harness.errors import BenchError
from harness.kinds import KINDS

KIND, FOLDER, FILE = (
    re.compile(rf"\b({words})\b") for words in ("KIND", "DIR", "SUITE|FILE|FILE_OR_MODULE|PATH|PLUGIN")
)
"""Placeholders of help texts that stand for a kind, a folder and a file."""


def new(options: argparse.Namespace) -> None:
    """Write a plugin or a suite; say what was written, and what to do with it on stderr."""
    written = []
    for file in _files(options.what, options.names):
        print(file, flush=True)
        written.append(file)
    code = [f"bench check {file}" for file in written if file.suffix == ".py"]
    suites = [f"bench {file}" for file in written if file.suffix == ".yaml"]
    print(f"next: {', then '.join([*code, *suites])}", file=sys.stderr)


def _files(what: str, names: Sequence[str]) -> Iterator[Path]:
    from harness.commands.new import new_plugin, new_suite

    if what == "plugin" and len(names) == 2:
        return new_plugin(*names, folder=Path())
    if what == "suite" and len(names) == 1:
        return new_suite(*names, folder=Path())
    raise BenchError("new: write bench new plugin KIND NAME, or bench new suite NAME")


def completion(options: argparse.Namespace) -> None:
    """Print the script that lets a shell complete the command."""
    import shtab

    for action in _actions(options.parser):
        if KIND.search(str(action.metavar)):
            action.choices = [*KINDS]
        elif FOLDER.search(str(action.metavar)):
            vars(action)["complete"] = shtab.DIRECTORY
        elif FILE.search(str(action.metavar)):
            vars(action)["complete"] = shtab.FILE
    os.environ["COLUMNS"] = "1000"  # a help text is one line of the script
    sys.stdout.write(shtab.complete(options.parser, shell=options.shell))


def _actions(parser: argparse.ArgumentParser) -> Iterator[argparse.Action]:
    """Yield the options and words of a parser and of each of its commands."""
    for action in parser._actions:
        yield action
        if isinstance(action, argparse._SubParsersAction):
            for command in action.choices.values():
                yield from _actions(command)
