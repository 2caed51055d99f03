"""Base class of the denoisers that are trained here."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Annotated, Any, Literal

import torch
from annotated_types import Ge
from torch import Tensor, nn

from harness import Denoiser, PositiveInt, Schedule, named

from ._networks import MLP, UNet
from ._training import ExampleSource, fit

if TYPE_CHECKING:
    from torch import Generator

NETWORKS: Mapping[str, Callable[[Sequence[int]], nn.Module]] = {"mlp": MLP, "unet": UNet}


class Trained(Denoiser):
    """A small network trained on images in [-1, 1], at real times in (0, T].

    `weighting` is that of the squared errors at different times: `uniform`, or `bound`, as the variational bound has
    them (Ho et al., 2020, equation 12). `run` numbers trainings: each draws its own weights, examples and noise.
    """

    network: Literal["mlp", "unet"] = "mlp"
    prediction_type: Literal["epsilon", "sample", "v_prediction"] = "epsilon"
    steps_of_training: PositiveInt = 5000
    weighting: Literal["uniform", "bound"] = "uniform"
    run: Annotated[int, Ge(0)] = 0
    schedule: Schedule = named("linear")

    data_range = (-1.0, 1.0)

    @abstractmethod
    def source(self) -> ExampleSource:
        """Source of training examples."""

    def train(self, generator: Generator, on_progress: Callable[..., None]) -> dict[str, Tensor]:
        """Averaged weights by name; the same for the same generator."""
        for _ in range(self.run):
            generator = torch.Generator().manual_seed(int(torch.randint(2**62, (), generator=generator)))
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(int(torch.randint(2**62, (), generator=generator)))
            net = NETWORKS[self.network](self.shape)
        steps, source = self.steps_of_training, self.source()
        net = fit(net, source, self.schedule, self.prediction_type, steps, generator, on_progress, self.weighting)
        return dict(net.state_dict())

    def load(self, device: str, weights: Mapping[str, Tensor]) -> nn.Module:
        """The network with the trained weights."""
        with torch.device("meta"):  # draws nothing, since the weights come from training
            net = NETWORKS[self.network](self.shape)
        net.load_state_dict(weights, assign=True)
        return net.to(device).eval().requires_grad_(False)

    def predict(self, net: nn.Module, x: Tensor, t: Tensor) -> Tensor:
        """Output of the network, computed in float32."""
        guess: Tensor = net(x.float(), self._share(t, x))
        return guess.to(x)

    def hidden_features(self, net: Any, x: Tensor, t: Tensor) -> Tensor:
        """Input of the last layers, float32."""
        features: Tensor = net.trunk(x.float(), self._share(t, x))
        return features

    def training_samples(self, net: Any, n: int, generator: Generator) -> Tensor:
        """Draws of n examples, as in training."""
        return self.source()(n, generator)

    def _share(self, t: Tensor, x: Tensor) -> Tensor:
        return (t / self.schedule.num_train_timesteps).to(x.device, torch.float32)
