"""Components that are wrong in one thing each: the conformance check of that thing says so, and the others do not."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import pytest
import torch
from torch import Tensor, nn

import harness
from harness import (
    BenchError,
    Component,
    Dataset,
    Denoiser,
    DiffusionModel,
    Examples,
    Loss,
    Metric,
    Model,
    Schedule,
    Spacing,
    Variance,
    derived,
)
from harness.conformance import Verdict, check_component, contract


def verdicts(component: Component) -> dict[str, Verdict]:
    return {verdict.name: verdict for verdict in check_component(component)}


def failed(component: Component) -> set[str]:
    return {name for name, verdict in verdicts(component).items() if verdict.passed is False}


class Straight(Schedule):
    """A falls along a straight line, but for a thousandth."""

    def alpha_bar(self, t: Tensor) -> Tensor:
        return 1 - 0.999 * torch.as_tensor(t, dtype=torch.float64) / self.num_train_timesteps


class Late(Straight):
    """Something is lost at 0 already."""

    def alpha_bar(self, t: Tensor) -> Tensor:
        return 0.99 * super().alpha_bar(t)


class Wavy(Straight):
    """Rises now and then."""

    def alpha_bar(self, t: Tensor) -> Tensor:
        return super().alpha_bar(t) + 0.01 * (t / 10).sin().square()


class Coarse(Straight):
    """Float32."""

    def alpha_bar(self, t: Tensor) -> Tensor:
        return super().alpha_bar(t).float()


class Together(Straight):
    """A time is answered by the others that are asked for with it."""

    def alpha_bar(self, t: Tensor) -> Tensor:
        return super().alpha_bar(t) * (1 - 1e-5 * t / t.max().clamp(min=1))


class OtherSigma(Straight):
    """Sigma of another schedule."""

    def sigma(self, t: Tensor) -> Tensor:
        return 1.01 * super().sigma(t)


class Drawn(Straight):
    """Draws."""

    def alpha_bar(self, t: Tensor) -> Tensor:
        return super().alpha_bar(t) * (1 - 1e-6 * torch.rand(()).double() * (t > 0))


class Halves(Spacing):
    """Even steps."""

    def times(self, schedule: Schedule, steps: int, cost: Tensor | None = None) -> Tensor:
        if not 1 <= steps <= schedule.num_train_timesteps:
            raise BenchError("no such number of steps")
        return torch.linspace(schedule.num_train_timesteps, 0, steps + 1, dtype=torch.float64)


class Upwards(Halves):
    """The other way round."""

    def times(self, schedule: Schedule, steps: int, cost: Tensor | None = None) -> Tensor:
        return super().times(schedule, steps).flip(0)


class OneMore(Halves):
    """A step more than asked for."""

    def times(self, schedule: Schedule, steps: int, cost: Tensor | None = None) -> Tensor:
        super().times(schedule, steps)
        return torch.linspace(schedule.num_train_timesteps, 0, steps + 2, dtype=torch.float64)


class Beyond(Halves):
    """Starts after T."""

    def times(self, schedule: Schedule, steps: int, cost: Tensor | None = None) -> Tensor:
        return 1.01 * super().times(schedule, steps)


class Rough(Halves):
    """Float32."""

    def times(self, schedule: Schedule, steps: int, cost: Tensor | None = None) -> Tensor:
        return super().times(schedule, steps).float()


class Boundless(Halves):
    """Takes any number of steps."""

    def times(self, schedule: Schedule, steps: int, cost: Tensor | None = None) -> Tensor:
        return torch.linspace(schedule.num_train_timesteps, 0, max(steps, 1) + 1, dtype=torch.float64)


class Wandering(Halves):
    """Draws."""

    def times(self, schedule: Schedule, steps: int, cost: Tensor | None = None) -> Tensor:
        found = super().times(schedule, steps)
        return torch.cat([found[:1] - torch.rand(1).double() / 10, found[1:]])


class Mean(Variance):
    """What the guess is off by on average, for each time: a fair estimate, which is not exact."""

    def fit(self, model: DiffusionModel, data: Tensor, generator: Any) -> Mapping[str, Tensor]:
        return {"variance": data.var()}

    def posterior_variance(
        self, model: DiffusionModel, fitted: Mapping[str, Tensor], x: Tensor, t: float, s: float, eps: Tensor
    ) -> Any:
        return 0.9 * float(fitted["variance"])


class Hidden(Mean):
    """Keeps what it fitted on itself."""

    def fit(self, model: DiffusionModel, data: Tensor, generator: Any) -> Mapping[str, Tensor]:
        object.__setattr__(self, "found", data.mean())
        return super().fit(model, data, generator)


class Spoils(Mean):
    """Writes over the data."""

    def fit(self, model: DiffusionModel, data: Tensor, generator: Any) -> Mapping[str, Tensor]:
        data.mul_(2)
        return super().fit(model, data, generator)


class Below(Mean):
    """Below 0 near the data."""

    def posterior_variance(
        self, model: DiffusionModel, fitted: Mapping[str, Tensor], x: Tensor, t: float, s: float, eps: Tensor
    ) -> Any:
        return 0.01 * t - 0.02


class Overwriting(Mean):
    """Writes over x_t."""

    def posterior_variance(
        self, model: DiffusionModel, fitted: Mapping[str, Tensor], x: Tensor, t: float, s: float, eps: Tensor
    ) -> Any:
        return x.square_()


class Mixing(Mean):
    """An estimate by the whole batch."""

    def posterior_variance(
        self, model: DiffusionModel, fitted: Mapping[str, Tensor], x: Tensor, t: float, s: float, eps: Tensor
    ) -> Any:
        return x.square().mean(0).expand_as(x)


class Probing(Mean):
    """Draws a direction with torch's own generator."""

    def posterior_variance(
        self, model: DiffusionModel, fitted: Mapping[str, Tensor], x: Tensor, t: float, s: float, eps: Tensor
    ) -> Any:
        return float(torch.rand(()))


