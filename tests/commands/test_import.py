"""`bench import`: tables of results as people have them become runs, and mistakes are named with line and column."""

from __future__ import annotations

import json
import shlex
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy import stats

import harness
from harness.commands.import_columns import columns
from harness.commands.import_tables import read
from harness.commands.imports import imported, kept
from harness.errors import BenchError
from tests.conftest import Bench

RNG = np.random.default_rng(0)
SEEDS = 8


def frame() -> pd.DataFrame:
    """Two methods on two data sets by seed, paired; one result is missing."""
    rows = []
    for seed in range(SEEDS):
        luck = RNG.normal(0, 0.02)
        for method, level in (("new", 0.9), ("old", 0.88)):
            for data in ("a", "b"):
                accuracy = level + luck + RNG.normal(0, 0.004)
                rows.append(
                    {"method": method, "dataset": data, "seed": seed, "accuracy": accuracy, "loss": 1 - accuracy}
                )
    found = pd.DataFrame(rows)
    return found[~((found.method == "old") & (found.dataset == "b") & (found.seed == 3))]


FRAME = frame()
LONG = FRAME.melt(["method", "dataset", "seed"], var_name="metric", value_name="value")


def expected(data: str) -> tuple[float, float]:
    """Mean difference and p of scipy, over the seeds that both have."""
    wide = FRAME[FRAME.dataset == data].pivot(index="seed", columns="method", values="accuracy").dropna()
    return float((wide.new - wide.old).mean()), float(stats.ttest_rel(wide.new, wide.old).pvalue)


@pytest.mark.parametrize("form", ["wide.csv", "long.csv", "index.csv", "semicolon.csv", "wide.jsonl"])
@pytest.mark.verify
def test_a_table_becomes_a_run_with_the_statistics_of_scipy(form: str, bench: Bench) -> None:
    file = bench.folder / form
    if form.endswith("jsonl"):
        FRAME.to_json(file, orient="records", lines=True)
    else:
        table = LONG if form == "long.csv" else FRAME
        table.to_csv(file, index=form == "index.csv", sep=";" if form == "semicolon.csv" else ",")
    ended = bench("import", form, "--baseline", "old", "--format", "json")
    assert ended.code == 0, ended.err
    rows = {(row["vary"]["problem"], row["vary"]["contender"]): row for row in ended.json["cells"]}
    for data in ("a", "b"):
        found = rows[data, "new"]["against"]["accuracy"]
        assert (found["difference"], found["p"]) == pytest.approx(expected(data)) and found["verdict"] == "better"
        assert rows[data, "new"]["against"]["loss"]["difference"] == pytest.approx(-expected(data)[0])
    assert len(rows["b", "old"]["seeds"]) == SEEDS - 1 and rows["b", "old"]["status"] == "ok"
    for line in ("contender: column method", "problem: column dataset", "accuracy: higher is better, by its name"):
        assert line in ended.err


@pytest.mark.verify
def test_an_imported_run_is_a_run_for_every_export_and_for_compare(bench: Bench) -> None:
    FRAME.to_csv(bench.folder / "one.csv", index=False)
    FRAME.assign(accuracy=FRAME.accuracy - 0.1).to_csv(bench.folder / "two.csv", index=False)
    assert bench("import", "one.csv", "--baseline", "old").code == 0
    for form in ("csv", "md", "latex", "methods"):
        ended = bench("report", "last", "--format", form)
        assert ended.code == 0 and ended.out.strip(), form
    assert bench("import", "two.csv", "--baseline", "old").code == 0
    ended = bench("compare", "last~1", "last", "--format", "json")
    assert ended.code == 0, ended.err
    changed = [row["against"]["accuracy"]["difference"] for row in ended.json["cells"] if row["against"]]
    assert changed == pytest.approx([-0.1] * 4)


def test_columns_as_mlflow_and_benchopt_write_them(tmp_path: Path) -> None:
    mlflow = "run_id,status,start_time,metrics.val_acc,params.model,params.seed,params.lr\nx,FINISHED,1,0.5,a,0,0.1\n"
    (tmp_path / "mlflow.csv").write_text(mlflow)
    found = columns(read(tmp_path / "mlflow.csv"), {})
    assert (found.contender, found.seed, found.metrics) == (("params.model",), "params.seed", ("metrics.val_acc",))
    benchopt = "solver_name,dataset_name,idx_rep,stop_val,time,objective_value\nlasso,libsvm,0,10,0.1,3.5\n"
    (tmp_path / "benchopt.csv").write_text(benchopt)
    found = columns(read(tmp_path / "benchopt.csv"), {})
    assert (found.contender, found.problem, found.seed) == (("solver_name",), ("dataset_name",), "idx_rep")
    assert found.metrics == ("objective_value",)


