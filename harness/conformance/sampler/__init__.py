"""What a sampler must do: keep its contract, and end in the data as the number of steps grows."""

from __future__ import annotations

from harness.conformance.sampler.contracts import batches, evaluations, inputs, output, repeats, times
from harness.conformance.sampler.convergence import end, floor, law, order

CHECKS = (order, law, end, floor, inputs, output, repeats, batches, evaluations, times)