class Ending(Mean):
    """Depends on s, and does not say so."""

    def posterior_variance(
        self, model: DiffusionModel, fitted: Mapping[str, Tensor], x: Tensor, t: float, s: float, eps: Tensor
    ) -> Any:
        return 0.1 + 0.001 * s


class NearlyExact(Mean):
    """Takes only denoisers whose posterior is known, and is a tenth above it."""

    def skip(self, denoiser: Denoiser) -> str | None:
        return None if denoiser.supports("posterior_covariance") else "it has no exact posterior"

    def posterior_variance(
        self, model: DiffusionModel, fitted: Mapping[str, Tensor], x: Tensor, t: float, s: float, eps: Tensor
    ) -> Any:
        return 1.1 * model.posterior_covariance(x, t)


class Normal(Denoiser):
    """Standard normal data, of which everything is known."""

    schedule = derived(lambda self: harness.component("schedule", "linear"))
    shape = (2,)

    def load(self, device: str) -> None:
        return None

    def predict(self, net: Any, x: Tensor, t: Tensor) -> Tensor:
        kept = self.schedule.alpha_bar(t).to(x)[:, None]
        return (1 - kept).sqrt() * x

    def sample(self, net: Any, n: int, generator: torch.Generator) -> Tensor:
        return torch.randn(n, 2, generator=generator)

    def moments(self, net: Any) -> tuple[Tensor, Tensor]:
        return torch.zeros(2).double(), torch.eye(2).double()

    def log_prob(self, net: Any, x: Tensor) -> Tensor:
        return torch.distributions.Normal(0.0, 1.0).log_prob(x).sum(-1)

    def posterior_covariance(self, net: Any, x: Tensor, t: Tensor) -> Tensor:
        left = 1 - self.schedule.alpha_bar(t)
        return left.to(x)[:, None, None] * torch.eye(2).to(x)

    def sample_posterior(self, net: Any, x: Tensor, t: Tensor, noise: Any) -> Tensor:
        kept = self.schedule.alpha_bar(t).to(x)[:, None]
        return kept.sqrt() * x + (1 - kept).sqrt() * noise("x_0", x)


class Shapeless(Normal):
    """Says no shape."""

    shape = ()


class Backwards(Normal):
    """A range that falls."""

    data_range = (1.0, -1.0)


class Bounded(Normal):
    """A range that its data leave."""

    data_range = (-1.0, 1.0)


class Moody(Normal):
    """Another guess every time."""

    def predict(self, net: Any, x: Tensor, t: Tensor) -> Tensor:
        return super().predict(net, x, t) + 1e-3 * torch.rand(())


class Sociable(Normal):
    """Looks at the other samples."""

    def predict(self, net: Any, x: Tensor, t: Tensor) -> Tensor:
        return super().predict(net, x, t) - 0.01 * x.mean(0)


class Useless(Normal):
    """Guesses the worse."""

    def predict(self, net: Any, x: Tensor, t: Tensor) -> Tensor:
        return 500 * super().predict(net, x, t)


class Grasping(Normal):
    """Draws from torch's own generator."""

    def sample(self, net: Any, n: int, generator: torch.Generator) -> Tensor:
        return torch.randn(n, 2)


class OffMean(Normal):
    """A mean that is not that of its data."""

    def moments(self, net: Any) -> tuple[Tensor, Tensor]:
        return torch.full((2,), 0.2).double(), torch.eye(2).double()


class Dense(Normal):
    """A density that sums up to 2."""

    def log_prob(self, net: Any, x: Tensor) -> Tensor:
        return super().log_prob(net, x) + 0.6931