def test_a_measured_number_names_no_contender_and_an_index_is_no_metric(tmp_path: Path) -> None:
    """The table of a W&B project, saved by pandas with its index."""
    rows = [(f"run-{k}", "adam" if k < 4 else "sgd", k % 4, 9, 0.1 + k / 30, 0.9 - k / 70) for k in range(8)]
    frame = pd.DataFrame(rows, columns=["name", "optimizer", "seed", "epoch", "loss", "val_accuracy"])
    frame.to_csv(tmp_path / "t.csv")
    found = columns(read(tmp_path / "t.csv"), {})
    assert (found.contender, found.seed, found.metrics) == (("optimizer",), "seed", ("loss", "val_accuracy"))
    assert "not used: name, epoch" in found.guesses


def test_the_long_form_of_pandas_needs_no_words(tmp_path: Path) -> None:
    wide = FRAME[["method", "seed", "accuracy", "loss"]].drop_duplicates(["method", "seed"])
    wide.melt(id_vars=["method", "seed"]).to_csv(tmp_path / "t.csv", index=False)
    found = columns(read(tmp_path / "t.csv"), {})
    assert (found.contender, found.metric, found.value) == (("method",), "variable", "value")


def test_a_run_that_did_not_finish_has_no_value(tmp_path: Path) -> None:
    lines = [
        "a,0,finished,.5",
        "a,1,crashed,.1",
        "a,2,finished,.6",
        "b,0,finished,.4",
        "b,1,finished,.4",
        "b,2,running,.1",
    ]
    (tmp_path / "t.csv").write_text("\n".join(["method,seed,State,acc", *lines]))
    found = imported(tmp_path / "t.csv", {})
    assert [row.values["acc"] for row in found.run.cells] == [(0.5, None, 0.6), (0.4, 0.4, None)]
    assert "State: 2 of 6 lines are of runs that did not finish, and have no value" in found.guesses


def test_the_last_step_of_a_solver_is_its_result(tmp_path: Path) -> None:
    lines = [f"{s},d,{r},{k},{k / 10},{10 - k + r}" for s in ("a", "b") for r in (0, 1) for k in (0, 2, 1)]
    (tmp_path / "b.csv").write_text(
        "\n".join(["solver_name,dataset_name,idx_rep,stop_val,time,objective_value", *lines])
    )
    found = imported(tmp_path / "b.csv", {}, lower=["objective_value"])
    assert [row.values["objective_value"] for row in found.run.cells] == [(8.0, 9.0)] * 2
    assert "stop_val: the last one of every repetition" in found.guesses


def test_without_seeds_nothing_is_paired(tmp_path: Path) -> None:
    FRAME.drop(columns="seed").to_csv(tmp_path / "t.csv", index=False)
    found = imported(tmp_path / "t.csv", {}, baseline="old")
    assert set(found.run.unpaired) == {"accuracy", "loss"}
    assert "no column of seeds: equal rows are replicates, and nothing is paired" in found.guesses


