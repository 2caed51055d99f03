"""Requirements on a model: it builds a trainable network of the requested width, initialized from the seed."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from harness.conformance import contract
from harness.kinds import Model
from harness.random import generator

SIZES: Sequence[tuple[tuple[int, ...], int]] = (
    ((5,), 3),
    ((12,), 4),
    ((1,), 2),
    ((3, 32, 32), 4),
    ((1, 28, 28), 3),
    ((16, 8), 3),
)
"""Shapes of one input and numbers of outputs, tried in turn until a model accepts one: some models are for images."""

ROWS = 7

ROUNDING = 1e-5
"""Tolerance for float32: matrix products round differently in batches of another size."""


def width(model: Model) -> tuple[bool | None, str]:
    """Rows [rows, inputs], or images where it takes only these, give logits [rows, outputs]."""
    shape, outputs = _size(model)
    network = _built(model)
    contract.network_output(model, network(_rows(shape)), ROWS, outputs)
    size = sum(weight.numel() for weight in network.parameters())
    said = " x ".join(map(str, shape))
    return True, f"width: {outputs} outputs of {said} inputs, {size:,} parameters"


def gradient(model: Model) -> tuple[bool | None, str]:
    """Every trainable parameter gets a gradient."""
    network, (shape, outputs) = _built(model), _size(model)
    target = torch.arange(ROWS) % outputs
    nn.functional.cross_entropy(network(_rows(shape)), target).backward()
    trained = {name: weight.grad for name, weight in network.named_parameters() if weight.requires_grad}
    missing = [name for name, grad in trained.items() if grad is None or not bool(torch.isfinite(grad).all())]
    if not trained:
        return False, "gradient: it has no parameter to train"
    said = f"none reaches {', '.join(missing)}" if missing else f"reaches all {len(trained)} parameters"
    return not missing, f"gradient: {said}"


def initialization(model: Model) -> tuple[bool | None, str]:
    """Weights come from torch's global generator: the same seed gives the same weights."""
    one, again, other = (_weights(_built(model, seed)) for seed in (0, 0, 1))
    if not torch.equal(one, again):
        return False, "initialization: the same seed gives other weights"
    if torch.equal(one, other):
        return None, "initialization: the same for every seed"
    return True, "initialization: the seed's own, twice the same"


def batches(model: Model) -> tuple[bool | None, str]:
    """In evaluation an example's logits do not depend on the others."""
    network, x = _built(model).eval(), _rows(_size(model)[0])
    with torch.no_grad():
        whole, parts = network(x), torch.cat([network(row[None]) for row in x])
    off = float((whole - parts).abs().max())
    same = off <= ROUNDING * max(1.0, float(whole.abs().max()))
    return same, f"batches: {ROWS} examples at once {'are as' if same else f'differ by {off:.2g} from'} one by one"


def repeats(model: Model) -> tuple[bool | None, str]:
    """In evaluation the network draws nothing and keeps its state."""
    network, x = _built(model).eval(), _rows(_size(model)[0])
    before = {name: part.clone() for name, part in network.state_dict().items()}
    with torch.no_grad():
        off = float((network(x) - network(x)).abs().max())
    changed = [name for name, part in network.state_dict().items() if not torch.equal(part, before[name])]
    said = f"{', '.join(changed)} changed by a call" if changed else f"differ by {off:.2g}" if off else "are the same"
    return not changed and not off, f"repeats: logits of the same examples {said}"


def _size(model: Model) -> tuple[tuple[int, ...], int]:
    """Return shape of an input and number of outputs that the model supports. Raises the first error if it has none."""
    reasons: list[Exception] = []
    for shape, outputs in SIZES:
        try:
            with torch.random.fork_rng(devices=[]):
                contract.network(model, shape, outputs).eval()(_rows(shape))
            return shape, outputs
        except Exception as error:  # a network may raise anything for inputs that are not its own
            reasons.append(error)
    raise reasons[0]


def _built(model: Model, seed: int = 0) -> nn.Module:
    size = _size(model)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return contract.network(model, *size)


def _rows(shape: Sequence[int]) -> Tensor:
    return torch.randn(ROWS, *shape, generator=generator(0, "rows"))


def _weights(network: nn.Module) -> Tensor:
    parts = [part.detach().flatten().double() for part in network.state_dict().values()]
    return torch.cat(parts) if parts else torch.zeros(0)


CHECKS = (width, gradient, initialization, batches, repeats)
