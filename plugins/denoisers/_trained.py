"""What denoisers that are trained here share."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Literal

import torch
from harness.stock.denoisers._networks import MLP, UNet
from harness.stock.denoisers._training import Examples, fit
from torch import Tensor, nn

from harness import Count, Denoiser, Schedule, named

if TYPE_CHECKING:
    from torch import Generator

NETWORKS: Mapping[str, Callable[[Sequence[int]], nn.Module]] = {"mlp": MLP, "unet": UNet}


class Trained(Denoiser):
    """A small network trained on images in [-1, 1], at real times in (0, T]."""

    network: Literal["mlp", "unet"] = "mlp"
    predicts: Literal["eps", "x0", "v"] = "eps"
    steps_of_training: Count = 5000
    schedule: Schedule = named("linear")

    range: ClassVar[tuple[float, float]] = (-1.0, 1.0)

    @property
    @abstractmethod
    def shape(self) -> tuple[int, int, int]:
        """Channels, height and width."""

    @abstractmethod
    def source(self) -> Examples:
        """A source of training examples."""

    def train(self, generator: Generator, report: Callable[..., None]) -> dict[str, Tensor]:
        """The averaged weights by name; the same for the same generator."""
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(int(torch.randint(2**62, (), generator=generator)))
            net = NETWORKS[self.network](self.shape)
        net = fit(net, self.source(), self.schedule, self.predicts, self.steps_of_training, generator, report)
        return dict(net.state_dict())

    def load(self, device: str, weights: Mapping[str, Tensor]) -> nn.Module:  # type: ignore[override]
        """The network with the weights that training made."""
        with torch.device("meta"):  # draws nothing: the weights come from the training
            net = NETWORKS[self.network](self.shape)
        net.load_state_dict(weights, assign=True)
        return net.to(device).eval().requires_grad_(False)

    def predict(self, net: nn.Module, x: Tensor, t: Tensor) -> Tensor:
        """The network's answer, computed in float32."""
        guess: Tensor = net(x.float(), self._share(t, x))
        return guess.to(x)

    def trunk(self, net: Any, x: Tensor, t: Tensor) -> Tensor:
        """What the last layers see, float32."""
        features: Tensor = net.trunk(x.float(), self._share(t, x))
        return features

    def examples(self, net: Any, n: int, generator: Generator) -> Tensor:
        """n examples, as training draws them."""
        return self.source()(n, generator)

    def _share(self, t: Tensor, x: Tensor) -> Tensor:
        return (t / self.schedule.steps).to(x.device, torch.float32)