def test_directions_and_roles_can_be_said(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("arm,fold,site,goodness\na,0,x,1\na,1,x,2\nb,0,x,3\nb,1,x,4\n")
    found = imported(tmp_path / "t.csv", {"contender": ["arm"], "problem": ["site"]}, lower=["goodness"])
    assert found.run.metrics[0].higher_is_better is False and found.run.axes == {
        "problem": ["x"],
        "contender": ["a", "b"],
    }
    unsaid = imported(tmp_path / "t.csv", {"contender": ["arm"], "problem": ["site"]})
    assert "goodness: only describes; say --higher goodness or --lower goodness" in unsaid.guesses
    both = imported(tmp_path / "t.csv", {"contender": ["arm"], "problem": ["site", "fold"]})
    assert both.run.axes["problem"] == ["site=x / fold=0", "site=x / fold=1"]


@pytest.mark.parametrize(
    ("name", "text", "says"),
    [
        ("t.csv", "method,seed,accuracy\na,0,0.5\nb,0,zero\n", "t.csv:3: column accuracy: 'zero' is no number"),
        ("t.csv", "method,seed,accuracy\na,0,0.5\na,0,0.6\n", "column accuracy: lines 2 and 3 have the same contender"),
        ("t.csv", "method,tag,seed,acc\na,x,0,0.5\na,y,0,0.6\n", "column tag tells them apart: --map problem=COLUMN+tag, or --map"),
        ("t.csv", "method,seed,accuracy\na,0,0.5\n,0,0.6\n", "t.csv:3: column method: it is empty"),
        ("t.csv", "method,seed,acc\na,0,0.5\na,1,0.5\na,one,0.6\n", "t.csv:4: column seed: 'one' is no whole number, as other"),
        ("t.csv", "method,seed,acc\na,0,0.5\na,,0.6\n", "t.csv:3: column seed: no seed"),
        ("t.json", "[]", "unknown ending '.json' (choose from .csv, .tsv, .jsonl, .parquet); of pandas: to_json(FILE, orient="),
        ("t.csv", "method,seed,accuracy\na,0\n", "t.csv:2: 2 cells under 3 columns"),
        ("t.csv", "method,method,accuracy\na,0,1\n", "t.csv:1: two columns are called 'method'"),
        ("t.csv", "method,seed\na,x\n", "no column of numbers is left for a metric"),
        ("t.csv", "method,seed,accuracy\na,0,91.2%\na,1,90%\n", "t.csv:2: column accuracy: '91.2%' is no number, write 0.912"),
        ("t.csv", 'method,seed,acc\na,0,"0,91"\na,1,"0,9"\n', "t.csv:2: column acc: '0,91' is no number, write 0.912 for"),
        ("t.csv", ",summary,name\n0,\"{'acc': 0.9}\",a\n", "column summary holds mappings as text: write a column for each"),
        ("t.csv", "Step,a - acc,b - acc\n0,0.1,0.2\n1,0.3,0.4\n", "no column says what is compared (looked for contender"),
        ("t.csv", "seed,adam,sgd\n0,0.9,0.8\n", "no column says what is compared"),
        ("t.csv", "name,seed,loss,acc\nr1,0,.1,.9\nr2,1,.2,.8\nr3,0,.3,.7\n", "no two lines have the same name"),
        ("t.csv", "", "t.csv: has no rows"),
        ("t.jsonl", '{"method": "a"}\n{oops\n', "t.jsonl:2: no JSON"),
        ("t.jsonl", "[1]\n", "t.jsonl:1: expected one mapping a line"),
        ("t.txt", "x", "unknown ending '.txt' (choose from .csv, .tsv, .jsonl, .parquet)"),
    ],
)  # fmt: skip
def test_mistakes_are_named_with_their_place(name: str, text: str, says: str, tmp_path: Path) -> None:
    (tmp_path / name).write_text(text)
    with pytest.raises(BenchError) as raised:
        imported(tmp_path / name, {})
    assert says in str(raised.value)


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["--map", "contendr=method"], "--map: no role 'contendr', did you mean contender?"),
        (["--map", "contender=methd"], "--map contender: no column 'methd', did you mean method?"),
        (["--map", "contender"], "'contender': expected ROLE=COLUMN"),
        (["--higher", "acuracy"], "no metric 'acuracy' in the table, did you mean accuracy?"),
        (["--baseline", "olt"], "--baseline: no contender 'olt', did you mean old?"),
    ],
)
def test_mistakes_of_the_command_are_one_line(words: list[str], says: str, bench: Bench) -> None:
    FRAME.to_csv(bench.folder / "t.csv", index=False)
    ended = bench("import", "t.csv", *words)
    assert ended.code == 2 and says in ended.err and "Traceback" not in ended.err


def test_nested_json_lines_have_dotted_columns(tmp_path: Path) -> None:
    rows: list[dict[str, Any]] = [
        {"config": {"model": "a", "seed": s}, "summary": {"val_acc": 0.5 + s}} for s in (0, 1)
    ]
    (tmp_path / "t.jsonl").write_text("\n".join(map(json.dumps, rows)))
    found = imported(tmp_path / "t.jsonl", {})
    assert found.run.cells[0].values == {"summary.val_acc": (0.5, 1.5)}


EXAMPLES, RUNS = 60, 5


