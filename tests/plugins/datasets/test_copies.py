"""Data sets by name: real copies on disk are read, and what is missing is said with its remedy."""

from __future__ import annotations

import gzip
import hashlib
import json
import struct
import sys
from pathlib import Path
from typing import Any

import numpy
import pytest
import torch
from PIL import Image

from harness import BenchError
from tests.plugins.datasets import reading

ARFF = """@RELATION plants
@ATTRIBUTE 'height' REAL
@ATTRIBUTE 'color' {red,green}
@ATTRIBUTE 'leaves' INTEGER
@ATTRIBUTE 'kind' {fern,moss}
@DATA
1.5,red,3,fern
?,green,4,moss
2.5,green,5,fern
3.5,?,7,moss
4.5,red,9,fern
5.5,red,8,moss
"""
COLUMNS = (("height", "numeric"), ("color", "nominal"), ("leaves", "numeric"), ("kind", "nominal"))


def write_openml(folder: Path, arff: str = ARFF) -> None:
    """The copy of a table as scikit-learn keeps it."""
    data = arff.encode()
    listed = {"did": 7, "name": "plants", "version": 1, "status": "active", "format": "ARFF", "file_id": 70}
    described = {**listed, "id": "7", "description": "Plants.", "url": "https://api.openml.org/data/v1/download/70/plants.arff",
                 "default_target_attribute": "kind", "md5_checksum": hashlib.md5(data).hexdigest()}  # fmt: skip
    features = [
        {"index": str(k), "name": name, "data_type": kind, "is_target": str(name == "kind").lower(), "is_ignore": "false", "is_row_identifier": "false", "number_of_missing_values": "0"}
        for k, (name, kind) in enumerate(COLUMNS)
    ]  # fmt: skip
    api, files = "api/v1/json/data", {"data/v1/download/70/plants.arff": data}
    contents: dict[str, Any] = {
        f"{api}/list/data_name/plants/limit/2/data_version/1": {"data": {"dataset": [listed]}},
        f"{api}/7": {"data_set_description": described},
        f"{api}/features/7": {"data_features": {"feature": features}},
        f"{api}/qualities/7": {"data_qualities": {"quality": [{"name": "NumberOfInstances", "value": "6"}]}},
    }
    files |= {name: json.dumps(content).encode() for name, content in contents.items()}
    for name, content in files.items():
        file = folder / "openml" / "openml.org" / f"{name}.gz"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(gzip.compress(content, mtime=0))


@pytest.mark.parametrize("dataset", ["plants", "7"])
def test_a_copy_of_openml_is_a_table(tmp_path: Path, dataset: str) -> None:
    write_openml(tmp_path)
    data = reading.load("openml", path=str(tmp_path), dataset=dataset, standardize=False)
    missing = torch.tensor([0.0, 1, 0, 0, 0, 0])
    assert torch.equal(data.inputs[:, 1], missing) and bool(data.inputs[1, 0].isnan())
    assert data.inputs[:, 2].tolist() == [0, 1, 1, 0, 0, 0]  # green, red, missing
    assert data.inputs[:, 5].tolist() == [3, 4, 5, 7, 9, 8]
    assert data.targets.tolist() == [0, 1, 0, 1, 0, 1]
    color = reading.load("openml", path=str(tmp_path), dataset=dataset, target="leaves")
    assert color.classes == 6
    assert "no column 'leafs', did you mean leaves?" in reading.refusal(
        "openml", tmp_path, dataset=dataset, target="leafs"
    )


def test_a_copy_of_openml_without_its_table_is_an_error(tmp_path: Path) -> None:
    write_openml(tmp_path)
    (tmp_path / "openml/openml.org/data/v1/download/70/plants.arff.gz").unlink()
    assert reading.refusal("openml", tmp_path, dataset="plants").startswith(
        "no complete copy of plants, which `bench fetch"
    )


