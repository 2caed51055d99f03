"""Plugins of installed distributions: found by their metadata, imported only when they are needed."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

import harness
from tests.conftest import Bench, Ended

PLUGIN = '''
import os
from harness import Loss, hookimpl

with open(os.environ["IMPORTS"], "a") as stream:
    stream.write("{name}\\n")


class {name}(Loss):
    """Comes installed."""

    def __call__(self, seeds, case):
        return [5.0 for _ in seeds]


@hookimpl
def components():
    return [{name}]
'''


def install(bench: Bench, distribution: str, module: str, text: str | None) -> None:
    """A distribution as pip leaves it: its module, its metadata, its entry point."""
    if text is not None:
        bench.write(f"site/{module}/__init__.py", "")
        bench.write(f"site/{module}/plugin.py", text)
    folder = f"site/{distribution}-1.0.dist-info"
    bench.write(f"{folder}/METADATA", f"Metadata-Version: 2.1\nName: {distribution}\nVersion: 1.0\n")
    bench.write(f"{folder}/entry_points.txt", f"[bench]\n{distribution} = {module}.plugin\n")


@pytest.fixture(scope="module")
def site(shared: Callable[[str], Bench]) -> Bench:
    """A folder with four distributions: one that works, one that cannot be imported, one that is gone, one that clashes."""
    bench = shared("installed")
    path = f"{bench.environment['PYTHONPATH']}:{bench.folder / 'site'}"
    more = {"PYTHONPATH": path, "IMPORTS": str(bench.folder / "imports")}
    bench = Bench(bench.folder, {**bench.environment, **more})
    install(bench, "works", "works_bench", PLUGIN.format(name="Installed"))
    install(bench, "breaks", "breaks_bench", "import no_such_module\n")
    install(bench, "gone", "gone_bench", None)
    install(bench, "clashes", "clashes_bench", PLUGIN.format(name="CrossEntropy"))
    bench.write("imports", "")
    return bench


def imports(site: Bench) -> list[str]:
    return (site.folder / "imports").read_text().split()


def unavailable(site: Bench) -> list[str]:
    folder = site.folder / "site"
    return [
        "bench: the installed plugin gone is not available: no module named 'gone_bench.plugin'",
        f"bench: the installed plugin breaks is not available: {folder}/breaks_bench/plugin.py:1: cannot be imported: "
        "ModuleNotFoundError: No module named 'no_such_module'",
        f"bench: the installed plugin clashes is not available: {folder}/clashes_bench/plugin.py:9: loss cross_entropy is "
        r"already defined at \S+/cross_entropy.py:\d+; rename one, or leave one out with -p no:losses.cross_entropy",
    ]


def says_unavailable(ended: Ended, site: Bench) -> bool:
    patterns = [re.escape(line).replace(r"\\S\+", r"\S+").replace(r"\\d\+", r"\d+") for line in unavailable(site)]
    return all(any(re.fullmatch(pattern, line) for line in ended.lines) for pattern in patterns)


def test_nothing_is_imported_that_no_suite_names(site: Bench) -> None:
    ended = site(site.suite(), "--device", "cpu", "-q")
    assert ended.code == 0, ended.err
    assert imports(site) == []


def test_a_loss_works_by_its_name_and_broken_neighbors_stop_nobody(site: Bench) -> None:
    ended = site(site.suite("[good, installed]"), "--device", "cpu", "--json", "-")
    assert ended.code == 0, ended.err
    assert [cell["metrics"]["score"]["mean"] for cell in ended.json["cells"]] == [1.035, 5.0]
    assert "works" in ended.json["environment"]["plugins"]
    assert imports(site).count("Installed") == 2, "once to describe it, once in its cell"
    assert says_unavailable(ended, site)


def test_from_then_on_it_is_known_without_an_import(site: Bench) -> None:
    known = imports(site)
    ended = site("validate", site.suite("[good, installed]"))
    assert ended.code == 0 and imports(site) == known
    assert not [line for line in ended.lines if "breaks" in line]


def test_the_list_has_what_works_and_says_why_the_others_do_not(site: Bench) -> None:
    ended = site("list", "loss")
    assert ended.code == 0 and "Comes installed." in ended.out
    assert says_unavailable(ended, site) and len(ended.lines) == 3


def test_a_suite_that_names_what_a_broken_plugin_may_bring_is_told_of_it(site: Bench) -> None:
    ended = site("validate", site.suite("[good, from_the_broken_one]"))
    assert ended.code == 2 and ended.out == ""
    assert "unknown loss 'from_the_broken_one'" in ended.lines[0] and says_unavailable(ended, site)


@pytest.mark.verify
def test_a_run_fails_the_rows_of_one_whose_text_has_their_class_and_no_others(bench: Bench) -> None:
    path = f"{bench.environment['PYTHONPATH']}:{bench.folder / 'site'}"
    here = Bench(bench.folder, {**bench.environment, "PYTHONPATH": path})
    install(here, "torn", "torn_bench", "import no_such_module\n\n\nclass TornLoss: ...\n")
    ended = here(here.suite("[good, torn_loss]"), "--json", "-")
    assert ended.code == 3, ended.err
    assert [cell["status"] for cell in ended.json["cells"]] == ["ok", "failed"]
    assert "cannot be imported: ModuleNotFoundError" in ended.json["cells"][1]["reason"]
    assert len([line for line in ended.lines if "the installed plugin torn is not available" in line]) == 1
    assert here(here.suite("[good, wholly_new]")).code == 2


def test_it_can_be_left_out(site: Bench) -> None:
    ended = site(
        "list", "loss", *(word for name in ("breaks", "gone", "clashes", "works") for word in ("-p", f"no:{name}"))
    )
    assert ended.code == 0 and ended.err == "" and "installed" not in ended.out


@pytest.fixture
def here(site: Bench, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.syspath_prepend(str(site.folder / "site"))
    monkeypatch.setenv("IMPORTS", str(site.folder / "imports"))
    yield
    for name in [
        name for name in sys.modules if name.split(".")[0] in ("works_bench", "clashes_bench", "breaks_bench")
    ]:
        del sys.modules[name]


def test_python_finds_it_too(here: None) -> None:
    found = harness.components("loss")
    assert "installed" in found and Path(found["cross_entropy"].__module__.replace(".", "/")).parent.name == "losses"
    assert harness.component("loss", "installed")(range(2), None) == [5.0, 5.0]