def predicted(
    folder: Path, form: str, rng: np.random.Generator
) -> tuple[pd.DataFrame, dict[tuple[str, int], np.ndarray]]:
    """A table of two methods on one fixed test set, its files below `preds/`, and what they hold: 0 or 1."""
    (folder / "preds").mkdir()
    hard = rng.normal(0, 1, EXAMPLES)
    rows, held = [], {}
    for method, level in (("new", 1.4), ("old", 0.9)):
        for seed in range(RUNS):
            held[method, seed] = (hard + rng.normal(0, 0.4, EXAMPLES) < level).astype(float)
            name = f"preds/{method}-{seed}.{form}"
            order = rng.permutation(EXAMPLES)
            if form == "npz":
                np.savez(folder / name, accuracy=held[method, seed][order].astype(bool), example=order)
            else:
                saved = pd.DataFrame({"accuracy": held[method, seed], "label": "x"})
                saved.to_csv(folder / name)  # its index numbers the examples
            rows.append((method, seed, round(held[method, seed].mean(), 3), -float(seed), name))
    return pd.DataFrame(rows, columns=["method", "seed", "accuracy", "other", "examples"]), held


@pytest.mark.parametrize("form", ["npz", "csv"])
@pytest.mark.verify
def test_results_per_example_carry_the_doubt_of_the_test_set(form: str, bench: Bench) -> None:
    """As `harness.compare` computes it from the same numbers by seed and example, in another order."""
    table, held = predicted(bench.folder, form, np.random.default_rng(4))
    table.to_csv(bench.folder / "t.csv", index=False)
    ended = bench("import", "t.csv", "--baseline", "old", "--higher", "other", "--format", "json")
    assert ended.code == 0, ended.err
    assert "examples: column examples" in ended.err and "results per example: accuracy, from 10 files" in ended.err
    new = next(row for row in ended.json["cells"] if row["vary"]["contender"] == "new")
    ours, theirs = (np.stack([held[method, seed] for seed in range(RUNS)]) for method in ("new", "old"))
    oracle = harness.compare(ours, theirs)
    found = new["against"]["accuracy"]
    assert [found[key] for key in ("low", "high", "p")] == pytest.approx([oracle.low, oracle.high, oracle.p], abs=1e-3)
    assert new["metrics"]["accuracy"]["interval"] == "both" and new["metrics"]["other"]["interval"] == "seeds"


@pytest.mark.verify
def test_packed_it_is_imported_again_where_nothing_else_is(bench: Bench) -> None:
    """In an empty folder: the same report from the archive, the same numbers from its table, and comparable per example."""
    table, _ = predicted(bench.folder, "npz", np.random.default_rng(5))
    table.rename(columns={"accuracy": "right"}).to_csv(bench.folder / "t.csv", index=False)
    for file in (bench.folder / "preds").iterdir():
        with np.load(file) as held:
            np.savez(file, right=held["accuracy"], example=held["example"])
    words = ("--map", "contender=method,examples=examples", "--higher", "right,other", "--baseline", "old")
    assert bench("import", "t.csv", *words).code == 0
    assert bench("pack", "last", "run.zip").code == 0
    shown = bench("report", "last").out
    there = Bench(bench.folder / "other", bench.environment)
    there.folder.mkdir()
    shutil.move(bench.folder / "run.zip", there.folder)
    for name in ("t.csv", "preds", "results"):
        shutil.move(bench.folder / name, bench.folder / f"gone-{name}")
    assert there("report", "run.zip").out == shown
    shutil.unpack_archive(there.folder / "run.zip", there.folder)
    (inside,) = (path for path in there.folder.iterdir() if path.is_dir())
    assert (inside / "t.csv").read_text() == (bench.folder / "gone-t.csv").read_text()
    command = json.loads(next(inside.glob("results/runs/*/repeat.json")).read_text())["command"]
    assert command == f"bench import t.csv {shlex.join(words)}" and command in (inside / "README.txt").read_text()
    again = Bench(inside, bench.environment)(*shlex.split(command)[1:], "--format", "json")
    before = there("report", "run.zip", "--format", "json").json
    assert again.code == 0 and again.json["cells"] == before["cells"]
    changed = (inside / "t.csv").read_text().replace("-3.0", "-3.5")
    (inside / "t.csv").write_text(changed)
    assert Bench(inside, bench.environment)(*shlex.split(command)[1:]).code == 0
    compared = Bench(inside, bench.environment)("compare", there.folder / "run.zip", "last", "--format", "json")
    assert {row["metrics"]["right"]["interval"] for row in compared.json["cells"]} == {"both"}, compared.err
    assert not [issue for issue in compared.json["issues"] if "measured by other code" in issue]


