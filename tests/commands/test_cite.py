"""`bench cite`: valid BibTeX by an independent reader, each entry once, of what was measured and with which code."""

from __future__ import annotations

from typing import Any

import pytest

import harness
from harness.base import schemas
from harness.discovery.references import entries, merged
from harness.errors import BenchError
from harness.kinds import KINDS
from tests.conftest import Bench

PLUGIN = '''
from harness import Loss, hookimpl


class Base(Loss):
    """Base."""

    def __call__(self, seeds, case):
        return [1.0 + seed / 100 for seed in seeds]


class First(Base):
    """First."""

    reference = """
    @article{ours, author = "A. {Nother} and B. Other", title = {Ours,
      at last}, year = 2024}
    @misc{data, title = {Data}, year = {2020}}"""


class Second(Base):
    """Second."""

    reference = "@Article{ours, author={A. {Nother} and B. Other}, title={Ours, at last}, year=2024,}"


class Third(Base):
    """Third."""

    reference = "@article{ours, title = {Another one}, year = {1999}}"


@hookimpl
def components():
    return [First, Second, Third]
'''


def parsed(text: str) -> dict[str, dict[str, str]]:
    """The entries by key, as an independent reader sees them; anything that it does not understand is a failure."""
    bibtexparser: Any = pytest.importorskip("bibtexparser", reason="bibtexparser is not installed")
    library = bibtexparser.parse_string(text)
    assert not library.failed_blocks and len(library.blocks) == len(library.entries)
    return {entry.key: {field.key: field.value for field in entry.fields} for entry in library.entries}


@pytest.mark.verify
def test_every_reference_that_comes_along_is_whole() -> None:
    named = [
        cls
        for kind in KINDS
        for cls in harness.components(kind).values()
        if isinstance(cls.__dict__.get("reference"), str)
    ]
    assert len(named) > 80
    found = parsed("\n\n".join(map(str, merged(cls.reference for cls in named))))  # type: ignore[attr-defined]
    assert not [key for key in found if key[-2:-1] == "-"], "one key stands for two entries"
    for key, fields in found.items():
        assert {"author", "title", "year"} <= set(fields) and fields["year"].isdecimal(), key
        assert {"booktitle", "journal", "eprint", "howpublished"} & set(fields), key
    for cls in named:  # the docstring names the year of what it cites
        for entry in entries(cls.reference):  # type: ignore[attr-defined]
            year = dict(entry.fields)["year"].strip("{}")
            assert year in (cls.__doc__ or ""), f"{cls.__name__}: {entry.key}"


def test_a_run_is_cited_with_what_it_used_and_each_entry_once(bench: Bench) -> None:
    bench.write("mine.py", PLUGIN)
    suite = bench.suite("[good, first, second, third]", plugins="[noop.py, mine.py]")
    assert bench(suite, "-q").code == 0
    (bench.folder / "mine.py").unlink()  # what was measured is cited, whatever has become of the plugin
    ended = bench("cite", "last")
    found = parsed(ended.out)
    assert list(found) == ["data", "ours", "ours-2", "touchstone"]
    assert found["ours"]["title"] == "Ours, at last" and found["ours-2"]["title"] == "Another one"
    assert (
        found["ours"]["author"] == "A. {Nother} and B. Other"
        and found["touchstone"]["note"] == f"Version {harness.__version__}"
    )
    assert ended.code == 0
    assert ended.lines == ["no reference: dataset tiny, loss good, metric score, protocol noop"]
    assert bench("cite", "nonesuch").code == 2


@pytest.mark.verify
def test_components_of_a_suite_are_cited_with_the_nested_ones(bench: Bench) -> None:
    loss = "[cross_entropy, {nll: {transform: sparsemax}}, {scaled: {loss: focal}}]"
    bench.write(
        "s.yaml",
        f"protocol: accuracy\nvary: {{dataset: iris, model: linear, loss: {loss}}}\nsettings: {{epochs: 1}}\nseeds: 2\nmetrics: [accuracy]\n",
    )
    assert bench("s.yaml", "-q").code == 0
    assert set(parsed(bench("cite", "last").out)) == {
        "fisher1936use",
        "martins2016sparsemax",
        "lin2017focal",
        "touchstone",
    }


def test_info_shows_the_reference(bench: Bench) -> None:
    out = bench("info", "loss:focal").out
    assert "@inproceedings{lin2017focal,\n" in out and "Doll{\\'a}r" in out
    assert "@" not in bench("info", "loss:cross_entropy").out


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("Lin et al., 2017", "expected an entry such as `@article{key, title = {...}}` at 'Lin et al., 2017'"),
        ("@article{a, title = {Open}", "expected `, name = {value}` or `}` at ''"),
        ("@article{a, title = {Open {brace}}", "expected `, name = {value}` or `}` at ''"),
        ("@article{a, title = {Never closed", "expected the end of this value, with as many } as { at '{Never closed'"),
        (
            '@article{a, title = "Closes } once"}',
            "expected the end of this value, with as many } as { at '\"Closes } once\"}'",
        ),
        ("@article{a, title = }", "expected a value: {text}, a number or a name at '}'"),
        ("@article{a, title = {\x1b[31m}}", "the character '\\x1b' cannot be printed"),
        ("@article{a title = {No comma}}", "expected `, name = {value}` or `}` at ' title = {No comma}}'"),
    ],
)
def test_what_is_no_bibtex_is_said(text: str, said: str) -> None:
    with pytest.raises(BenchError) as found:
        entries(text)
    assert found.value.what == f"reference: no BibTeX: {said}".replace("at ' ", "at '")


def test_a_wrong_reference_is_named_with_its_place(bench: Bench) -> None:
    file = bench.write(
        "mine.py", PLUGIN.replace('"@article{ours, title = {Another one}, year = {1999}}"', '("@misc{a}", "@misc{b}")')
    )
    ended = bench("list", "loss", "--plugin", "mine.py")
    line = file.read_text().splitlines().index('    reference = ("@misc{a}", "@misc{b}")') + 1
    assert ended.code == 2 and ended.lines == [
        f"bench: {file}:{line}: Third.reference: expected BibTeX as one text, got a tuple"
    ]


def test_a_field_called_reference_is_a_field() -> None:
    with pytest.raises(BenchError):
        entries("weights.npz")
    for name in ("checkpoint", "diffusers"):
        cls = harness.components("denoiser")[name]
        assert "reference" in schemas(cls)


@pytest.mark.verify
def test_a_reference_changes_nothing_that_was_measured(bench: Bench) -> None:
    bench.write("mine.py", PLUGIN)
    suite = bench.suite("[first, second]", baseline="first", plugins="[noop.py, mine.py]")
    assert bench(suite, "-q").code == 0
    bench.write("mine.py", PLUGIN.replace("year = 2024", "year = 2025"))
    assert "0 cells to do, 2 reused" in bench(suite, "--dry-run").out
    bench.write("mine.py", PLUGIN.replace("1.0 + seed", "2.0 + seed"))
    assert "2 cells to do, 0 reused" in bench(suite, "--dry-run").out
