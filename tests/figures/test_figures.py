"""Figures: what is drawn is what was measured, checked on the artists, and everything that is not drawn is said."""

from __future__ import annotations

import io
import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pytest
import torch
from matplotlib.axes import Axes
from matplotlib.colors import to_hex
from matplotlib.figure import Figure
from PIL import Image

import harness
from harness.figures import StoredRun, figures, png, write
from harness.figures.style import FAINT, styled
from harness.kinds.evaluation import CellContext, CellRunner, Measurements
from harness.results import MetricInfo, Published, Reason, ReasonKind, Row, Run, Status
from harness.results.codec import from_json
from harness.worker.cells import measure
from tests.conftest import Bench, Ended
from tests.report import factory

SUITE = """
suite: small
protocol: generation
vary:
  denoiser: [ring8, {fitted_mixture: {components: 2}}]
  sampler: [iid, ddpm, ddim, {exact_kernel: {}}]
settings: {steps: [2, 8], samples: 100}
seeds: 2
metrics: [mmd, nfe]
baseline: ddim
"""


@pytest.fixture(scope="module")
def folder(shared: Callable[[str], Bench]) -> Bench:
    return shared("figures")


@pytest.fixture(scope="module")
def data(folder: Bench) -> Any:
    folder.write("s.yaml", SUITE)
    ended = folder("s.yaml", "--json", "-")
    assert ended.code == 0, ended.err
    return ended.json


@pytest.fixture(scope="module")
def drawn(folder: Bench, data: Any) -> Ended:
    return folder("report", "last", "--figures", "new/pictures")


@pytest.fixture(scope="module")
def made(folder: Bench, data: Any) -> dict[str, Figure]:
    with styled():
        return {name: make() for name, make in figures(StoredRun(from_json(data), folder.folder / "results")).items()}


def titled(figure: Figure, title: str) -> Axes:
    return next(axes for axes in figure.axes if axes.get_title(loc="left").split("\n")[0] == title)


def said(figure: Figure) -> str:
    return " ".join(figure.get_supxlabel().split())


def cells(data: Any, **vary: Any) -> list[Any]:
    return [c for c in data["cells"] if all(c["vary"][axis] == label for axis, label in vary.items())]


@pytest.mark.verify
def test_the_command_writes_a_picture_of_each_and_says_so(folder: Bench, drawn: Ended) -> None:
    assert drawn.code == 0 and "ring8 / steps=2" in drawn.out
    names = ["mmd-against-cost", "differences-in-mmd", "mmd-against-steps", "nfe-against-steps", "mmd-by-seed"]
    names += [f"samples-fitted-mixture-components-2-steps-{steps}" for steps in (2, 8)]
    names += [f"path-ring8-steps-{steps}" for steps in (2, 8)]
    assert drawn.lines == [f"figure new/pictures/{name}.png, .svg, .pdf" for name in names]
    pictures = folder.folder / "new" / "pictures"
    assert len(list(pictures.iterdir())) == 3 * len(names)
    for name in names:
        with Image.open(pictures / f"{name}.png") as image:
            image.load()
            assert image.format == "PNG" and min(image.size) > 400
        assert ElementTree.parse(pictures / f"{name}.svg").getroot().tag == "{http://www.w3.org/2000/svg}svg"
        content = (pictures / f"{name}.pdf").read_bytes()
        assert content.startswith(b"%PDF") and b"/FontFile2" in content and b"/Type3" not in content


@pytest.mark.verify
def test_the_report_on_stdout_is_as_without_figures(folder: Bench, drawn: Ended) -> None:
    assert folder("report", "last").out == drawn.out


def test_lines_are_the_means_and_bars_the_intervals(data: Any, made: dict[str, Figure]) -> None:
    figure = made["mmd-against-steps"]
    assert len(figure.axes) == 2
    for axes in figure.axes:
        denoiser = axes.get_title(loc="left")
        lines = {str(line.get_label()): line for line in axes.lines if not str(line.get_label()).startswith("_")}
        assert set(lines) == {"iid", "ddpm", "ddim", "exact_kernel"}
        bars = {tuple(map(tuple, bar)) for group in axes.collections for bar in group.get_segments()}  # type: ignore[attr-defined]
        for sampler, line in lines.items():
            here = cells(data, denoiser=denoiser, sampler=sampler)
            assert list(line.get_xdata()) == [cell["vary"]["steps"] for cell in here]
            assert list(line.get_ydata()) == [cell["metrics"]["mmd"]["mean"] for cell in here]
            for cell in here:
                entry = cell["metrics"]["mmd"]
                bars.remove(((cell["vary"]["steps"], entry["low"]), (cell["vary"]["steps"], entry["high"])))
        assert not bars


