"""Sizes of a network by the names of its factory's arguments: `in_channels`, `num_classes`, `img_size`, ..."""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Any

CHANNELS = ("in_channels", "in_chans", "input_channels", "num_input_channels", "in_ch")
SHAPES = ("input_shape", "in_shape")
NUMBERS = (
    *("n_inputs", "num_inputs", "input_dim", "input_size", "in_dim", "dim_in", "d_in"),
    *("in_features", "input_features", "n_features", "num_features"),
)
SIZES: Mapping[str, Sequence[str]] = MappingProxyType(
    {
        "inputs": ("inputs", *SHAPES, *CHANNELS, *NUMBERS),
        "outputs": (
            *("outputs", "classes", "n_classes", "num_classes", "nclasses", "num_labels"),
            *("n_outputs", "num_outputs", "output_dim", "output_size", "out_dim", "dim_out", "d_out"),
            *("out_features", "out_channels"),
        ),
        "image": ("img_size", "image_size"),
    }
)
"""Size of a network -> the names that factories give the argument for it, those that mean nothing else first."""

UNNAMED: Mapping[str, Mapping[str, str]] = MappingProxyType(
    {"timm": {"num_classes": "outputs", "in_chans": "inputs"}, "torchvision": {"num_classes": "outputs"}}
)
"""Library whose factories take sizes among further keywords (`**kwargs`) -> the names and what they are."""


def sizes_by_name(factory: Callable[..., object]) -> dict[str, str]:
    """Return the arguments of a factory that are `inputs`, `outputs` or `image` by their names.

    Empty where none is, or where there is no name for the outputs but a further argument: sizes go by place.
    """
    try:
        every = list(inspect.signature(factory).parameters.values())
    except (TypeError, ValueError):
        return {}
    taken = {p.name: p for p in every if p.kind not in (p.VAR_KEYWORD, p.VAR_POSITIONAL)}
    named = {size: [name for name in names if name in taken] for size, names in SIZES.items()}
    sizes = {names[0]: size for size, names in named.items() if names}  # several names for one size: the first counts
    found = {name: sizes[name] for name in taken if name in sizes}
    library = UNNAMED.get(str(getattr(factory, "__module__", "")).partition(".")[0], {})
    if library and any(p.kind is p.VAR_KEYWORD for p in every):
        known = set(found.values())
        found |= {name: size for name, size in library.items() if size not in known}
    if "outputs" not in found.values() and len(taken) > len(found):
        return {}
    return (
        {} if any(name in taken and taken[name].kind is inspect.Parameter.POSITIONAL_ONLY for name in found) else found
    )


def value(name: str, size: str, inputs: int | tuple[int, ...], outputs: int) -> object:
    """Return what the argument of a name gets, for inputs as `Model.build` gets them."""
    if size == "outputs":
        return outputs
    shape = (inputs,) if isinstance(inputs, int) else inputs
    if size == "image":
        return shape[-1] if len(set(shape[-2:])) == 1 else shape[-2:]
    if name in SHAPES:
        return shape
    if name in CHANNELS:
        return shape[0]
    return math.prod(shape) if name in NUMBERS else inputs


def called(factory: Callable[..., Any], inputs: int | tuple[int, ...], outputs: int, **fields: object) -> Any:
    """Call a factory with its sizes, by name where it has names for them, else the first two by place."""
    sizes = sizes_by_name(factory)
    if not sizes:
        return factory(inputs, outputs, **fields)
    image = not isinstance(inputs, int) and len(inputs) > 2
    given = {name: size for name, size in sizes.items() if size != "image" or image}
    return factory(**{name: value(name, size, inputs, outputs) for name, size in given.items()}, **fields)