class Sure(Normal):
    """A posterior that is half as wide as it is."""

    def posterior_covariance(self, net: Any, x: Tensor, t: Tensor) -> Tensor:
        return super().posterior_covariance(net, x, t) / 2


class Elsewhere(Normal):
    """Draws given x_t that have nothing to do with it."""

    def sample_posterior(self, net: Any, x: Tensor, t: Tensor, noise: Any) -> Tensor:
        return noise("x_0", x)


class High(Model):
    """Five times five, whatever is asked for."""

    def build(self, inputs: int, outputs: int) -> nn.Module:
        return nn.Linear(inputs, 25)


class Idle(Model):
    """Has a layer that it does not use."""

    def build(self, inputs: int, outputs: int) -> nn.Module:
        network = nn.Linear(inputs, outputs)
        network.register_parameter("idle", nn.Parameter(torch.zeros(3)))
        return network


class Unseeded(Model):
    """Weights from a generator of their own."""

    def build(self, inputs: int, outputs: int) -> nn.Module:
        network, own = nn.Linear(inputs, outputs), torch.Generator()
        own.seed()
        nn.init.normal_(network.weight, generator=own)
        return network


class _Together(nn.Linear):
    def forward(self, x: Tensor) -> Tensor:
        return super().forward(x - x.mean(0))


class Social(Model):
    """Looks at the batch in evaluation too."""

    def build(self, inputs: int, outputs: int) -> nn.Module:
        return _Together(inputs, outputs)


class _Noisy(nn.Linear):
    def forward(self, x: Tensor) -> Tensor:
        return super().forward(nn.functional.dropout(x))


class Careless(Model):
    """Drops out in evaluation too."""

    def build(self, inputs: int, outputs: int) -> nn.Module:
        return _Noisy(inputs, outputs)


class Table(Dataset):
    """A small table."""

    def load(self, generator: torch.Generator) -> Examples:
        return Examples(torch.randn(30, 2, generator=generator), torch.arange(30) % 3, 3)


class Doubles(Table):
    """Float64."""

    def load(self, generator: torch.Generator) -> Examples:
        return Examples(torch.randn(30, 2, generator=generator).double(), torch.arange(30) % 3, 3)


class Absent(Table):
    """A class without an example."""

    def load(self, generator: torch.Generator) -> Examples:
        return Examples(torch.randn(30, 2, generator=generator), torch.arange(30) % 3, 4)


class Changing(Table):
    """Another table every time."""

    def load(self, generator: torch.Generator) -> Examples:
        return Examples(torch.randn(30, 2), torch.arange(30) % 3, 3)


class Keeping(Table):
    """Counts on itself how often it was loaded."""

    def load(self, generator: torch.Generator) -> Examples:
        object.__setattr__(self, "loaded", getattr(self, "loaded", 0) + 1)
        return super().load(generator)


class Right(Metric):
    """The share that is right."""

    tasks: ClassVar = ("classes",)

    def __call__(self, logits: Tensor, target: Tensor) -> Tensor:
        return (logits.argmax(-1) == target).float()


class Reversed(Right):
    """Higher is better, it says."""

    def __call__(self, logits: Tensor, target: Tensor) -> Tensor:
        return 1 - super().__call__(logits, target)


class Columns(Right):
    """Three numbers for each example."""

    def __call__(self, logits: Tensor, target: Tensor) -> Tensor:
        return logits[:, :3]


class Clearing(Right):
    """Writes over the logits."""

    def __call__(self, logits: Tensor, target: Tensor) -> Tensor:
        found = super().__call__(logits, target)
        logits.zero_()
        return found


class Sampling(Right):
    """Judges examples that it draws."""

    def __call__(self, logits: Tensor, target: Tensor) -> Tensor:
        return super().__call__(logits, target) + torch.rand(())


class First(Right):
    """Judges the first example alone."""

    higher_is_better: ClassVar[bool | None] = None

    def __call__(self, logits: Tensor, target: Tensor) -> Tensor:
        return logits[0].max() + target[0]


class Stateful(Loss):
    """Running mean of the loss, as it should be."""

    def __call__(self, logits: Tensor, target: Tensor) -> Tensor:
        return nn.functional.cross_entropy(logits, target, reduction="none")

    def state(self) -> dict[str, Tensor]:
        return {"mean": torch.zeros(())}

    def with_state(
        self, logits: Tensor, target: Tensor, /, state: Mapping[str, Tensor], **inputs: Any
    ) -> tuple[Tensor, Mapping[str, Tensor]]:
        loss = self(logits, target)
        return loss, {"mean": 0.9 * state["mean"] + 0.1 * loss.mean().detach()}