def test_controls_are_grey_without_markers_and_no_two_contenders_look_alike(made: dict[str, Figure]) -> None:
    lines = {str(line.get_label()): line for line in titled(made["mmd-against-steps"], "ring8").lines}
    assert all(to_hex(str(lines[name].get_color())) == FAINT for name in ("iid", "exact_kernel"))
    assert all(lines[name].get_marker() == "None" for name in ("iid", "exact_kernel"))
    assert lines["iid"].get_linestyle() == "--" or lines["iid"].is_dashed()
    assert lines["ddpm"].get_marker() != lines["ddim"].get_marker()
    assert "controls" in said(made["mmd-against-steps"])


def test_axes_and_captions_say_what_is_shown(made: dict[str, Figure]) -> None:
    figure = made["mmd-against-steps"]
    assert figure.get_suptitle() == "mmd against steps   ↓ lower is better"
    assert all(axes.get_xlabel() == "steps" and axes.get_xscale() == "log" for axes in figure.axes)
    assert [label.get_text() for label in figure.axes[0].get_xticklabels()] == ["2", "8"]
    assert figure.axes[0].get_ylabel() == "mmd"
    assert "Means of 2 seeds; bars are 95 % intervals over seeds." in said(figure)


def test_the_images_are_the_samples_that_were_measured(data: Any, made: dict[str, Figure]) -> None:
    """Drawn again here, at once and without the harness's child: the same numbers on the scale of the data."""
    figure = made["samples-fitted-mixture-components-2-steps-8"]
    assert [axes.get_title(loc="left").split("\n")[0] for axes in figure.axes] == [
        "data",
        "ddim",
        "iid",
        "ddpm",
        "exact_kernel",
    ]
    low, high = _ends(figure)
    for sampler in ("ddim", "ddpm"):
        (cell,) = cells(data, denoiser="fitted_mixture(components=2)", sampler=sampler, steps=8)
        samples = _measured(cell)
        expected = ((samples[:64].numpy() - low) / (high - low)).clip(0, 1).reshape(8, 8, 8, 8)
        axes = titled(figure, sampler)
        picture = np.asarray(axes.images[0].get_array())
        assert picture.shape == (71, 71)
        tiles = np.pad(picture, (0, 1)).reshape(8, 9, 8, 9)[:, :8, :, :8].swapaxes(1, 2)
        assert np.allclose(tiles, expected, atol=2e-3)  # the caption gives the ends with three digits
        assert f"mmd {cell['metrics']['mmd']['mean']:.3g}".replace("-", "−") in axes.get_title(loc="left")


def test_a_path_ends_in_the_samples_that_were_measured(data: Any, made: dict[str, Figure]) -> None:
    figure = made["path-ring8-steps-8"]
    for sampler, points in (("ddim", 9), ("ddpm", 9), ("exact_kernel", 9), ("iid", 1)):
        (cell,) = cells(data, denoiser="ring8", sampler=sampler, steps=8)
        lines = titled(figure, sampler).lines
        ends = np.column_stack([np.asarray(part) for part in lines[-1].get_data()])
        assert np.array_equal(ends, _measured(cell)[:64].numpy())
        paths = [np.column_stack([np.asarray(part) for part in line.get_data()]) for line in lines[:-2]]
        assert len(paths) == (16 if points > 1 else 0)
        assert all(
            len(path) == points and np.array_equal(path[-1], end) for path, end in zip(paths, ends, strict=False)
        )


def test_contenders_start_in_the_same_noise_and_the_plane_shows_the_target(made: dict[str, Figure]) -> None:
    figure = made["path-ring8-steps-8"]
    starts = [
        np.column_stack([np.asarray(p) for p in titled(figure, s).lines[-2].get_data()]) for s in ("ddim", "ddpm")
    ]
    assert np.array_equal(*starts)
    levels = titled(figure, "ddim").collections[0].levels  # type: ignore[attr-defined]
    exact = harness.denoiser("ring8")
    angles = torch.linspace(0, 2 * torch.pi, 720)
    peak = float(exact.log_prob(torch.stack([angles.cos(), angles.sin()], 1)).max())
    assert np.allclose(levels[:3], [peak - 6, peak - 3, peak - 1], atol=0.2)  # the lattice misses the very top


def _ends(figure: Figure) -> tuple[float, float]:
    words = said(figure).split()
    return float(words[words.index("(dark)") - 1]), float(words[words.index("(light)") - 1])


