"""Requirements on a sampler: it keeps its contract, and its samples approach the data as steps increase."""

from __future__ import annotations

from harness.conformance.sampler.contracts import batches, evaluations, inputs, output, repeats, times
from harness.conformance.sampler.convergence import end, floor, law, order
from harness.conformance.sampler.variance import variance

CHECKS = (order, law, end, floor, inputs, output, repeats, batches, evaluations, times, variance)
