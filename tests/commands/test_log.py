"""`bench log`: the row is found by its name or id, and what it shows is what was raised and printed."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from harness.analysis import analyse
from harness.commands.log import RowLog, find, lines, row_log
from harness.errors import BenchError
from harness.results import Run, Status, failures
from harness.worker.fork import forked
from harness.worker.traces import EXCEPTIONS, FRAMES, trace
from tests.conftest import Bench
from tests.helpers.runs import lost, row, run

IDS = ("aaaa1111", "aaaa2222", "bbbb3333")


@pytest.fixture(scope="module")
def found() -> Run:
    old, new = row("old", [1.0, 2.0]), lost("new", Status.FAILED, "no luck")
    elsewhere = lost("new", Status.FAILED, "no luck there", "iris")
    pairs = zip((old, new, elsewhere), IDS, strict=True)
    return analyse(run([type(each)(**{**vars(each), "id": identity}) for each, identity in pairs]))


@pytest.mark.parametrize(
    ("name", "identity"),
    [("new on digits", IDS[1]), ("new on iris", IDS[2]), ("old", IDS[0]), ("bbbb", IDS[2]), ("aaaa2", IDS[1])],
)
def test_a_row_is_found_by_its_name_or_the_beginning_of_its_id(found: Run, name: str, identity: str) -> None:
    assert find(found, name).id == identity


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("new", "2 rows of r are 'new': say one of new on digits, new on iris"),
        ("aaaa", "2 rows of r are 'aaaa': say one of old on digits, new on digits"),
        ("nwe", "no row 'nwe' in r, did you mean new?"),
        ("new on wine", "no row 'new on wine' in r, did you mean new on iris?"),
        ("zzz", "no row 'zzz' in r (choose from new on digits, new on iris, old on digits)"),
        ("bbb", "no row 'bbb' in r (choose from new on digits, new on iris, old on digits)"),
    ],
)
def test_no_row_or_several_are_one_line(found: Run, name: str, said: str) -> None:
    with pytest.raises(BenchError) as error:
        find(found, name)
    assert str(error.value) == said


def raised() -> Exception:
    try:
        try:
            raise KeyError("first")
        except KeyError as first:
            raise ValueError("second\nof two lines") from first
    except ValueError as error:
        return error


def test_a_chain_of_exceptions_is_kept_in_its_order() -> None:
    first, second = trace(raised())
    assert (first["text"], first["after"]) == ("KeyError: 'first'", None)
    assert (second["text"], second["after"]) == ("ValueError: second\nof two lines", "cause")
    (frame,) = second["frames"]
    assert frame["file"] == __file__ and frame["function"] == "raised" and not frame["ours"]
    assert frame["code"] == 'raise ValueError("second\\nof two lines") from first'


def deep(depth: int) -> None:
    try:
        deep(depth - 1) if depth else None
        raise ValueError(depth)
    except ValueError:
        raise RuntimeError("x" * 100_000) from None if depth % 2 else ZeroDivisionError(depth)


def test_what_is_kept_is_bounded() -> None:
    with pytest.raises(RuntimeError) as error:
        deep(300)
    kept = trace(error.value)
    assert len(kept) <= EXCEPTIONS and max(len(each["frames"]) for each in kept) <= FRAMES
    assert len(json.dumps(kept)) < 300_000


def test_frames_of_the_harness_are_marked() -> None:
    with pytest.raises(BenchError) as error:
        failures.details(Path(__file__), "\0")
        find(run([row("old", [1.0])]), "zzz")  # type: ignore[arg-type]
    (last,) = trace(error.value)
    assert [frame["ours"] for frame in last["frames"]] == [False, True]


def test_the_traceback_of_a_forked_copy_comes_along() -> None:
    def work() -> None:
        raise raised()

    with pytest.raises(ValueError) as error:
        forked(work)
    assert [each["text"] for each in trace(error.value)] == ["KeyError: 'first'", "ValueError: second\nof two lines"]


def test_the_log_shows_what_is_kept(found: Run, tmp_path: Path) -> None:
    failures.keep(tmp_path, IDS[1], failures.cell_log(IDS[1]), trace(raised()))
    (tmp_path / "logs" / f"{IDS[1]}.log").write_text("".join(f"line {number}\n" for number in range(100)))
    said = list(lines(row_log(found, tmp_path, "new on digits")))
    assert said[0] == f"new on digits ({IDS[1]}) failed: no luck"
    assert "  and, as its consequence:" in said and said[-1] == "  line 99" and "  line 60" in said
    assert "  line 59" not in said
    assert "  line 0" in lines(row_log(found, tmp_path, "new on digits", whole=True), whole=True)


def test_a_row_without_a_log_says_so(found: Run, tmp_path: Path) -> None:
    kept = row_log(found, tmp_path, "old")
    assert kept == RowLog("old on digits", found.cells[0], [], None, "")
    assert list(lines(kept)) == [f"old on digits ({IDS[0]}) ok", "", "It printed nothing that is kept."]


PLUGIN = '''
from harness import Dataset, Loss, hookimpl


class Loud(Loss):
    """Prints and fails."""

    deep: bool = False

    def __call__(self, seeds, case):
        print("counting", flush=True)
        return self.count({})

    def count(self, counts):
        return counts["nowhere"]


class Empty(Dataset):
    """Cannot be loaded."""

    def load(self, generator):
        raise OSError("the disk is gone")


@hookimpl
def components():
    return [Loud, Empty]
'''


@pytest.mark.verify
def test_a_failed_row_is_explained(bench: Bench) -> None:
    bench.write("mine.py", PLUGIN)
    suite = bench.suite("[good, loud, {bad: {how: segfault}}]", plugins="[noop.py, mine.py]")
    assert bench(suite, "-q").code == 3
    ended = bench("log", "last", "loud")
    said = ended.out.splitlines()
    assert ended.code == 0 and not ended.err
    assert "failed: KeyError: 'nowhere' (mine.py:15)" in said[0]
    assert (
        "  mine.py:12 in __call__" in said and "    return self.count({})" in said and "  KeyError: 'nowhere'" in said
    )
    assert said[-1] == "  counting" and "harness/" not in ended.out
    whole = bench("log", "last", "loud", "-v").out
    assert "handlers.py" in whole and "mine.py:15 in count" in whole
    assert "killed by SIGSEGV" in bench("log", "last", "bad(how=segfault)").out
    assert bench("log", "last", "lowd").lines[0].endswith("did you mean loud?")
    assert bench("log", "last", "lowd").code == 2


@pytest.mark.verify
def test_a_row_whose_data_set_failed_shows_that_failure(bench: Bench) -> None:
    bench.write("mine.py", PLUGIN)
    text = (
        "protocol: noop\nplugins: [noop.py, mine.py]\nvary: {dataset: empty, loss: good}\nmetrics: [score]\nseeds: 1\n"
    )
    bench.suite()
    bench.write("e.yaml", text)
    assert bench("e.yaml", "-q").code in (3, 4)
    said = bench("log", "last", "good")
    assert "skipped: artifact dataset empty failed" in said.out, said.out + said.err
    assert "  mine.py:22 in load" in said.out.splitlines() and "OSError: the disk is gone" in said.out
