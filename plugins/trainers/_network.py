"""Networks of a block in one stack, mapped over seeds by torch.func."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor, nn
from torch.func import functional_call, stack_module_state, vmap

from ._inputs import forward


class Mapped:
    """Any network, mapped over its stacked parameters by torch.func.

    The trained `weights` are views of the tensors `flat`, one for each type; their `gradients` are views of
    `flat_gradients`.
    """

    def __init__(self, models: Sequence[nn.Module], device: str, dims: int = 1) -> None:
        """`dims` is the number of dimensions of one input."""
        self.model, self.dims = models[0].train(), dims
        weights, buffers = stack_module_state([model.to(device) for model in models])
        frozen = {name for name, weight in self.model.named_parameters() if not weight.requires_grad}
        trained = {name: weight.detach() for name, weight in weights.items() if name not in frozen}
        self.flat, views = _packed(trained)
        self.weights = {name: view.requires_grad_() for name, view in views.items()}
        self.flat_gradients, self.gradients = _packed({n: torch.zeros_like(weight) for n, weight in trained.items()})
        self.fixed = {**buffers, **{name: weights[name].detach() for name in frozen}}
        self._outputs: tuple[Tensor, ...] = ()

    def logits(self, examples: Tensor) -> Tensor:
        """Logits [lanes, b, ..., classes] of examples [lanes, b, ..., *shape], without gradient.

        The model is given [rows, *shape]: the items of groups are rows like any others.
        """
        return self.outputs(examples, False)[0]

    @torch.no_grad()
    def outputs(self, examples: Tensor, wants_features: bool) -> tuple[Tensor, ...]:
        """The same logits and, if wanted, features [lanes, b, ..., h]."""
        return tuple(self.grouped(found, examples) for found in self._rows(self._flat(examples), wants_features))

    def push(self, examples: Tensor, wants_features: bool) -> tuple[Tensor, ...]:
        """Logits and, if wanted, features [lanes, b, ..., h] for one training step, ready for `pull`."""
        self._outputs = self._rows(self._flat(examples).contiguous(), wants_features)
        return tuple(self.grouped(output.detach(), examples) for output in self._outputs)

    def pull(self, cotangents: Sequence[Tensor]) -> None:
        """Write the gradient of the weights, given the gradient in the outputs of `push`; both may be overwritten."""
        pairs = zip(self._outputs, cotangents, strict=True)
        known = [(output, cotangent.reshape(output.shape)) for output, cotangent in pairs if output.requires_grad]
        if known and self.weights:
            outputs, given = zip(*known, strict=True)
            found = torch.autograd.grad(outputs, list(self.weights.values()), given, materialize_grads=True)
            for gradient, new in zip(self.gradients.values(), found, strict=True):
                gradient.copy_(new)
        self._outputs = ()

    def _flat(self, examples: Tensor) -> Tensor:
        """Examples [lanes, b, ..., *shape] as rows [lanes, rows, *shape]."""
        return examples.flatten(1, -1 - self.dims)

    def grouped(self, rows: Tensor, examples: Tensor) -> Tensor:
        """Rows [lanes, rows, ...] of examples [lanes, b, ..., *shape] in their leading shape: [lanes, b, ..., ...]."""
        each = examples.shape[: examples.ndim - self.dims]
        return rows if len(each) == 2 else rows.view(*each, *rows.shape[2:])

    def _rows(self, examples: Tensor, wants_features: bool) -> tuple[Tensor, ...]:
        def run(tensors: dict[str, Tensor], x: Tensor) -> tuple[Tensor, ...]:
            logits, features = forward(self.model, lambda: functional_call(self.model, tensors, (x,)), wants_features)
            return (logits,) if features is None else (logits, features)

        outputs: tuple[Tensor, ...] = vmap(run)({**self.weights, **self.fixed}, examples)
        return outputs


def _packed(tensors: Mapping[str, Tensor]) -> tuple[list[Tensor], dict[str, Tensor]]:
    """Copies of the tensors, one after the other in a flat tensor for each type, and the views of each by name."""
    flat: list[Tensor] = []
    views: dict[str, Tensor] = {}
    for kind in dict.fromkeys(tensor.dtype for tensor in tensors.values()):
        some = {name: tensor for name, tensor in tensors.items() if tensor.dtype == kind}
        flat.append(torch.cat([tensor.flatten() for tensor in some.values()]))
        pieces = flat[-1].split([tensor.numel() for tensor in some.values()])
        views |= {n: piece.view(tensor.shape) for (n, tensor), piece in zip(some.items(), pieces, strict=True)}
    return flat, {name: views[name] for name in tensors}
