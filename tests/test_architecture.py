"""The shape of the code: floors, circles, doors, sizes, and the rule that no code reads sentences."""

from __future__ import annotations

import ast
import dataclasses
import io
import re
import tokenize
import tomllib
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path

import pytest

from harness.results import claims, measured, model, statements

ROOT = Path(__file__).resolve().parent.parent
FLOORS = {
    **dict.fromkeys(("errors", "renamed", "fields", "dynamic", "base", "inputs", "hookspecs", "random"), 0),
    **dict.fromkeys(("command_line", "processes"), 0),
    **dict.fromkeys(("results", "kinds", "diffusion", "neighbors"), 0),
    **dict.fromkeys(("discovery", "suite", "statistics", "artifacts", "machine"), 1),
    **dict.fromkeys(("protocols", "conformance"), 2),
    **dict.fromkeys(("analysis", "worker"), 3),
    **dict.fromkeys(("engines", "report"), 4),
    "run": 5,
    **dict.fromkeys(("commands", "figures"), 6),
    **dict.fromkeys(("cli", "pytest_plugin", "testing", "__main__", "examples"), 7),
}
ABOVE = {"diffusion.sampling": 3, "results.runs": 3}
"""Modules on a higher floor than their folder: they build on what lies in between."""
DOOR = "__init__"
HARNESS = sorted((ROOT / "harness").rglob("*.py"))
PLUGINS = sorted((ROOT / "plugins").rglob("*.py"))
LIGHT = (
    *("errors", "renamed", "fields", "dynamic", "base", "inputs", "hookspecs", "kinds", "results/__init__"),
    *("command_line", "processes"),
    *("results/statements", "discovery/__init__", "discovery/sources", "discovery/digests", "discovery/catalogue"),
    *("suite", "cli/__init__", "cli/main", "cli/options", "cli/option_types", "cli/project", "cli/components"),
)
"""What is imported before it is known what the command is asked."""
HEAVY = {"torch", "numpy", "scipy", "sklearn", "pandas", "rich", "msgspec"}


def name(file: Path) -> str:
    return str(file.relative_to(ROOT))


def module(file: Path) -> str:
    """The dotted name under `harness`; that of a package for its `__init__`."""
    parts = file.relative_to(ROOT / "harness").with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == DOOR and len(parts) > 1 else parts)


def floor(dotted: str) -> int:
    return ABOVE.get(dotted, FLOORS[dotted.split(".")[0]])


@cache
def tree(file: Path) -> ast.Module:
    return ast.parse(file.read_bytes())


