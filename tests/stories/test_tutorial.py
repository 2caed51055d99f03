"""The tutorial, by the installed wheel in an empty folder: its commands in order, with its files, up to the page."""

from __future__ import annotations

import re

import pytest

from tests.conftest import Bench
from tests.stories.conftest import DOCS, Documented

pytestmark = pytest.mark.verify

TUTORIAL = (DOCS / "tutorial.md").read_text()
COMMANDS = [line.split("#")[0].split() for line in re.findall(r"^(?:\$ )?bench (.+)$", TUTORIAL, re.MULTILINE)]


def test_five_commands_lead_to_a_page(bench: Bench, documented: Documented) -> None:
    new, check, run, page = COMMANDS
    assert bench(*new).code == 0
    assert {"confidence_penalty.py", "confidence_penalty.yaml"} <= {file.name for file in bench.folder.iterdir()}
    first = bench(*run)
    assert first.code == 0, "what bench new writes runs as it is"
    documented("tutorial.md")
    checked = bench(*check)
    assert checked.code == 0, checked.out
    ended = bench(*run)
    assert ended.code == 0, ended.err
    assert "confidence_penalty(weight=1.0)" in ended.out and "verdict" in ended.out
    shown = bench(*page)
    assert shown.code == 0, shown.err
    text = (bench.folder / shown.out.strip()).read_text()
    assert "Does a penalty on confidence read digits better" in text and "confidence_penalty" in text