def _measured(cell: Any) -> torch.Tensor:
    """All samples of seed 0, as a metric is given them."""
    seen: list[torch.Tensor] = []
    parts = {kind: harness.component(kind, **spec) for kind, spec in cell["parameters"].items()}

    def metric(samples: torch.Tensor) -> float:
        seen.append(samples)
        return 0.0

    denoiser = parts["denoiser"]
    weights = denoiser.train(torch.Generator().manual_seed(0), lambda *_, **__: None)
    case = CellContext(
        components=parts,
        build=lambda *_: None,
        metrics={"seen": metric},  # type: ignore[dict-item]
        tune=None,
        artifacts={"denoiser": weights},
        split="random",
        device="cpu",
        folder=Path(),
        on_progress=lambda *_, **__: None,
    )
    protocol = harness.component("protocol", "generation", steps=cell["vary"]["steps"], samples=100)
    protocol.setup(case).measure([0], {})
    return seen[0]


def test_samples_that_are_gone_cost_their_own_figures_only(folder: Bench, data: Any, tmp_path: Path) -> None:
    lines = list(write(from_json(data), tmp_path / "out", tmp_path / "elsewhere"))
    gone = [line for line in lines if line.startswith("no figure")]
    assert [line.split(":")[0] for line in gone] == ["no figure samples", "no figure path"]
    assert all("nothing to show is kept under" in line for line in gone)
    names = ["differences-in-mmd", "mmd-against-cost", "mmd-against-steps", "mmd-by-seed", "nfe-against-steps"]
    assert sorted(file.name for file in (tmp_path / "out").glob("*.png")) == [f"{name}.png" for name in names]


def test_one_contender_whose_samples_are_gone_is_named(folder: Bench, data: Any, tmp_path: Path) -> None:
    shutil.copytree(folder.folder / "results", tmp_path / "results")
    (cell,) = cells(data, denoiser="ring8", sampler="ddpm", steps=8)
    (file,) = (tmp_path / "results" / "units").glob(f"{cell['id'][:16]}-*-0.npz")
    file.write_bytes(b"torn")
    with styled():
        figure = figures(StoredRun(from_json(data), tmp_path / "results"))["path-ring8-steps-8"]()
    assert [axes.get_title(loc="left").split("\n")[0] for axes in figure.axes] == ["ddim", "iid", "exact_kernel"]
    assert f"Not drawn: ddpm: {file.name} cannot be read" in said(figure)


def test_a_folder_that_cannot_be_written_is_one_line(folder: Bench, data: Any) -> None:
    folder.write("file", "in the way")
    for where in ("file", "file/deeper"):
        ended = folder("report", "last", "--figures", where)
        assert ended.code == 2 and ended.out == "" and len(ended.lines) == 1
        assert f"{where!r} is not a folder that can be written to" in ended.err


def series() -> Run:
    """A run without a baseline in which `n` varies: two contenders at 10, 100 and 1000."""
    found = factory.result(["accuracy"], ["hinge", "focal"], 1)

    def at(cell: Row, n: int) -> Row:
        value = cell.metrics["accuracy"]
        ends = {key: getattr(value, key) * n for key in ("mean", "low", "high")}
        return factory.with_metric(replace(cell, vary={**cell.vary, "n": n}, against={}), "accuracy", **ends)

    cells = tuple(at(cell, n) for n in (10, 100, 1000) for cell in found.cells)
    return replace(found, axes={**found.axes, "n": [10, 100, 1000]}, cells=cells)


def only(run: Run) -> Figure:
    return figures(StoredRun(run, Path("nowhere")))["accuracy-against-n"]()


def heights(figure: Figure) -> dict[str, list[float]]:
    return {str(line.get_label()): list(line.get_ydata()) for line in figure.axes[0].lines}  # type: ignore[arg-type]


def test_any_protocol_and_any_axis_of_numbers() -> None:
    figure = only(series())
    assert {name: len(ys) for name, ys in heights(figure).items()} == {"hinge": 3, "focal": 3}
    assert figure.axes[0].get_yscale() == "log" and figure.axes[0].get_xscale() == "log"
    assert figure.get_suptitle().endswith("↑ higher is better")


def test_what_was_not_measured_is_named_with_its_reason() -> None:
    data = factory.lost(series(), 0, Status.CRASHED, "killed by SIGKILL")
    gone = {"mean": None, "low": None, "high": None, "why": Reason(ReasonKind.SPREAD_NOT_FINITE)}
    data = factory.on_rows(data, lambda cell: factory.with_metric(cell, "accuracy", **gone), 3)
    figure = only(data)
    assert {name: len(ys) for name, ys in heights(figure).items()} == {"hinge": 2, "focal": 2}
    assert "Not drawn: hinge at n=10: crashed, killed by SIGKILL" in said(figure)
    assert "Not drawn: focal at n=100: the spread is not finite" in said(figure)


def test_a_contender_that_was_never_measured_is_named_once() -> None:
    data = factory.on_rows(series(), lambda cell: factory.without(cell, Status.SKIPPED, "no such thing"), 0, 2, 4)
    figure = only(data)
    assert list(heights(figure)) == ["focal"] and "Not drawn: hinge: skipped, no such thing" in said(figure)


