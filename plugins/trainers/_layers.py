"""Linear layers and elementwise functions in one stack, forward and backward by hand in memory that is kept."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from ._network import Mapped

ELEMENTWISE = (nn.ReLU, nn.LeakyReLU, nn.ELU, nn.GELU, nn.SiLU, nn.Tanh, nn.Sigmoid, nn.Softplus, nn.Identity)


def network(models: Sequence[nn.Module], device: str, dims: int = 1) -> Mapped:
    """Stack of these models, which are alike but for their weights, for inputs of so many dimensions."""
    return (Layers if _is_simple(models[0], dims) else Mapped)(models, device, dims)


def _is_simple(model: nn.Module, dims: int) -> bool:
    """True if `Layers` can replace the model. A subclass of a layer may do anything, so it is not simple."""
    layers = [layer for _, layer in _flat(model)]
    if dims > 1 and not _flattens(model):
        return False
    shared = len(list(model.named_parameters(remove_duplicate=False))) > len(list(model.parameters()))
    return (
        bool(layers)
        and type(layers[-1]) is nn.Linear
        and all(type(layer) in (nn.Linear, *ELEMENTWISE) for layer in layers)
        and not shared
    )


def _flat(model: nn.Module) -> list[tuple[str, nn.Module]]:
    """Pairs (name, layer) in the order of use, one used twice occurs twice; a first one that flattens is left out."""
    modules = list(model.named_modules(remove_duplicate=False))
    modules = modules[1:] if type(model) is nn.Sequential else modules
    return modules[1:] if _flattens(model) else modules


def _flattens(model: nn.Module) -> bool:
    """Whether a sequence of layers begins by making a row of every input."""
    first = model[0] if type(model) is nn.Sequential and len(model) else None
    return type(first) is nn.Flatten and (first.start_dim, first.end_dim) == (1, -1)


class Layers(Mapped):
    """Linear layers and elementwise functions, stacked by hand: the same numbers from fewer and faster operations.

    Examples are columns, [lanes, features, b]: the products with few classes and their gradients are then three to four
    times faster than with examples as rows. Memory is kept from step to step, since that of new tensors is as slow to
    get as to fill.
    """

    def __init__(self, models: Sequence[nn.Module], device: str, dims: int = 1) -> None:
        super().__init__(models, device, dims)
        tensors = {**{name: weight.detach() for name, weight in self.weights.items()}, **self.fixed}
        self._steps: list[_Step] = []
        gradients = self.gradients
        learns = False  # whether a layer so far has weights to train, so that the later ones pass the gradient on
        for name, layer in _flat(self.model):
            if isinstance(layer, nn.Linear):
                names = [f"{name}.{part}" if name else part for part in ("weight", "bias")]
                pairs = [(tensors.get(part), gradients.get(part)) for part in names]
                self._steps.append(_Linear(pairs[0], pairs[1], learns))
                learns = learns or any(part in gradients for part in names)
            elif type(layer) is nn.ReLU and self._steps and isinstance(self._steps[-1], _Linear):
                self._steps.append(_ReLU(learns))
            else:
                self._steps.append(_Elementwise(layer, learns))

    def outputs(self, examples: Tensor, wants_features: bool) -> tuple[Tensor, ...]:
        """See `Mapped.outputs`."""
        found = tuple(tensor.clone() for tensor in self.push(examples, wants_features))
        for step in self._steps:
            step.forget()
        return found

    def push(self, examples: Tensor, wants_features: bool) -> tuple[Tensor, ...]:
        """See `Mapped.push`; the next step overwrites the results."""
        x = features = self._flat(examples).flatten(2).mT
        with torch.no_grad():
            for step in self._steps:
                features, x = x, step.push(x)  # the last layer is linear
        return tuple(self.grouped(t.mT, examples) for t in ((x, features) if wants_features else (x,)))

    def pull(self, cotangents: Sequence[Tensor]) -> None:
        """See `Mapped.pull`."""
        logits, *features = (cotangent.flatten(1, -2).mT for cotangent in cotangents)
        with torch.no_grad():
            gradient = self._steps[-1].pull(logits)
            if gradient is not None and features:
                gradient.add_(features[0])
            for step in reversed(self._steps[:-1]):
                if gradient is None:
                    break
                gradient = step.pull(gradient)


_Pair = tuple[Tensor | None, Tensor | None]
"""A weight, where the layer has one, and its gradient, where it is trained."""


class _Step:
    """One layer on columns. `passes` says that layers before it are trained; `pull` returns None if they are not."""

    def __init__(self, passes: bool) -> None:
        self.passes = passes

    def push(self, x: Tensor) -> Tensor:
        """Output of x [lanes, d, b], which is kept for `pull`."""
        raise NotImplementedError

    def pull(self, gradient: Tensor) -> Tensor | None:
        """Gradient in x, given that in the output, which may be overwritten."""
        raise NotImplementedError

    def forget(self) -> None:
        """Free the memory that is kept."""


class _Linear(_Step):
    """Linear layer that writes the gradients of its weights where they belong."""

    def __init__(self, weight: _Pair, bias: _Pair, passes: bool) -> None:
        super().__init__(passes)
        assert weight[0] is not None
        self._weight, self._weight_gradient = weight[0], weight[1]
        self._bias, self._bias_gradient = None if bias[0] is None else bias[0][:, :, None], bias[1]
        self.forget()

    def push(self, x: Tensor) -> Tensor:
        self._x, out = x, _kept(self._outputs, self._weight.shape[1], x)
        if self._bias is None:
            return torch.bmm(self._weight, x, out=out)
        return torch.baddbmm(self._bias, self._weight, x, out=out)

    def pull(self, gradient: Tensor) -> Tensor | None:
        if self._weight_gradient is not None:
            torch.bmm(gradient, self._x.mT, out=self._weight_gradient)
        if self._bias_gradient is not None:
            torch.sum(gradient, -1, out=self._bias_gradient)
        if not self.passes:
            return None
        return torch.bmm(self._weight.mT, gradient, out=_kept(self._gradients, self._weight.shape[2], gradient))

    def forget(self) -> None:
        self._outputs: dict[int, Tensor] = {}
        self._gradients: dict[int, Tensor] = {}


def _kept(tensors: dict[int, Tensor], rows: int, like: Tensor) -> Tensor:
    """Tensor [lanes, rows, b] of this memory for the b columns of `like` [lanes, ..., b]."""
    columns = like.shape[-1]
    if columns not in tensors:
        tensors[columns] = like.new_empty(len(like), rows, columns)
    return tensors[columns]


class _ReLU(_Step):
    """ReLU in the memory of a linear layer."""

    def push(self, x: Tensor) -> Tensor:
        self._x = x.relu_()
        return self._x

    def pull(self, gradient: Tensor) -> Tensor | None:
        if not self.passes:
            return None
        pulled: Tensor = torch.ops.aten.threshold_backward.grad_input(gradient, self._x, 0, grad_input=gradient)
        return pulled


class _Elementwise(_Step):
    """Any elementwise function, with the derivative that torch records."""

    def __init__(self, layer: nn.Module, passes: bool) -> None:
        super().__init__(passes)
        self._layer, self._in_place = layer, getattr(layer, "inplace", False)

    def push(self, x: Tensor) -> Tensor:
        with torch.enable_grad():
            self._x = x.detach().requires_grad_(self.passes)
            y: Tensor = self._layer(self._x.clone() if self._in_place else self._x)
        self._y = y
        return y.detach()

    def pull(self, gradient: Tensor) -> Tensor | None:
        if not self.passes:
            return None
        pulled: Tensor = torch.autograd.grad(self._y, self._x, gradient)[0]
        return pulled
