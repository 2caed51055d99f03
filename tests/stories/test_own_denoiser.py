"""A trained network on disk: samplers compared on it at equal evaluations, and another network in the same file."""

from __future__ import annotations

import math

import numpy as np
import pytest

from tests.conftest import Bench
from tests.stories.conftest import Documented, program

pytestmark = pytest.mark.verify

LESS = {"range(1500)": "range(300)", "samples: 512": "samples: 256", "seeds: 8": "seeds: 4"}
"""What makes the documented example shorter."""
HALVED = """
import torch

held = torch.load("net.pt")
torch.save(held | {"ema": {name: 0.5 * value for name, value in held["ema"].items()}}, "net.pt")
"""


def test_a_checkpoint_in_edms_form_against_three_samplers(bench: Bench, documented: Documented) -> None:
    documented("samplers.md")
    for name in ("train.py", "samplers.yaml"):
        text = (bench.folder / name).read_text()
        for long, short in LESS.items():
            text = text.replace(long, short)
        bench.write(name, text)
    python = program(bench, "python")
    assert python("train.py").code == 0

    first = bench("samplers.yaml", "--json", "-")
    assert first.code == 0, first.err
    before = {cell["vary"]["sampler"]: cell["metrics"] for cell in first.json["cells"]}
    assert set(before) == {"ddim", "edm_heun", "dpm_solver_pp"}
    assert {metrics["nfe"]["mean"] for metrics in before.values()} == {17}, "all used what they were given"
    assert all(0 < metrics["fid_proxy"]["mean"] < 64 for metrics in before.values()), "near data in [-1, 1]^64"
    assert bench("samplers.yaml", "--dry-run").out.count("to do") == 1  # 0 cells to do

    bench.write("halved.py", HALVED)
    assert python("halved.py").code == 0
    plan = bench("samplers.yaml", "--dry-run").out
    assert plan.count("to do (checkpoint.file changed)") == 3 and "3 cells to do, 0 reused" in plan
    second = bench("samplers.yaml", "--json", "-")
    for cell in second.json["cells"]:
        assert cell["changed"] == ["checkpoint.file"]
        worse = cell["metrics"]["fid_proxy"]["mean"] / before[cell["vary"]["sampler"]]["fid_proxy"]["mean"]
        assert worse > 1.1 and math.isfinite(worse), "half of the weights is another network"


PIPELINE = """
import numpy as np
import torch
from diffusers import DDPMPipeline, DDPMScheduler, UNet2DModel
from sklearn.datasets import load_digits

torch.manual_seed(0)
blocks = {"down_block_types": ("DownBlock2D",) * 2, "up_block_types": ("UpBlock2D",) * 2, "add_attention": False}
unet = UNet2DModel(8, 1, 1, block_out_channels=(8, 16), layers_per_block=1, norm_num_groups=4, **blocks)
DDPMPipeline(unet, DDPMScheduler(num_train_timesteps=100)).save_pretrained("pipeline")
np.save("digits.npy", load_digits().images[:, None] / 8 - 1)
"""


def test_a_pipeline_folder_of_diffusers(bench: Bench, documented: Documented) -> None:
    pytest.importorskip("diffusers", reason="diffusers is not installed: pip install touchstone-bench[peers]")
    documented("samplers.md")
    bench.write("save.py", PIPELINE)
    assert program(bench, "python")("save.py").code == 0
    fewer = ("--seeds", "2", "--set", "settings.samples=256")
    ended = bench("pipeline.yaml", *fewer, "--json", "-", timeout=120)
    assert ended.code == 0, ended.err
    rows = {cell["vary"]["sampler"]: cell["metrics"] for cell in ended.json["cells"]}
    assert len(rows) == 3 and {metrics["nfe"]["mean"] for metrics in rows.values()} == {10}
    assert all(0 < metrics["fid_proxy"]["mean"] < math.inf for metrics in rows.values())

    ended = bench("sample", "diffusers: {pipeline: pipeline}", "--steps", "3", "-n", "4", "--out", "few.npy")
    assert ended.code == 0 and np.load(bench.folder / "few.npy").shape == (4, 1, 8, 8)


def test_a_pipeline_with_class_labels(bench: Bench, documented: Documented) -> None:
    """From the page alone: the folder that the library saved, guidance as an axis, labels chosen, a scheduler of its own."""
    pytest.importorskip("diffusers", reason="diffusers is not installed: pip install touchstone-bench[peers]")
    documented("denoisers.md")
    assert program(bench, "python")("make_pipeline.py").code == 0
    ended = bench("pipeline.yaml", "--seeds", "2", "--json", "-", timeout=300)
    assert ended.code == 0, ended.err
    rows = {cell["vary"]["guidance"]: cell["metrics"] for cell in ended.json["cells"]}
    assert set(rows) == {1, 3} and {metrics["nfe"]["mean"] for metrics in rows.values()} == {10}
    values = [metrics["fid_proxy"]["values"] for metrics in rows.values()]
    assert values[0] != values[1] and all(0 < value < math.inf for each in values for value in each)

    theirs = "vary.sampler=diffusers:DPMSolverMultistepScheduler"
    ended = bench("pipeline.yaml", "--seeds", "2", "--set", theirs, "--set", "settings.labels=[3, 7]", "--json", "-")
    assert ended.code == 0, ended.err
    other = {cell["vary"]["guidance"]: cell["metrics"] for cell in ended.json["cells"]}
    assert {metrics["nfe"]["mean"] for metrics in other.values()} == {10}
    assert other[3]["fid_proxy"]["values"] != rows[3]["fid_proxy"]["values"]