def test_no_interval_is_no_bar() -> None:
    data = factory.on_rows(
        series(), lambda cell: replace(factory.with_metric(cell, "accuracy", low=None, high=None), seeds=(0,))
    )
    figure = only(data)
    assert not figure.axes[0].collections and "Means of 1 seed." in said(figure)


def test_a_bar_that_reaches_zero_leaves_the_logarithmic_axis_downwards() -> None:
    data = factory.on_rows(series(), lambda cell: factory.with_metric(cell, "accuracy", low=-1.0), 0)
    figure = only(data)
    least = min(min(ys) for ys in heights(figure).values())
    assert figure.axes[0].get_yscale() == "log" and figure.axes[0].get_ylim()[0] == pytest.approx(least / 10)
    assert "Bars that end at the lower edge go on below it." in said(figure)


def test_means_on_both_sides_of_zero_are_linear_around_it() -> None:
    ends = {"mean": -0.5, "low": -1.5, "high": 0.5}
    data = factory.on_rows(series(), lambda cell: factory.with_metric(cell, "accuracy", **ends), 0)
    figure = only(data)
    assert figure.axes[0].get_yscale() == "symlog" and "up to 2, the vertical axis is linear" in said(figure)


def test_one_value_on_the_axis_is_no_figure(tmp_path: Path) -> None:
    one = factory.on_rows(series(), lambda cell: factory.with_metric(cell, "accuracy", values=(cell.seeds[0],)))
    (line,) = write(replace(one, cells=one.cells[:2]), tmp_path, tmp_path)
    assert line.startswith("no figure: nothing was measured at several numbers")
    (line,) = write(
        factory.on_rows(one, lambda cell: factory.without(cell, Status.FAILED, "no"), 2, 3, 4, 5), tmp_path, tmp_path
    )
    assert line == "no figure accuracy-against-n: accuracy was measured at one n only"
    assert not list(tmp_path.iterdir())


def test_a_published_number_is_a_hollow_point_with_its_source() -> None:
    vary = {**series().cells[0].vary, "n": 100}
    number = Published(source="Doe, 1999", metric="accuracy", vary=vary, value=42.0)
    figure = only(replace(series(), published=(number,)))
    line = next(line for line in figure.axes[0].lines if line.get_label() == "hinge (published)")
    assert (list(line.get_xdata()), list(line.get_ydata())) == ([100], [42.0])  # type: ignore[arg-type]
    assert line.get_markerfacecolor() == "white" and line.get_linestyle() == "None" and "Doe, 1999" in said(figure)


def test_odd_results_draw_nothing_and_say_so(tmp_path: Path) -> None:
    nothing = Run(suite="", question="", run="", protocol="")
    alone = Row(id="", vary={})
    for odd in (
        nothing,
        replace(nothing, axes={"loss": ["hinge"]}),
        replace(nothing, cells=(alone,)),
        replace(nothing, cells=(replace(alone, status=Status.CRASHED),)),
    ):
        (line,) = write(odd, tmp_path, tmp_path)
        assert line.startswith("no figure")


def test_a_readers_own_style_changes_nothing() -> None:
    import matplotlib

    before = png(lambda: only(series()))
    with matplotlib.rc_context({"font.size": 30, "axes.facecolor": "red", "text.usetex": True}):
        assert png(lambda: only(series())) == before
    with Image.open(io.BytesIO(before)) as image:
        assert image.format == "PNG"


def test_names_are_files_on_any_system_and_never_the_same(tmp_path: Path) -> None:
    metrics = tuple(MetricInfo(label=name, higher_is_better=None) for name in ("a/b", "a:b", "Ä"))
    assert list(figures(StoredRun(replace(series(), metrics=metrics), tmp_path)))[:3] == [
        "a-b-against-n",
        "a-b-against-n-2",
        "against-n",
    ]


@pytest.mark.parametrize(("seed", "note"), [(0, ["nothing is kept for figures: no density today"]), (1, [])])
def test_an_exhibit_that_fails_costs_a_note_and_no_number(seed: int, note: list[str], tmp_path: Path) -> None:
    class Broken(CellRunner):
        def measure(self, seeds: Sequence[int], tuned: Mapping[str, Any]) -> Measurements:
            return Measurements(seeds=seeds, metrics={"score": [1.0]}, figure_data=self.broken)

        def broken(self) -> Any:
            raise RuntimeError("no density\ntoday")

    answer = measure(Broken(), [seed], {}, tmp_path / "units.npz", ["score"])
    assert answer["metrics"] == {"score": [1.0]} and answer["units"] is None and answer["notes"] == note
