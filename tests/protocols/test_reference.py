"""What samples are compared with: a data set or a file of statistics, as the key `reference` of a suite says."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from harness import BenchError, Denoiser, Examples, Metric, component
from harness.kinds.evaluation import CellContext
from harness.protocols.generation.reference import statistics
from harness.results import ComparedFeatures, ReferenceKind
from tests.conftest import Bench

MU, SIGMA = np.array([1.0, 0.0]), np.eye(2)
SUITE = """protocol: generation
vary: {{denoiser: {{gaussian: {{dim: 2, variance: 0.25}}}}, sampler: iid}}
settings: {{samples: 256, steps: 2}}
seeds: 2
metrics: [fid_proxy, energy_distance]
reference: {reference}
"""


def session(folder: Path, *metrics: str, data: Any = None, denoiser: Any = None, **reference: Any) -> Any:
    """A cell with draws of N(0, 1/4 I) in the plane as samples."""
    parts = {"denoiser": denoiser or component("denoiser", "gaussian", dim=2, variance=0.25)}
    parts |= {kind: component(kind, name) for kind, name in (("sampler", "iid"), ("spacing", "even"))}
    parts |= {kind: component(kind, name) for kind, name in (("prior", "normal"), ("feature", "pixels"))}
    found = {} if data is None else {"dataset": data}
    measured: Mapping[str, Metric] = {name: component("metric", name) for name in metrics or ("fid_proxy",)}
    case = CellContext(
        components={**parts, **({} if data is None else {"dataset": component("dataset", "digits")})},
        build=lambda kind, spec: component(kind, **spec),
        metrics=measured,
        tune=None,
        artifacts=found,
        split="seed",
        device="cpu",
        folder=folder,
        on_progress=lambda *_: None,
        reference=reference,
    )
    return component("protocol", "generation", steps=2, samples=4096).setup(case)


def saved(folder: Path, name: str = "stats.npz", **arrays: Any) -> str:
    np.savez(folder / name, **({"mu": MU, "sigma": SIGMA} | arrays))
    return str(folder / name)


def examples(inputs: torch.Tensor) -> Examples:
    return Examples(inputs=inputs, targets=torch.arange(len(inputs)) % 2, classes=2)


def test_the_distance_to_statistics_is_that_of_the_normal_laws(tmp_path: Path) -> None:
    """Of N(0, 1/4 I) and N((1, 0), I): 1 + 2 (1 - 1/2)^2."""
    found = session(tmp_path, "fid_proxy", "energy_distance", "nelbo", stats=saved(tmp_path)).measure([0], {})
    assert found.metrics["fid_proxy"] == [pytest.approx(1.5, abs=0.1)]
    assert found.compared_features == ComparedFeatures("pixels", 2, 4096, ReferenceKind.STATS, "stats.npz")
    for name in ("energy_distance", "nelbo"):
        assert found.metrics[name] is None
        assert found.skipped[name].startswith("it needs samples of the reference, and reference: stats has only")


@pytest.mark.verify
def test_a_data_set_takes_the_place_of_the_target(tmp_path: Path) -> None:
    """Of N(0, 1/4 I) and 3,000 draws of N((1, 0), I), though the denoiser knows its own moments."""
    draws = torch.randn(3000, 2, generator=torch.Generator().manual_seed(0)) + torch.tensor([1.0, 0.0])
    run = session(tmp_path, data=examples(draws))
    found = run.measure([0], {})
    assert found.metrics["fid_proxy"] == [pytest.approx(1.5, abs=0.15)]
    assert torch.equal(run.samples(0).reference, draws)
    assert found.compared_features == ComparedFeatures("pixels", 2, 4096, ReferenceKind.DATASET, "digits", 3000)
    own = session(tmp_path, "fid_proxy").measure([0], {})
    assert own.compared_features == ComparedFeatures("pixels", 2, 4096, ReferenceKind.TARGET, None, 4096)
    assert session(tmp_path, "nfe").measure([0], {}).compared_features is None


class Pictures(Denoiser):
    """Pictures in [-1, 1]."""

    shape = (1, 2, 2)
    data_range = (-1.0, 1.0)

    def load(self, device: str) -> None:
        return None

    def predict(self, net: Any, x: torch.Tensor, t: torch.Tensor) -> torch.Tensor:
        return 0 * x

    def sample(self, net: Any, n: int, generator: torch.Generator) -> torch.Tensor:
        return torch.zeros(n, 1, 2, 2)


@pytest.mark.verify
def test_a_data_set_is_mapped_to_the_range_of_the_samples(tmp_path: Path) -> None:
    pictures = torch.linspace(0, 1, 24).view(6, 4)

    def reference(**said: Any) -> torch.Tensor:
        found: torch.Tensor = (
            session(tmp_path, data=examples(pictures), denoiser=Pictures(), **said).samples(0).reference
        )
        return found

    torch.testing.assert_close(reference(range=[0, 1]), (2 * pictures - 1).view(6, 1, 2, 2))
    assert torch.equal(reference(range=[-1, 1]), pictures.view(6, 1, 2, 2))
    with pytest.raises(BenchError, match=r"digits has values from 0 to 1, .* from -1 to 1: say which range it has"):
        reference()
    with pytest.raises(BenchError, match=r"digits holds \[4\], the samples are \[2\]"):
        session(tmp_path, data=examples(pictures))


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ({"sigma": np.eye(3)}, r"expected mu \[d\] and sigma \[d, d\], found \[2\] and \[3, 3\]"),
        ({"mu": np.eye(2)}, r"expected mu \[d\] and sigma \[d, d\], found \[2, 2\] and \[2, 2\]"),
        ({"mu": np.array([0, np.nan])}, "mu holds NaN or infinity"),
        ({"sigma": np.array([[1, 0.5], [0, 1]])}, "sigma is not symmetric: two opposite elements differ by 0.5"),
        ({"sigma": -np.eye(2)}, "sigma has the variance -1"),
        ({"mu": np.array(["a", "b"])}, "mu holds no real numbers but <U1"),
        ({"sigma": np.array([{}])}, "cannot be read: Object arrays cannot be loaded"),
    ],
)
def test_statistics_that_are_none(arrays: dict[str, Any], message: str, tmp_path: Path) -> None:
    with pytest.raises(BenchError, match=f"stats.npz: {message}") as caught:
        statistics(saved(tmp_path, **arrays))
    assert "\n" not in str(caught.value)


def test_a_file_that_holds_something_else(tmp_path: Path) -> None:
    np.savez(tmp_path / "s.npz", mu=MU, sigm=SIGMA)
    with pytest.raises(BenchError, match=r"s\.npz: has no array 'sigma', did you mean sigm"):
        statistics(str(tmp_path / "s.npz"))
    (tmp_path / "t.npz").write_text("no arrays here")
    np.save(tmp_path / "u.npy", MU)
    for name in ("t.npz", "u.npy"):
        with pytest.raises(BenchError, match=f"{name}: is no .npz file with the arrays mu and sigma"):
            statistics(str(tmp_path / name))


def test_statistics_of_other_features_are_found_before_sampling(tmp_path: Path) -> None:
    file = saved(tmp_path, mu=np.zeros(3), sigma=np.eye(3))
    with pytest.raises(BenchError, match=r"stats\.npz: holds statistics of 3 features, pixels has 2"):
        session(tmp_path, stats=file)


@pytest.mark.parametrize(
    ("reference", "message"),
    [
        ("{}", "6:12: reference: name either a dataset or a file of stats"),
        ("{stats: s.npz, dataset: digits}", "6:12: reference: name either a dataset or a file of stats"),
        ("digits", "6:12: reference: expected {dataset: NAME} or {stats: FILE.npz}, got 'digits'"),
        ("{stats: no.npz}", "6:20: no file 'no.npz' beside the suite"),
        ("{dataset: [iris, wine]}", "6:22: reference: one data set stands here"),
        ("{dataset: digit}", "6:22: unknown dataset 'digit', did you mean digits?"),
        ("{datset: digits}", "6:13: reference has no key 'datset', did you mean dataset?"),
        ("{stats: s.npz, range: [0, 1]}", "6:34: reference: range is that of a dataset"),
        ("{dataset: digits, range: [1, 0]}", "6:37: reference.range: expected [low, high], got [1.0, 0.0]"),
        ("{stats: odd.npz}", "6:20: odd.npz: sigma is not symmetric"),
    ],
)
@pytest.mark.verify
def test_mistakes_have_their_place(reference: str, message: str, bench: Bench) -> None:
    saved(bench.folder, "s.npz")
    saved(bench.folder, "odd.npz", sigma=np.array([[1, 0.5], [0, 1]]))
    bench.write("s.yaml", SUITE.format(reference=reference))
    ended = bench("validate", "s.yaml")
    assert ended.code == 2
    assert f"s.yaml:{message}" in ended.err


@pytest.mark.verify
def test_the_contents_of_the_file_belong_to_the_cell(bench: Bench) -> None:
    saved(bench.folder, "s.npz")
    bench.write("s.yaml", SUITE.format(reference="{stats: s.npz}"))
    one = bench("s.yaml", "--json", "-")
    assert one.code == 0, one.err
    assert "1 cells to do" not in bench("s.yaml", "--dry-run").out
    saved(bench.folder, "s.npz", mu=2 * MU)
    assert "reference.stats changed" in bench("s.yaml", "--dry-run").out
    other = bench("s.yaml", "--json", "-")
    known = one.json["cells"][0]["compared_features"]
    assert known["reference"] == "stats" and known["name"] == "s.npz" and "size" in known and known["size"] is None
    assert known["feature"] == "pixels" and known["width"] == 2 and len(known["digest"]) == 12
    assert "features pixels [2]: 256 samples against the statistics in s.npz, of an unknown number" in other.err + (
        bench("report", "last").out
    )
    means = [ended.json["cells"][0]["metrics"]["fid_proxy"]["mean"] for ended in (one, other)]
    assert means == [pytest.approx(1.5, abs=0.3), pytest.approx(4.5, abs=0.5)]


@pytest.mark.verify
def test_a_data_set_by_name(bench: Bench) -> None:
    """Of the digits on their own, with the range that they are written in."""
    mixture = "{fitted_mixture: {to: digits}}"
    text = SUITE.format(reference="{dataset: digits, range: [0, 1]}")
    text = text.replace("{gaussian: {dim: 2, variance: 0.25}}", mixture)
    bench.write("s.yaml", text)
    ended = bench("s.yaml", "--json", "-")
    assert "the denoiser declares no data_range" in ended.json["cells"][0]["reason"]
    bench.write("s.yaml", text.replace(", range: [0, 1]", ""))
    (cell,) = bench("s.yaml", "--json", "-").json["cells"]
    assert cell["status"] == "ok" and cell["parameters"]["dataset"] == {"name": "digits"}


LONG = '''
from harness import Metric, hookimpl

class Long(Metric):
    """Says that it takes long."""

    higher_is_better = None

    def estimated_seconds(self, n, m, width):
        return n * width * (2 if m is None else m)

    def __call__(self, features):
        return 1.0

@hookimpl
def components():
    return [Long]
'''


@pytest.mark.verify
def test_what_takes_long_is_said_once_before_it_starts(bench: Bench) -> None:
    """256 samples of 2 features against known moments: 1,024 s by its own estimate."""
    bench.write("long.py", LONG)
    text = SUITE.format(reference="null").replace("[fid_proxy, energy_distance]", "[long, fid_proxy]")
    bench.write("s.yaml", text.replace("sampler: iid", "sampler: [iid, ddim]") + "plugins: [long.py]\n")
    ended = bench("s.yaml")
    assert ended.code == 0, ended.err
    assert [line for line in ended.lines if "takes about" in line] == ["bench: long takes about 17 min 4 s for a seed"]


def test_the_estimate_of_a_distance_grows_with_its_size() -> None:
    metric = component("metric", "fid_proxy")
    few, many, fewer = (metric.estimated_seconds(n, None, d) for n, d in ((10**4, 8), (10**4, 10**4), (8, 10**4)))
    assert 0 < few < 1 < 60 < many and fewer < 1
