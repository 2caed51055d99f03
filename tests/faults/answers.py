"""Answers that are no measurement: wrong types, shapes and values, and objects that lie."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction
from typing import Any

from harness import Measurements
from tests.faults.table import becomes, right

Seeds = Sequence[int]


def _score(seeds: Seeds, numbers: Any, **more: Any) -> Measurements:
    return Measurements(seeds=list(seeds), metrics={"score": numbers}, **more)


@becomes("failed", r"measure\(\) must return harness\.Measurements, not NoneType", answers=True)
def none(seeds: Seeds) -> Any:
    return None


@becomes("failed", r"measure\(\) must return harness\.Measurements, not dict", answers=True)
def mapping(seeds: Seeds) -> Any:
    return {"score": right(seeds)}


@becomes("failed", r"measure\(\) must return harness\.Measurements, not type", answers=True)
def the_class(seeds: Seeds) -> Any:
    return Measurements


@becomes("failed", r"measure\(\) must return harness\.Measurements, not generator", answers=True)
def generator(seeds: Seeds) -> Any:
    return (number for number in right(seeds))


@becomes("failed", r"score: 1 numbers for 4 seeds", answers=True)
def few_numbers(seeds: Seeds) -> Any:
    return _score(seeds, [1.0])


@becomes("failed", r"score: 0 numbers for 4 seeds", answers=True)
def no_numbers(seeds: Seeds) -> Any:
    return _score(seeds, [])


@becomes("failed", r"score: expected one number for each seed, got a float", answers=True)
def one_number(seeds: Seeds) -> Any:
    return _score(seeds, 1.0)


@becomes("failed", r"score: expected one number for each seed, got a generator", answers=True)
def generator_of_numbers(seeds: Seeds) -> Any:
    return _score(seeds, (number for number in right(seeds)))


@becomes("failed", r"score: expected a number, got a str", answers=True)
def text(seeds: Seeds) -> Any:
    return _score(seeds, "high")


@becomes("failed", r"score: expected a number, got a str", answers=True)
def numbers_as_text(seeds: Seeds) -> Any:
    return _score(seeds, [str(number) for number in right(seeds)])


@becomes("failed", r"score: expected a number, got a NoneType", answers=True)
def no_number(seeds: Seeds) -> Any:
    return _score(seeds, [None for _ in seeds])


@becomes("failed", r"score: expected a number, got a complex", answers=True)
def complex_number(seeds: Seeds) -> Any:
    return _score(seeds, [1j for _ in seeds])


@becomes("failed", r"score: expected a number, got a Fraction", answers=True)
def fraction(seeds: Seeds) -> Any:
    return _score(seeds, [Fraction(1, 3) for _ in seeds])


@becomes(
    "failed", r"score: expected a number, got a int: OverflowError: int too large to convert to float", answers=True
)
def huge_integer(seeds: Seeds) -> Any:
    return _score(seeds, [10**400 for _ in seeds])


@becomes("failed", r"score: expected a number, got a Tensor", answers=True)
def tensor_of_rows(seeds: Seeds) -> Any:
    import torch

    return _score(seeds, torch.ones(len(seeds), 3))


@becomes("failed", r"score: 0 numbers for 4 seeds", answers=True)
def empty_tensor(seeds: Seeds) -> Any:
    import torch

    return _score(seeds, torch.empty(0))


@becomes("failed", r"score: expected a real number, got \(1\+2j\)", answers=True)
def complex_tensor(seeds: Seeds) -> Any:
    import torch

    return _score(seeds, torch.full((len(seeds),), 1 + 2j))


@becomes("failed", r"score: expected a number, got a Tensor: RuntimeError: .*meta", answers=True)
def tensor_without_data(seeds: Seeds) -> Any:
    import torch

    return _score(seeds, torch.ones(len(seeds), device="meta"))


@becomes("failed", r"score: expected a number, got a ndarray: \w+: ", answers=True)
def array_of_text(seeds: Seeds) -> Any:
    import numpy

    return _score(seeds, [numpy.array("high") for _ in seeds])


@becomes("failed", r"score: expected a real number, got \(1\+2j\)", answers=True)
def complex_array(seeds: Seeds) -> Any:
    import numpy

    return _score(seeds, numpy.full(len(seeds), 1 + 2j))


@becomes("ok", answers=True)
def tensor_with_gradient(seeds: Seeds) -> Any:
    import torch

    return _score(seeds, torch.tensor(right(seeds), dtype=torch.float64, requires_grad=True))


@becomes("ok", answers=True)
def numbers_that_are_not_finite(seeds: Seeds) -> Any:
    return _score(seeds, [float("nan"), float("inf"), float("-inf"), 1.0])


@becomes("ok", answers=True)
def numbers_at_the_end_of_the_range(seeds: Seeds) -> Any:
    return _score(seeds, [1.7e308, -1.7e308, 5e-324, -0.0])


class _Liar(float):
    """A number that is equal to everything and says that it is another."""

    def __eq__(self, other: object) -> bool:
        return True

    def __hash__(self) -> int:
        return 0

    def __float__(self) -> Any:
        return "high"


@becomes("failed", r"score: expected a number, got a _Liar: TypeError: .*__float__ returned non-float", answers=True)
def lying_number(seeds: Seeds) -> Any:
    return _score(seeds, [_Liar(1) for _ in seeds])


class _Scalar:
    """Something without dimensions that is no number."""

    ndim = 0

    def __float__(self) -> float:
        raise ArithmeticError("no number")


@becomes("failed", r"score: expected a number, got a _Scalar: ArithmeticError: no number", answers=True)
def number_that_raises(seeds: Seeds) -> Any:
    return _score(seeds, [_Scalar() for _ in seeds])


class _Endless(list[float]):
    def __len__(self) -> int:
        return 4

    def __iter__(self) -> Iterator[float]:
        yield from (1.0 for _ in range(100))


@becomes("crashed", r"the process sent another answer than was asked for: ", answers=True)
def list_that_lies_about_its_length(seeds: Seeds) -> Any:
    return _score(seeds, _Endless())


@becomes("failed", r"the metrics must map labels to numbers, not be a list", answers=True)
def metrics_in_a_list(seeds: Seeds) -> Any:
    return Measurements(seeds=list(seeds), metrics=[("score", right(seeds))])  # type: ignore[arg-type]


@becomes("failed", r"the metric score was not measured", answers=True)
def no_metric(seeds: Seeds) -> Any:
    return Measurements(seeds=list(seeds), metrics={})


@becomes("failed", r"the metric score was not measured, did you mean scor\?", answers=True)
def another_metric(seeds: Seeds) -> Any:
    return Measurements(seeds=list(seeds), metrics={"scor": right(seeds)})


@becomes("failed", r"the answer cannot be stored: keys must be str", answers=True)
def metric_without_a_name(seeds: Seeds) -> Any:
    return Measurements(seeds=list(seeds), metrics={"score": right(seeds), (1, 2): right(seeds)})  # type: ignore[dict-item]


@becomes("failed", r"measure\(\) was asked for the seeds 0, 1, 2, 3 and answered for 0, 1, 2", answers=True)
def other_seeds(seeds: Seeds) -> Any:
    return _score(list(seeds)[:3], right(seeds)[:3])


@becomes("failed", r"measure\(\) was asked for the seeds 0, 1, 2, 3 and answered for .*4", answers=True)
def seeds_of_another_block(seeds: Seeds) -> Any:
    return _score([seed + 4 for seed in seeds], right(seeds))


@becomes("crashed", r"the process sent another answer than was asked for: ", answers=True)
def notes_that_are_numbers(seeds: Seeds) -> Any:
    return _score(seeds, right(seeds), notes=[1, 2])


@becomes("failed", r"the answer cannot be stored: Object of type bytes is not JSON serializable", answers=True)
def notes_of_bytes(seeds: Seeds) -> Any:
    return _score(seeds, right(seeds), notes=[b"bytes"])


@becomes("ok", answers=True)
def note_with_lone_surrogates(seeds: Seeds) -> Any:
    return _score(seeds, right(seeds), notes=["half a pair \ud83d and \x1b[31m red"])


@becomes("failed", r"the answer has [\d,]+ bytes, at most 268,435,456 can be stored", answers=True)
def answer_of_too_many_bytes(seeds: Seeds) -> Any:
    return _score(seeds, right(seeds), notes=["x" * 2**28])


@becomes("failed", r"the answer cannot be stored: Circular reference", answers=True)
def answer_in_a_circle(seeds: Seeds) -> Any:
    circle: list[Any] = []
    circle.append(circle)
    return _score(seeds, right(seeds), overridden={"a": circle})


@becomes("failed", r"extra: 1 numbers for 4 seeds", answers=True)
def few_auxiliary_numbers(seeds: Seeds) -> Any:
    return _score(seeds, right(seeds), auxiliary={"extra": [1.0]})


@becomes("failed", r"score: per-example values and their numbers have the shapes \[4, 3\] and \[4, 2\]", answers=True)
def results_of_other_examples(seeds: Seeds) -> Any:
    import torch

    return _score(seeds, right(seeds), per_example={"score": (torch.ones(4, 3), torch.ones(4, 2))})


@becomes("failed", r"score: per-example values and their numbers must be arrays", answers=True)
def results_by_example_in_lists(seeds: Seeds) -> Any:
    return _score(seeds, right(seeds), per_example={"score": ([[1.0]] * 4, [[1]] * 4)})
