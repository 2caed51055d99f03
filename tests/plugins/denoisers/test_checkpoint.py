"""The denoiser `checkpoint`: networks of one's own, and what is said of files and modules that do not fit."""

from __future__ import annotations

import argparse
import collections
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from harness import BenchError, DiffusionModel
from harness.discovery.registry import component

NETS = """
import torch
from torch import nn

class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.first = nn.Linear(2, 3)
        self.second = nn.Linear(3, 2)
        self.seen = []

    def forward(self, x, t):
        self.seen.append(t)
        return self.second(self.first(x).tanh())

class Nets:
    Inner = Net

def needs_more(width): ...
def no_module(): return "nothing"
def broken(): raise ValueError("no luck\\ntoday")
def pair():
    class Pair(Net):
        def forward(self, x, t): return x, x
    return Pair()
shape = (2,)
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a module `my_nets` that can be imported."""
    (tmp_path / "my_nets.py").write_text(NETS)
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.delitem(__import__("sys").modules, "my_nets", raising=False)
    return tmp_path


def weights(**changed: tuple[int, ...] | None) -> dict[str, Tensor]:
    shapes: dict[str, tuple[int, ...] | None] = {"first.weight": (3, 2), "first.bias": (3,), "second.weight": (2, 3)}
    shapes |= {"second.bias": (2,)} | {name.replace("__", "."): shape for name, shape in changed.items()}
    draw = torch.Generator().manual_seed(0)
    return {name: torch.randn(shape, generator=draw) for name, shape in shapes.items() if shape}


def denoiser(
    folder: Path, content: Any = None, file: str = "net.pt", module: str = "my_nets:Net", **fields: Any
) -> Any:
    if content is not None:
        torch.save(content, folder / file)
    return component("denoiser", "checkpoint", module=module, file=str(folder / file), shape=[2], **fields)


def expected(w: dict[str, Tensor], x: Tensor) -> Tensor:
    """The network by hand."""
    return (x @ w["first.weight"].T + w["first.bias"]).tanh() @ w["second.weight"].T + w["second.bias"]


def test_a_state_dict_in_its_many_wrappings(folder: Path) -> None:
    w = weights()
    x = torch.randn(4, 2, generator=torch.Generator().manual_seed(1))
    t = torch.full((4,), 5.0, dtype=torch.float64)
    prefixed = {f"model.{name}": value for name, value in w.items()}
    for content, fields in [
        (w, {}),
        (collections.OrderedDict(w), {}),
        ({"ema": w, "epoch": 3}, {"key": "ema"}),
        ({"ema": {"model": w}}, {"key": "ema.model"}),
        ({"ema_0.9999": w, "step": 3}, {"key": "ema_0.9999"}),
        (prefixed, {"strip_prefix": "model."}),
        ({"state_dict": prefixed | {"metric.sum": torch.zeros(1)}}, {"key": "state_dict", "strip_prefix": "model."}),
        (w, {"module": "my_nets:Nets.Inner"}),
    ]:
        made = denoiser(folder, content, **fields)
        net = made.load("cpu")
        torch.testing.assert_close(made.predict(net, x, t), expected(w, x))
        assert not any(p.requires_grad for p in net.parameters())


def test_safetensors(folder: Path) -> None:
    safetensors = pytest.importorskip("safetensors.torch")
    w = weights()
    safetensors.save_file(w, folder / "net.safetensors")
    made = denoiser(folder, file="net.safetensors")
    x = torch.ones(1, 2)
    torch.testing.assert_close(made.predict(made.load("cpu"), x, torch.ones(1)), expected(w, x))


def test_whole_times_are_counted_from_0_and_real_ones_are_left_alone(folder: Path) -> None:
    x = torch.zeros(2, 2)
    for discrete, asked, given in [
        (True, 7.4, torch.tensor([6, 6])),
        (True, 0.3, torch.tensor([0, 0])),
        (False, 7.25, torch.tensor([7.25, 7.25])),
    ]:
        made = denoiser(folder, weights(), discrete_time=discrete)
        ready = DiffusionModel(made, made.load("cpu"))
        ready.eps(x, asked)
        (seen,) = ready.net.seen
        assert seen.dtype == given.dtype
        assert torch.equal(seen, given)


def test_the_fields_say_how_the_answer_is_meant(folder: Path) -> None:
    made = denoiser(
        folder,
        weights(),
        prediction_type="sample",
        parameterization="ve",
        data_range=[-2, 2],
        schedule={"name": "cosine", "num_train_timesteps": 10},
    )
    ready = DiffusionModel(made, made.load("cpu"))
    x = torch.tensor([[0.3, -0.8]])
    a = ready.schedule.alpha_bar(torch.tensor(4.0, dtype=torch.float64)).sqrt().float()
    assert (ready.shape, ready.data_range, ready.schedule.num_train_timesteps) == ((2,), (-2.0, 2.0), 10)
    torch.testing.assert_close(ready.x0(x, 4.0), expected(weights(), x / a))


def test_loading_draws_nothing_from_the_global_stream(folder: Path) -> None:
    state = torch.get_rng_state()
    denoiser(folder, weights()).load("cpu")
    assert torch.equal(state, torch.get_rng_state())


