"""The README and the pages under docs/ are true: generated parts, commands, Python, keys, options, links."""

from __future__ import annotations

import re
import shlex
import tomllib
from collections.abc import Mapping
from pathlib import Path

import pytest
import yaml

from harness.cli.exit_codes import ORDER
from harness.cli.main import COMMANDS
from harness.cli.options import parse
from harness.renamed import RENAMED
from harness.results import FailOn
from harness.suite.check import KEYS
from tests.docs import code_tables, suite_tables
from tests.docs.blocks import FILE, GENERATED, PAGES, ROOT, fences, files, parts, without_numbers
from tests.docs.generate import generated
from tests.docs.tables import TABLES

NESTED = {
    "suites.md": {"tune": {"NAME.FIELD"}, "question": set()},
    "gates.md": {"claims": set(), "published": set()},
}
"""Page -> key of a suite whose keys it describes in a table, and what stands there beside them."""
WITH_COMMANDS = [page for page in PAGES if any(not part.is_table for part in parts(page.read_text()))]
WITH_SLOW = [page for page in PAGES if any(part.slow for part in parts(page.read_text()))]


def named(page: Path) -> str:
    return page.name


@pytest.mark.parametrize("page", PAGES, ids=named)
def test_tables_are_those_of_the_code(page: Path) -> None:
    for part in parts(page.read_text()):
        if part.is_table:
            name, *arguments = part.what.split()[1:]
            assert part.content.strip() == TABLES[name](*arguments), f"{part.what}: run tests/docs/generate.py"


@pytest.mark.verify
@pytest.mark.parametrize("page", WITH_COMMANDS, ids=named)
def test_what_is_shown_is_what_is_printed(page: Path, tmp_path: Path, environment: Mapping[str, str]) -> None:
    _compare(page, tmp_path, environment, slow=False)


@pytest.mark.verify
@pytest.mark.parametrize("page", WITH_SLOW, ids=named)
def test_what_takes_long_is_what_is_printed(page: Path, tmp_path: Path, environment: Mapping[str, str]) -> None:
    _compare(page, tmp_path, environment, slow=True)


def _compare(page: Path, folder: Path, environment: Mapping[str, str], slow: bool) -> None:
    """The page's generated parts, but for numbers, are what its commands print."""
    text = page.read_text()
    for part, found in zip(parts(text), generated(text, folder, environment, slow), strict=True):
        if found is not None:
            assert without_numbers(part.content) == without_numbers(found), f"{part.what}: run tests/docs/generate.py"


def test_outputs_may_differ_in_numbers_and_layout_alone() -> None:
    shown = without_numbers("took 28.1 s, 1,234 seeds [0.1, 0.9], p < 0.001 in 20 steps")
    assert shown == without_numbers("took 2 min 1 s, 7 seeds\n  [ 0.15, 1e-3], p < 0.2 in 5 steps")
    assert shown != without_numbers("took 28.1 s, 1,234 blocks [0.1, 0.9], p < 0.001 in 20 steps")