HEAD = "method,seed,accuracy,examples\n"


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("a,0,0.5,p/on.csv", "t.csv:2: column examples: no file p/on.csv, did you mean one.csv?"),
        ("a,0,0.5,/p/one.csv", "t.csv:2: column examples: /p/one.csv is an absolute path: write it relative to the table"),
        ("a,0,0.9,p/one.csv", "t.csv:2: column accuracy: 0.9 is not the mean of the results per example in p/one.csv, which is 0.5"),
        ("a,0,0.5,p/bad.csv", "p/bad.csv:3: column accuracy: 'no' is no number"),
        ("a,0,0.5,p/hole.csv", "p/hole.csv:3: column accuracy: '' is no finite number"),
        ("a,0,0.5,p/twice.csv", "p/twice.csv:3: column example: the example 'x' is there twice"),
        ("a,0,0.5,p/other.csv", "t.csv:2: column examples: p/other.csv has no results of accuracy, did you mean acuracy?"),
        ("a,0,0.5,p/one.csv\na,1,0.5,p/long.csv", "t.csv:3: column examples: p/long.csv has 4 examples, and that of seed 0 2"),
        ("a,0,0.5,p/text.npz", "t.csv:2: column examples: p/text.npz is no file of numpy.savez"),
        ("a,0,0.5,p/wide.npz", "t.csv:2: column examples: p/wide.npz: array accuracy is float64 [2, 2], expected one number for"),
        ("a,0,0.5,p/nan.npz", "t.csv:2: column examples: p/nan.npz: accuracy[1] is no finite number"),
        ("a,0,0.5,p/uneven.npz", "t.csv:2: column examples: p/uneven.npz: arrays of the same examples have one length, got accuracy 2"),
        ("a,0,0.5,p/object.npz", "t.csv:2: column examples: p/object.npz cannot be read: Object arrays cannot be loaded"),
    ],
)  # fmt: skip
def test_a_wrong_file_of_results_per_example_is_named_with_its_place(line: str, says: str, tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text(f"{HEAD}{line}\n")
    for name, text in {
        "one": "accuracy\n1\n0\n",
        "bad": "accuracy\n1\nno\n",
        "hole": "example,accuracy\n0,1\n1,\n",
        "twice": "example,accuracy\nx,1\nx,0\n",
        "other": "acuracy\n1\n0\n",
        "long": "accuracy\n1\n0\n1\n0\n",
    }.items():
        (tmp_path / "p").mkdir(exist_ok=True)
        (tmp_path / "p" / f"{name}.csv").write_text(text)
    (tmp_path / "p" / "text.npz").write_text("1 0")
    np.savez(tmp_path / "p" / "wide.npz", accuracy=np.eye(2))
    np.savez(tmp_path / "p" / "nan.npz", accuracy=np.array([1, np.nan]))
    np.savez(tmp_path / "p" / "uneven.npz", accuracy=np.eye(2)[0], other=np.zeros(3))
    np.savez(tmp_path / "p" / "object.npz", accuracy=np.array([None, 1], dtype=object))
    with pytest.raises(BenchError) as raised:
        imported(tmp_path / "t.csv", {"examples": ["examples"]})
    assert says in str(raised.value)


def test_lines_without_a_file_are_said_and_lose_their_rows_alone(tmp_path: Path) -> None:
    (tmp_path / "one.csv").write_text("accuracy,guess\n1,3\n0,4\n")
    (tmp_path / "t.csv").write_text(f"{HEAD}a,0,0.5,one.csv\na,1,0.5,one.csv\nb,0,0.5,one.csv\nb,1,0.5,\n")
    found = imported(tmp_path / "t.csv", {})
    assert "1 lines name no file: intervals of their rows are over seeds alone" in found.guesses
    assert "no numbers of examples (example): one place is one example in every file" in found.guesses
    assert "not used of the files: guess" in found.guesses
    one, other = kept(found, tmp_path / "results", "run")
    assert [len(one.units), len(other.units)] == [1, 0]