def imports(file: Path, *, top: bool = False) -> Iterator[str]:
    """The modules a file imports; `top` leaves out imports inside functions and those for types alone."""
    for node in tree(file).body if top else ast.walk(tree(file)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


@cache
def known() -> Mapping[str, Path]:
    return {module(file): file for file in HARNESS}


def used(file: Path) -> set[str]:
    """The modules of `harness` that a file imports, for types too."""
    found = set()
    for dotted in imports(file):
        parts = dotted.split(".")
        if parts[0] == "harness":
            names = [".".join(parts[1:end]) for end in range(len(parts), 1, -1)]
            found.add(next((each for each in names if each in known()), DOOR))
    return found - {module(file)}


def beside(file: Path) -> set[str]:
    """The modules of its own folder that a plugin's file imports, for types too."""
    nodes = [node for node in ast.walk(tree(file)) if isinstance(node, ast.ImportFrom) and node.level]
    stems = {node.module or alias.name for node in nodes for alias in node.names}
    return {str(other) for stem in stems if (other := file.parent / f"{stem}.py").is_file()}


@pytest.mark.parametrize("file", HARNESS, ids=name)
def test_a_module_imports_its_own_floor_or_lower_ones(file: Path) -> None:
    if module(file) == DOOR:
        return
    for other in used(file) - {DOOR}:
        assert floor(other) <= floor(module(file)), f"{name(file)} imports {other} from a higher floor"


def test_every_module_has_a_floor() -> None:
    assert {module(file).split(".")[0] for file in HARNESS} - {DOOR} == set(FLOORS)
    assert set(ABOVE) <= set(known())


def test_no_module_imports_itself_by_way_of_others() -> None:
    """Circles, those of types alone too; the door, which opens on everything, is not followed."""
    graph = {module(file): used(file) - {DOOR} for file in HARNESS if module(file) != DOOR}
    graph |= {str(file): beside(file) for file in PLUGINS}
    done: set[str] = set()

    def visit(each: str, path: tuple[str, ...]) -> None:
        assert each not in path, " -> ".join((*path[path.index(each) :], each))
        if each not in done:
            for other in sorted(graph[each]):
                visit(other, (*path, each))
            done.add(each)

    for each in sorted(graph):
        visit(each, ())


@pytest.mark.parametrize("file", HARNESS, ids=name)
def test_the_harness_knows_no_method(file: Path) -> None:
    assert not [m for m in imports(file) if m.split(".")[0] == "plugins" or m.startswith("harness.stock")]


@pytest.mark.parametrize("file", PLUGINS, ids=name)
def test_plugins_use_the_door_and_their_neighbors(file: Path) -> None:
    for dotted in imports(file):
        parts = dotted.split(".")
        assert parts[0] != "plugins" and (parts[0] != "harness" or len(parts) == 2), f"{name(file)} imports {dotted}"
    levels = [node.level for node in ast.walk(tree(file)) if isinstance(node, ast.ImportFrom)]
    assert set(levels) <= {0, 1}, f"{name(file)} imports from outside of its folder"


def light(file: Path) -> bool:
    """Whether a module, or the package it is in, is among LIGHT."""
    path = file.relative_to(ROOT / "harness").with_suffix("").as_posix()
    return path in LIGHT or path.split("/")[0] in (*LIGHT, DOOR)


@pytest.mark.parametrize("file", [f for f in HARNESS if light(f)], ids=name)
def test_the_commands_own_modules_import_nothing_heavy(file: Path) -> None:
    assert not {m.split(".")[0] for m in imports(file, top=True)} & HEAVY


@pytest.mark.parametrize("file", [*HARNESS, *PLUGINS], ids=name)
def test_files_and_functions_stay_short(file: Path) -> None:
    assert file.read_text().count("\n") <= 300, f"{name(file)} is long"
    for node in ast.walk(tree(file)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            body = node.body[1:] if ast.get_docstring(node) else node.body
            lines = (node.end_lineno or 0) - body[0].lineno + 1 if body else 0
            assert lines <= 40, f"{name(file)}:{node.lineno} {node.name} has {lines} lines"


@pytest.mark.parametrize("file", [*HARNESS, *PLUGINS], ids=name)
def test_public_things_are_documented(file: Path) -> None:
    assert ast.get_docstring(tree(file)), f"{name(file)} has no docstring"
    public = [
        n for n in tree(file).body if isinstance(n, ast.ClassDef | ast.FunctionDef) and not n.name.startswith("_")
    ]
    for node in public:
        hook = isinstance(node, ast.FunctionDef) and node.name == "components"
        assert hook or ast.get_docstring(node), f"{name(file)}:{node.lineno} {node.name} has no docstring"


PERSONS = re.compile(r"\b(nobody|somebody|everybody)\b", re.IGNORECASE)


def docstrings(file: Path) -> list[str]:
    """The texts below definitions and values: docstrings, and strings that stand alone."""
    found = [node.value for node in ast.walk(tree(file)) if isinstance(node, ast.Expr)]
    return [each.value for each in found if isinstance(each, ast.Constant) and isinstance(each.value, str)]


def comments(file: Path) -> list[str]:
    tokens = tokenize.generate_tokens(io.StringIO(file.read_text()).readline)
    return [token.string for token in tokens if token.type == tokenize.COMMENT]


@pytest.mark.parametrize("file", [*HARNESS, *PLUGINS], ids=name)
def test_docstrings_say_what_a_thing_is(file: Path) -> None:
    assert not [text for text in docstrings(file) if text.startswith("What ")]
    assert not [text for text in [*docstrings(file), *comments(file)] if PERSONS.search(text)]


def test_folders_are_at_most_three_deep() -> None:
    for file in [*HARNESS, *PLUGINS]:
        assert len(file.relative_to(ROOT).parts) <= 4, name(file)


def test_the_wheel_has_every_folder() -> None:
    listed = set(tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]["packages"])
    folders = {file.parent.relative_to(ROOT).as_posix().replace("/", ".") for file in [*HARNESS, *PLUGINS]}
    assert listed == {folder.replace("plugins", "harness.stock", 1) for folder in folders} | {"harness.stock"}


def test_any_stands_where_a_type_is_not_known_and_nowhere_else() -> None:
    """At most 15 in a thousand lines of `harness/`; imports do not count."""
    lines = [line for file in HARNESS for line in file.read_text().splitlines()]
    code = [line for line in lines if not line.lstrip().startswith(("from ", "import "))]
    found = sum(
        line.replace("[", " ").replace("]", " ").replace(",", " ").replace(")", " ").split().count("Any")
        for line in code
    )
    assert found <= 15 * len(lines) / 1000, found


TEXTS = {
    "names": {
        *("Reason.name", "Issue.rows", "Issue.metric", "Issue.problem", "Issue.name", "Issue.side"),
        *("Statement.row", "Statement.other", "Statement.metric", "RunInfo.baseline"),
        *("MetricInfo.label", "Comparison.baseline", "GateRule.metric", "GateRule.rule", "Gate.baseline"),
        *("ClaimRule.metric", "ClaimRule.topic", "ClaimTest.row", "ClaimTest.other", "Published.metric"),
        *("Ask.metric", "Ask.axis", "Leaders.best", "Leaders.tied"),
        *("RunInfo.suite", "RunInfo.protocol", "RunInfo.contenders", "RunInfo.group_by", "RunInfo.interval"),
        *("RunInfo.controls", "RunInfo.replicates", "MeasuredRun.unpaired"),
    },
    "ids and paths": {"RowInfo.id", "RowInfo.test_set", "Gate.cell", "RunInfo.run", "MeasuredRow.units"},
    "units": {"MetricInfo.unit", "MetricValue.unit"},
    "values before and after": {"Issue.before", "Issue.after"},
    "what exceptions, plugins and authors say": {
        *(
            "Reason.text",
            "RowInfo.changed",
            "RowInfo.notes",
            "RowInfo.skipped",
            "MeasuredRow.excluded",
            "MetricInfo.caveat",
            "MetricInfo.definition",
        ),
        *("RunInfo.question", "Ask.ask", "ClaimRule.source", "ClaimRule.claim", "ClaimRule.control"),
        *("Published.source", "Published.note"),
    },
}
"""Every text in a typed result, by what it is: none is a sentence of the harness."""
SAID = frozenset(field.split(".")[1] for field in TEXTS["what exceptions, plugins and authors say"]) | {"answer"}
READING = frozenset(
    {"split", "rsplit", "splitlines", "startswith", "endswith", "partition", "rpartition", "find", "index"}
)


def test_texts_of_a_result_are_names_ids_paths_units_or_said_by_others() -> None:
    found = set()
    for part in (model, claims, statements, measured):
        for each in vars(part).values():
            if isinstance(each, type) and dataclasses.is_dataclass(each) and each.__module__ == part.__name__:
                own = [f for f in dataclasses.fields(each) if f.name in each.__annotations__]
                found |= {f"{each.__name__}.{f.name}" for f in own if _is_text(str(f.type))}
    assert found == set().union(*TEXTS.values())


def _is_text(annotation: str) -> bool:
    """`str`, alone or in a tuple; a mapping's names of axes are none."""
    return (
        any(word == "str" for word in annotation.replace("tuple[", "").replace("]", "").replace(",", " ").split(" "))
        and ("dict" not in annotation or annotation.startswith("str"))
        and annotation not in ("str | int | float | bool | None",)
    )


@pytest.mark.parametrize("file", [f for f in HARNESS if "harness.results" in f.read_text()], ids=name)
def test_no_code_reads_a_sentence_that_other_code_wrote(file: Path) -> None:
    for node in ast.walk(tree(file)):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            reads = node.func.attr in READING and _is_said(node.func.value)
            matched = getattr(node.func.value, "id", "") == "re" and any(map(_is_said, node.args))
            assert not reads and not matched, f"{name(file)}:{node.lineno} reads a sentence"
        elif isinstance(node, ast.Compare):
            inside = any(isinstance(op, ast.In | ast.NotIn) for op in node.ops) and any(map(_is_said, node.comparators))
            assert not inside, f"{name(file)}:{node.lineno} looks into a sentence"


def _is_said(node: ast.expr) -> bool:
    return isinstance(node, ast.Attribute) and node.attr in SAID
