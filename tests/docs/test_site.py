"""The site: built with warnings as errors, so every link leads somewhere; it has every name that users can write."""

from __future__ import annotations

import argparse
import html
import re
import subprocess
import sys

import pytest

import harness
from harness import hookspecs
from harness.cli.exit_codes import ORDER
from harness.cli.main import COMMANDS
from harness.cli.options import parser
from harness.kinds import KINDS
from harness.suite.check import KEYS
from tests.docs.blocks import ROOT
from tests.docs.suite_tables import descriptions

pytestmark = pytest.mark.verify


@pytest.fixture(scope="module")
def text(tmp_path_factory: pytest.TempPathFactory) -> str:
    """All text of the site's own pages, without markup."""
    pytest.importorskip("furo", reason="the extra `docs` is not installed")
    site = tmp_path_factory.mktemp("site")
    command = [sys.executable, "-m", "sphinx", "-q", "-W", "--keep-going", "-c", "docs", ".", str(site)]
    ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert ended.returncode == 0, ended.stderr
    pages = "\n".join(page.read_text() for page in sorted(site.glob("docs/**/*.html")))
    return html.unescape(re.sub(r"<[^>]+>", "", pages))


def commands() -> dict[str, argparse.ArgumentParser]:
    """The parser of every command, by name."""
    (action,) = [each for each in parser(COMMANDS)._actions if isinstance(each, argparse._SubParsersAction)]
    return dict(action.choices)


def names() -> dict[str, list[str]]:
    """Every name that a user or a plugin writes, by what it is."""
    options = [each for one in commands().values() for action in one._actions for each in action.option_strings]
    settings = {name for (kind, _), about in descriptions().items() if kind == "protocol" for name in about["fields"]}
    hooks = [name for name, found in vars(hookspecs).items() if getattr(found, "bench_spec", None) is not None]
    return {
        "commands": [f"bench {name}" for name in commands()],
        "options": sorted({option for option in options if option.startswith("--")} - {"--help"}),
        "exit codes": [str(code) for code in ORDER],
        "suite keys": list(KEYS),
        "settings": sorted(settings),
        "kinds": list(KINDS),
        "components": [name for _, name in descriptions()],
        "hooks": hooks,
        "public names": list(harness.__all__),
    }


@pytest.mark.parametrize("what", names())
def test_every_name_is_on_the_site(what: str, text: str) -> None:
    found = names()[what]
    assert len(found) > 3
    missing = [name for name in found if not re.search(rf"(?<![\w-]){re.escape(name)}(?![\w-])", text)]
    assert not missing, f"{what} that no page names"