class Renaming(Stateful):
    """Hands back other names."""

    def with_state(
        self, logits: Tensor, target: Tensor, /, state: Mapping[str, Tensor], **inputs: Any
    ) -> tuple[Tensor, Mapping[str, Tensor]]:
        return self(logits, target), {"average": state["mean"]}


class Overstating(Stateful):
    """More than certain."""

    def probabilities(self, logits: Tensor) -> Tensor:
        return 1.5 * logits.softmax(-1)


class Touching(Stateful):
    """Writes over the logits."""

    def __call__(self, logits: Tensor, target: Tensor) -> Tensor:
        with torch.no_grad():
            logits.sub_(1.0)
        return super().__call__(logits, target)


RIGHT = [Straight(), Halves(), Mean(), Normal(), Table(), Right(), Stateful()]


@pytest.mark.parametrize("component", RIGHT, ids=lambda component: type(component).__name__)
@pytest.mark.verify
def test_what_they_depart_from_passes(component: Component) -> None:
    assert failed(component) == set()
    assert sum(bool(verdict.passed) for verdict in verdicts(component).values()) > 3


WRONG: list[tuple[Component, set[str]]] = [
    (Late(), {"start"}),
    (Wavy(), {"falling", "noise"}),
    (Coarse(), {"precision"}),
    (Together(), {"shape"}),
    (OtherSigma(), {"noise"}),
    (Drawn(), {"repeats", "shape", "noise"}),
    (Upwards(), {"decreasing", "all_steps"}),
    (OneMore(), {"decreasing", "all_steps"}),
    (Beyond(), {"decreasing", "all_steps"}),
    (Rough(), {"precision"}),
    (Boundless(), {"bounds"}),
    (Wandering(), {"repeats"}),
    (Hidden(), {"statistics"}),
    (Spoils(), {"statistics"}),
    (Below(), {"shape", "repeats", "law"}),
    (Overwriting(), {"inputs"}),
    (Mixing(), {"batches"}),
    (Probing(), {"repeats", "batches", "ends"}),
    (Ending(), {"ends"}),
    (NearlyExact(), {"law"}),
    (Backwards(), {"declared", "drawing"}),
    (Bounded(), {"drawing"}),
    (Moody(), {"repeats", "batches"}),
    (Sociable(), {"batches"}),
    (Useless(), {"useful", "posterior"}),
    (Grasping(), {"drawing"}),
    (OffMean(), {"moments"}),
    (Dense(), {"density"}),
    (Sure(), {"posterior"}),
    (Elsewhere(), {"reverse"}),
    (High(), {"width"}),
    (Idle(), {"gradient"}),
    (Unseeded(), {"initialization"}),
    (Social(), {"batches"}),
    (Careless(), {"batches", "repeats"}),
    (Doubles(), {"table", "classes", "repeats", "parts", "scale", "memory"}),
    (Absent(), {"classes"}),
    (Changing(), {"repeats"}),
    (Keeping(), {"memory"}),
    (Reversed(), {"direction"}),
    (Columns(), {"value", "direction", "repeats", "order"}),
    (Clearing(), {"inputs"}),
    (Sampling(), {"repeats", "order"}),
    (First(), {"order"}),
    (Renaming(), {"state"}),
    (Overstating(), {"probabilities"}),
    (Touching(), {"inputs", "gradient"}),
]


@pytest.mark.verify
@pytest.mark.parametrize(("component", "wrong"), WRONG, ids=lambda part: getattr(type(part), "__name__", None))
def test_a_wrong_component_fails_what_it_breaks(component: Component, wrong: set[str]) -> None:
    found = verdicts(component)
    assert {name for name, verdict in found.items() if verdict.passed is False} == wrong, found


def test_a_denoiser_without_a_shape_says_so() -> None:
    verdict = verdicts(Shapeless())["declared"]
    assert verdict.passed is False
    assert verdict.says == "declared: shape () is not one or more whole numbers above 0"


@pytest.mark.verify
def test_training_that_takes_too_long_is_no_fault() -> None:
    found = check_component(harness.component("denoiser", "digits", steps_of_training=10**6))
    late = [verdict for verdict in found if verdict.name != "declared"]
    assert all(verdict.passed is None and "training it would take" in verdict.says for verdict in late)


def test_times_in_a_list_keep_all_their_digits() -> None:
    spacing = harness.component("spacing", "even")
    exact = [1000.0, 1000.0 / 3, 0.1, 0.0]
    assert contract.times(spacing, exact, 1000.0, 3).tolist() == exact
    for wrong in ("text", None, 3.0, [1 + 2j, 0], {"a": 1}, [[1.0, 0.0]]):
        with pytest.raises(harness.BenchError, match="expected a vector of times"):
            contract.times(spacing, wrong, 1000.0, 3)