@pytest.mark.parametrize("name", ["openml", "huggingface", "torchvision"])
def test_what_is_not_here_is_said_with_its_remedy(tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The library comes first, then the copy."""
    library = {"openml": "pandas", "huggingface": "datasets", "torchvision": "torchvision"}[name]
    (tmp_path / "full").write_text("x")
    monkeypatch.setitem(sys.modules, library, None)
    said = reading.refusal(name, tmp_path, dataset="CIFAR10")
    assert "is not installed" in said and "pip install" in said and library in said


def test_parquet_without_pyarrow_says_the_remedy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a.parquet").write_bytes(b"PAR1")
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    said = "Parquet files are read with pyarrow, which is not installed: pip install 'touchstone-bench[parquet]'"
    assert reading.refusal("parquet", tmp_path / "a.parquet", target="y") == said


def test_a_copy_that_is_not_there_is_said_with_the_command(tmp_path: Path) -> None:
    said = "no copy of iris here: `bench fetch SUITE.yaml` downloads it, where there is a network"
    assert reading.refusal("openml", tmp_path / "data", dataset="iris") == said


class TestHuggingface:
    """Folders as the library `datasets` saves them."""

    def images(self, count: int) -> Any:
        datasets = pytest.importorskip("datasets")
        draw = numpy.random.default_rng(count)
        images = [Image.fromarray(draw.integers(0, 256, (6, 5, 3), dtype=numpy.uint8)) for _ in range(count)]
        kinds = datasets.Features({"image": datasets.Image(), "label": datasets.ClassLabel(names=["a", "b"])})
        return datasets.Dataset.from_dict({"image": images, "label": [k % 2 for k in range(count)]}, features=kinds)

    def test_images(self, tmp_path: Path) -> None:
        datasets = pytest.importorskip("datasets")
        parts = {"train": self.images(20), "test": self.images(6), "unsupervised": self.images(2)}
        datasets.DatasetDict(parts).save_to_disk(str(tmp_path))
        data = reading.load("huggingface", path=str(tmp_path), mode="grayscale", size=4)
        assert data.inputs.shape == (26, 1, 4, 4) and data.targets.tolist() == [0, 1] * 13
        assert data.part is not None and data.part.bincount().tolist() == [18, 2, 6]
        assert data.notes[-1] == "parts that are left out: unsupervised"
        self.images(9).save_to_disk(str(tmp_path / "one"))
        assert reading.load("huggingface", path=str(tmp_path / "one")).part is None

    def test_numbers_and_what_is_wrong(self, tmp_path: Path) -> None:
        datasets = pytest.importorskip("datasets")
        columns = {
            "v": [[0.5, k] for k in range(6)],
            "w": [[0.0] * (k + 1) for k in range(6)],
            "t": ["x"] * 6,
            "label": ["p", "q"] * 3,
        }
        datasets.Dataset.from_dict(columns).save_to_disk(str(tmp_path))
        data = reading.load("huggingface", path=str(tmp_path), x="v")
        assert data.input_shape == (2,) and data.targets.tolist() == [0, 1] * 3
        for x, said in (
            ("w", "lists of different lengths"),
            ("t", "inputs are images or numbers"),
            ("V", "no column 'V' (choose from label, t, v, w)"),
        ):
            assert said in reading.refusal("huggingface", tmp_path, x=x)


def test_torchvision_reads_a_copy_in_its_own_format(tmp_path: Path) -> None:
    """MNIST as its authors store it; torchvision imports only beside the torch it was compiled for."""
    try:
        import torchvision  # noqa: F401
    except (ImportError, RuntimeError) as error:
        pytest.skip(f"torchvision cannot be imported: {error}")
    raw = tmp_path / "MNIST" / "raw"
    raw.mkdir(parents=True)
    for part, count in (("train", 40), ("t10k", 20)):
        pixels = numpy.random.default_rng(0).integers(0, 256, (count, 28, 28), dtype=numpy.uint8)
        header, kinds = struct.pack(">IIII", 2051, count, 28, 28), (numpy.arange(count) % 10).astype(numpy.uint8)
        (raw / f"{part}-images-idx3-ubyte").write_bytes(header + pixels.tobytes())
        (raw / f"{part}-labels-idx1-ubyte").write_bytes(struct.pack(">II", 2049, count) + kinds.tobytes())
    data = reading.load("torchvision", path=str(tmp_path), dataset="MNIST", mode="grayscale")
    assert data.inputs.shape == (60, 1, 28, 28) and data.classes == 10
    assert data.part is not None and data.part.bincount().tolist() == [36, 4, 20]
    assert "did you mean MNIST?" in reading.refusal("torchvision", tmp_path, dataset="MNIS")


def test_the_base_downloads_nothing() -> None:
    assert reading.REGISTRY.build("dataset", {"name": "iris"}).fetch() is False
    with pytest.raises(BenchError, match="no data set to download"):
        reading.REGISTRY.build("dataset", {"name": "huggingface", "path": "nowhere"}).fetch()
