"""Networks of a block in one stack: mapped over seeds by torch.func, or by hand where they are simple."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.func import functional_call, stack_module_state, vmap

from ._inputs import forward

ELEMENTWISE = (nn.ReLU, nn.LeakyReLU, nn.ELU, nn.GELU, nn.SiLU, nn.Tanh, nn.Sigmoid, nn.Softplus, nn.Identity)


def network(models: Sequence[nn.Module], device: str) -> Mapped:
    """Stack of these models, which are alike but for their weights."""
    return (Layers if _is_simple(models[0]) else Mapped)(models, device)


def _is_simple(model: nn.Module) -> bool:
    """True if `Layers` can replace the model. A subclass of a layer may do anything, so it is not simple."""
    layers = [layer for _, layer in _flat(model)]
    shared = len(list(model.named_parameters(remove_duplicate=False))) > len(list(model.parameters()))
    return (
        bool(layers)
        and type(layers[-1]) is nn.Linear
        and all(type(layer) in (nn.Linear, *ELEMENTWISE) for layer in layers)
        and not shared
    )


def _flat(model: nn.Module) -> list[tuple[str, nn.Module]]:
    """Pairs (name, layer) in the order of use; a layer that is used twice occurs twice."""
    modules = list(model.named_modules(remove_duplicate=False))
    return modules[1:] if type(model) is nn.Sequential else modules


class Mapped:
    """Any network, mapped over its stacked parameters by torch.func. `weights` are those to be trained."""

    def __init__(self, models: Sequence[nn.Module], device: str) -> None:
        self.model = models[0].train()
        weights, buffers = stack_module_state([model.to(device) for model in models])
        frozen = {name for name, weight in self.model.named_parameters() if not weight.requires_grad}
        self.weights = {n: weight.detach().requires_grad_() for n, weight in weights.items() if n not in frozen}
        self.fixed = {**buffers, **{name: weights[name].detach() for name in frozen}}

    def __call__(self, examples: Tensor, wants_features: bool) -> tuple[Tensor, Tensor | None]:
        """Logits [lanes, b, ..., classes], features [lanes, b, ..., h] or None, of examples [lanes, b, ..., d].

        The model is given [rows, d]: the items of groups are rows like any others.
        """
        logits, features = self._rows(examples.flatten(1, -2), wants_features)
        shape = examples.shape[1:-1]
        return logits.unflatten(1, shape), None if features is None else features.unflatten(1, shape)

    def _rows(self, examples: Tensor, wants_features: bool) -> tuple[Tensor, Tensor | None]:
        def run(tensors: dict[str, Tensor], x: Tensor) -> tuple[Tensor, ...]:
            logits, features = forward(self.model, lambda: functional_call(self.model, tensors, (x,)), wants_features)
            return (logits,) if features is None else (logits, features)

        logits, *features = vmap(run)({**self.weights, **self.fixed}, examples)
        return logits, features[0] if features else None


class Layers(Mapped):
    """Linear layers and elementwise functions, stacked by hand: the same function from fewer and faster operations.

    Examples are columns, [lanes, features, b]: the products with few classes and their gradients are then three to four
    times faster than with examples as rows.
    """

    def _rows(self, examples: Tensor, wants_features: bool) -> tuple[Tensor, Tensor | None]:
        x = features = examples.mT
        tensors = {**self.weights, **self.fixed}
        for name, layer in _flat(self.model):
            if isinstance(layer, nn.Linear):
                features, dot = x, f"{name}." if name else ""
                weight, bias = tensors[f"{dot}weight"], tensors.get(f"{dot}bias")
                x = torch.bmm(weight, x) if bias is None else torch.baddbmm(bias[:, :, None], weight, x)
            else:
                x = layer(x)
        return x.mT, features.mT