@pytest.mark.parametrize(
    ("content", "fields", "message"),
    [
        (None, {"file": "nets.pt"}, "nets.pt: no such file, did you mean net.pt?"),
        (weights(), {"key": "ema"}, "net.pt: has no key 'ema' (choose from first.bias, first.weight, second.bias, second.weight)"),
        ({"state_dict": weights()}, {"key": "state_dct"}, "net.pt: has no key 'state_dct', did you mean state_dict?"),
        ({"state_dict": weights()}, {}, "net.pt: holds no tensors by name, did you mean state_dict?"),
        ({"epoch": 3}, {"key": "epoch"}, "net.pt: holds no tensors by name under 'epoch'"),
        (weights(), {"strip_prefix": "model."}, "net.pt: no name begins with 'model.', the first is 'first.weight'"),
        (weights(first__bias=None, first__bais=(3,)), {}, "net.pt: has no 'first.bias', which Net needs, did you mean first.bais?"),
        (weights(first__bias=None, second__bias=None), {}, "net.pt: has no 'first.bias', which Net needs; 1 more like it"),
        (weights(third__bias=(3,)), {}, "net.pt: holds 'third.bias', which Net does not have, did you mean first.bias?"),
        (weights(first__weight=(3, 4)), {}, "net.pt: 'first.weight' is [3, 4] in the file and [3, 2] in Net"),
        (weights(), {"module": "my_nets"}, "checkpoint.module: expected package.module:factory, got 'my_nets'"),
        (weights(), {"module": "my_net:Net"}, "checkpoint.module: my_net cannot be imported: ModuleNotFoundError: No module named 'my_net'"),
        (weights(), {"module": "my_nets:Netz"}, "checkpoint.module: my_nets has no 'Netz', did you mean Net?"),
        (weights(), {"module": "my_nets:shape"}, "checkpoint.module: my_nets:shape cannot be called: it must build a torch.nn.Module"),
        (weights(), {"module": "my_nets:no_module"}, "checkpoint.module: my_nets:no_module() returned a str, not a torch.nn.Module"),
        (weights(), {"module": "my_nets:broken"}, "checkpoint.module: my_nets:broken() failed: ValueError: no luck"),
        (
            weights(),
            {"module": "my_nets:needs_more"},
            "checkpoint.module: my_nets:needs_more() failed: TypeError: needs_more() missing 1 required positional argument: 'width'",
        ),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_said_in_a_line(folder: Path, content: Any, fields: dict[str, Any], message: str) -> None:
    torch.save(weights(), folder / "net.pt")
    with pytest.raises(BenchError) as caught:
        denoiser(folder, content, **fields).load("cpu")
    assert str(caught.value).removeprefix(f"{folder}/") == message


def test_a_file_of_something_else(folder: Path) -> None:
    (folder / "net.pt").write_text("no tensors here")
    with pytest.raises(BenchError, match=r"net\.pt: not a file of tensors: ") as caught:
        denoiser(folder).load("cpu")
    assert "\n" not in str(caught.value)


def test_pickled_code_is_not_run(folder: Path) -> None:
    said = "is a pickled module (torch.nn.modules.linear.Linear), which is never loaded: save net.state_dict()"
    torch.save(nn.Linear(2, 2), folder / "net.pt")
    with pytest.raises(BenchError) as caught:
        denoiser(folder).load("cpu")
    assert str(caught.value).removeprefix(f"{folder}/") == f"net.pt: {said}"
    torch.save({"weights": weights(), "options": argparse.Namespace(a=1)}, folder / "net.pt")
    with pytest.raises(BenchError, match=r"net\.pt: holds pickled objects \(argparse\.Namespace\), which"):
        denoiser(folder).load("cpu")


def test_an_answer_that_is_no_tensor(folder: Path) -> None:
    made = denoiser(folder, weights(), module="my_nets:pair")
    with pytest.raises(BenchError, match="my_nets:pair returns a tuple, not a tensor"):
        DiffusionModel(made, made.load("cpu")).eps(torch.zeros(1, 2), 3.0)


def test_real_data_to_compare_with_come_from_a_file(folder: Path) -> None:
    data = np.array([[1, 2], [3, 4], [5, 6]])
    np.save(folder / "data.npy", data)
    torch.save(torch.from_numpy(data), folder / "data.pt")
    assert denoiser(folder, weights()).reference_data(None) is None
    for name in ("data.npy", "data.pt"):
        found = denoiser(folder, reference=str(folder / name)).reference_data(None)
        assert found.dtype == torch.float32
        assert found.tolist() == data.tolist()


def test_real_data_that_do_not_fit(folder: Path) -> None:
    np.save(folder / "data.npy", np.zeros((4, 3)))
    np.save(folder / "code.npy", np.array([{}]), allow_pickle=True)
    torch.save({"x": torch.zeros(2, 2)}, folder / "table.pt")
    for name, message in [
        ("data.npy", "data.npy: expected an array [n, 2], found [4, 3]"),
        ("table.pt", "table.pt: expected an array [n, 2], found a dict"),
        ("dato.npy", "dato.npy: no such file, did you mean data.npy?"),
        (
            "code.npy",
            "code.npy: not a file of tensors: ValueError: Object arrays cannot be loaded when allow_pickle=False",
        ),
    ]:
        with pytest.raises(BenchError) as caught:
            denoiser(folder, reference=str(folder / name)).reference_data(None)
        assert str(caught.value).removeprefix(f"{folder}/") == message


@pytest.mark.parametrize("bounds", [[1], [1, -1], [0, 1, 2]])
def test_a_range_is_low_and_high(folder: Path, bounds: list[float]) -> None:
    with pytest.raises(BenchError, match=r"checkpoint\.data_range: expected \[low, high\]"):
        denoiser(folder, weights(), data_range=bounds)