@pytest.mark.parametrize("page", PAGES, ids=named)
def test_commands_that_are_not_run_can_be_read(page: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    for block in fences(page.read_text(), "console"):
        for line in block.replace("\\\n", "").splitlines():
            words = shlex.split(line, comments=True)
            if words[:1] == ["bench"]:
                parse(words[1 : words.index(">") if ">" in words else None], COMMANDS)
            elif words[:1] == ["make"]:
                assert re.search(rf"^{words[1]}:", (ROOT / "Makefile").read_text(), re.MULTILINE), line


@pytest.mark.parametrize("page", PAGES, ids=named)
def test_every_option_named_exists(page: Path) -> None:
    others = ("--help", "--version", "--benchmark-only of pytest-benchmark", "--strict of mypy")
    others += ("--user", "--scope")  # of systemd-run
    others += ("--array", "--cpus-per-task", "--dependency", "--gres", "--parsable", "--wrap")  # of Slurm
    known = "".join([*(code_tables.options(name) for name in COMMANDS), *others])
    own = FILE.sub("", page.read_text())  # a script of the reader's has options of its own
    text = re.sub(r"<!--.*?-->|\]\(\S+\)", "", own, flags=re.DOTALL)
    for option in set(re.findall(r"(?<![\w-])--[a-z][a-z-]+", text)):
        assert option in known, option


@pytest.mark.parametrize("page", PAGES, ids=named)
def test_keys_and_tables_of_fragments_exist(page: Path) -> None:
    for block in fences(page.read_text(), "yaml"):
        assert set(yaml.safe_load(block)) <= set(KEYS), block
    for block in fences(page.read_text(), "toml"):
        assert set(tomllib.loads(block)) <= {"project", "tool"}, block
    for name, text in files(page.read_text()).items():
        if name.endswith(".yaml"):
            assert set(yaml.safe_load(text)) <= set(KEYS), name


@pytest.mark.parametrize("page", PAGES, ids=named)
def test_links_lead_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)\s]+)\)", page.read_text()):
        path, _, anchor = target.partition("#")
        file = page.parent / path if path else page
        assert file.exists(), target
        if anchor:
            heads = re.findall(r"^#+ (.*)$", file.read_text(), re.MULTILINE)
            assert anchor in {re.sub(r"[^\w\- ]", "", head.lower()).replace(" ", "-") for head in heads}, target


@pytest.mark.parametrize("page", PAGES, ids=named)
def test_words_are_those_of_today(page: Path) -> None:
    text = GENERATED.sub("", page.read_text())
    assert not set(re.findall(r"`(\w+)`", text)) & {name for name in RENAMED if "_" in name}
    assert not re.findall(
        r"(?i)\b(?:nobody|somebody|everybody|neighbour\w*|normalis\w*|standardis\w*|certificates?)\b", text
    )


def test_nested_keys_of_a_suite_are_described() -> None:
    for page, keys in NESTED.items():
        described = set(first_column((ROOT / "docs" / page).read_text()))
        for key, beside in keys.items():
            schema = suite_tables.schema()["properties"][key]
            known = re.findall(r"`(\w+)`", suite_tables.accepted(schema))
            assert {*known} <= described, key
            assert beside <= described
    rules = re.findall(r"`(\w+)`", suite_tables.accepted(suite_tables.schema()["properties"]["gates"]))
    assert set(rules) - {"confirm_runs"} <= set(first_column((ROOT / "docs" / "gates.md").read_text()))


def first_column(page: str) -> list[str]:
    """Every entry in the first column of a table, `a`, `b` and a or b apart where they are alternatives."""
    cells = re.findall(r"^\| ([^|]*) \|", page, re.MULTILINE)
    return [word for cell in cells for word in (cell.replace("`", ""), *cell.replace("`", "").split(", "))]


def test_exit_codes_and_conditions_are_described() -> None:
    text = (ROOT / "docs" / "command.md").read_text()
    assert f"the first of {', '.join(map(str, ORDER))} is returned" in text
    assert {str(code) for code in ORDER} <= set(first_column(text))
    assert {each.value for each in FailOn} <= set(first_column((ROOT / "docs" / "gates.md").read_text()))


def test_every_page_is_in_the_readme_and_on_the_first_page() -> None:
    for start in (ROOT / "README.md", ROOT / "docs" / "index.md"):
        for page in PAGES[2:]:
            assert page.name == start.name or f"{page.name})" in start.read_text(), page.name


@pytest.mark.parametrize("suite", sorted((ROOT / "suites").glob("*.yaml")), ids=named)
def test_a_suite_begins_with_the_command_that_runs_it(suite: Path) -> None:
    first, *_ = suite.read_text().splitlines()
    assert re.match(rf"# bench suites/{re.escape(suite.name)}(?: \([^)]+\))?: \S", first), first
